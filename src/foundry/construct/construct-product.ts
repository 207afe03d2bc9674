/**
 * Constructs a product: assemble, raise it layer by layer in a staging directory, and only then write it into place.
 *
 * Nothing is written where a layer does not stand, a suite fails, or the build is cancelled: an older product that is
 * there stays as it is.
 */
import { assembleProduct, type BuildInput, type BuildReport, carriedFiles, writeProduct }
  from "../build.ts";
import { checkProductPlace } from "../product-directory.ts";
import { raiseProduct, type RaisedLayer, type RaiseReport } from "./raise-product.ts";
import { SuiteRecord, userRecordDirectory } from "./suite-record.ts";

/** `new`: what has not passed before with the same bytes. `none`: nothing is run, and the report says so. */
export type VerifyMode = "new" | "all" | "none";

export interface ConstructOptions {
  readonly verify: VerifyMode;
  readonly signal?: AbortSignal | undefined;
  /** Where passed suites are recorded. Default: the user's cache directory. */
  readonly recordDirectory?: string;
  readonly onLayer?: (layer: RaisedLayer, of: number) => void;
}

export interface ConstructReport extends BuildReport {
  readonly verify: VerifyMode;
  /** Undefined where nothing was verified. */
  readonly verified: RaiseReport | undefined;
}

/** Errors: those of `buildProduct` and of `raiseProduct`. */
export async function constructProduct(
  input: BuildInput,
  directory: string,
  options: ConstructOptions,
): Promise<ConstructReport> {
  const { verify, signal, onLayer } = options;
  const force = input.force ?? false;
  checkProductPlace(directory, { force, carried: carriedFiles });
  const assembled = assembleProduct(input, directory);
  const record = new SuiteRecord(options.recordDirectory ?? userRecordDirectory());
  const verified = verify === "none"
    ? undefined
    : await raiseProduct(directory, assembled.plan, Object.values(assembled.selected), assembled.files, {
      record, runAll: verify === "all", signal, ...(onLayer === undefined ? {} : { onLayer }),
    });
  return { ...writeProduct(assembled, directory, force), verify, verified };
}

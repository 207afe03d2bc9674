/**
 * Constructs a product: assemble, raise it layer by layer in a staging directory, and only then write it into place.
 * All of it is done under the lock of the place, so that a second build waits, and then finds the product of the first.
 *
 * Nothing is written where a layer does not stand, a suite fails, what is not verified does not even load, or the build
 * is cancelled: an older product that is there stays as it is.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import { assembleProduct, type BuildInput, type BuildReport, carriedFiles, writeProduct }
  from "../build.ts";
import { checkProductPlace } from "../product-directory.ts";
import { awaitPlace } from "../product-lock.ts";
import { checkLoads } from "./load-check.ts";
import { raiseProduct, type RaisedLayer, type RaiseReport, suiteTimeoutMsDefault } from "./raise-product.ts";
import { SuiteRecord, userRecordDirectory } from "./suite-record.ts";

/** `new`: what has not passed before with the same bytes. `none`: it is only loaded, and the report says so. */
export type VerifyMode = "new" | "all" | "none";

export interface ConstructOptions {
  readonly verify: VerifyMode;
  readonly signal?: AbortSignal | undefined;
  /** Where passed suites are recorded. Default: the user's cache directory. */
  readonly recordDirectory?: string;
  /** How long one suite may take. */
  readonly suiteTimeoutMs?: number | undefined;
  readonly onLayer?: (layer: RaisedLayer, of: number) => void;
  /** Told once where another build holds the place. */
  readonly onWait?: (line: string) => void;
}

export interface ConstructReport extends BuildReport {
  readonly verify: VerifyMode;
  /** Undefined where nothing was verified. */
  readonly verified: RaiseReport | undefined;
}

/** Errors: those of `awaitPlace`, `buildProduct`, `raiseProduct` and `checkLoads`. */
export async function constructProduct(
  input: BuildInput,
  directory: string,
  options: ConstructOptions,
): Promise<ConstructReport> {
  const { signal, onWait } = options;
  const hold = await awaitPlace(directory, { signal, onWait });
  try {
    return await constructHeld(input, directory, options);
  } finally {
    hold.release();
  }
}

async function constructHeld(
  input: BuildInput, directory: string, options: ConstructOptions,
): Promise<ConstructReport> {
  const { verify, signal, onLayer, suiteTimeoutMs } = options;
  const force = input.force ?? false;
  checkProductPlace(directory, { force, carried: carriedFiles, held: true });
  const assembled = assembleProduct(input, directory);
  const record = new SuiteRecord(options.recordDirectory ?? userRecordDirectory());
  if (verify === "none") {
    await checkLoads(directory, assembled.files, { signal, timeoutMs: suiteTimeoutMs ?? suiteTimeoutMsDefault });
  }
  const verified = verify === "none"
    ? undefined
    : await raiseProduct(directory, assembled.plan, Object.values(assembled.selected), assembled.files, {
      record, runAll: verify === "all", signal, suiteTimeoutMs, ...(onLayer === undefined ? {} : { onLayer }),
    });
  // A signal that came while nothing was waited for is noticed now: two turns, for it comes in at the end of one.
  for (let turn = 0; turn < 2; turn++) await nextTurn();
  signal?.throwIfAborted();
  return { ...writeProduct(assembled, directory, { force, held: true }), verify, verified };
}

/**
 * Use case: build a product from a contract file.
 */
import { assembleProduct, type BuildInput, type BuildReport, buildProduct, surveyBuild } from "../foundry/build.ts";
import { constructProduct, type ConstructReport, type VerifyMode } from "../foundry/construct/construct-product.ts";
import { type RaisedLayer, suiteTimeoutMsDefault } from "../foundry/construct/raise-product.ts";
import { designSpace } from "../foundry/select/design-space.ts";
import type { Overrides } from "../foundry/select/select-features.ts";
import { checkSelection, loadSelection } from "../foundry/select/selection-file.ts";
import { sizeSentence } from "../foundry/source-size.ts";
import { LatheError } from "../kit/errors.ts";
import type { KnobValues } from "../kit/product.ts";
import { loadKnobCatalog } from "../knobs/catalog.ts";
import { compileProduct } from "./compile-product.ts";
import { loadServedContract } from "./contract.ts";
import type { UseCaseContext } from "./use-case.ts";

export { sizeSentence };
export const suiteTimeoutSecondsDefault = suiteTimeoutMsDefault / 1000;
export type { BuildReport, ConstructReport, VerifyMode };

export interface BuildRequest {
  readonly contractFile: string;
  readonly directory: string;
  /** Values other than the shipped defaults. */
  readonly knobs?: KnobValues;
  /** Replace a product that was edited; the edited files are kept aside. */
  readonly force?: boolean;
  /** Features to select or to leave out, and directories of parts of the user's own. */
  readonly overrides?: Overrides;
  /** A selection that `lathe select` or `lathe model sample` wrote for this contract; without overrides beside it. */
  readonly selectionFile?: string | undefined;
}

/** Without running its suites. Errors: those of `loadServedContract` and `buildProduct`. */
export function buildFromContract(request: BuildRequest): BuildReport {
  return buildProduct(buildInput(request), request.directory);
}

/** What a build would change, without a byte written. Errors: as a build. */
export function surveyFromContract(request: BuildRequest): BuildReport {
  const input = buildInput(request);
  return surveyBuild(assembleProduct(input, request.directory), request.directory, input.force);
}

/** Errors: those of `loadServedContract`, `designSpace`, `loadSelection` and `checkSelection`. */
function buildInput({ contractFile, knobs = {}, force = false, overrides, selectionFile }: BuildRequest): BuildInput {
  const { contract, text } = loadServedContract(contractFile);
  const space = designSpace(overrides?.parts);
  const input = { contract, contractText: text, knobCatalog: loadKnobCatalog(), knobs, force, space };
  if (selectionFile === undefined) return { ...input, ...(overrides === undefined ? {} : { overrides }) };
  if (overrides !== undefined && overrides.with.length + overrides.without.length > 0) {
    const message = `${selectionFile} is a selection already; give --with and --without to lathe select`;
    throw new LatheError("INVALID_ARGUMENT", message);
  }
  const selection = loadSelection(selectionFile);
  checkSelection(selection, contract, space, selectionFile);
  return { ...input, selection };
}

export interface ConstructRequest extends BuildRequest {
  readonly verify: VerifyMode;
  /** How long one suite may take; ten minutes where left out. */
  readonly suiteTimeoutMs?: number | undefined;
}

/**
 * Layer by layer, with a line of progress for each; then its code is compiled, for its first start. Errors: those of
 * `loadServedContract` and `constructProduct`.
 */
export async function constructFromContract(
  request: ConstructRequest,
  { signal, progress }: Pick<UseCaseContext, "signal" | "progress">,
): Promise<ConstructReport> {
  const { verify, suiteTimeoutMs } = request;
  const onLayer = (layer: RaisedLayer, of: number) => progress(layerLine(layer, of));
  const options = { verify, suiteTimeoutMs, signal, onLayer, onWait: progress };
  const report = await constructProduct(buildInput(request), request.directory, options);
  await compileProduct(request.directory, signal);
  return report;
}

/** `layer 2/5: 16 nodes; row-to-kv, single-node-log; 1 suite (35 tests), 0 known; 1203 ms`. */
export function layerLine({ number, kind, nodes, parts, ...done }: RaisedLayer, of: number): string {
  const laid = parts.length === 0 ? [] : [parts.join(", ")];
  const what = kind === "wiring" ? ["wiring and the product as a whole"] : [count(nodes.length, "node"), ...laid];
  const { suitesRun, suitesKnown, tests, ms } = done;
  const known = suitesKnown === 0 ? "" : `, ${suitesKnown} passed before with these bytes`;
  const ran = suitesRun + suitesKnown === 0
    ? "no suites"
    : `${count(suitesRun, "suite")} run${known} (${count(tests, "test")})`;
  return `layer ${number}/${of}: ${[...what, ran, `${ms} ms`].join("; ")}`;
}

/** What was verified, as one sentence. */
export function verifiedSentence({ verified }: Pick<ConstructReport, "verified">): string {
  if (verified === undefined) {
    return "not verified: it loads, and no suite was run (--no-verify); npm test in the product runs them";
  }
  const { layers, suitesRun, suitesKnown, tests, withoutSuite, unsteady, ms } = verified;
  const bare = withoutSuite.length === 0 ? "" : `; without a suite of their own: ${withoutSuite.join(", ")}`;
  const known = suitesKnown === 0 ? "" : `; ${count(suitesKnown, "suite")} passed before with these bytes`;
  const again = unsteady.length === 0 ? "" : `; passed only at the second try: ${unsteady.join(", ")}`;
  const seconds = (ms / 1000).toFixed(1);
  const ran = `${count(suitesRun, "suite")} run${known}`;
  return `verified in ${layers.length} layers: ${ran}; ${tests} tests, ${seconds} s${again}${bare}`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

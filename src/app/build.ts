/**
 * Use case: build a product from a contract file.
 */
import { type BuildReport, buildProduct } from "../foundry/build.ts";
import { constructProduct, type ConstructReport, type VerifyMode } from "../foundry/construct/construct-product.ts";
import type { RaisedLayer } from "../foundry/construct/raise-product.ts";
import { sizeSentence } from "../foundry/source-size.ts";
import type { KnobValues } from "../kit/product.ts";
import { loadKnobCatalog } from "../knobs/catalog.ts";
import { compileProduct } from "./compile-product.ts";
import { loadServedContract } from "./contract.ts";
import type { UseCaseContext } from "./use-case.ts";

export { sizeSentence };
export type { BuildReport, ConstructReport, VerifyMode };

export interface BuildRequest {
  readonly contractFile: string;
  readonly directory: string;
  /** Values other than the shipped defaults. */
  readonly knobs?: KnobValues;
  /** Replace a product that was edited; the edited files are kept aside. */
  readonly force?: boolean;
}

/** Without running its suites. Errors: those of `loadServedContract` and `buildProduct`. */
export function buildFromContract(request: BuildRequest): BuildReport {
  const { contract, text } = loadServedContract(request.contractFile);
  const input = { contract, contractText: text, knobCatalog: loadKnobCatalog() };
  return buildProduct({ ...input, knobs: request.knobs ?? {}, force: request.force ?? false }, request.directory);
}

export interface ConstructRequest extends BuildRequest {
  readonly verify: VerifyMode;
}

/**
 * Layer by layer, with a line of progress for each; then its code is compiled, for its first start. Errors: those of
 * `loadServedContract` and `constructProduct`.
 */
export async function constructFromContract(
  request: ConstructRequest,
  { signal, progress }: Pick<UseCaseContext, "signal" | "progress">,
): Promise<ConstructReport> {
  const { contract, text } = loadServedContract(request.contractFile);
  const { knobs = {}, force = false, verify } = request;
  const input = { contract, contractText: text, knobCatalog: loadKnobCatalog(), knobs, force };
  const onLayer = (layer: RaisedLayer, of: number) => progress(layerLine(layer, of));
  const report = await constructProduct(input, request.directory, { verify, signal, onLayer });
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
  if (verified === undefined) return "not verified: no suite was run (--no-verify); npm test in the product runs them";
  const { layers, suitesRun, suitesKnown, tests, unsteady, ms } = verified;
  const known = suitesKnown === 0 ? "" : `; ${count(suitesKnown, "suite")} passed before with these bytes`;
  const again = unsteady.length === 0 ? "" : `; passed only at the second try: ${unsteady.join(", ")}`;
  const seconds = (ms / 1000).toFixed(1);
  const ran = `${count(suitesRun, "suite")} run${known}`;
  return `verified in ${layers.length} layers: ${ran}; ${tests} tests, ${seconds} s${again}`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

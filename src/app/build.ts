/**
 * Use case: build a product from a contract file.
 */
import { type BuildReport, buildProduct } from "../foundry/build.ts";
import { sizeSentence } from "../foundry/source-size.ts";
import type { KnobValues } from "../kit/product.ts";
import { loadKnobCatalog } from "../knobs/catalog.ts";
import { loadServedContract } from "./contract.ts";

export { sizeSentence };
export type { BuildReport };

export interface BuildRequest {
  readonly contractFile: string;
  readonly directory: string;
  /** Values other than the shipped defaults. */
  readonly knobs?: KnobValues;
  /** Replace a product that was edited; the edited files are kept aside. */
  readonly force?: boolean;
}

/** Errors: those of `loadServedContract` and `buildProduct`. */
export function buildFromContract(request: BuildRequest): BuildReport {
  const { contract, text } = loadServedContract(request.contractFile);
  const input = { contract, contractText: text, knobCatalog: loadKnobCatalog() };
  return buildProduct({ ...input, knobs: request.knobs ?? {}, force: request.force ?? false }, request.directory);
}

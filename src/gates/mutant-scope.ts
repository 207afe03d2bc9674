/**
 * Which mutants say anything about a product: not those of another kind of product, nor faults in files that nobody
 * who asks it can reach.
 *
 * A product that is asked over HTTP alone has no parts that answer SQL; a mutant there is left out by name, not
 * admitted by silence. So is one in files that a library does not have.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { gatesOf } from "./gate-table.ts";
import type { Mutant } from "./mutant.ts";

/** The gate that asks over HTTP what one over MySQL asks. */
const overHttp: Readonly<Record<string, string>> = {
  "flush-audit": "http-flush-audit",
  "load": "http-load",
  "differential-small": "http-differential",
  "kill-9": "http-kill-9",
  "bounds": "http-bounds",
};

/** The gate that asks of a library what one over MySQL asks of a server. */
const ofLibrary: Readonly<Record<string, string>> = {
  "flush-audit": "library-flush-audit",
  "kill-9": "library-kill-9",
};

/** Parts through which only SQL goes. */
const sqlParts = [
  "query_processing", "parser/implementation", "indexing", "architecture/networking/wire_protocols",
  "concurrency/transaction/model/one_shot_command", "concurrency/transaction/model/single_node_acid",
].map((part) => `parts/${part}/`).concat("parts/concurrency/transaction/row-condition.ts");

export interface MutantScope {
  /** The gates of which one must reject a planted fault in this product. */
  readonly expectedGates: readonly string[];
  /** Why the mutant is left out; undefined where it is not. */
  readonly reason: string | undefined;
}

/** `directory`: of the product; `protocols`: what it speaks. */
export function mutantScope(mutant: Mutant, directory: string, protocols: readonly string[]): MutantScope {
  const isLibrary = protocols.includes("embedded");
  const isHttp = !isLibrary && !protocols.includes("mysql");
  const gates = gatesOf(protocols, "product").map(({ name }) => name);
  const counterparts = isLibrary ? ofLibrary : isHttp ? overHttp : {};
  const named = mutant.expectedGates.map((gate) => counterparts[gate] ?? gate);
  const expectedGates = [...new Set(named)].filter((gate) => gates.includes(gate));
  const missing = mutant.edits.find(({ file }) => !existsSync(join(directory, file)));
  const foreign = mutant.edits.find(({ file }) => isHttp && sqlParts.some((part) => file.startsWith(part)));
  if (missing !== undefined) return { expectedGates, reason: `the product has no ${missing.file}` };
  if (foreign !== undefined) return { expectedGates, reason: `only SQL goes through ${foreign.file}` };
  if (mutant.planted && expectedGates.length === 0) {
    return { expectedGates, reason: `none of the product's gates is one of ${mutant.expectedGates.join(", ")}` };
  }
  return { expectedGates, reason: undefined };
}

/**
 * A refusal names the leaf that a product lacks, so that its owner can select it. It must never name one that the product
 * has: that would send the owner after what is there.
 *
 *   1. Which parts a part always meets, is asked of the solver: no product holds the one without the other.
 *   2. A part's sources name leaves in refusals only, as literals; none of them may be declared by them.
 *   3. What depends on a part that may be there or not is asked of the parts themselves (`refusals.test.ts` of the
 *      executor, with secondary indexes and open transactions).
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Reasoner } from "../model/reasoner.ts";
import { libraryModel } from "./library-model.ts";
import { designSpace } from "./select/design-space.ts";

const { model, library } = designSpace();
const partsRoot = join(import.meta.dirname, "..", "parts");
const reasoner = new Reasoner(libraryModel(model, library));
const paths = new Set(model.features.filter(({ kind }) => kind === "leaf").map(({ path }) => path));
const literal = /"([a-z0-9_]+(?:\/[a-z0-9_]+)+)"/g;

/** Leaves that stand in a source text as literals. */
function namedLeaves(source: string): string[] {
  return [...source.matchAll(literal)].map(([, path]) => path).filter((path) => paths.has(path));
}

/** Leaves of the part, and of all parts without which no product holds it. */
function leavesAlwaysThere(primary: string): Set<string> {
  const held = reasoner.literal(primary);
  assert.ok(reasoner.satisfiable([held]), primary);
  const always = library.filter(({ leaves }) => !reasoner.satisfiable([held, reasoner.literal(leaves[0], false)]));
  return new Set(always.flatMap(({ leaves }) => leaves));
}

test("no part's source names a leaf that every product with it has", () => {
  const wrong: string[] = [];
  let looked = 0;
  for (const { name, path, leaves } of library) {
    const directory = join(partsRoot, path);
    const always = leavesAlwaysThere(leaves[0]);
    const files = readdirSync(directory).filter((file) => /^[^.]+\.ts$/.test(file));
    for (const file of files) {
      const named = namedLeaves(readFileSync(join(directory, file), "utf8"));
      looked += named.length;
      wrong.push(...named.filter((leaf) => always.has(leaf)).map((leaf) => `${name}, ${file}: ${leaf}`));
    }
  }
  assert.deepEqual(wrong, []);
  assert.ok(looked > 80, `${looked} leaves named`);
  // The planted fault: a refusal by the parser's own leaf, and by one of the executor that always stands behind it.
  const always = leavesAlwaysThere("parser/implementation/recursive_descent");
  const planted = 'throw notSelected("parser/syntax/dml/replace", "x"); throw notSelected("query_processing/operators/limit", "y")';
  assert.deepEqual(namedLeaves(planted).filter((leaf) => always.has(leaf)).length, 2);
});

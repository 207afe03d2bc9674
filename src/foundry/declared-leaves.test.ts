/**
 * A leaf that a part serves and does not declare cannot be selected, asked for or explained. What statements ask for is
 * tried (`test/sql/served-leaves.test.ts`); here names are read: a module, or a choice of a knob, that is called as a
 * leaf is, where no part declares such a leaf. Names cannot prove that a leaf is served: what they mean instead is listed.
 */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { test } from "node:test";
import { loadKnobCatalog } from "../knobs/catalog.ts";
import { implementedLeaves, sourceRoot } from "./part-descriptor.ts";
import { designSpace } from "./select/design-space.ts";

const { model, library } = designSpace();

/** Names that are a leaf's and mean something else, by name: what. */
const meantOtherwise: Readonly<Record<string, string>> = {
  "expression.ts": "arithmetic of a command, not keys of an index and not work pushed to storage",
  "lookup.ts": "a point read in the tree of files, no join",
  "virtual-table.ts": "rows of the catalog, not tables that a host provides",
};

const wordsOf = (name: string) => name.split(/[-_]/).map((word) => word.replace(/s$/, "")).join(" ");

/** Leaves that are called so. */
function leavesCalled(name: string): string[] {
  return model.leaves.map(({ path }) => path).filter((path) => wordsOf(basename(path)) === wordsOf(name));
}

function namesInParts(): string[] {
  const files = library.flatMap(({ path }) => readdirSync(join(sourceRoot, "parts", path)));
  const modules = files.filter((file) => /^[^.]+\.ts$/.test(file));
  return [...modules, ...loadKnobCatalog().flatMap((knob) => (knob.choices ?? []).map(String))];
}

function undeclared(declared: ReadonlySet<string>): string[] {
  return [...new Set(namesInParts())].filter((name) => {
    const leaves = leavesCalled(basename(name, ".ts"));
    return leaves.length > 0 && !leaves.some((leaf) => declared.has(leaf));
  });
}

test("what is called as a leaf is declared by a part, or explained", () => {
  const declared = new Set(library.flatMap(implementedLeaves));
  assert.deepEqual(undeclared(declared).sort(), Object.keys(meantOtherwise).sort());
  assert.ok(namesInParts().length > 150);
  // The planted faults: a leaf that a module, and one that a choice of a knob is called after, are declared no more.
  for (const [leaf, name] of [["recovery/auxiliary/group_commit", "group-commit.ts"], ["storage/compression/zstd", "zstd"]]) {
    assert.ok(undeclared(new Set([...declared].filter((one) => one !== leaf))).includes(name), leaf);
  }
});

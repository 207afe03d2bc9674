import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { catalogRoot, loadModel } from "./load-model.ts";

const model = loadModel();

test("the catalog holds ten modules, at least 850 leaves and 61 cooperate edges", () => {
  assert.deepEqual([...model.modules].sort(), [
    "architecture", "concurrency", "core", "indexing", "parser", "query_processing", "recovery", "replication",
    "storage", "value_types",
  ]);
  assert.ok(model.leaves.length >= 850, `${model.leaves.length} leaves`);
  assert.ok(model.edgesOf("cooperate").length >= 61);
});

test("parents, children, groups and leaves agree with one another", () => {
  assert.equal(model.root.parent, undefined);
  for (const feature of model.features) {
    assert.equal(feature.kind === "leaf", feature.children.length === 0);
    for (const child of feature.children) assert.equal(model.feature(child).parent, feature.path);
    if (feature.parent !== undefined) assert.ok(model.groupOf(feature.path)?.members.includes(feature.path));
  }
  const row = model.groupOf("storage/storage_model/row");
  assert.deepEqual(row?.members, ["row", "col", "memory"].map((name) => `storage/storage_model/${name}`));
  assert.deepEqual([row?.relation, row?.min, row?.max], ["xor", 1, 1]);
  assert.deepEqual(model.ancestors("core/memory/slab"), ["core/memory", "core", "DBModuleGraph"]);
  assert.equal(model.moduleOf("core/memory/slab"), "core");
});

test("an unknown path offers the nearest", () => {
  assert.throws(
    () => model.feature("storage/w_tinylfo"),
    (error: { code: string; message: string }) =>
      error.code === "NOT_FOUND" && error.message.includes("storage/page_io/replacement/w_tinylfu"),
  );
});

/** Loads a copy of the catalog in which one text stands in the place of another. */
function loadChanged(file: string, find: string, replace: string): void {
  const directory = mkdtempSync(join(tmpdir(), "lathe-model-"));
  try {
    cpSync(join(catalogRoot, "features"), directory, { recursive: true });
    const text = readFileSync(join(directory, file), "utf8");
    assert.ok(text.includes(find), `${file} holds ${find}`);
    writeFileSync(join(directory, file), text.replace(find, replace));
    loadModel(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const mistakes = [
  {
    what: "a path that stands twice",
    find: "- path: core/checkpoint",
    replace: "- path: core/wal",
    says: /core\.yaml:\d+: core\/wal stands twice, first in features\/core\.yaml:\d+/,
  },
  {
    what: "a parent that is missing",
    find: "- path: core/wal",
    replace: "- path: core/log/wal",
    says: /core\.yaml:\d+: core\/log\/wal: its parent core\/log is missing/,
  },
  {
    what: "a relation that does not exist",
    find: "relation: optional",
    replace: "relation: sometimes",
    says: /core\.yaml:\d+:\d+: \[\d+\]\.relation/,
  },
  {
    what: "a feature in the file of another module",
    find: "- path: core/wal",
    replace: "- path: storage/wal",
    says: /core\.yaml:\d+:\d+: storage\/wal: features of another module belong into storage\.yaml/,
  },
] as const;

for (const { what, find, replace, says } of mistakes) {
  test(`${what} is told with its line`, () => {
    assert.throws(() => loadChanged("core.yaml", find, replace), says);
  });
}

test("an edge to a path that is not there is told with its line and the nearest paths", () => {
  assert.throws(
    () => loadChanged("edges.yaml", "to: core/checkpoint", "to: core/chekpoint"),
    /edges\.yaml:\d+: requires names core\/chekpoint, which is not in the model; nearest: core\/checkpoint/,
  );
});

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Feature } from "./feature.ts";
import type { FeatureModel } from "./feature-model.ts";
import { edgesAgainstSystems, type Evidence, evidenceProblems, loadEvidence } from "./load-evidence.ts";
import { loadModel } from "./load-model.ts";

const model = loadModel();
const book = loadEvidence();

/** The model with one leaf changed. */
function withLeaf(path: string, change: Partial<Feature>): FeatureModel {
  const features = model.features.map((one) => (one.path === path ? { ...one, ...change } : one));
  const find = (wanted: string) => features.find((one) => one.path === wanted);
  return { features, find, edges: model.edges } as unknown as FeatureModel;
}

const wal = "core/wal";
const phrase: Evidence = { system: "sqlite", where: "row 1", phrase: "a log", leaves: [wal], outside: undefined };

function found(changed: FeatureModel, phrases: readonly Evidence[] = book.phrases, rows = book.rows): string[] {
  return evidenceProblems(changed, { phrases, rows });
}

test("every phrase of the paper's appendix goes to leaves with its system's mark, and every mark has a phrase", () => {
  assert.deepEqual(found(model), []);
  assert.ok(book.phrases.length > 1300, `${book.phrases.length} phrases`);
  assert.equal([...book.rows.values()].reduce((sum, rows) => sum + rows, 0), 350);
});

test("a phrase without a leaf, with a group, an unknown leaf or an unmarked one is found", () => {
  const more = (leaves: readonly string[]) => found(model, [...book.phrases, { ...phrase, leaves }]);
  assert.match(more([]).join(), /"a log" goes to no leaf/);
  assert.match(more(["core"]).join(), /goes to core, which is no leaf/);
  assert.match(more(["core/wall"]).join(), /goes to core\/wall, which is no leaf/);
  assert.match(more(["storage/ttl"]).join(), /goes to storage\/ttl, which is not marked sqlite/);
  assert.deepEqual(found(model, [...book.phrases, { ...phrase, leaves: [], outside: "no choice of its own" }]), []);
});

test("a mark that no phrase supports, a mark taken away and a mark given twice are found", () => {
  const { systems } = model.feature(wal);
  assert.match(found(withLeaf(wal, { systems: [...systems, "tidb"] })).join(), /core\/wal is marked tidb, but no phrase/);
  const without = systems.filter((one) => one !== "sqlite");
  assert.match(found(withLeaf(wal, { systems: without })).join(), /goes to core\/wal, which is not marked sqlite/);
  assert.match(found(withLeaf(wal, { systemsGeneral: ["sqlite"] })).join(), /core\/wal has sqlite both from/);
});

test("a table that lost a row is found", () => {
  const rows = new Map([...book.rows, ["duckdb", 35]]);
  assert.deepEqual(found(model, book.phrases, rows), ["the table of duckdb has 36 rows in the paper and 35 here"]);
});

test("no surveyed system has a leaf without what it requires; a mark taken away and an edge too strong are found", () => {
  assert.deepEqual(edgesAgainstSystems(model), []);
  const bare = withLeaf("value_types/special/vector", { systems: ["mariadb"] });
  assert.match(edgesAgainstSystems(bare).join(), /indexing\/vector\/hnsw requires .*\/vector, but yugabytedb has the one/);
  const [requires] = model.edges.filter(({ kind }) => kind === "requires");
  assert.ok(requires !== undefined);
  const edge = { ...requires, from: "indexing/spatial/rtree", to: "value_types/special/geometry" };
  const found = edgesAgainstSystems({ features: model.features, edges: [...model.edges, edge] });
  assert.deepEqual(found, [`${edge.from} requires ${edge.to}, but sqlite has the one and not the other`]);
});

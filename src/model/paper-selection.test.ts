import assert from "node:assert/strict";
import { test } from "node:test";
import { edgeKey } from "./build-model.ts";
import { loadArchetypes } from "./load-archetypes.ts";
import { loadModel } from "./load-model.ts";
import { loadPaperSelection } from "./paper-selection.ts";

const model = loadModel();
const tpcc = loadPaperSelection("tpcc");

test("the figures that the paper prints hold for the selection as it stands in the catalog", () => {
  assert.equal(tpcc.leaves.length, tpcc.paper.leaves);
  assert.equal(tpcc.cooperate.length, tpcc.paper.cooperate_edges);
  assert.equal(tpcc.contracts.length, tpcc.paper.contracts);
  const merged = tpcc.contracts.flatMap(({ members }) => members).length;
  assert.equal(tpcc.leaves.length - merged, tpcc.paper.leaves_outside_contracts);
  assert.equal(tpcc.leaves.length - merged + tpcc.contracts.length, tpcc.paper.merged_nodes);
  assert.equal(new Set(tpcc.layers.map(({ layer }) => layer)).size, tpcc.paper.layers);
});

test("its leaves are leaves of the model, its cooperate edges are those of the model between them", () => {
  const chosen = new Set(tpcc.leaves.map(({ path }) => path));
  for (const path of chosen) assert.equal(model.feature(path).kind, "leaf", path);
  const inModel = model.edgesOf("cooperate").filter(({ from, to }) => chosen.has(from) && chosen.has(to));
  const printed = tpcc.cooperate.map(({ from, to }) =>
    edgeKey({ kind: "cooperate", from, to, reason: "", source: "", origin: undefined }));
  assert.deepEqual(inModel.map(edgeKey).sort(), printed.sort());
});

test("every pick of the twelve archetypes is in the model", () => {
  assert.equal(loadArchetypes(model).length, 12);
});

test("a selection that does not exist is told with what there is", () => {
  assert.throws(() => loadPaperSelection("tpc"), { code: "NOT_FOUND", message: /did you mean tpcc/ });
  assert.throws(() => loadPaperSelection("../features/core"), { code: "NOT_FOUND" });
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { loadModel } from "../model/load-model.ts";
import { drawNeighbourhood, drawTree } from "./model-figure.ts";

const model = loadModel();
const count = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].length;

test("a module is drawn with a box per feature, an arc per group and a circle per plain child", () => {
  const svg = drawTree(model, "storage", { depth: 99, marked: new Set(["core/wal", "storage/ttl"]), title: "storage" });
  const features = model.subtree("storage");
  const boxes = count(svg, /<rect [^>]*class="(leaf|group)( marked)?"/g);
  assert.equal(boxes, features.length);
  const groups = features.flatMap(({ path }) => model.groupsBelow(path));
  const arcs = groups.filter(({ relation }) => relation === "xor" || relation === "or");
  // Two more of each stand in the legend.
  assert.equal(count(svg, /<path [^>]*class="arc /g), arcs.length + 2);
  const circles = features.slice(1).filter(({ relation }) => relation === "mandatory" || relation === "optional");
  assert.equal(count(svg, /<circle /g), circles.length + 2);
  assert.equal(count(svg, /marked"/g), 1);
});

test("what is too deep is folded into a count, and a selection draws only what it holds", () => {
  const folded = drawTree(model, "storage", { depth: 1, marked: new Set(), title: "storage" });
  assert.match(folded, />storage_model \(10\)</);
  const selected = new Set(model.withAncestors(["core/wal", "storage/storage_model/row/heap"]));
  const svg = drawTree(model, model.root.path, { depth: 99, marked: new Set(), title: "two", selected });
  assert.equal(count(svg, /class="leaf"/g), 2);
  assert.ok(!svg.includes("btree_clustered"));
});

test("a neighbourhood shows every edge with its reason", () => {
  const path = "storage/storage_model/row/kvlsm";
  const svg = drawNeighbourhood(model, path, new Set());
  const edges = [...model.edgesFrom(path), ...model.edgesTo(path)];
  assert.ok(edges.length >= 10);
  for (const { reason } of edges) assert.ok(svg.includes(reason.slice(0, 20)), reason);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { makePlan } from "../foundry/plan/plan.ts";
import { drawPlan } from "./plan-figure.ts";
import { layOut, withoutImplied } from "./plan-layout.ts";

const edge = (from: string, to: string) => ({ from, to, kind: "requires" });

test("boxes of one column do not overlap, and lines run from left to right through lanes of their own", () => {
  const layers = [["a", "b", "c"], ["d", "e"], ["f", "g", "h", "i"]];
  const nodes = layers.map((paths) => paths.map((path) => ({ path, width: 50 + path.charCodeAt(0) % 7, height: 30 })));
  const edges = [edge("d", "a"), edge("e", "b"), edge("f", "a"), edge("f", "d"), edge("g", "c"), edge("i", "h")];
  const { boxes, lines, height } = layOut(nodes, edges);
  assert.equal(boxes.length, 9);
  for (const one of boxes) {
    assert.ok(one.y >= 0 && one.y + one.height <= height);
    for (const other of boxes) {
      const apart = one.x !== other.x || one.y + one.height <= other.y || other.y + other.height <= one.y;
      assert.ok(one === other || apart, `${one.path} and ${other.path}`);
    }
  }
  for (const { points, beside } of lines) {
    if (!beside) points.slice(1).forEach(([x], at) => assert.ok(x > points[at][0]));
  }
  assert.equal(lines.find(({ from, to }) => from === "f" && to === "a")?.points.length, 4);
  assert.equal(lines.find(({ from }) => from === "i")?.beside, true);
});

test("edges that others imply are left out", () => {
  const kept = withoutImplied([edge("c", "a"), edge("c", "b"), edge("b", "a"), edge("d", "a")]);
  assert.deepEqual(kept.map(({ from, to }) => `${from}${to}`), ["cb", "ba", "da"]);
});

test("a picture shows every node, the members of contracts, and escapes what it is given", () => {
  const reason = "";
  const source = "";
  const input = {
    leaves: ["core/wal", "storage/heap", "storage/pool", "value_types/text"],
    requires: [{ from: "storage/heap", to: "core/wal", reason, source }],
    references: [],
    cooperate: [{ from: "storage/heap", to: "value_types/text", reason: "bytes agree", source }],
  };
  const plan = makePlan(input, { name: "<a & b>", mode: "waves", waves: [] });
  const svg = drawPlan(plan);
  for (const name of ["wal", "heap", "pool", "text", "heap_coord"]) assert.ok(svg.includes(`>${name}</text>`), name);
  assert.ok(svg.includes("storage/heap, member of contract/heap_coord"));
  assert.ok(!svg.includes("<a & b>"));
  assert.equal(drawPlan(plan), svg);
});

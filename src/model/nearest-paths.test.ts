import assert from "node:assert/strict";
import { test } from "node:test";
import { nearestPaths } from "./nearest-paths.ts";

const row = "storage/storage_model/row";
const paths = [row, `${row}/heap`, `${row}/kvlsm`, `${row}/btree_clustered`, "indexing/btree", "parser/dialect/mysql"];
const model = { features: paths.map((path) => ({ path })) };

test("a path that begins with what was typed comes before one that is only alike", () => {
  assert.equal(nearestPaths(model, `${row}/btre`)[0], `${row}/btree_clustered`);
  assert.equal(nearestPaths(model, `${row}/KV`)[0], `${row}/kvlsm`);
  assert.equal(nearestPaths(model, "parser/dia")[0], "parser/dialect/mysql");
});

test("else the same last name comes first, and what is like nothing offers nothing", () => {
  assert.equal(nearestPaths(model, "storage/btree")[0], "indexing/btree");
  assert.deepEqual(nearestPaths(model, "qqqqqqqqqqqq"), []);
  assert.deepEqual(nearestPaths(model, ""), []);
});

test("what a description says is offered too, behind the same last name and before what is only alike", () => {
  const features = [
    { path: "optimizer/topn_rewrite", description: "ORDER BY LIMIT to Top-N" },
    { path: "core/wal", description: "write-ahead log: records, append, flush" },
    { path: "recovery/write_ahead_log", description: "" },
  ];
  const offered = nearestPaths({ features }, "write-ahead-log");
  assert.deepEqual(offered.slice(0, 2), ["recovery/write_ahead_log", "core/wal"]);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { findAlternatives } from "./dimensions.ts";

test("a dimension gives its alternatives, one of them what realises it, a system what it has", () => {
  const names = (query: string, system?: string) => findAlternatives(query, system).map(({ name }) => name);
  assert.deepEqual(names("deployment"), ["embedded", "single_server", "distributed"]);
  assert.deepEqual(names("deployment", "sqlite"), ["embedded"]);
  assert.deepEqual(names("deployment/distributed", "sqlite"), []);
  const [htap] = findAlternatives("workload/htap");
  assert.deepEqual(htap.features, ["storage/replicas/columnar_replica"]);
  assert.ok(htap.systemsGeneral.includes("tidb"));
});

test("unknown dimensions and alternatives are told with the nearest", () => {
  assert.throws(() => findAlternatives("deploiment"), { code: "NOT_FOUND", message: /deployment/ });
  assert.throws(() => findAlternatives("workload/olp"), { code: "NOT_FOUND", message: /oltp/ });
});

/** The judges of the kill, load and power-loss gates, on data with planted faults. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { judgePair, type PairState, valueOf } from "./kill-gate.ts";
import { Load } from "./load-gate.ts";
import { judge } from "./power-loss-scenario.ts";

const found = (id: number, version: bigint, value = valueOf(id, version)) => [String(id), String(version), value];
const state = (acknowledged: bigint, ...pending: bigint[]): PairState => ({ acknowledged, pending: new Set(pending) });

test("kill: what was acknowledged, or what was in flight as a whole, is right", () => {
  assert.equal(judgePair(3, state(5n), found(6, 5n), found(7, 5n)), undefined);
  assert.equal(judgePair(3, state(5n, 8n), found(6, 8n), found(7, 8n)), undefined);
  assert.equal(judgePair(3, state(0n, 8n), undefined, undefined), undefined);
});

test("kill: half a transaction, a lost one, one that nobody sent, and a wrong value are found", () => {
  assert.match(judgePair(3, state(5n, 8n), found(6, 8n), found(7, 5n)) ?? "", /half written: versions 8 and 5/);
  assert.match(judgePair(3, state(0n, 8n), found(6, 8n), undefined) ?? "", /half written/);
  assert.match(judgePair(3, state(5n), undefined, undefined) ?? "", /version 0, but 5 was acknowledged/);
  assert.match(judgePair(3, state(5n), found(6, 4n), found(7, 4n)) ?? "", /version 4, but 5 was acknowledged/);
  assert.match(judgePair(3, state(5n), found(6, 9n), found(7, 9n)) ?? "", /version 9/);
  assert.match(judgePair(3, state(5n), found(6, 5n), found(7, 5n, valueOf(6, 5n))) ?? "", /never written/);
});

function loadWith(...acknowledged: (readonly [bigint, string])[]): Load {
  const load = new Load("t");
  for (const [id, value] of acknowledged) load.acknowledged.set(id, value);
  return load;
}

test("load: missing, changed and invented rows are found", () => {
  const load = loadWith([1n, "a"], [2n ** 60n + 1n, "b"]);
  assert.equal(load.compare([["1", "a"], [String(2n ** 60n + 1n), "b"]]), undefined);
  assert.match(load.compare([["1", "a"]]) ?? "", /1 of 2 acknowledged rows are missing/);
  assert.match(load.compare([["1", "a"], [String(2n ** 60n + 1n), "a"]]) ?? "", /the value a instead of b/);
  assert.match(load.compare([["1", "a"], [String(2n ** 60n), "b"]]) ?? "", /missing/);
  assert.match(load.compare([["1", "a"], [String(2n ** 60n + 1n), "b"], ["7", "c"]]) ?? "", /row 7 is there/);
});

test("power loss: lost, torn and invented transactions are found", () => {
  const groups = (...rows: number[]) => new Map(rows.map((count, group) => [group, count]));
  assert.equal(judge(groups(3, 3), 2), undefined);
  assert.equal(judge(groups(3, 3, 3), 2), undefined, "one that was not answered may be there");
  assert.match(judge(groups(3), 2) ?? "", /acknowledged transaction 1 has 0 of its 3 rows/);
  assert.match(judge(groups(3, 2), 2) ?? "", /acknowledged transaction 1 has 2/);
  assert.match(judge(groups(3, 3, 1), 2) ?? "", /transaction 2 is half there/);
  assert.match(judge(new Map([[0, 3], [2, 3]]), 1) ?? "", /transaction 2 is there/);
});

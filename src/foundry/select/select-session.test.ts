import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { loadContract } from "../../contract/parse.ts";
import { designSpace, noOverrides } from "./design-space.ts";
import { SelectSession } from "./select-session.ts";

const contract = loadContract(join(import.meta.dirname, "..", "..", "..", "examples", "taobench-o", "contract.yaml"));
const newSession = (overrides = noOverrides) => new SelectSession(designSpace(), contract, overrides);

test("open points come with what was decided, why, and what else could be", () => {
  const session = newSession();
  const points = [...session.points()];
  assert.ok(points.length >= 10, `${points.length} points`);
  for (const { path, decided, because, alternatives } of points) {
    assert.ok(because !== "", path);
    assert.ok(alternatives.some((one) => one.path === decided && one.possible), path);
    assert.ok(alternatives.some((one) => one.path !== decided && one.possible), path);
  }
  const isolation = points.find(({ path }) => path === "concurrency/isolation");
  assert.equal(isolation?.decided, "concurrency/isolation/serial_commands");
  // The contract asks for a row cache that is lru: nothing else can be, so it is not asked.
  assert.ok(!points.some(({ path }) => path === "storage/page_io/replacement"));
});

test("keeping everything gives the selection that there was, without flags", () => {
  const session = newSession();
  for (const { path, decided } of session.points()) assert.deepEqual(
    session.pick(path, decided), { ok: true, changes: [] }
  );
  assert.deepEqual(session.overrides, { with: [], without: [] });
  assert.equal(session.finish().hash, session.selection.hash);
});

test("another pick is in the flags and in the selection, and the flags reproduce it", () => {
  const session = newSession();
  const pick = "storage/storage_model/row/btree_clustered";
  const point = [...session.points()].find(({ alternatives }) => alternatives.some(({ path }) => path === pick));
  assert.ok(point !== undefined);
  assert.equal(session.pick(point.path, pick).ok, true);
  const later = [...session.points()].filter(({ because }) => because.includes("cannot be with what you picked"));
  for (const one of later) assert.notEqual(one.decided, undefined);
  assert.ok(session.overrides.with.includes(pick));
  const made = session.finish();
  assert.ok(made.leaves.includes(pick));
  assert.equal(newSession(session.overrides).selection.hash, made.hash);
});

test("a pick that contradicts one before it is explained and can be repaired", () => {
  const session = newSession();
  assert.equal(session.pick("storage/storage_model", "storage/storage_model/memory").ok, true);
  const heap = session.pick("storage/storage_model/row", "storage/storage_model/row/heap");
  assert.ok(!heap.ok);
  assert.match(heap.because, /storage\/storage_model\/memory is picked by you/);
  assert.deepEqual(
    heap.repairs, [{ points: ["storage/storage_model"], text: "take back storage/storage_model/memory" }]
  );
  session.drop(heap.repairs[0].points);
  assert.equal(session.pick("storage/storage_model/row", "storage/storage_model/row/heap").ok, true);
});

test("a pick that the contract forbids is explained by what the contract says", () => {
  const session = newSession();
  const outcomes = [...session.points()].flatMap(({ path, alternatives }) =>
    alternatives.filter(({ possible }) => !possible).map(
      (one) => ({ point: path, outcome: session.pick(path, one.path) })
    ),
  );
  assert.ok(outcomes.length > 0);
  for (const { point, outcome } of outcomes) assert.ok(
    !outcome.ok && outcome.because.length > 20 && outcome.repairs.length === 0, point
  );
});

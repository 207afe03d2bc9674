import assert from "node:assert/strict";
import { test } from "node:test";
import { TableModel, type ModelRow } from "./table-model.ts";

const row = (id1: bigint, id2: bigint, type: bigint, timestamp = 10n, value = "v"): ModelRow => ({
  id1, id2, type, timestamp, value,
});

test("a key is inserted once", () => {
  const model = new TableModel();
  assert.equal(model.insert(row(1n, 2n, 0n)), true);
  assert.equal(model.insert(row(1n, 2n, 0n, 11n, "other")), false);
  assert.equal(model.get(1n, 2n, 0n)?.value, "v");
  assert.equal(model.insert(row(1n, 2n, 1n)), true);
  assert.equal(model.size, 2);
});

test("what was handed in may change later", () => {
  const model = new TableModel();
  const mine = row(1n, 1n, 0n);
  model.insert(mine);
  mine.value = "changed";
  assert.equal(model.get(1n, 1n, 0n)?.value, "v");
});

test("updates and deletes need a later time, and a row", () => {
  const model = new TableModel();
  model.insert(row(1n, 1n, 0n, 10n));
  assert.equal(model.update(1n, 1n, 0n, 10n, "same time"), 0);
  assert.equal(model.update(1n, 1n, 0n, 11n, "later"), 1);
  assert.deepEqual(model.get(1n, 1n, 0n), row(1n, 1n, 0n, 11n, "later"));
  assert.equal(model.update(2n, 1n, 0n, 99n, "nobody"), 0);
  assert.equal(model.delete(1n, 1n, 0n, 11n), 0);
  assert.equal(model.delete(1n, 1n, 0n, 12n), 1);
  assert.equal(model.delete(1n, 1n, 0n, 13n), 0);
  assert.equal(model.size, 0);
});

test("an edge of type 3 is blocked by each of the four conditions, and by its own key", () => {
  const wanted = row(5n, 6n, 3n);
  for (const blocking of [row(5n, 9n, 0n), row(5n, 9n, 2n), row(5n, 6n, 1n), row(6n, 5n, 2n)]) {
    const model = new TableModel();
    model.insert(blocking);
    assert.equal(model.insertUnlessBlocked(wanted), 0, Object.values(blocking).join());
  }
  const free = new TableModel();
  for (const harmless of [row(5n, 9n, 1n), row(5n, 9n, 3n), row(4n, 6n, 0n)]) free.insert(harmless);
  assert.equal(free.insertUnlessBlocked(wanted), 1);
  assert.equal(free.insertUnlessBlocked(wanted), -1, "a duplicate key is an error, not a block");
});

test("rows are sorted as signed 64-bit numbers, column by column", () => {
  const model = new TableModel();
  const keys = [[2n ** 63n - 1n, 0n], [-(2n ** 63n), 5n], [0n, -1n], [0n, 10n], [0n, 9n], [2n ** 53n + 1n, 0n]];
  for (const [id1, id2] of keys) model.insert(row(id1, id2, 0n));
  assert.deepEqual(model.sorted().map(({ id1, id2 }) => [id1, id2]), [
    [-(2n ** 63n), 5n], [0n, -1n], [0n, 9n], [0n, 10n], [2n ** 53n + 1n, 0n], [2n ** 63n - 1n, 0n],
  ]);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { History } from "./history.ts";
import { valueOf } from "./store-operation.ts";
import type { Entry, Write } from "./store-subject.ts";

/** A write that puts one key of its own and one that all put. */
const writeOf = (id: number): Write => ({
  id, timeMs: 0, changes: [{ kind: "put", key: 0, bytes: 8 }, { kind: "put", key: id, bytes: 8 }],
});

/** What is there after these writes. */
function after(...ids: number[]): Entry[] {
  const own = ids.map((id) => ({ key: id, value: valueOf(id, 1, 8), expiresAtMs: undefined }));
  return [{ key: 0, value: valueOf(ids[ids.length - 1], 0, 8), expiresAtMs: undefined }, ...own];
}

function historyOf(...ids: number[]): History {
  const history = new History();
  for (const [at, id] of ids.entries()) history.appended(at + 1, writeOf(id));
  return history;
}

/** A recovery that shows what is there after these writes, in this order. */
function recover(history: History, ...ids: number[]): void {
  const found = JSON.stringify(after(...ids).sort((a, b) => a.key - b.key));
  history.recall(ids.length, (contents) => JSON.stringify(contents) === found);
}

const contentsOf = (history: History, index: number) => history.entriesAt(index, 0, Infinity);
const sorted = (entries: Entry[]) => entries.sort((a, b) => a.key - b.key);

test("writes that a recovery hid come back in the place of those that got their indexes", () => {
  const history = historyOf(1, 2, 3);
  recover(history, 1);
  history.appended(2, writeOf(4));
  assert.deepEqual(contentsOf(history, 2), sorted(after(1, 4)));
  assert.equal(history.reach, 3);
  recover(history, 1, 2, 3);
  assert.deepEqual(contentsOf(history, 3), sorted(after(1, 2, 3)));
});

test("hidden writes stand behind a later one that has the place of one of them", () => {
  const history = historyOf(1, 2, 3);
  recover(history, 1);
  history.appended(2, writeOf(4));
  recover(history, 1, 4, 3);
  assert.deepEqual(contentsOf(history, 3), sorted(after(1, 4, 3)));
  // What this one showed in its place can come back as well.
  recover(history, 1, 2);
  assert.deepEqual(contentsOf(history, 2), sorted(after(1, 2)));
});

test("two recoveries hide, a third shows pieces of three lines", () => {
  const history = historyOf(1, 2, 3, 4);
  recover(history, 1);
  history.appended(2, writeOf(5));
  history.appended(3, writeOf(6));
  recover(history, 1);
  history.appended(2, writeOf(7));
  recover(history, 1, 7, 6, 4);
  assert.deepEqual(contentsOf(history, 4), sorted(after(1, 7, 6, 4)));
});

test("what nobody wrote in that order is no line", () => {
  const history = historyOf(1, 2, 3);
  recover(history, 1);
  history.appended(2, writeOf(4));
  let asked = 0;
  history.recall(2, (contents) => {
    asked++;
    return contents.some(({ key }) => key === 2) && contents.some(({ key }) => key === 4);
  });
  assert.ok(asked >= 2, `${asked} lines were looked at`);
  assert.deepEqual(contentsOf(history, 2), sorted(after(1, 4)));
});

test("a cut forgets for good", () => {
  const history = historyOf(1, 2, 3);
  history.cutTo(1);
  assert.equal(history.reach, 1);
  history.recall(2, () => true);
  assert.deepEqual(contentsOf(history, 2), sorted(after(1)));
});

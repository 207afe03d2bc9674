/** The records against a map: so many keys that the tree has several levels and the hash table grows several times. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { compareBytes } from "../../../../kit/compare.ts";
import { createNodeEnv } from "../../../../kit/env/node-env.ts";
import { ExpiryClock } from "../../expiry-clock.ts";
import { WriteBatch } from "../../write-batch.ts";
import { MemoryCursor } from "./memory-cursor.ts";
import { RecordStore } from "./record-store.ts";

function numbersOf(seed: number): (below: number) => number {
  let state = seed | 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString("latin1");
const bytes = (value: string) => Buffer.from(value, "latin1");

/** Keys with long common beginnings, some the beginning of others, some large. */
function keyOf(draw: (below: number) => number, count: number): string {
  const number = draw(count);
  const table = `\0\0\0${String.fromCharCode(number % 3)}`;
  if (number % 97 === 0) return `${table}${"p".repeat(number % 5000)}${number}`;
  return number % 5 === 0 ? `${table}${number}` : `${table}${String.fromCharCode(number >> 8, number & 255)}`;
}

function storeOf(): RecordStore {
  const expiry = new ExpiryClock(createNodeEnv({ logLevel: "error" }).clock, "clock", 0);
  return new RecordStore({ arenaBytes: 1 << 25, seed: 7, expiry });
}

function walk(store: RecordStore, index: number, gte: string | undefined, lt: string | undefined, reverse: boolean) {
  const bound = (key: string | undefined) => (key === undefined ? undefined : bytes(key));
  const range = { gte: bound(gte), lt: bound(lt), reverse };
  const cursor = new MemoryCursor(store, range, index, () => undefined);
  const found: string[] = [];
  while (cursor.next()) found.push(`${text(cursor.key)}=${text(cursor.value)}`);
  cursor.close();
  return found;
}

function expected(map: ReadonlyMap<string, string>, gte?: string, lt?: string, reverse = false): string[] {
  const keys = [...map.keys()].filter((key) => (gte === undefined || key >= gte) && (lt === undefined || key < lt));
  keys.sort((one, other) => compareBytes(bytes(one), bytes(other)));
  const found = keys.map((key) => `${key}=${map.get(key)}`);
  return reverse ? found.reverse() : found;
}

/** `LATHE_TEST_RUNS` sets how many seeds. */
for (let seed = 1; seed <= Number(process.env.LATHE_TEST_RUNS ?? 2); seed++) {
  test(`several levels of keys, views, and growing tables (seed ${seed})`, () => {
    const draw = numbersOf(seed * 0x9e3779b1);
    const store = storeOf();
    const map = new Map<string, string>();
    const views: { index: number; map: Map<string, string> }[] = [];
    let index = 0;
    for (const keys of [9000, 300, 6000]) {
      for (let step = 0; step < 900; step++) {
        const batch = new WriteBatch();
        for (let operation = draw(20); operation >= 0; operation--) {
          const key = keyOf(draw, keys);
          // Phases in which keys come, go, and come again.
          if (draw(10) < (keys === 300 ? 7 : 2)) {
            batch.delete(bytes(key));
            map.delete(key);
          } else {
            const value = "v".repeat(draw(3) === 0 ? draw(300) : 8) + step;
            batch.put(bytes(key), bytes(value));
            map.set(key, value);
          }
        }
        if (draw(60) === 0) {
          const [from, to] = [keyOf(draw, keys), keyOf(draw, keys)];
          batch.deleteRange(bytes(from), bytes(to));
          for (const key of map.keys()) if (key >= from && key < to) map.delete(key);
        }
        store.apply(batch.encode(), ++index);
        if (draw(50) === 0 && views.length < 3) {
          store.views.take(index);
          views.push({ index, map: new Map(map) });
        }
        if (draw(50) === 0 && views.length > 0) {
          const [view] = views.splice(draw(views.length), 1);
          assert.deepEqual(walk(store, view.index, undefined, undefined, false), expected(view.map), `step ${step}`);
          store.views.release(view.index);
        }
        if (draw(40) === 0) {
          const [gte, lt, reverse] = [keyOf(draw, keys), keyOf(draw, keys), draw(2) === 0] as const;
          assert.deepEqual(walk(store, index, gte, lt, reverse), expected(map, gte, lt, reverse), `step ${step}`);
        }
      }
      for (const [key, value] of map) {
        const ref = store.find(bytes(key), Infinity);
        assert.notEqual(ref, 0, `${JSON.stringify(key)} is lost`);
        const start = store.heap.keyStartOf(ref) + store.heap.keyLengthOf(ref);
        assert.equal(text(store.heap.sourceOf(ref).subarray(start, start + store.heap.valueLengthOf(ref))), value);
      }
      assert.deepEqual(walk(store, index, undefined, undefined, true), expected(map, undefined, undefined, true));
    }
    for (const view of views) store.views.release(view.index);
    while (store.reclaim(1000));
    assert.equal(store.hashed.count, map.size, "nothing but the live keys is left in the indexes");
    store.apply(new WriteBatch().deleteRange(bytes("\0"), bytes("\xff")).encode(), ++index);
    assert.equal(store.hashed.count, 0);
    assert.equal(store.liveBytes, 0);
    assert.equal(store.heap.arena.usedBytes, 512, "an empty store holds the root of its tree");
    assert.equal(store.heap.largeBytes, 0);
  });
}

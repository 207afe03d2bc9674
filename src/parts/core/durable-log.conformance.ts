/**
 * What every DurableLog must do, whatever stands behind it. Crashes and faults are each part's own
 * tests, because only the part knows which bytes to damage.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { DurableLog } from "./durable-log.ts";

/** One place where a log lives; `open` may be called again after the log was closed. */
export interface DurableLogPlace {
  open(): Promise<DurableLog>;
  remove(): Promise<void>;
}

export function durableLogConformance(name: string, makePlace: () => Promise<DurableLogPlace>): void {
  const withPlace = (title: string, body: (place: DurableLogPlace) => Promise<void>) => {
    test(title, async () => {
      const place = await makePlace();
      try {
        await body(place);
      } finally {
        await place.remove();
      }
    });
  };

  describe(`DurableLog conformance: ${name}`, () => {
    withPlace("a new log is empty and begins at 1", async (place) => {
      const log = await place.open();
      assert.deepEqual([log.firstIndex, log.lastIndex, log.syncedIndex], [1, 0, 0]);
      assert.deepEqual(entriesOf(log, 1), []);
      await log.sync();
      await log.close();
    });

    withPlace("entries come back in order, before and after reopening", async (place) => {
      let log = await place.open();
      const entries = [entry(1, 0), entry(2, 1), entry(3, 3000), entry(4, 7)];
      assert.deepEqual(entries.map((bytes) => log.append(bytes)), [1, 2, 3, 4]);
      assert.deepEqual(entriesOf(log, 1), entries.map((bytes, at) => [at + 1, bytes]));
      await log.sync();
      assert.equal(log.syncedIndex, 4);
      await log.close();
      log = await place.open();
      assert.deepEqual([log.firstIndex, log.lastIndex, log.syncedIndex], [1, 4, 4]);
      assert.deepEqual(entriesOf(log, 3), [[3, entries[2]], [4, entries[3]]]);
      await log.close();
    });

    withPlace("the caller may reuse its buffer after append", async (place) => {
      const log = await place.open();
      const bytes = Uint8Array.of(1, 2, 3);
      log.append(bytes);
      bytes.fill(9);
      assert.deepEqual(entriesOf(log, 1), [[1, Uint8Array.of(1, 2, 3)]]);
      await log.close();
    });

    withPlace("concurrent syncs all resolve, each after its own entries are durable", async (place) => {
      const log = await place.open();
      await Promise.all(
        Array.from({ length: 50 }, async (_, client) => {
          const index = log.append(entry(client, 20));
          await log.sync();
          assert.ok(log.syncedIndex >= index);
        }),
      );
      assert.equal(log.syncedIndex, 50);
      await log.close();
    });

    withPlace("truncations are seen at once and after reopening", async (place) => {
      let log = await place.open();
      for (let count = 1; count <= 10; count++) log.append(entry(count, 100));
      await log.sync();
      await log.truncateSuffix(8);
      assert.equal(log.lastIndex, 7);
      log.truncatePrefix(3);
      assert.equal(log.firstIndex, 4);
      assert.throws(() => entriesOf(log, 3), { code: "NOT_FOUND" });
      assert.equal(log.append(entry(99, 100)), 8);
      await log.close();
      log = await place.open();
      assert.equal(log.lastIndex, 8);
      assert.ok(log.firstIndex <= 4);
      assert.deepEqual(entriesOf(log, 7), [[7, entry(7, 100)], [8, entry(99, 100)]]);
      await assert.rejects(log.truncateSuffix(log.firstIndex - 1), { code: "INVALID_ARGUMENT" });
      assert.throws(() => log.truncatePrefix(9), { code: "INVALID_ARGUMENT" });
      await log.close();
    });

    withPlace("a closed log refuses", async (place) => {
      const log = await place.open();
      await log.close();
      await log.close();
      assert.throws(() => log.append(entry(1, 1)), { code: "CLOSED" });
      await assert.rejects(log.sync(), { code: "CLOSED" });
      assert.throws(() => entriesOf(log, 1), { code: "CLOSED" });
    });

    withPlace("an entry beyond the limit is refused and changes nothing", async (place) => {
      const log = await place.open();
      log.append(entry(1, 10));
      assert.throws(() => log.append(new Uint8Array(64 << 20)), { code: "LIMIT_EXCEEDED" });
      assert.equal(log.append(entry(2, 10)), 2);
      assert.equal(entriesOf(log, 1).length, 2);
      await log.close();
    });

    test("agrees with a list under random operations", async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(operation, { maxLength: 60 }), async (operations) => {
          const place = await makePlace();
          try {
            await agreeWithModel(place, operations);
          } finally {
            await place.remove();
          }
        }),
        { numRuns: 40 },
      );
    });
  });
}

const operation = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("append" as const), argument: fc.nat(2000) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("sync" as const), argument: fc.constant(0) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("truncatePrefix" as const), argument: fc.nat(40) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("truncateSuffix" as const), argument: fc.nat(40) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("reopen" as const), argument: fc.constant(0) }) },
);

type Operation = { kind: "append" | "sync" | "truncatePrefix" | "truncateSuffix" | "reopen"; argument: number };

async function agreeWithModel(place: DurableLogPlace, operations: readonly Operation[]): Promise<void> {
  let log = await place.open();
  const model = { first: 1, entries: new Map<number, Uint8Array>(), last: 0, fill: 0 };
  const step = async ({ kind, argument }: Operation): Promise<void> => {
    if (kind === "append") {
      const bytes = entry(model.fill++, argument);
      assert.equal(log.append(bytes), ++model.last);
      model.entries.set(model.last, bytes);
    } else if (kind === "sync") {
      await log.sync();
      assert.equal(log.syncedIndex, model.last);
    } else if (kind === "truncatePrefix") {
      const index = Math.min(model.first + argument - 1, model.last);
      log.truncatePrefix(index);
      model.first = Math.max(model.first, index + 1);
    } else if (kind === "truncateSuffix") {
      const index = Math.max(model.first, model.last - argument);
      await log.truncateSuffix(index);
      model.last = Math.min(model.last, index - 1);
    } else {
      await log.close();
      log = await place.open();
      assert.ok(log.firstIndex <= model.first, "whole segments may stay");
    }
  };
  for (const one of operations) {
    await step(one);
    assert.equal(log.lastIndex, model.last);
    const found = entriesOf(log, model.first);
    const expected = Array.from({ length: Math.max(0, model.last - model.first + 1) }, (_, at) => {
      return [model.first + at, model.entries.get(model.first + at)];
    });
    assert.deepEqual(found, expected);
  }
  await log.close();
}

/** An entry with recognisable bytes. */
function entry(fill: number, length: number): Uint8Array {
  return new Uint8Array(length).fill((fill % 255) + 1);
}

function entriesOf(log: DurableLog, fromIndex: number): [number, Uint8Array][] {
  return Array.from(log.read(fromIndex), ({ index, entry: bytes }) => [index, bytes.slice()]);
}

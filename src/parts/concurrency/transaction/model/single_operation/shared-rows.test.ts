/** Rows of a key-value store behind the doors of a query language: hidden when they expire, versioned by the store. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { rowToKv } from "../../../../storage/layout/row_to_kv/row-to-kv.ts";
import { commandCodec } from "../one_shot_command/command-codec.ts";
import { openStore } from "./in-memory-store.fixture.ts";

type Opened = Awaited<ReturnType<typeof openStore>>;

const bytes = (text: string) => Buffer.from(text);

async function sql(opened: Opened, step: Record<string, unknown>): Promise<{ ok: boolean }> {
  const { result } = await opened.log.propose(commandCodec.encode({ steps: [step as never] }));
  return result as never;
}

function insert(opened: Opened, key: string, value: string, expiresMs: bigint | null = null, version = 0n) {
  const tableId = opened.machine.table()?.id;
  const rows = [[bytes(key), bytes(value), version, expiresMs]];
  return sql(opened, { kind: "insert", tableId, unless: [], rows });
}

/** What a query language sees of a key: by a get, by the cache, and by a scan. */
function seen({ sql: doors, machine }: Opened, key: string): boolean[] {
  const table = machine.table();
  assert.ok(doors !== undefined && table !== undefined);
  const encoded = rowToKv.encodeKey(table, [bytes(key)]).slice();
  const cursor = doors.engine.scan({ gte: encoded, lt: rowToKv.prefixEnd(encoded) });
  const isScanned = cursor.next();
  cursor.close();
  const found = doors.engine.getSync(encoded);
  if (found !== undefined) doors.cache?.fill(encoded, found.slice(), doors.cache.epoch());
  return [found !== undefined, isScanned, doors.cache?.get(encoded) !== undefined];
}

test("a row is hidden from its expiry on, without any write in between, and from the cache always", async () => {
  const opened = await openStore(true, true);
  await opened.store.write([{ key: "a", value: "1", ttlMs: 50 }, { key: "b", value: "2" }]);
  assert.deepEqual(seen(opened, "a"), [true, true, false]);
  assert.deepEqual(seen(opened, "b"), [true, true, true]);
  opened.log.ms += 49;
  assert.deepEqual(seen(opened, "a"), [true, true, false]);
  opened.log.ms += 1;
  assert.deepEqual(seen(opened, "a"), [false, false, false]);
  assert.deepEqual(seen(opened, "b"), [true, true, true]);
});

test("an expired row is nothing in the way of an insert; a live one is", async () => {
  const opened = await openStore(false, true);
  await opened.store.write([{ key: "a", value: "1", ttlMs: 50 }]);
  assert.equal((await insert(opened, "a", "2")).ok, false);
  opened.log.ms += 50;
  assert.equal((await insert(opened, "a", "2")).ok, true);
  assert.equal(Buffer.from(opened.store.get(bytes("a"))?.value ?? []).toString(), "2");
});

test("whatever is written, the version is the entry's index, for all who read", async () => {
  const opened = await openStore(true, true);
  await opened.store.write([{ key: "a", value: "1" }]);
  const before = opened.store.get(bytes("a"))?.version;
  await insert(opened, "c", "3", null, 77n);
  const version = opened.store.get(bytes("c"))?.version;
  assert.equal(version, BigInt(opened.log.entries.length));
  assert.notEqual(version, before);
  assert.deepEqual(await opened.store.write([{ key: "c", value: "4", condition: [77n] }]), {
    kind: "refused", change: 0, version,
  });
});

test("equal logs give equal states, whenever they are replayed", async () => {
  const opened = await openStore(false, true);
  await opened.store.write([{ key: "a", value: "1", ttlMs: 50 }]);
  opened.log.ms += 20;
  const early = await insert(opened, "a", "2");
  opened.log.ms += 40;
  const late = await insert(opened, "a", "3");
  assert.deepEqual([early.ok, late.ok], [false, true]);
  const again = await openStore(false, true);
  again.log.ms = opened.log.ms + 1e9;
  const entries = opened.log.entries.slice(1);
  const results = entries.map((entry, at) => again.machine.apply(at + 2, entry) as { ok?: boolean });
  assert.deepEqual(results.map(({ ok }) => ok), [undefined, false, true]);
});

test("an engine behind the doors is told that the log was replayed, and its room is asked", async () => {
  const opened = await openStore(false, true);
  const told: number[] = [];
  const room = { entryBytesHighest: 0, holds: () => false, admit: () => undefined };
  Object.assign(opened.engine, { recovered: async (index: number) => void told.push(index), room });
  await opened.machine.recovered(7);
  assert.deepEqual(told, [7]);
  assert.equal(opened.sql?.engine.room, room);
});

/** Typed tables over a log that applies at once: rows, conditions, ranges, transactions, and what is refused. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { commandCodec } from "../../../concurrency/transaction/model/one_shot_command/command-codec.ts";
import { createStateMachine } from "../../../concurrency/transaction/model/one_shot_command/state-machine.ts";
import { InstantLog } from "../../../replication/instant-log.fixture.ts";
import { rowToKv } from "../../../storage/layout/row_to_kv/row-to-kv.ts";
import { MapEngine } from "../../../storage/map-engine.fixture.ts";
import { createCatalog } from "../../catalog/kv_encoded/kv-encoded-catalog.ts";
import type { Table } from "../../catalog/table.ts";
import { EmbeddedStore, EmbeddedTable, openTables } from "./embedded-library.ts";

const notes: Table = {
  id: 0,
  name: "notes",
  columns: [
    { name: "shelf", type: "varchar", lengthMax: 20, nullable: false },
    { name: "id", type: "bigint", nullable: false },
    { name: "text", type: "varchar", lengthMax: 20, nullable: true },
  ],
  primaryKey: [0, 1],
};

interface NoteKey {
  readonly shelf: string;
  readonly id: bigint;
}

interface Note extends NoteKey {
  readonly text: string | null;
}

async function open(engine = new MapEngine()) {
  const catalog = createCatalog({ engine, layout: rowToKv });
  const log = new InstantLog(createStateMachine({ engine, catalog, layout: rowToKv }));
  const doors = {
    engine, catalog, log, layout: rowToKv, codec: commandCodec,
    checkpoint: async () => {}, metrics: () => [], close: async () => {},
  };
  await openTables(doors, [notes]);
  return { doors, engine, store: new EmbeddedStore(doors), table: new EmbeddedTable<Note, NoteKey>(doors, "notes") };
}

const note = (shelf: string, id: bigint, text: string | null = null): Note => ({ shelf, id, text });

test("a row that was put is there, also after the next opening; conditions decide whether one is written", async () => {
  const { engine, table } = await open();
  await table.put(note("a", 1n, "one"));
  assert.deepEqual(table.get({ shelf: "a", id: 1n }), note("a", 1n, "one"));
  assert.equal(await table.putIf(note("a", 1n, "two"), "absent"), false);
  assert.equal(await table.putIf(note("a", 1n, "two"), { text: "other" }), false);
  assert.equal(await table.putIf(note("a", 1n, "two"), { text: "one" }), true);
  assert.equal(await table.putIf(note("a", 2n), "present"), false);
  assert.equal(await table.delete({ shelf: "a", id: 2n }), false);
  const again = await open(engine);
  assert.deepEqual(again.table.get({ shelf: "a", id: 1n }), note("a", 1n, "two"));
  assert.equal(await again.table.delete({ shelf: "a", id: 1n }, { text: "two" }), true);
  assert.equal(again.table.get({ shelf: "a", id: 1n }), undefined);
});

test("a range comes in the order of its keys, from either end, and leaves no cursor open", async () => {
  const { engine, table } = await open();
  for (const [shelf, id] of [["b", 1n], ["a", 3n], ["a", -1n], ["a", 2n]] as const) await table.put(note(shelf, id));
  const ids = (range: Parameters<typeof table.scan>[0]) => [...table.scan(range)].map(({ shelf, id }) => `${shelf}${id}`);
  assert.deepEqual(ids({}), ["a-1", "a2", "a3", "b1"]);
  assert.deepEqual(ids({ prefix: { shelf: "a" }, reverse: true, limit: 2 }), ["a3", "a2"]);
  assert.deepEqual(ids({ from: { shelf: "a", id: 2n }, to: { shelf: "b" } }), ["a2", "a3"]);
  for (const _ of table.scan()) break;
  assert.equal(engine.openCursors, 0);
});

test("a transaction happens as a whole or not at all", async () => {
  const { store, table } = await open();
  await store.transaction((batch) => batch.put(table, note("a", 1n)).insert(table, note("a", 2n)));
  const refused = store.transaction((batch) => batch.delete(table, { shelf: "a", id: 1n }).insert(table, note("a", 2n)));
  await assert.rejects(refused, { code: "CONSTRAINT" });
  assert.equal([...table.scan()].length, 2);
});

test("values of another type, unknown columns and tables with other columns are refused", async () => {
  const { doors, table } = await open();
  await assert.rejects(table.put({ ...note("a", 1n), id: 1 } as unknown as Note), { message: /notes\.id takes a bigint, not number/ });
  await assert.rejects(table.put({ ...note("a", 1n), more: 1 } as Note), { message: /notes has no column more/ });
  await assert.rejects(openTables(doors, [{ ...notes, primaryKey: [1] }]), { code: "INVALID_ARGUMENT" });
  assert.throws(() => new EmbeddedTable(doors, "others"), { code: "NOT_FOUND" });
});

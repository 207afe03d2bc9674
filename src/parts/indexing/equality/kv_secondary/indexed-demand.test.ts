/** What commands demand at most, against what they put: random commands over tables with and without indexes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createCatalog } from "../../../architecture/catalog/kv_encoded/kv-encoded-catalog.ts";
import type { ColumnValue, Table } from "../../../architecture/catalog/table.ts";
import { kvSecondary as indexes } from "./kv-secondary.ts";
import { entryOf } from "../../../replication/instant-log.fixture.ts";
import { rowToKv as layout } from "../../../storage/layout/row_to_kv/row-to-kv.ts";
import { MapEngine } from "../../../storage/map-engine.fixture.ts";
import type { WriteBatch } from "../../../storage/write-batch.ts";
import type { Assignment, CommandResult, CommandStep, OnDuplicate } from "../../../concurrency/transaction/command.ts";
import { commandCodec } from "../../../concurrency/transaction/model/one_shot_command/command-codec.ts";
import { demandOf } from "../../../concurrency/transaction/model/one_shot_command/command-demand.ts";
import { createStateMachine } from "../../../concurrency/transaction/model/one_shot_command/state-machine.ts";

function tableOf(name: string, indexes: readonly (readonly number[])[]): Table {
  return {
    id: 0,
    name,
    columns: [
      { name: "id", type: "bigint", nullable: false },
      { name: "a", type: "varbinary", lengthMax: 60_000, nullable: true },
      { name: "b", type: "double", nullable: true },
      { name: "c", type: "int", nullable: true },
    ],
    primaryKey: [0],
    indexes: indexes.map((columns, at) => ({ id: 0, name: `i${at}`, columns })),
  };
}

function drawing(seed: number): (below: number) => number {
  let state = Math.imul(seed, 0x9e3779b1) | 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

type Draw = (below: number) => number;

/** Bytes that are 00 take two in a key. */
function drawBytes(draw: Draw): Uint8Array | null {
  return draw(5) === 0 ? null : new Uint8Array(draw(3) === 0 ? draw(400) : draw(40)).fill(draw(2));
}
const drawId = (draw: Draw) => BigInt(draw(30));

function drawRow(draw: Draw): ColumnValue[] {
  return [drawId(draw), drawBytes(draw), draw(3) === 0 ? null : draw(100) / 7, draw(3) === 0 ? null : draw(1000)];
}

function drawSet(draw: Draw): Assignment[] {
  if (draw(2) === 0) return [{ ordinal: 1, value: drawBytes(draw) }];
  return [{ ordinal: 3, value: draw(9) }, { ordinal: 2, value: 1.5 }];
}

function drawStep(draw: Draw, tableId: number): CommandStep {
  const target = { tableId, keyPrefix: [drawId(draw)], conditions: [] };
  switch (draw(6)) {
    case 0: return { kind: "delete", target };
    case 1: return { kind: "update", target, set: drawSet(draw) };
    case 2: {
      const key = layout.encodeKey({ ...tableOf("", []), id: tableId }, [drawId(draw)]).slice();
      return { kind: "write", tableId, rows: [{ key, value: undefined }] };
    }
    default: {
      const ways: (OnDuplicate | undefined)[] = [undefined, "ignore", "replace", { set: drawSet(draw) }];
      const rows = Array.from({ length: 1 + draw(4) }, () => drawRow(draw));
      return { kind: "insert", tableId, rows, unless: [], onDuplicate: ways[draw(ways.length)] };
    }
  }
}

test("no command puts more than it demands, whatever others before it, which are in flight, do to its rows", () => {
  const seed = Number(process.env.LATHE_TEST_SEED ?? 1);
  const draw = drawing(seed);
  const engine = new MapEngine();
  const catalog = createCatalog({ engine, layout, indexes });
  const machine = createStateMachine({ engine, catalog, layout, indexes });
  let index = 0;
  const apply = (command: Uint8Array) => machine.apply(++index, entryOf(index, command)) as CommandResult;
  for (const table of [tableOf("plain", []), tableOf("indexed", [[1], [3, 1], [2]])]) {
    apply(commandCodec.encode({ steps: [{ kind: "createTable", table, ifNotExists: false }] }));
  }
  let highest = 0;
  let batches = 0;
  let taken = { entries: 0, bytes: 0, puts: 0 };
  const applySync = engine.applySync.bind(engine);
  engine.applySync = (batch: WriteBatch, at: number) => {
    taken = { entries: batch.count, bytes: 0, puts: 0 };
    batch.forEach((kind, _bytes, keyStart, _keyEnd, valueEnd) => {
      taken.bytes += valueEnd - keyStart;
      if (kind === 1) taken.puts++;
      highest = Math.max(highest, valueEnd - keyStart);
    });
    batches++;
    applySync(batch, at);
  };
  for (let round = 0; round < 400; round++) {
    const tableId = (catalog.find(draw(2) === 0 ? "plain" : "indexed") as Table).id;
    const commands = Array.from({ length: 1 + draw(6) }, () => {
      return { steps: Array.from({ length: 1 + draw(3) }, () => drawStep(draw, tableId)) };
    });
    const highestBefore = highest;
    const inFlight = { commands: 0, commandBytes: 0, puts: 0, entries: 0, bytes: 0 };
    const demands = commands.map((command) => {
      const { length } = commandCodec.encode(command);
      const demand = demandOf(command, length, catalog, highestBefore, inFlight);
      assert.ok(demand !== undefined);
      inFlight.commands++;
      inFlight.commandBytes += length;
      return demand;
    });
    for (const [at, command] of commands.entries()) {
      taken = { entries: 0, bytes: 0, puts: 0 };
      apply(commandCodec.encode(command));
      const demand = demands[at];
      const fits = taken.entries <= demand.entries && taken.bytes <= demand.bytes && taken.puts <= demand.puts;
      const facts = () => `seed ${seed}, round ${round}: ${JSON.stringify({ taken, demand, command }, bigintText)}`;
      assert.ok(fits, fits ? "" : facts());
    }
  }
  assert.ok(batches > 300, `${batches} batches were looked at`);
});

const bigintText = (_key: string, value: unknown) => (typeof value === "bigint" ? String(value) : value);

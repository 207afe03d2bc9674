/**
 * The limit of memory and the log: what was acknowledged under one limit is there after a kill and a restart with a lower
 * one, and what was refused does not come back with a higher one.
 */
import assert from "node:assert/strict";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { createNodeEnv } from "../../../../kit/env/node-env.ts";
import { noSelectionHash } from "../../../../kit/file-header.ts";
import { createCatalog } from "../../../architecture/catalog/kv_encoded/kv-encoded-catalog.ts";
import type { Table } from "../../../architecture/catalog/table.ts";
import type { CommandResult, CommandStep } from "../../../concurrency/transaction/command.ts";
import { commandCodec } from "../../../concurrency/transaction/model/one_shot_command/command-codec.ts";
import { createStateMachine } from "../../../concurrency/transaction/model/one_shot_command/state-machine.ts";
import { openWal } from "../../../core/wal/wal.ts";
import { openSingleNodeLog } from "../../../replication/single_node/single-node-log.ts";
import { rowToKv as layout } from "../../layout/row_to_kv/row-to-kv.ts";
import { openMemoryEngine } from "./memory-engine.ts";

const env = createNodeEnv({ logLevel: "error" });
const root = mkdtempSync(join(tmpdir(), "lathe-limit-replay-"));
after(async () => {
  await env.threads.close();
  rmSync(root, { recursive: true });
});

const table: Table = {
  id: 0,
  name: "rows",
  columns: [
    { name: "id", type: "bigint", nullable: false },
    { name: "value", type: "varbinary", lengthMax: 60_000, nullable: false },
  ],
  primaryKey: [0],
};
const low = 1 << 19;
const high = 1 << 20;

/** A node over a directory. `killed` makes a copy of the directory as a kill would leave it. */
async function openNode(directory: string, bytesMax: number) {
  const engine = await openMemoryEngine(env, { directory: join(directory, "engine"), bytesMax });
  const catalog = createCatalog({ engine, layout });
  const stateMachine = createStateMachine({ engine, catalog, layout, cache: undefined });
  const wal = await openWal(env, { directory: join(directory, "wal"), selectionHash: noSelectionHash });
  const log = openSingleNodeLog(env, { log: wal, stateMachine });
  const close = async () => {
    await log.close();
    await engine.close();
  };
  const { replayedEntries } = await log.recover().catch(async (error: unknown) => {
    await close();
    throw error;
  });
  const run = async (step: CommandStep) => {
    return (await log.propose(commandCodec.encode({ steps: [step] }))).result as CommandResult;
  };
  if (catalog.find(table.name) === undefined) await run({ kind: "createTable", table, ifNotExists: true });
  const own = catalog.find(table.name) as Table;
  const key = (id: number) => layout.encodeKey(own, [BigInt(id)]);
  return {
    replayedEntries, close,
    put: async (id: number, bytes: number) => {
      const row = [BigInt(id), new Uint8Array(bytes).fill(id)];
      await run({ kind: "insert", tableId: own.id, rows: [row], unless: [] });
    },
    sizeOf: (id: number) => {
      const value = engine.getSync(key(id));
      return value === undefined ? undefined : (layout.decodeRow(own, key(id), value)[1] as Uint8Array).length;
    },
    killed: (name: string) => {
      const copy = join(root, name);
      cpSync(directory, copy, { recursive: true, filter: (path) => !path.endsWith("LOCK") });
      return copy;
    },
  };
}

test("what was acknowledged is there after a restart with a lower limit, and after the next; then that limit holds", async () => {
  const before = await openNode(join(root, "lower"), high);
  for (let id = 0; id < 16; id++) await before.put(id, 40_000);
  const directory = before.killed("lower-killed");
  await before.close();
  for (let round = 0; round < 2; round++) {
    const again = await openNode(directory, low);
    const sizes = Array.from({ length: 16 }, (_, id) => again.sizeOf(id));
    assert.ok(sizes.every((size) => size === 40_000), sizes.join(" "));
    await assert.rejects(again.put(100, 10), { code: "LIMIT_EXCEEDED", message: /memory\.bytes_max/ });
    if (round > 0) assert.ok(again.replayedEntries < 5, "what a restart replays is judged by the limit of its time");
    await again.close();
  }
  await assert.rejects(openNode(before.killed("far-lower"), low / 2), { code: "LIMIT_EXCEEDED", message: /start with/ });
  const kept = await openNode(join(root, "far-lower"), high);
  assert.equal(kept.sizeOf(15), 40_000);
  await kept.close();
});

test("what was refused does not come back at a restart with a higher limit, and what came after it stays", async () => {
  const before = await openNode(join(root, "higher"), low);
  for (let id = 0; id < 13; id++) await before.put(id, 40_000);
  await assert.rejects(before.put(50, 59_999), { code: "LIMIT_EXCEEDED" });
  await before.put(50, 100);
  const directory = before.killed("higher-killed");
  await before.close();
  const again = await openNode(directory, high);
  assert.equal(again.sizeOf(50), 100, "the row that was acknowledged, not the one that was refused");
  for (const id of [51, 52]) await again.put(id, 59_999);
  const third = again.killed("higher-again");
  await again.close();
  const last = await openNode(third, low);
  assert.deepEqual([50, 51, 52].map((id) => last.sizeOf(id)), [100, 59_999, 59_999]);
  await last.close();
});

/** A node over the memory engine with a limit: log, state machine, catalog, for tests of limit and log. */
import { join } from "node:path";
import type { Env } from "../../../../kit/env/env.ts";
import { noSelectionHash } from "../../../../kit/file-header.ts";
import { createCatalog } from "../../../architecture/catalog/kv_encoded/kv-encoded-catalog.ts";
import type { Table } from "../../../architecture/catalog/table.ts";
import type { CommandResult, CommandStep } from "../../../concurrency/transaction/command.ts";
import { commandCodec } from "../../../concurrency/transaction/model/one_shot_command/command-codec.ts";
import { createStateMachine } from "../../../concurrency/transaction/model/one_shot_command/state-machine.ts";
import { openWal } from "../../../core/wal/wal.ts";
import type { StateMachine } from "../../../replication/replicated-log.ts";
import { openSingleNodeLog } from "../../../replication/single_node/single-node-log.ts";
import { rowToKv as layout } from "../../layout/row_to_kv/row-to-kv.ts";
import { writeCurrentSync } from "./current-file.ts";
import { openMemoryEngine } from "./memory-engine.ts";

const rows: Table = {
  id: 0,
  name: "rows",
  columns: [
    { name: "id", type: "bigint", nullable: false },
    { name: "value", type: "varbinary", lengthMax: 60_000, nullable: false },
  ],
  primaryKey: [0],
};

export type LimitedNode = Awaited<ReturnType<typeof openLimitedNode>>;

/** With `isOld`, entries are refused when they are applied, as before admission, and are in the log. */
export async function openLimitedNode(env: Env, directory: string, bytesMax: number, isOld = false) {
  if (isOld) {
    const state = { snapshotNumber: 0, index: 0, timeMs: 0, limitBytes: bytesMax, isAdmitted: false };
    env.disk.makeDirectory(join(directory, "engine"));
    writeCurrentSync(env.disk, join(directory, "engine"), noSelectionHash, state);
  }
  const engine = await openMemoryEngine(env, { directory: join(directory, "engine"), bytesMax });
  const catalog = createCatalog({ engine, layout });
  const stateMachine: StateMachine = createStateMachine({ engine, catalog, layout, cache: undefined });
  if (isOld) Object.assign(stateMachine, { admit: undefined, recovered: undefined });
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
  if (catalog.find(rows.name) === undefined) await run({ kind: "createTable", table: rows, ifNotExists: true });
  const table = catalog.find(rows.name) as Table;
  return {
    engine, log, wal, table, replayedEntries, close, run,
    /** Puts rows, over those that are there. */
    put: (ids: readonly number[], value: Uint8Array) => {
      const put = ids.map((id) => [BigInt(id), value]);
      return run({ kind: "insert", tableId: table.id, rows: put, unless: [], onDuplicate: "replace" });
    },
    /** The value of every row, by its id. */
    contents: () => {
      const found = new Map<number, Uint8Array>();
      const prefix = layout.encodeKey(table, []).slice();
      const cursor = engine.scan({ gte: prefix, lt: layout.prefixEnd(prefix) });
      while (cursor.next()) {
        const [id, value] = layout.decodeRow(table, cursor.key, cursor.value);
        found.set(Number(id), (value as Uint8Array).slice());
      }
      cursor.close();
      return found;
    },
  };
}

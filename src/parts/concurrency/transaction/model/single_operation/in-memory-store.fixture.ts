/** A key-value store over a map and a log that applies at once, at the time of a clock that the test moves. */
import { createCatalog } from "../../../../architecture/catalog/kv_encoded/kv-encoded-catalog.ts";
import { MapEngine } from "../../../../storage/map-engine.fixture.ts";
import type { LogEntry, ReplicatedLog, StateMachine } from "../../../../replication/replicated-log.ts";
import { rowToKv } from "../../../../storage/layout/row_to_kv/row-to-kv.ts";
import { createLruCache } from "../../../../storage/page_io/replacement/lru/lru-cache.ts";
import { commandCodec } from "../one_shot_command/command-codec.ts";
import { createStateMachine } from "../one_shot_command/state-machine.ts";
import { createKeyValueMachine, openKeyValueStore, shareRows } from "./key-value-store.ts";

const table = { name: "kv", keyColumn: "k", keyBytesMax: 64, valueColumn: "v", valueBytesMax: 70_000 };

export class TimedLog {
  readonly entries: LogEntry[] = [];
  ms = 1000;
  readonly #machine: StateMachine;

  constructor(machine: StateMachine) {
    this.#machine = machine;
  }

  async propose(command: Uint8Array) {
    const entry = { timestampMs: this.ms, term: 1, clientId: 0, requestId: 0, command: command.slice() };
    const index = this.entries.push(entry);
    return { index, result: this.#machine.apply(index, entry) };
  }
}

/** `shared`: with the doors of a query language beside it (`sql`). */
export async function openStore(cached: boolean, shared = false) {
  const engine = new MapEngine();
  const catalog = createCatalog({ engine, layout: rowToKv });
  const cache = cached ? createLruCache({ capacityBytes: 1 << 16, seed: 1 }) : undefined;
  const time: { log?: TimedLog } = {};
  const clock = { nowMs: () => time.log?.ms ?? 0 } as never;
  const sharedRows = shared ? shareRows({ engine, cache, layout: rowToKv, clock }) : undefined;
  const doors = { engine, catalog, layout: rowToKv, cache, table, dropExpired: false, sharedRows };
  const behind = { engine, cache, ...sharedRows?.applying, catalog, layout: rowToKv };
  const machine = createKeyValueMachine(doors, createStateMachine(behind));
  const log = new TimedLog(machine);
  time.log = log;
  const store = openKeyValueStore({
    ...doors, machine, codec: commandCodec, env: { clock }, log: log as unknown as ReplicatedLog,
  });
  await store.prepare();
  return { engine, machine, log, store, catalog, cache, sql: sharedRows?.reading };
}

/**
 * A single node as a subject: replicated log over the write-ahead log, one-shot commands, row layout, catalog, row
 * cache, engine. Wired as a product is (`foundry/wiring/`), without parser and surface.
 */
import { LatheError } from "../../kit/errors.ts";
import { noSelectionHash } from "../../kit/file-header.ts";
import { createCatalog } from "../../parts/architecture/catalog/kv_encoded/kv-encoded-catalog.ts";
import type { Table } from "../../parts/architecture/catalog/table.ts";
import type { CommandResult, CommandStep } from "../../parts/concurrency/transaction/command.ts";
import { commandCodec } from "../../parts/concurrency/transaction/model/one_shot_command/command-codec.ts";
import { createStateMachine } from "../../parts/concurrency/transaction/model/one_shot_command/state-machine.ts";
import { openWal } from "../../parts/core/wal/wal.ts";
import { createRelaxedSync } from "../../parts/recovery/auxiliary/relaxed_sync/relaxed-sync.ts";
import type { SyncPolicy } from "../../parts/recovery/sync-policy.ts";
import { logEntryHeaderBytes } from "../../parts/replication/log-entry.ts";
import type { ReplicatedLog } from "../../parts/replication/replicated-log.ts";
import { openSingleNodeLog } from "../../parts/replication/single_node/single-node-log.ts";
import type { Snapshot, StorageEngine } from "../../parts/storage/engine.ts";
import { rowToKv } from "../../parts/storage/layout/row_to_kv/row-to-kv.ts";
import type { Cache } from "../../parts/storage/page_io/cache.ts";
import { createLruCache } from "../../parts/storage/page_io/replacement/lru/lru-cache.ts";
import { createWTinyLfuCache } from "../../parts/storage/page_io/replacement/w_tinylfu/w-tinylfu-cache.ts";
import {
  type BlackboardEngine, openBlackboardEngine,
} from "../../parts/storage/storage_model/row/kvlsm/blackboard/blackboard-engine.ts";
import { openMemoryEngine } from "../../parts/storage/storage_model/memory/memory-engine.ts";
import type { SimulatedEnv } from "../../simulation/simulated-env.ts";
import { type Change, valueOf } from "../../simulation/store-operation.ts";
import type { Entry, OpenStore, ScenarioKnobs, StoreSubject, Tap, Write } from "../../simulation/store-subject.ts";
import { callEvent, callPlace, enginePlaces, jobEvents, logPlaces } from "./coverage-events.ts";
import { drawEngineKnobs, drawEngineTuning, engineOptionsOf, logOptionsOf } from "./engine-knobs.ts";
import { drawMemoryKnobs, memoryOptionsOf, memoryPlaces } from "./memory-knobs.ts";
import { TappedLog } from "./tapped-log.ts";

const layout = rowToKv;
const rowsTable: Table = {
  id: 0,
  name: "entries",
  columns: [
    { name: "id", type: "bigint", nullable: false },
    { name: "value", type: "varbinary", lengthMax: 60_000, nullable: true },
  ],
  primaryKey: [0],
};

export const nodeSubject: StoreSubject = makeNodeSubject("node");
/** Answers before the flush. */
export const relaxedNodeSubject: StoreSubject = {
  ...makeNodeSubject("relaxed-node"),
  drawKnobs: (next) => ({
    ...nodeSubject.drawKnobs(next),
    lossWindowMs: [20, 200, 2000][Math.floor(next() * 3)],
    unsyncedBytesMax: [2000, 20_000, 1 << 24][Math.floor(next() * 3)],
  }),
  lossWindowMs: ({ lossWindowMs }) => lossWindowMs as number,
};

function makeNodeSubject(name: string): StoreSubject {
  return {
    name,
    changes: ["put", "insert", "delete", "deleteRange"],
    unsyncedWrites: false,
    hasLog: true,
    checkpoints: false,
    lifetimes: false,
    truncations: false,
    drawTuning: drawEngineTuning,
    repair: undefined,
    drawKnobs: (next) => {
      const cacheBytes = [0, 4096, 16_384, 65_536][Math.floor(next() * 4)];
      const cachePolicy = ["lru", "w_tinylfu"][Math.floor(next() * 2)];
      return { ...drawEngineKnobs(next), cacheBytes, cachePolicy };
    },
    callEvent,
    callPlace,
    places: [...enginePlaces, ...logPlaces],
    jobEvents,
    readCheckpoint: () => Promise.reject(new Error("a node has no checkpoints")),
    open: (env, knobs, tap) =>
      openNode(env, knobs, tap, (own, doors) => openBlackboardEngine(env, { ...engineOptionsOf(own), ...doors })),
  };
}

/** The same over the memory engine, which has no options that change while it is open. */
export const memoryNodeSubject: StoreSubject = {
  ...relaxedNodeSubject,
  name: "memory-node",
  drawTuning: undefined,
  drawKnobs: (next) => {
    const { cacheBytes, cachePolicy, lossWindowMs, unsyncedBytesMax } = relaxedNodeSubject.drawKnobs(next);
    const knobs = { ...drawMemoryKnobs(next), cacheBytes, cachePolicy };
    return next() < 0.3 ? { ...knobs, lossWindowMs, unsyncedBytesMax } : knobs;
  },
  places: [...memoryPlaces, ...logPlaces],
  open: (env, knobs, tap) =>
    openNode(env, knobs, tap, async (own, doors) => {
      const engine = await openMemoryEngine(env, { ...memoryOptionsOf(own), ...doors });
      return Object.assign(engine, { setTuning: () => [] });
    }),
};

/** What a node asks of its engine. */
type NodeEngine = StorageEngine & Pick<BlackboardEngine, "setTuning">;

interface EngineDoors {
  readonly directory: string;
  logDurable(index: number): Promise<void> | undefined;
}

async function openNode(
  env: SimulatedEnv, knobs: ScenarioKnobs, tap: Tap,
  openEngine: (knobs: ScenarioKnobs, doors: EngineDoors) => Promise<NodeEngine>,
): Promise<OpenStore> {
  const { cacheBytes, cachePolicy, lossWindowMs, unsyncedBytesMax, ...rest } = knobs;
  env.disk.makeDirectory("/data");
  const lock = env.disk.lock("/data");
  let syncPolicy: SyncPolicy | undefined;
  const logDurable = (index: number) => syncPolicy?.durable(index);
  const engine = await openEngine(rest, { directory: "/data/engine", logDurable });
  const catalog = createCatalog({ engine, layout });
  const createCache = cachePolicy === "w_tinylfu" ? createWTinyLfuCache : createLruCache;
  const cache = cacheBytes === 0 ? undefined : createCache({ capacityBytes: cacheBytes as number });
  const stateMachine = createStateMachine({ engine, catalog, layout, cache });
  const wal = await openWal(env, { directory: "/data/wal", selectionHash: noSelectionHash, ...logOptionsOf(rest) });
  const tapped = new TappedLog(wal, tap, logEntryHeaderBytes);
  if (lossWindowMs !== undefined) {
    const window = { lossWindowMs: lossWindowMs as number, unsyncedBytesMax: unsyncedBytesMax as number };
    syncPolicy = createRelaxedSync(env, { log: tapped, ...window });
  }
  const log = openSingleNodeLog(env, { log: tapped, stateMachine, syncPolicy });
  await log.recover();
  if (catalog.find(rowsTable.name) === undefined) {
    await log.propose(commandCodec.encode({ steps: [{ kind: "createTable", table: rowsTable, ifNotExists: true }] }));
  }
  const table = catalog.find(rowsTable.name);
  if (table === undefined) throw new Error("the table is not there after it was created");
  return new Node({ engine, log, tapped, cache, table, release: () => lock.release() });
}

interface NodeDoors {
  readonly engine: NodeEngine;
  readonly log: ReplicatedLog;
  readonly tapped: TappedLog;
  readonly cache: Cache | undefined;
  readonly table: Table;
  readonly release: () => void;
}

class Node implements OpenStore {
  readonly #doors: NodeDoors;

  constructor(doors: NodeDoors) {
    this.#doors = doors;
  }

  get appliedIndex(): number {
    return this.#doors.log.appliedIndex;
  }

  get durableIndex(): number {
    return this.#doors.engine.durableIndex;
  }

  async write(write: Write): Promise<{ index: number; refused: boolean }> {
    const { log, tapped, table } = this.#doors;
    const steps = write.changes.flatMap((change, place) => stepsOf(table, write.id, change, place));
    const bytes = commandCodec.encode({ steps });
    tapped.expect(bytes, write);
    const { index, result } = await log.propose(bytes);
    return { index, refused: !(result as CommandResult).ok };
  }

  getSync(key: number): Uint8Array | undefined {
    const { cache, engine } = this.#doors;
    const bytes = this.#keyOf(key);
    const cached = cache?.get(bytes);
    if (cached !== undefined) return this.#valueIn(bytes, cached);
    const epoch = cache?.epoch() ?? 0;
    const value = engine.getSync(bytes);
    if (value === undefined) return undefined;
    cache?.fill(bytes, value, epoch);
    return this.#valueIn(bytes, value);
  }

  async get(key: number): Promise<Uint8Array | undefined> {
    const { cache, engine } = this.#doors;
    const bytes = this.#keyOf(key);
    const cached = cache?.get(bytes);
    if (cached !== undefined) return this.#valueIn(bytes, cached);
    const epoch = cache?.epoch() ?? 0;
    const value = await engine.get(bytes);
    if (value === undefined) return undefined;
    cache?.fill(bytes, value, epoch);
    return this.#valueIn(bytes, value);
  }

  scan(from: number, to: number, reverse: boolean): Entry[] {
    return this.#scan(from, to, reverse, undefined);
  }

  view() {
    const snapshot = this.#doors.engine.snapshot();
    return {
      scan: (from: number, to: number) => this.#scan(from, to, false, snapshot),
      release: () => snapshot.release(),
    };
  }

  flush(): Promise<void> {
    return this.#doors.engine.flush();
  }

  compactAll(): Promise<void> {
    return this.#doors.engine.compactAll();
  }

  checkpoint(): Promise<number> {
    return Promise.reject(new LatheError("INVALID_ARGUMENT", "a node has no checkpoints"));
  }

  tune(knobs: ScenarioKnobs): void {
    this.#doors.engine.setTuning(engineOptionsOf(knobs));
  }

  truncateFrom(): Promise<void> {
    return Promise.reject(new Error("the log of a single node is not truncated from its end"));
  }

  settle(): Promise<void> {
    return this.#doors.engine.settle();
  }

  metrics() {
    const { engine, log, tapped, cache } = this.#doors;
    return [engine, log, tapped, cache].flatMap((source) => source?.metrics() ?? []);
  }

  async close(): Promise<void> {
    const { log, engine, release } = this.#doors;
    await log.close();
    await engine.close();
    release();
  }

  #scan(from: number, to: number, reverse: boolean, snapshot: Snapshot | undefined): Entry[] {
    const { engine, table } = this.#doors;
    const range = { gte: this.#keyOf(from), lt: this.#keyOf(to), reverse };
    const cursor = engine.scan(snapshot === undefined ? range : { ...range, snapshot });
    const entries: Entry[] = [];
    try {
      while (cursor.next()) {
        const [id, value] = layout.decodeRow(table, cursor.key, cursor.value);
        entries.push({ key: Number(id), value: (value as Uint8Array).slice() });
      }
    } finally {
      cursor.close();
    }
    return reverse ? entries.reverse() : entries;
  }

  #keyOf(key: number): Uint8Array {
    return layout.encodeKey(this.#doors.table, [BigInt(key)]);
  }

  #valueIn(key: Uint8Array, row: Uint8Array): Uint8Array {
    return (layout.decodeRow(this.#doors.table, key, row)[1] as Uint8Array).slice();
  }
}

function stepsOf(table: Table, write: number, change: Change, place: number): CommandStep[] {
  const tableId = table.id;
  if (change.kind === "deleteRange") {
    const conditions = [
      { ordinal: 0, comparison: ">=" as const, value: BigInt(change.from) },
      { ordinal: 0, comparison: "<" as const, value: BigInt(change.to) },
    ];
    return [{ kind: "delete", target: { tableId, keyPrefix: [], conditions } }];
  }
  const id = BigInt(change.key);
  const remove: CommandStep = { kind: "delete", target: { tableId, keyPrefix: [id], conditions: [] } };
  if (change.kind === "delete") return [remove];
  const rows = [[id, valueOf(write, place, change.bytes)]];
  const insert: CommandStep = { kind: "insert", tableId, rows, unless: [] };
  return change.kind === "insert" ? [insert] : [remove, insert];
}

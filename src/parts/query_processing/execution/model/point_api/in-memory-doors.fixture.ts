/**
 * What the executor's tests stand on: an engine that is a sorted map, a log that applies at once, a sink that records.
 */
import type { Clock, Env } from "../../../../../kit/env/env.ts";
import { nodeClock } from "../../../../../kit/env/node-clock.ts";
import { createCatalog } from "../../../../architecture/catalog/kv_encoded/kv-encoded-catalog.ts";
import type { CatalogStore } from "../../../../architecture/catalog/catalog-store.ts";
import type { ColumnValue } from "../../../../architecture/catalog/table.ts";
import { commandCodec } from "../../../../concurrency/transaction/model/one_shot_command/command-codec.ts";
import type { InteractiveTransactions } from "../../../../concurrency/transaction/interactive-transactions.ts";
import { createStateMachine } from "../../../../concurrency/transaction/model/one_shot_command/state-machine.ts";
import type { SqlIndexes } from "../../../../indexing/sql-indexes.ts";
import { createParser, recursiveDescentParser } from "../../../../parser/implementation/recursive_descent/recursive-descent.ts";
import type { CommandOutcome, ReplicatedLog, StateMachine } from "../../../../replication/replicated-log.ts";
import type { Cursor, EngineCapabilities, ScanRange, Snapshot, StorageEngine } from "../../../../storage/engine.ts";
import { rowToKv } from "../../../../storage/layout/row_to_kv/row-to-kv.ts";
import type { Cache } from "../../../../storage/page_io/cache.ts";
import { batchKindDeleteRange, batchKindPut, type WriteBatch } from "../../../../storage/write-batch.ts";
import type { Executor, PreparedStatement, ResultShape, ResultSink, SqlError } from "../../../executor.ts";
import type { ExecutorLimits, IndexedPlans } from "./plan.ts";
import { createExecutor } from "./point-api.ts";

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");

/** A StorageEngine over a Map; the sorted list of keys is made when a scan needs it. */
export class MapEngine implements StorageEngine {
  readonly capabilities: EngineCapabilities = {
    durable: false,
    snapshots: true,
    reverseScan: true,
    checkpoint: false,
    ttl: false,
    rangeDelete: true,
    keyBytesMax: 1024,
    valueBytesMax: 1 << 20,
  };
  appliedIndex = 0;
  readonly durableIndex = 0;
  readonly entries = new Map<string, Uint8Array>();
  openCursors = 0;
  openCursorsMost = 0;
  openSnapshots = 0;
  reads = 0;
  readonly #snapshots = new Map<Snapshot, { entries: Map<string, Uint8Array>; sorted: string[] }>();
  #sorted: string[] | undefined;

  getSync(key: Uint8Array, snapshot?: Snapshot): Uint8Array | undefined {
    this.reads++;
    const pinned = snapshot === undefined ? undefined : this.#snapshots.get(snapshot);
    return (pinned?.entries ?? this.entries).get(textOf(key));
  }

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    return this.getSync(key);
  }

  async getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    return keys.map((key) => this.getSync(key));
  }

  applySync(batch: WriteBatch, index: number): void {
    if (index <= this.appliedIndex) throw new Error(`index ${index} after ${this.appliedIndex}`);
    // Not among its capabilities; and SQL must not ask for it, because row caches are not told of it.
    if (batch.expiringCount > 0) throw new Error("a batch that expires");
    batch.forEach((kind, bytes, keyStart, keyEnd, valueEnd) => {
      const key = textOf(bytes.subarray(keyStart, keyEnd));
      if (kind === batchKindDeleteRange) return this.#deleteRange(key, textOf(bytes.subarray(keyEnd, valueEnd)));
      if (kind === batchKindPut) {
        if (!this.entries.has(key)) this.#addSorted(key, batch.count);
        this.entries.set(key, bytes.slice(keyEnd, valueEnd));
      } else if (this.entries.delete(key)) this.#sorted = undefined;
    });
    this.appliedIndex = index;
  }

  #deleteRange(gte: string, lt: string): void {
    for (const key of this.entries.keys()) if (key >= gte && key < lt) this.entries.delete(key);
    this.#sorted = undefined;
  }

  /** Few keys are put where they belong; for many, sorting again is cheaper. */
  #addSorted(key: string, batchCount: number): void {
    if (batchCount > 16) this.#sorted = undefined;
    else this.#sorted?.splice(lowerBound(this.#sorted, key), 0, key);
  }

  backpressure(): undefined {}

  async write(): Promise<number> {
    throw new Error("no log of its own");
  }

  scan(range: ScanRange): Cursor {
    const pinned = range.snapshot === undefined ? undefined : this.#snapshots.get(range.snapshot);
    const entries = pinned?.entries ?? this.entries;
    const sorted = pinned?.sorted ?? (this.#sorted ??= [...this.entries.keys()].sort());
    const start = range.gte === undefined ? 0 : lowerBound(sorted, textOf(range.gte));
    const end = range.lt === undefined ? sorted.length : lowerBound(sorted, textOf(range.lt));
    const keys = sorted.slice(start, Math.max(start, end));
    if (range.reverse === true) keys.reverse();
    const values = keys.map((key) => entries.get(key) as Uint8Array);
    this.openCursors++;
    this.openCursorsMost = Math.max(this.openCursorsMost, this.openCursors);
    let place = -1;
    let open = true;
    return {
      next: () => ++place < keys.length,
      get key() {
        return Uint8Array.from(Buffer.from(keys[place], "latin1"));
      },
      get value() {
        return values[place];
      },
      close: () => {
        if (open) this.openCursors--;
        open = false;
      },
    };
  }

  snapshot(): Snapshot {
    const release = () => {
      if (this.#snapshots.delete(snapshot)) this.openSnapshots--;
    };
    const snapshot = { index: this.appliedIndex, release };
    const entries = new Map(this.entries);
    this.#snapshots.set(snapshot, { entries, sorted: [...entries.keys()].sort() });
    this.openSnapshots++;
    return snapshot;
  }

  async flush(): Promise<void> {}
  async compactAll(): Promise<void> {}
  async settle(): Promise<void> {}
  async checkpoint(): Promise<void> {}
  metrics(): [] {
    return [];
  }
  async close(): Promise<void> {}
}

function lowerBound(sorted: readonly string[], wanted: string): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle] < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Applies what is proposed in the same turn and keeps it, so that it can be applied elsewhere. */
export class InstantLog implements ReplicatedLog {
  readonly commands: Uint8Array[] = [];
  barrier: (() => Promise<void>) | undefined;
  readonly #stateMachine: StateMachine;
  #index: number;

  constructor(stateMachine: StateMachine) {
    this.#stateMachine = stateMachine;
    this.#index = stateMachine.appliedIndex;
  }

  get appliedIndex(): number {
    return this.#index;
  }

  async propose(command: Uint8Array): Promise<CommandOutcome> {
    this.commands.push(command);
    const index = ++this.#index;
    return { index, result: this.#stateMachine.apply(index, entryOf(index, command)) };
  }

  readBarrier(): Promise<void> | undefined {
    return this.barrier?.();
  }

  async recover(): Promise<{ replayedEntries: number }> {
    return { replayedEntries: 0 };
  }

  metrics(): [] {
    return [];
  }

  async close(): Promise<void> {}
}

export function entryOf(index: number, command: Uint8Array) {
  return { timestampMs: index, term: 1, clientId: 1, requestId: index, command };
}

export type RecordedResult =
  | { readonly rows: ColumnValue[][]; readonly columns: string[] }
  | { readonly affected: number; readonly matched: number; readonly info: string }
  | { readonly error: SqlError };

/** Records results in the terms of values; checks the order of calls and the flag for more results. */
export class RecordingSink implements ResultSink {
  readonly results: RecordedResult[] = [];
  moreResults = false;
  /** Per result whether more were announced. */
  readonly announced: boolean[] = [];
  #shape: ResultShape | undefined;
  #rows: ColumnValue[][] = [];

  rows(shape: ResultShape): void {
    if (this.#shape !== undefined) throw new Error("rows within rows");
    this.#shape = shape;
    this.#rows = [];
  }

  storedRow(key: Uint8Array, value: Uint8Array): void {
    const stored = this.#shape?.stored;
    if (stored === undefined) throw new Error("a stored row where none was announced");
    const row = rowToKv.decodeRow(stored.table, key, value);
    this.#rows.push(stored.ordinals.map((ordinal) => row[ordinal]));
  }

  valueRow(values: readonly ColumnValue[]): void {
    if (this.#shape === undefined || this.#shape.stored !== undefined) throw new Error("a row of values out of place");
    this.#rows.push([...values]);
  }

  end(): void {
    if (this.#shape === undefined) throw new Error("an end without rows");
    this.#record({ rows: this.#rows, columns: this.#shape.columns.map(({ name }) => name) });
    this.#shape = undefined;
  }

  done(result: { affectedRows: number; matchedRows: number; info: string }): void {
    if (this.#shape !== undefined) throw new Error("done within rows");
    this.#record({ affected: result.affectedRows, matched: result.matchedRows, info: result.info });
  }

  fail(error: SqlError): void {
    if (this.#shape !== undefined) throw new Error("fail within rows");
    this.#record({ error });
  }

  #record(result: RecordedResult): void {
    this.results.push(result);
    this.announced.push(this.moreResults);
  }
}

/** What the executor logged as an error; a test that does not expect any can look here. */
export const loggedErrors: unknown[] = [];

const testEnv = {
  clock: nodeClock,
  log: { debug() {}, info() {}, warn() {}, error: (event: string, fields: unknown) => loggedErrors.push([event, fields]) },
} as unknown as Env;

export interface InMemoryDoors {
  readonly engine: MapEngine;
  readonly catalog: CatalogStore;
  readonly log: InstantLog;
  readonly executor: Executor;
  readonly limits: Partial<ExecutorLimits> | undefined;
}

export interface InMemoryOptions {
  readonly cache?: Cache;
  readonly limits?: Partial<ExecutorLimits>;
  /** With secondary indexes: both or neither. */
  readonly indexes?: SqlIndexes;
  readonly indexedPlans?: IndexedPlans;
  /** Makes transactions that stay open. */
  readonly transactions?: (doors: { env: Env; engine: MapEngine; catalog: CatalogStore }) => InteractiveTransactions;
  readonly clock?: Clock;
  /** A store that is there already: as after a restart. */
  readonly engine?: MapEngine;
}

export function openInMemory(options: InMemoryOptions = {}): InMemoryDoors {
  const { cache, limits, indexes, indexedPlans, engine = new MapEngine() } = options;
  const env = options.clock === undefined ? testEnv : { ...testEnv, clock: options.clock };
  const catalog = createCatalog({ engine, layout: rowToKv, indexes });
  const log = new InstantLog(createStateMachine({ engine, catalog, layout: rowToKv, cache, indexes }));
  const executor = createExecutor({
    env,
    engine,
    log,
    catalog,
    layout: rowToKv,
    codec: commandCodec,
    parser: indexes === undefined ? recursiveDescentParser : createParser(indexes.grammar),
    indexedPlans,
    cache,
    limits,
    transactions: options.transactions?.({ env, engine, catalog }),
  });
  return { engine, catalog, log, executor, limits };
}

/** Runs a text and returns its results. */
export async function run(executor: Pick<Executor, "query">, sql: string): Promise<RecordedResult[]> {
  const sink = new RecordingSink();
  await executor.query(sql, sink);
  sink.announced.forEach((more, i) => {
    if (more !== i < sink.results.length - 1) throw new Error(`result ${i} of ${sink.results.length} announces ${more}`);
  });
  return sink.results;
}

/** Runs a prepared statement and returns its one result. */
export async function runPrepared(
  executor: Pick<Executor, "execute">,
  statement: PreparedStatement,
  parameters: readonly ColumnValue[],
): Promise<RecordedResult> {
  const sink = new RecordingSink();
  await executor.execute(statement, parameters, sink);
  if (sink.results.length !== 1) throw new Error(`${sink.results.length} results`);
  return sink.results[0];
}

/** As `run`, of a text with one result. */
export async function runOne(executor: Pick<Executor, "query">, sql: string): Promise<RecordedResult> {
  const results = await run(executor, sql);
  if (results.length !== 1) throw new Error(`${results.length} results`);
  return results[0];
}

export function rowsOf(result: RecordedResult): ColumnValue[][] {
  if ("rows" in result) return result.rows;
  throw "error" in result ? result.error : new Error("no rows");
}

export function affectedOf(result: RecordedResult): number {
  if ("affected" in result) return result.affected;
  throw "error" in result ? result.error : new Error("rows");
}

export function errorOf(result: RecordedResult): SqlError {
  if ("error" in result) return result.error;
  throw new Error(`no error but ${JSON.stringify(result, (_, value) => (typeof value === "bigint" ? `${value}n` : value))}`);
}

export const taobenchTables = `
  CREATE TABLE objects (id BIGINT PRIMARY KEY, timestamp BIGINT, value VARCHAR(150));
  CREATE TABLE edges (id1 BIGINT, id2 BIGINT, type BIGINT, timestamp BIGINT, value VARCHAR(150),
    PRIMARY KEY CLUSTERED (id1, id2, type)) ENGINE=InnoDB;`;

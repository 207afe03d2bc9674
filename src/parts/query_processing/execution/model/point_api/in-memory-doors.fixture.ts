/**
 * What the executor's tests stand on: a map for an engine, a log that applies at once, and a sink that records.
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
import { InstantLog } from "../../../../replication/instant-log.fixture.ts";
import { rowToKv } from "../../../../storage/layout/row_to_kv/row-to-kv.ts";
import { MapEngine } from "../../../../storage/map-engine.fixture.ts";
import type { Cache } from "../../../../storage/page_io/cache.ts";
import type { Executor, PreparedStatement, ResultShape, ResultSink, SqlError } from "../../../executor.ts";
import type { ExecutorLimits, IndexedPlans } from "./plan.ts";
import { createExecutor } from "./point-api.ts";

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

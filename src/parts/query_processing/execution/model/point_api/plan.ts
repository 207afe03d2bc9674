/**
 * Plans: what the planner makes of statements, ready to run with parameters.
 *
 * Three kinds: a read runs by itself, or gives steps where it stands in a transaction that writes; a write gives
 * steps of a command; a session plan answers at once. Plans hold no state of a run except scratch bytes that live
 * within one turn.
 */
import type { CatalogStore } from "../../../../architecture/catalog/catalog-store.ts";
import type { Catalog, ColumnValue, Table, TableIndex } from "../../../../architecture/catalog/table.ts";
import type { CommandCodec, CommandStep, StepResult } from "../../../../concurrency/transaction/command.ts";
import type { InteractiveTransactions } from "../../../../concurrency/transaction/interactive-transactions.ts";
import type {
  CreateIndexStatement,
  DropIndexStatement,
  IndexDefinition,
  SelectStatement,
} from "../../../../parser/statement.ts";
import type { StatementParser } from "../../../../parser/statement-parser.ts";
import type { ReplicatedLog } from "../../../../replication/replicated-log.ts";
import type { RowLayout } from "../../../../storage/layout/row-layout.ts";
import type { Cache } from "../../../../storage/page_io/cache.ts";
import type { StorageEngine } from "../../../../storage/engine.ts";
import type { Env } from "../../../../../kit/env/env.ts";
import type { ResultShape, ResultSink } from "../../../executor.ts";
import type { AccessPath } from "./access-path.ts";
import type { ExecutorCounters } from "./executor-counters.ts";
import type { RunOptions } from "./paced-read.ts";

export interface ExecutorDoors {
  readonly env: Env;
  readonly engine: StorageEngine;
  readonly log: ReplicatedLog;
  readonly catalog: Catalog | CatalogStore;
  readonly layout: RowLayout;
  readonly codec: CommandCodec;
  readonly parser: StatementParser;
  /** Row cache; without one every read goes to the engine. */
  readonly cache?: Cache | undefined;
  /** Only where secondary indexes were selected. */
  readonly indexedPlans?: IndexedPlans | undefined;
  /** Only where transactions over several requests were selected. */
  readonly transactions?: InteractiveTransactions | undefined;
  /**
   * Resolves when the device has all that was answered before; undefined where that is so. Only where answers may come
   * before the flush.
   */
  readonly flushLog?: (() => Promise<void> | undefined) | undefined;
  readonly limits?: Partial<ExecutorLimits> | undefined;
}

/** All of them refuse with limit_exceeded. */
export interface ExecutorLimits {
  /** Statements of one text, and of one transaction. */
  readonly statementsMax: number;
  /** Rows and bytes of one result; rows that a filter looks at count as well. */
  readonly resultRowsMax: number;
  readonly resultBytesMax: number;
  /** Texts whose plans are kept, and the bytes of their shapes. */
  readonly planCacheEntries: number;
  readonly planCacheBytes: number;
  /** What `SELECT DATABASE()` and `SHOW DATABASES` answer. */
  readonly databaseName: string;
  /** What `SELECT VERSION()` answers. */
  readonly serverVersion: string;
  /** What `SELECT @@transaction_isolation` answers where a session has not asked for another. */
  readonly isolationName: string;
}

export const serializableName = "SERIALIZABLE";
/** What MySQL calls the level that snapshot isolation is nearest to; it has no name for it. */
export const snapshotName = "REPEATABLE-READ";

export const defaultLimits: ExecutorLimits = {
  statementsMax: 10_000,
  resultRowsMax: 100_000,
  resultBytesMax: 64 * 1024 * 1024,
  planCacheEntries: 512,
  planCacheBytes: 8 * 1024 * 1024,
  databaseName: "lathe",
  serverVersion: "8.0.36-lathe",
  isolationName: serializableName,
};

/** What a running plan may touch. */
export interface RunDoors extends ExecutorDoors {
  readonly bounds: ExecutorLimits;
  readonly counters: ExecutorCounters;
}

export type StatementLabel = "select" | "insert" | "update" | "delete" | "ddl" | "session" | "transaction";

/** What reads look at: the engine, or what an open transaction sees. */
export type RowView = Pick<StorageEngine, "getSync" | "scan">;

interface PlanBase {
  readonly label: StatementLabel;
  readonly shape: ResultShape | undefined;
}

/** Turns the results of its steps, `results[from]` to `results[from + count - 1]`, into an answer. */
type Answer = (
  results: readonly StepResult[],
  from: number,
  count: number,
  sink: ResultSink,
  parameters: readonly ColumnValue[],
  base: number,
) => void;

export interface ReadPlan extends PlanBase {
  readonly kind: "read";
  readonly table: Table;
  /** FOR UPDATE; set by the planner. */
  locks: boolean;
  /**
   * Throws SqlError before it has called the sink. One that walks far takes several turns and returns a promise, unless
   * it is to be within this one. With a `view`, that is what is read, past the row cache.
   */
  run(
    parameters: readonly ColumnValue[],
    base: number,
    sink: ResultSink,
    options: RunOptions,
  ): Promise<void> | undefined;
  addSteps(parameters: readonly ColumnValue[], base: number, steps: CommandStep[]): void;
  readonly answer: Answer;
}

export interface WritePlan extends PlanBase {
  readonly kind: "write";
  addSteps(parameters: readonly ColumnValue[], base: number, steps: CommandStep[]): void;
  readonly answer: Answer;
}

export interface SessionPlan extends PlanBase {
  readonly kind: "session";
  /** Throws SqlError before it has called the sink. */
  run(sink: ResultSink, parameters: readonly ColumnValue[], state?: SessionState): void;
}

/** What statements can ask of a session of the executor. */
export interface SessionState {
  readonly lastInsertId: bigint;
  variables(): ReadonlyMap<string, ColumnValue>;
}

/** The borders of a transaction. */
export interface BorderPlan extends PlanBase {
  readonly kind: "begin" | "commit" | "rollback";
  readonly readOnly?: boolean | undefined;
  /** WITH CONSISTENT SNAPSHOT. */
  readonly now?: boolean | undefined;
}

/** What SET changes in a session. */
export interface SettingsPlan extends PlanBase {
  readonly kind: "settings";
  readonly autocommit: boolean | undefined;
  /** Of SELECTs that walk far; 0: none. */
  readonly timeLimitMs: number | undefined;
  /** Of the next transaction, or of all that follow. */
  readonly serializable: { readonly on: boolean; readonly scope: "next" | "session" } | undefined;
}

export interface SavepointPlan extends PlanBase {
  readonly kind: "savepoint";
  readonly action: "set" | "rollback" | "release";
  readonly name: string;
}

/** LOCK TABLES … READ; without tables UNLOCK TABLES. */
export interface LockPlan extends PlanBase {
  readonly kind: "lock";
  readonly tables: readonly Table[];
}

/** FLUSH LOGS. */
export interface FlushPlan extends PlanBase {
  readonly kind: "flush";
}

export type Plan =
  | ReadPlan | WritePlan | SessionPlan | BorderPlan | SettingsPlan | SavepointPlan | LockPlan | FlushPlan;

/** A path over the entries of an index. */
export interface IndexPath {
  readonly indexId: number;
  /** The entries, as a table. */
  readonly entries: Table;
  readonly path: AccessPath;
}

/** What the planner can do with secondary indexes. All of them throw SqlError. */
export interface IndexedPlans {
  /** A read by an index; undefined where the primary key serves as well, or no index does. */
  select(doors: RunDoors, table: Table, statement: SelectStatement): Plan | undefined;
  /** By which index rows are found that a statement changes; undefined as above. */
  target(doors: RunDoors, table: Table, statement: SelectStatement): IndexPath | undefined;
  declared(table: Table, definitions: readonly IndexDefinition[]): readonly TableIndex[];
  define(table: Table, statement: CreateIndexStatement | DropIndexStatement): Plan;
}

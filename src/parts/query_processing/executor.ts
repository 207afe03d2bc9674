/**
 * Executor: statements in, results out; what stands between a wire protocol and the store.
 *
 * Purpose: a surface (MySQL, later HTTP and PostgreSQL) owns bytes on the wire, sessions and limits; an
 * executor owns parsing, planning, reads, commands. A surface sees results through a `ResultSink` and
 * encodes them as it likes. Contract:
 *   1. A call that can answer at once (a read from memory or page cache) returns undefined and has
 *   already called the sink; one that must wait returns a promise that resolves after the last call of
 *   the sink.
 *   2. Per statement the sink sees either `rows(shape)`, `row(…)`*, `end()`, or `done(…)`, or
 *   `fail(…)`. After a failed statement the remaining ones of a multi-statement text are not run.
 *   3. Text `START TRANSACTION; …; COMMIT` in one call is one atomic, serializable command; a
 *   transaction that would stay open at the end of the call stays open in its session, or, past a session
 *   and where the product has none such, is refused with the missing leaf's name, and nothing of it happens.
 * Source: the Handler_interface of MySQL's sql_class, tRPC's separation of procedure and transport.
 */
import type { Metric } from "../../kit/metric.ts";
import type { Column, ColumnType, ColumnValue, Table } from "../architecture/catalog/table.ts";

export interface Executor {
  /** Plans one statement with `?` parameters. Throws SqlError. */
  prepare(sql: string): PreparedStatement;
  /** Runs a prepared statement; `parameters` are valid during the call. */
  execute(
    statement: PreparedStatement,
    parameters: readonly ColumnValue[],
    sink: ResultSink,
  ): Promise<void> | undefined;
  /** Runs a text of one or more statements (`;` between them). */
  query(sql: string, sink: ResultSink): Promise<void> | undefined;
  /** What one client has open across its requests. */
  openSession(): ExecutorSession;
  metrics(): Metric[];
}

/**
 * Statements of one client, one after another: a transaction that stays open, autocommit, the last inserted id. Where
 * the product has no such transactions, what would begin one is refused by the leaf.
 */
export interface ExecutorSession extends Pick<Executor, "execute" | "query"> {
  readonly inTransaction: boolean;
  readonly autocommit: boolean;
  /** System variables that are this session's own. */
  variables?(): ReadonlyMap<string, ColumnValue>;
  /** As new; an open transaction is rolled back. */
  reset(): void;
}

export interface PreparedStatement {
  readonly parameterCount: number;
  /** Undefined for statements that return no rows. */
  readonly shape: ResultShape | undefined;
}

/** The columns of a result. One object per plan, so that a surface can cache its encoding by identity. */
export interface ResultShape {
  readonly columns: readonly ResultColumn[];
  /**
   * Set where rows are passed as stored bytes: column i of the result is column `ordinals[i]` of `table`.
   */
  readonly stored?: { readonly table: Table; readonly ordinals: readonly number[] } | undefined;
}

export interface ResultColumn extends Pick<Column, "name" | "lengthMax" | "nullable"> {
  /** decimal: an exact number as its digits, which no table holds but sums and averages are. */
  readonly type: ColumnType | "decimal";
  /** Digits after the point of a decimal. */
  readonly decimals?: number | undefined;
  readonly tableName: string;
}

export interface ResultSink {
  rows(shape: ResultShape): void;
  /** A row of a shape with `stored`: key and value as in RowLayout; valid during the call. */
  storedRow(key: Uint8Array, value: Uint8Array): void;
  /** A row of values, for shapes without `stored`. */
  valueRow(values: readonly ColumnValue[]): void;
  /** Ends a result set. */
  end(): void;
  /** A statement without rows. */
  done(result: DoneResult): void;
  fail(error: SqlError): void;
  /**
   * Whether another statement of the same text follows the one that ends next (MySQL's MORE_RESULTS
   * flag).
   */
  moreResults: boolean;
  /**
   * Asked between the statements of a text. Undefined: go on at once. A promise: wait for it (the client reads slowly,
   * or others are to have their turn); `false` says that the rest is not wanted, because the client has gone or the
   * text was killed. A sink without it wants everything at once.
   */
  between?(): Promise<boolean> | undefined;
  /** The session in which the statement runs; undefined past every surface. */
  readonly session?: SessionView | undefined;
}

/** What a surface knows of a session and of its neighbours. */
export interface SessionView {
  readonly connectionId: number;
  /** `name@host`. */
  readonly user: string;
  /** What the session calls the one database; empty where it has not said. */
  database: string;
  /** Variables and counters that the surface has, by name in lower case. */
  variables(): ReadonlyMap<string, ColumnValue>;
  status(): ReadonlyMap<string, ColumnValue>;
  processes(): readonly SessionProcess[];
  /** Whether there is such a connection, which then ends, or ends its text before the next statement. */
  kill(connectionId: number, what: "connection" | "query"): boolean;
}

export interface SessionProcess {
  readonly connectionId: number;
  readonly user: string;
  readonly host: string;
  readonly database: string;
  readonly command: "Connect" | "Query" | "Sleep";
  readonly seconds: number;
  /** The text that is running. */
  readonly info: string | undefined;
}

export interface DoneResult {
  readonly affectedRows: number;
  readonly matchedRows: number;
  readonly info: string;
  /** What clients are told as the inserted id; undefined: none. */
  readonly insertId?: bigint | undefined;
}

/** An error in the terms of SQL; surfaces translate it to their protocol. */
export class SqlError extends Error {
  readonly code = "SQL";
  readonly reason: SqlErrorReason;
  /** The path of the leaf that the statement needs and the product lacks. */
  readonly leaf: string | undefined;

  constructor(reason: SqlErrorReason, message: string, leaf?: string) {
    super(message);
    this.name = "SqlError";
    this.reason = reason;
    this.leaf = leaf;
  }
}

/** A statement that needs `leaf`, which this product lacks; never one that it has. */
export function notSelected(leaf: string, what: string): SqlError {
  return new SqlError("not_selected", `${what} is not part of this product; it needs the leaf ${leaf}`, leaf);
}

/** A form of a statement that no leaf would bring. `instead`: what is there for the same end. */
export function notServed(what: string, instead?: string): SqlError {
  return new SqlError("not_served", `${what} is not served, and no leaf brings it${instead ? `; ${instead}` : ""}`);
}

export type SqlErrorReason =
  | "syntax"
  | "not_selected"
  | "not_served"
  | "unknown_table"
  | "unknown_column"
  | "table_exists"
  | "index_exists"
  | "index_missing"
  | "duplicate_key"
  | "wrong_value_count"
  | "wrong_parameter_count"
  | "out_of_range"
  | "value_too_long"
  | "null_not_allowed"
  | "overflow"
  | "division_by_zero"
  | "auto_column"
  /** The transaction was refused, or has ended by itself; it may be run again. */
  | "conflict"
  | "read_only_transaction"
  | "transaction_in_progress"
  | "time_exceeded"
  | "savepoint_missing"
  /** A write, or a read of another table, while LOCK TABLES … READ stands. */
  | "table_locked"
  | "table_not_locked"
  | "limit_exceeded"
  | "unknown_thread"
  | "read_only"
  | "disk_full"
  | "corruption"
  | "shutting_down"
  | "internal";

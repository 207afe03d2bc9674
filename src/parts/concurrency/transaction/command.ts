/**
 * Commands: what enters the replicated log. A command is a one-shot transaction: a list of steps with their conditions,
 * applied as a whole or not at all, deterministic in (state, entry time, command).
 *
 * Steps read the state as left by the steps before them. A step that fails (a duplicate key) undoes the whole command.
 * Source: VoltDB's and Calvin's deterministic stored procedures; etcd's Txn (compare, then).
 */
import type { ColumnValue, Table } from "../../architecture/catalog/table.ts";

export type Comparison = "=" | "<" | "<=" | ">" | ">=" | "<>";

/** A condition on one column of the row at hand. NULL compares as unknown, which is not true. */
export interface ColumnCondition {
  readonly ordinal: number;
  readonly comparison: Comparison;
  readonly value: ColumnValue;
}

/** Rows with a primary key that begins with `keyPrefix` and meets all conditions. */
export interface RowPredicate {
  readonly tableId: number;
  readonly keyPrefix: readonly ColumnValue[];
  readonly conditions: readonly ColumnCondition[];
}

export type CommandStep =
  | { readonly kind: "createTable"; readonly table: Table; readonly ifNotExists: boolean }
  | { readonly kind: "dropTable"; readonly name: string; readonly ifExists: boolean }
  /** Adds an index to a table and an entry per row that is there. `columns` are ordinals. */
  | {
      readonly kind: "createIndex";
      readonly table: string;
      readonly name: string;
      readonly columns: readonly number[];
      readonly ifNotExists: boolean;
    }
  | { readonly kind: "dropIndex"; readonly table: string; readonly name: string; readonly ifExists: boolean }
  /** Inserts rows; an existing key is DUPLICATE. Skipped (0 rows) where a row meets any predicate of `unless`. */
  | {
      readonly kind: "insert";
      readonly tableId: number;
      readonly rows: readonly (readonly ColumnValue[])[];
      readonly unless: readonly RowPredicate[];
    }
  | {
      readonly kind: "update";
      readonly target: RowPredicate;
      readonly set: readonly { readonly ordinal: number; readonly value: ColumnValue }[];
    }
  | { readonly kind: "delete"; readonly target: RowPredicate }
  /** A read inside a transaction that also writes: sees the steps before it. Whole rows, in key order. */
  | {
      readonly kind: "read";
      readonly target: RowPredicate;
      readonly limit: number;
    };

export interface Command {
  readonly steps: readonly CommandStep[];
}

export type StepResult =
  | { readonly kind: "changed"; readonly matchedRows: number; readonly changedRows: number }
  | { readonly kind: "rows"; readonly rows: readonly (readonly ColumnValue[])[] };

export type CommandResult =
  | { readonly ok: true; readonly steps: readonly StepResult[] }
  /** Nothing was changed. `step` is the number of the step that failed. */
  | { readonly ok: false; readonly step: number; readonly error: CommandError };

export interface CommandError {
  readonly reason:
    | "duplicate_key"
    | "table_exists"
    | "table_missing"
    | "index_exists"
    | "index_missing"
    | "null_in_key"
    | "value_too_long"
    /** The step would touch more rows than a command may. */
    | "limit_exceeded";
  readonly message: string;
}

/** Commands as bytes: what proposers put into the log and state machines take out of it. */
export interface CommandCodec {
  /** Errors: LIMIT_EXCEEDED, INVALID_ARGUMENT. */
  encode(command: Command): Uint8Array;
  /** Errors: CORRUPTION, LIMIT_EXCEEDED. */
  decode(bytes: Uint8Array): Command;
}

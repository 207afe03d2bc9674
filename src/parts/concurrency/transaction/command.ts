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

/** A bound on keys: `values` are of the key's columns from the first one on, compared as a row. */
export interface KeyLimit {
  readonly comparison: "<" | "<=" | ">" | ">=";
  readonly values: readonly ColumnValue[];
}

/** Rows with a primary key that begins with `keyPrefix`, lies within all bounds, and that meet all conditions. */
export interface RowPredicate {
  readonly tableId: number;
  readonly keyPrefix: readonly ColumnValue[];
  readonly conditions: readonly ColumnCondition[];
  readonly bounds?: readonly KeyLimit[] | undefined;
}

/** Keys that begin with `keyPrefix` and lie within all bounds; their rows must meet `conditions`. */
export interface KeyAlternative {
  readonly keyPrefix: readonly ColumnValue[];
  readonly bounds?: readonly KeyLimit[] | undefined;
  readonly conditions: readonly ColumnCondition[];
}

export interface SortedColumn {
  readonly ordinal: number;
  readonly descending: boolean;
}

/** Rows that any of the alternatives selects, each once, in an order; after `offset` of them at most `limit`. */
export interface RowSelection {
  readonly tableId: number;
  /** The secondary index whose columns begin the keys of the alternatives; undefined: the primary key does. */
  readonly indexId?: number | undefined;
  readonly alternatives: readonly KeyAlternative[];
  /** From the last key to the first. */
  readonly reverse: boolean;
  /** Sorted by these; rows that sort alike, and all where there are none, come in the order of their keys. */
  readonly order: readonly SortedColumn[];
  readonly offset: number;
  readonly limit: number;
}

/** Larger than any number of rows: a selection without LIMIT. */
export const unlimitedRows = 2 ** 40;

export function isSelection(target: RowPredicate | RowSelection): target is RowSelection {
  return "alternatives" in target;
}

/**
 * Integers are exact and must stay within 64 bits; `/` of integers is an exact decimal; with a double among the
 * operands the result is a double.
 */
export type ArithmeticOperator = "+" | "-" | "*" | "/" | "DIV" | "%";

/** What is worked out on a row when the command is applied. */
export type Expression =
  | { readonly kind: "value"; readonly value: ColumnValue }
  /** The column of the row as the assignments so far have left it. */
  | { readonly kind: "column"; readonly ordinal: number }
  /** `VALUES(column)`: of the row that could not be inserted. */
  | { readonly kind: "inserted"; readonly ordinal: number }
  | {
      readonly kind: "operation";
      readonly operator: ArithmeticOperator;
      readonly left: Expression;
      readonly right: Expression;
    };

/** Assignments take place from left to right; `expression`, where there is one, counts instead of `value`. */
export interface Assignment {
  readonly ordinal: number;
  readonly value: ColumnValue;
  readonly expression?: Expression | undefined;
}

/** What happens to a row whose key is there already, where that is no error. */
export type OnDuplicate = "ignore" | "replace" | { readonly set: readonly Assignment[] };

export interface RowWrite {
  readonly key: Uint8Array;
  readonly value: Uint8Array | undefined;
}

/** A key that was read, and the mark of what it had; `rows` is 0 where it had no value. */
export interface KeyRead {
  readonly key: Uint8Array;
  readonly low: number;
  readonly high: number;
  readonly rows: number;
}

/** A range that was read, and the mark of its rows. */
export interface RangeRead {
  readonly gte: Uint8Array;
  readonly lt: Uint8Array;
  readonly low: number;
  readonly high: number;
  readonly rows: number;
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
  /**
   * Inserts rows; an existing key is DUPLICATE unless `onDuplicate` says otherwise. Skipped (0 rows) where a row meets
   * any predicate of `unless`. NULL and 0 in the column that counts up by itself are replaced by the next number.
   */
  | {
      readonly kind: "insert";
      readonly tableId: number;
      readonly rows: readonly (readonly ColumnValue[])[];
      readonly unless: readonly RowPredicate[];
      readonly onDuplicate?: OnDuplicate | undefined;
    }
  | {
      readonly kind: "update";
      readonly target: RowPredicate | RowSelection;
      readonly set: readonly Assignment[];
    }
  | { readonly kind: "delete"; readonly target: RowPredicate | RowSelection }
  /**
   * The writes of a transaction that was open for some time: rows as the layout encodes them, with no value where they
   * are deleted. Entries of indexes follow from them.
   */
  | { readonly kind: "write"; readonly tableId: number; readonly rows: readonly RowWrite[] }
  /** Refuses the command with "conflict" unless what was read is still the same (`row-mark.ts`). */
  | {
      readonly kind: "validate";
      readonly keys: readonly KeyRead[];
      readonly ranges: readonly RangeRead[];
    }
  /**
   * Sets up to `count` numbers of an AUTO_INCREMENT column aside, all of them greater than `above`. `insertId` is the
   * first, `changedRows` how many.
   */
  | { readonly kind: "reserve"; readonly tableId: number; readonly count: number; readonly above: bigint }
  /**
   * A read inside a transaction that also writes: sees the steps before it. Whole rows, in key order or in that of the
   * selection. At most `limit`.
   */
  | {
      readonly kind: "read";
      readonly target: RowPredicate | RowSelection;
      readonly limit: number;
    };

export interface Command {
  readonly steps: readonly CommandStep[];
}

export type StepResult =
  | {
      readonly kind: "changed";
      readonly matchedRows: number;
      readonly changedRows: number;
      /** Rows of an insert that were there already. */
      readonly duplicates?: number | undefined;
      /** The first number given by AUTO_INCREMENT, or, where none was, the last one that came with a row. */
      readonly insertId?: bigint | undefined;
      readonly generated?: boolean | undefined;
    }
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
    | "null_not_allowed"
    /** A value does not fit its column. */
    | "out_of_range"
    /** A result of arithmetic does not fit any number. */
    | "overflow"
    | "division_by_zero"
    /** What a transaction had read has changed since. */
    | "conflict"
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

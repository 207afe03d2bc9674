/**
 * Workload: tables, their first content, and an endless stream of operations per client, all from seeds.
 *
 * Operations are neutral: which statement or request they become is the client's affair. Values can be
 * verified without a copy of the data: the value of a row is a function of its key and its timestamp (see
 * `row-value.ts`), and a verifier knows the newest timestamp that was acknowledged per key.
 *
 * Two seeds: the *data seed* (`createWorkload`) fixes the first content, and with it the keys that exist;
 * the seed of a client's stream fixes what it does to them, so that fresh launches run fresh operations
 * over one checkpoint.
 */
import type { Column } from "../contract/contract.ts";
import type { RowView } from "./row-view.ts";

export interface Workload {
  readonly name: string;
  readonly tables: readonly WorkloadTable[];
  /** Transactions go statement by statement, and once more after a conflict; as one text where this is not set. */
  readonly interactive?: boolean;
  /**
   * Rows of the first content in batches of at most `rowsMax`, in the order in which they are to be
   * inserted.
   */
  load(rowsMax: number): Iterable<LoadBatch>;
  /** The stream of one client. Streams of different clients never insert the same key. */
  client(seed: number, clientNumber: number, clientCount: number): OperationStream;
  /**
   * The workload for a store that earlier runs may have inserted into: its streams insert beyond what is there.
   * `isAnyAfter` tells whether a table has a row whose key, one column of text, comes after the one given.
   */
  beyond?(isAnyAfter: (table: string, column: string, key: string) => Promise<boolean>): Promise<Workload>;
  /**
   * A fresh verifier; one is shared by all clients that drive the same store. `fresh`: nobody else has
   * written to the store since the load; false where earlier runs may have, so that rows may be newer than
   * this verifier knows of.
   */
  verifier(fresh?: boolean): Verifier;
}

export interface WorkloadTable {
  readonly name: string;
  readonly columns: readonly Column[];
  readonly primaryKey: readonly string[];
  readonly indexes?: readonly { readonly name: string; readonly columns: readonly string[] }[] | undefined;
}

export interface LoadBatch {
  readonly table: string;
  readonly rows: readonly (readonly CellValue[])[];
}

export type CellValue = bigint | number | string | null;

export interface OperationStream {
  next(): Operation;
}

/** One counted operation: a single step, or a transaction of several. */
export interface Operation {
  /** Name in reports: READ, INSERT, UPDATE, DELETE, READTRANSACTION, WRITETRANSACTION, SCAN, … */
  readonly name: string;
  readonly transaction: boolean;
  readonly steps: readonly OperationStep[];
}

export type OperationStep =
  | ReadStep
  | InsertStep
  | InsertRowsStep
  | InsertEdgeStep
  | ChangeStep
  | PutStep
  | ScanStep
  | PageStep;

/** Reads the columns that are not part of the key. */
export interface ReadStep {
  readonly kind: "read";
  readonly table: string;
  readonly key: readonly CellValue[];
  /** By what the row is looked for, where it is not the primary key. */
  readonly by?: BoundColumns | undefined;
}

/** Columns that are compared by equality. */
export interface BoundColumns {
  readonly columns: readonly string[];
  readonly values: readonly CellValue[];
}

export interface InsertStep {
  readonly kind: "insert";
  readonly table: string;
  readonly row: readonly CellValue[];
}

/** Many rows in one statement: all of them or none. */
export interface InsertRowsStep {
  readonly kind: "insertRows";
  readonly table: string;
  readonly rows: readonly (readonly CellValue[])[];
}

/** TAOBench's conditional insert of an edge; blocked edges change 0 rows. */
export interface InsertEdgeStep {
  readonly kind: "insertEdge";
  readonly row: readonly CellValue[];
  readonly edgeType: EdgeType;
}

export type EdgeType = "unique" | "bidirectional" | "unique_and_bidirectional" | "other";

/**
 * Sets the columns that are not part of the key, where the stored timestamp is older (tables without a
 * timestamp: always). With `column`, sets that column alone.
 */
export interface ChangeStep {
  readonly kind: "update" | "delete";
  readonly table: string;
  readonly key: readonly CellValue[];
  readonly timestamp: bigint;
  readonly value?: CellValue;
  readonly column?: string;
}

export interface PutItem {
  readonly key: string;
  readonly value: string;
}

/** Stores values under keys, whatever was there: all of them or none. */
export interface PutStep {
  readonly kind: "put";
  readonly table: string;
  readonly items: readonly PutItem[];
  /** Of all of the values. */
  readonly version: number;
}

export interface ScanStep {
  readonly kind: "scan";
  readonly table: string;
  /** A key, or with `range` a value of that column; nothing where `by` alone tells which rows. */
  readonly from: readonly CellValue[];
  readonly limit: number;
  readonly by?: BoundColumns | undefined;
  readonly range?: string | undefined;
}

/** Whole rows where an indexed column has a value, after a primary key, in key order. */
export interface PageStep {
  readonly kind: "page";
  readonly table: string;
  readonly column: string;
  readonly value: string;
  readonly after: string;
  readonly limit: number;
}

/**
 * Judges what a store answers. The driver calls `issued` before it sends an operation (of a transaction that it sends
 * statement by statement: before its COMMIT) and exactly one of `acknowledged` and `failed` after it; `floor` before it
 * sends a read, and hands the result to `checkRow` or `checkMissing`.
 */
export interface Verifier {
  issued(operation: Operation): void;
  /** `changedRows[i]` is what the store said that step i changed; undefined for reads. */
  acknowledged(operation: Operation, changedRows: readonly (number | undefined)[]): void;
  /** Whether the operation took effect is not known. */
  failed(operation: Operation): void;
  /**
   * What the row must at least be when read from now on, within the transaction that is given, if any; to be handed
   * back to the check.
   */
  floor(step: ReadStep | ScanStep | PageStep, transaction?: Operation): Floor;
  /** Undefined where the row is right, else what is wrong with it. */
  checkRow(step: ReadStep | ScanStep | PageStep, row: RowView, floor: Floor): string | undefined;
  /** After the last row of a page; over HTTP of a scan, too. */
  checkPageEnd?(step: PageStep | ScanStep, rows: number, floor: Floor): string | undefined;
  checkMissing(step: ReadStep, floor: Floor): string | undefined;
}

/** Opaque to the driver; undefined where nothing was written to the key since the load. */
export type Floor = unknown;

/**
 * Workload: tables, their first content, and an endless stream of operations per client, all from a seed.
 *
 * Operations are neutral: which statement or request they become is the client's affair. Values can be verified without a
 * copy of the data: the value of a row is a function of its key and its timestamp (see `row-value.ts`), and a client
 * knows the newest timestamp that was acknowledged to it per key.
 */
import type { Column } from "../contract/contract.ts";

export interface Workload {
  readonly name: string;
  readonly tables: readonly WorkloadTable[];
  /** Rows of the first content in batches of at most `rowsMax`, in the order in which they are to be inserted. */
  load(seed: number, rowsMax: number): Iterable<LoadBatch>;
  /** The stream of one client. Streams of different clients never insert the same key. */
  client(seed: number, clientNumber: number, clientCount: number): OperationStream;
}

export interface WorkloadTable {
  readonly name: string;
  readonly columns: readonly Column[];
  readonly primaryKey: readonly string[];
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
  | { readonly kind: "read"; readonly table: string; readonly key: readonly CellValue[] }
  | { readonly kind: "insert"; readonly table: string; readonly row: readonly CellValue[] }
  /** TAOBench's conditional insert of an edge; blocked edges change 0 rows. */
  | {
      readonly kind: "insertEdge";
      readonly row: readonly CellValue[];
      readonly edgeType: "unique" | "bidirectional" | "unique_and_bidirectional" | "other";
    }
  /** Sets the non-key columns where the stored timestamp is older. */
  | {
      readonly kind: "update" | "delete";
      readonly table: string;
      readonly key: readonly CellValue[];
      readonly timestamp: bigint;
      readonly value?: CellValue;
    }
  | { readonly kind: "scan"; readonly table: string; readonly from: readonly CellValue[]; readonly limit: number };

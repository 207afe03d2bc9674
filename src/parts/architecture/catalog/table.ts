/**
 * Tables as every part sees them: names, types, primary key. The catalog part stores them; contracts declare them.
 */

export type ColumnType = "bigint" | "int" | "double" | "varchar" | "varbinary";

export interface Column {
  readonly name: string;
  readonly type: ColumnType;
  /** Characters for varchar, bytes for varbinary; undefined for numbers. */
  readonly lengthMax?: number | undefined;
  readonly nullable: boolean;
  /** CHAR: spaces at the end do not belong to a value. */
  readonly fixed?: true | undefined;
  /** What an INSERT that leaves the column out gives it; undefined: NULL where that is allowed, else none. */
  readonly defaultValue?: ColumnValue | undefined;
}

export interface Table {
  /** Assigned by the catalog, from 1; part of every key of the table. */
  readonly id: number;
  readonly name: string;
  readonly columns: readonly Column[];
  /** Ordinals of the primary key's columns, in key order. Tables without one are refused. */
  readonly primaryKey: readonly number[];
  /** Secondary indexes; only in products that have the leaf for them. */
  readonly indexes?: readonly TableIndex[] | undefined;
  /** Ordinal of the AUTO_INCREMENT column. */
  readonly autoIncrement?: number | undefined;
}

export interface TableIndex {
  /** Assigned by the catalog from the same numbers as tables; part of every key of the index's entries. */
  readonly id: number;
  readonly name: string;
  /** Ordinals of the indexed columns, in order. */
  readonly columns: readonly number[];
}

/** A column's value. 64-bit integers are bigint, so that they stay exact. */
export type ColumnValue = bigint | number | string | Uint8Array | null;

export interface Catalog {
  find(name: string): Table | undefined;
  byId(id: number): Table | undefined;
  list(): readonly Table[];
  /** Rises by one with every change; prepared statements are re-planned when it differs. */
  readonly version: number;
}

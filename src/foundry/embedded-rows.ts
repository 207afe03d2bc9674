/**
 * Rows of a library's first table, for its tests: a row for every number, in the order of the numbers.
 */
import type { Column, Contract } from "../contract/contract.ts";
import { pascal, propertyName } from "./client-module.ts";

export interface EmbeddedRows {
  /** Property of the store. */
  readonly table: string;
  /** Names of the types that `functions` mention. */
  readonly types: readonly string[];
  /** `rowOf` and `keyOf`, a line each. */
  readonly functions: readonly string[];
  /** `wideRowOf`: the same with texts and bytes as long as they may be, within reason. */
  readonly wideFunction: string;
}

const wideMax = 4000;

export function embeddedRows({ data }: Pick<Contract, "data">): EmbeddedRows {
  const [{ name: table, columns, primaryKey }] = data.tables;
  const fields = (shown: readonly Column[], valueIn = valueOf) =>
    shown.map((column) => `${propertyName(column.name)}: ${valueIn(column)}`).join(", ");
  const keys = columns.filter((column) => primaryKey.includes(column.name));
  return {
    table: propertyName(table),
    types: [`${pascal(table)}Key`, `${pascal(table)}Row`],
    functions: [
      `const rowOf = (n: number): ${pascal(table)}Row => ({ ${fields(columns)} });`,
      `const keyOf = (n: number): ${pascal(table)}Key => ({ ${fields(keys)} });`,
    ],
    wideFunction: `const wideRowOf = (n: number): ${pascal(table)}Row => ({ ${fields(columns, wideValueOf)} });`,
  };
}

function wideValueOf(column: Column): string {
  const length = Math.min(column.lengthMax ?? 1, wideMax);
  if (column.type === "varchar" && length > 1) return `String.fromCharCode(97 + n).repeat(${length})`;
  return column.type === "varbinary" && length > 1 ? `new Uint8Array(${length}).fill(n)` : valueOf(column);
}

function valueOf({ type, lengthMax = 1 }: Column): string {
  if (type === "bigint") return "BigInt(n)";
  if (type === "int" || type === "double") return "n";
  const letters = "String.fromCharCode(97 + n)";
  if (type === "varchar") return lengthMax > 0 ? letters : '""';
  return "Uint8Array.of(n)";
}

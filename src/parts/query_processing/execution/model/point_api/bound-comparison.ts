/**
 * BoundComparison: a comparison with its values, also with numbers that the column cannot hold.
 *
 * `id > 1.5` and `id < 3000000000` mean something for a column of integers: what counts is where the number lies. It is
 * replaced by the nearest value of the column on the side that counts: `> 1.5` becomes `>= 2`, `< 3000000000` becomes
 * `<= 2147483647`; where there is none, NULL stands in its place, with which nothing compares.
 * Rows compare column by column, so what stands behind such a number does not count any more.
 * Source: MySQL's Field::store results in SEL_ARG construction (opt_range.cc), by their effect.
 */
import type { Column, ColumnValue } from "../../../../architecture/catalog/table.ts";
import type { Comparison } from "../../../../concurrency/transaction/command.ts";
import { bind, givenValue, type ValueSource } from "./value-source.ts";
import { integerRange, numberOf } from "./value-coercion.ts";

export interface BoundComparison {
  readonly comparison: Comparison;
  readonly values: readonly ColumnValue[];
}

export interface BoundCondition {
  readonly comparison: Comparison;
  readonly value: ColumnValue;
}

/** Throws SqlError. */
export function bindCondition(
  comparison: Comparison,
  source: ValueSource,
  parameters: readonly ColumnValue[],
  base: number,
): BoundCondition {
  const value = bind(source, parameters, base);
  if (value !== null || comparison === "=") return { comparison, value };
  const near = neighbours(source.column, givenValue(source, parameters, base));
  if (near === undefined) return { comparison, value };
  // Every number differs from one that the column cannot hold.
  if (comparison === "<>") return { comparison: ">=", value: integerRange(source.column)?.min ?? null };
  return nearest(comparison, near);
}

/** Values of a row that is compared column by column from the left. Throws SqlError. */
export function bindComparison<Kind extends "<" | "<=" | ">" | ">=">(
  comparison: Kind,
  sources: readonly ValueSource[],
  parameters: readonly ColumnValue[],
  base: number,
): { readonly comparison: "<" | "<=" | ">" | ">="; readonly values: readonly ColumnValue[] } {
  const values: ColumnValue[] = [];
  for (const source of sources) {
    const value = bind(source, parameters, base);
    const near = value === null ? neighbours(source.column, givenValue(source, parameters, base)) : undefined;
    if (near === undefined) {
      values.push(value);
      continue;
    }
    const bound = nearest(comparison, near);
    if (bound.value !== null || values.length === 0) {
      return { comparison: bound.comparison, values: [...values, bound.value] };
    }
    // Nothing compares so with this number: what stands before it decides alone.
    return { comparison: upwards(comparison) ? ">" : "<", values };
  }
  return { comparison, values };
}

function upwards(comparison: "<" | "<=" | ">" | ">="): boolean {
  return comparison === ">" || comparison === ">=";
}

function nearest(
  comparison: "<" | "<=" | ">" | ">=",
  { below, above }: Neighbours,
): { comparison: "<=" | ">="; value: ColumnValue } {
  return upwards(comparison) ? { comparison: ">=", value: above } : { comparison: "<=", value: below };
}

/** The values of a column next to a number that it cannot hold; NULL where there is none. */
interface Neighbours {
  readonly below: ColumnValue;
  readonly above: ColumnValue;
}

/** Undefined where it is not such a number. */
function neighbours(column: Column, given: ColumnValue): Neighbours | undefined {
  const range = integerRange(column);
  const number = range === undefined || given === null ? undefined : numberOf(given);
  if (range === undefined || number === undefined) return undefined;
  const [floor, ceiling] = typeof number === "bigint" ? [number, number] : [Math.floor(number), Math.ceil(number)];
  return {
    below: floor > range.max ? range.max : floor < range.min ? null : whole(floor),
    above: ceiling < range.min ? range.min : ceiling > range.max ? null : whole(ceiling),
  };
}

function whole(value: number | bigint): ColumnValue {
  return typeof value === "bigint" || Number.isSafeInteger(value) ? value : BigInt(value);
}

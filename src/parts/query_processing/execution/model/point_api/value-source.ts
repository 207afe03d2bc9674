/**
 * ValueSource: where a plan takes a value from: a constant, coerced when the plan was made, or a parameter, coerced
 * when the plan runs.
 */
import type { Column, ColumnValue } from "../../../../architecture/catalog/table.ts";
import { HexLiteral } from "../../../../parser/hex-literal.ts";
import type { Operand } from "../../../../parser/statement.ts";
import { SqlError } from "../../../executor.ts";
import { coerce } from "./value-coercion.ts";

export interface ValueSource {
  readonly column: Column;
  readonly purpose: "store" | "compare";
  /** Number of the parameter, or -1 for a constant. */
  readonly parameter: number;
  readonly negated: boolean;
  readonly constant: ColumnValue;
  /** The constant as it was written. */
  readonly given: ColumnValue;
}

/** Throws SqlError where a constant does not fit the column. */
export function valueSource(column: Column, operand: Operand, purpose: "store" | "compare"): ValueSource {
  if (operand.kind === "constant") {
    const constant = coerce(column, operand.value, purpose);
    return { column, purpose, parameter: -1, negated: false, constant, given: operand.value };
  }
  const { index, negated } = operand;
  return { column, purpose, parameter: index, negated, constant: null, given: null };
}

/** The value of a source; `base` is the place of parameter 0 in `parameters`. Throws SqlError. */
export function bind(source: ValueSource, parameters: readonly ColumnValue[], base: number): ColumnValue {
  if (source.parameter < 0) return source.constant;
  const value = parameters[base + source.parameter];
  return coerce(source.column, source.negated ? negate(value) : value, source.purpose);
}

/** The value of a source as it was given. Throws SqlError. */
export function givenValue(source: ValueSource, parameters: readonly ColumnValue[], base: number): ColumnValue {
  if (source.parameter < 0) return source.given;
  const value = parameters[base + source.parameter];
  return source.negated ? negate(value) : value;
}

export function negate(value: ColumnValue): ColumnValue {
  if (typeof value === "bigint" || typeof value === "number") return value === 0 ? 0 : -value;
  if (value === null) return null;
  if (value instanceof HexLiteral && value.integer !== undefined) return -value.integer;
  throw new SqlError("syntax", "a minus sign stands before a text");
}

/** A LIMIT: a whole number that is not negative. */
export function bindLimit(limit: Operand, parameters: readonly ColumnValue[], base: number): number {
  let value = limit.kind === "constant" ? limit.value : parameters[base + limit.index];
  if (limit.kind === "parameter" && limit.negated) value = negate(value);
  const number = typeof value === "bigint" || typeof value === "string" ? Number(value) : value;
  if (typeof number !== "number" || number < 0 || !Number.isInteger(number) || value === "") {
    throw new SqlError("syntax", "LIMIT takes a whole number that is not negative");
  }
  return number;
}

/** LIMIT and OFFSET; without a limit all rows. */
export function bindCut(
  limit: Operand | undefined,
  offset: Operand | undefined,
  parameters: readonly ColumnValue[],
  base: number,
): { limit: number; offset: number } {
  return {
    limit: limit === undefined ? Number.POSITIVE_INFINITY : bindLimit(limit, parameters, base),
    offset: offset === undefined ? 0 : bindLimit(offset, parameters, base),
  };
}

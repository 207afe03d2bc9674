/**
 * Expressions of assignments, worked out on a row when a command is applied.
 *
 * Algorithm: integers are exact and must fit 64 bits after every operation; with a double among the operands the
 * operation is one of doubles. NULL in any operand gives NULL. `DIV` cuts towards zero, `%` has the dividend's sign.
 * `settle` makes the result a value of its column: range, length and NULL are checked as MySQL's strict mode does.
 * Invariants: deterministic; every failure is a StepRefused, so that the command changes nothing. What has no exact
 * meaning here (texts in arithmetic, fractions of integers) never gets so far: planners refuse it.
 * Source: MySQL's Item_func_plus and its kin, strict SQL mode.
 */
import type { Column, ColumnValue } from "../../../../architecture/catalog/table.ts";
import type { ArithmeticOperator, Expression } from "../../command.ts";
import { StepRefused } from "./step-refused.ts";

const int64Min = -(2n ** 63n);
const int64Max = 2n ** 63n - 1n;
const int32Min = -(2n ** 31n);
const int32Max = 2n ** 31n - 1n;
const decoder = new TextDecoder();

/** `row`: as the assignments so far left it; `inserted`: the row that could not be inserted, if there is one. */
export function evaluate(
  expression: Expression,
  columns: readonly Column[],
  row: readonly ColumnValue[],
  inserted: readonly ColumnValue[] | undefined,
): ColumnValue {
  switch (expression.kind) {
    case "value":
      return typeof expression.value === "number" ? exact(expression.value) : expression.value;
    case "column":
      return columnValue(columns[expression.ordinal], row[expression.ordinal]);
    case "inserted":
      return columnValue(columns[expression.ordinal], inserted?.[expression.ordinal] ?? null);
    case "operation": {
      const left = operand(evaluate(expression.left, columns, row, inserted));
      const right = operand(evaluate(expression.right, columns, row, inserted));
      return left === null || right === null ? null : calculate(expression.operator, left, right);
    }
  }
}

/** Integers as bigint, whatever form they come in; numbers of double columns stay doubles. */
function columnValue(column: Column, value: ColumnValue): ColumnValue {
  if (typeof value === "number") return column.type === "double" ? value : exact(value);
  return typeof value === "bigint" && column.type === "double" ? Number(value) : value;
}

function exact(value: number): bigint | number {
  return Number.isSafeInteger(value) ? BigInt(value) : value;
}

function operand(value: ColumnValue): bigint | number | null {
  if (value === null || typeof value === "bigint" || typeof value === "number") return value;
  throw new StepRefused("out_of_range", `'${textOf(value).slice(0, 64)}' is no number`);
}

function calculate(operator: ArithmeticOperator, left: bigint | number, right: bigint | number): ColumnValue {
  if (typeof left === "bigint" && typeof right === "bigint" && operator !== "/") {
    const result = integers(operator, left, right);
    if (result < int64Min || result > int64Max) {
      throw new StepRefused("overflow", `BIGINT value is out of range in '(${left} ${operator} ${right})'`);
    }
    return result;
  }
  const result = doubles(operator, Number(left), Number(right));
  if (!Number.isFinite(result)) {
    throw new StepRefused("overflow", `DOUBLE value is out of range in '(${left} ${operator} ${right})'`);
  }
  return result;
}

function integers(operator: ArithmeticOperator, left: bigint, right: bigint): bigint {
  switch (operator) {
    case "+":
      return left + right;
    case "-":
      return left - right;
    case "*":
      return left * right;
    default:
      if (right === 0n) throw divisionByZero();
      return operator === "%" ? left % right : left / right;
  }
}

function doubles(operator: ArithmeticOperator, left: number, right: number): number {
  switch (operator) {
    case "+":
      return left + right;
    case "-":
      return left - right;
    case "*":
      return left * right;
    default:
      if (right === 0) throw divisionByZero();
      if (operator === "/") return left / right;
      return operator === "%" ? left % right : Math.trunc(left / right);
  }
}

function divisionByZero(): StepRefused {
  return new StepRefused("division_by_zero", "Division by 0");
}

/** The result of an expression as a value of its column. */
export function settle(column: Column, value: ColumnValue): ColumnValue {
  if (value === null) {
    if (!column.nullable) throw new StepRefused("null_not_allowed", `Column '${column.name}' cannot be null`);
    return null;
  }
  switch (column.type) {
    case "bigint":
      return integer(column, value, int64Min, int64Max);
    case "int":
      return Number(integer(column, value, int32Min, int32Max));
    case "double":
      if (typeof value !== "number" && typeof value !== "bigint") throw outOfRange(column);
      return Number(value);
    default:
      return text(column, value);
  }
}

function integer(column: Column, value: ColumnValue, min: bigint, max: bigint): bigint {
  let whole: bigint;
  if (typeof value === "bigint") whole = value;
  else if (typeof value === "number" && Math.abs(value) < 2 ** 64) whole = BigInt(roundHalfEven(value));
  else throw outOfRange(column);
  if (whole < min || whole > max) throw outOfRange(column);
  return whole;
}

/** As the C library's rint, by which MySQL stores a double in a column of integers. */
function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const fraction = value - floor;
  if (fraction !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

function text(column: Column, value: ColumnValue): ColumnValue {
  if (typeof value === "bigint" || typeof value === "number" || value === null) throw outOfRange(column);
  const { lengthMax } = column;
  if (lengthMax !== undefined && value.length > lengthMax) {
    const characters = column.type === "varchar" ? [...textOf(value)].length : value.length;
    if (characters > lengthMax) {
      throw new StepRefused("value_too_long", `Data too long for column '${column.name}'`);
    }
  }
  return value;
}

function textOf(value: ColumnValue): string {
  return value instanceof Uint8Array ? decoder.decode(value) : String(value);
}

function outOfRange(column: Column): StepRefused {
  return new StepRefused("out_of_range", `Out of range value for column '${column.name}'`);
}

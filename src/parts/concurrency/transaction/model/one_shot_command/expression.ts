/**
 * Expressions of assignments, worked out on a row when a command is applied.
 *
 * Algorithm: integers are exact and must fit 64 bits after every operation; `/` of integers, and what is worked out
 * with its result, is an exact decimal; with a double among the operands the operation is one of doubles, except for
 * `DIV`, which takes doubles for the decimals that they are written as. NULL in any operand gives NULL. `DIV` cuts
 * towards zero, `%` has the dividend's sign.
 * `settle` makes the result a value of its column: range, length and NULL are checked as MySQL's strict mode does.
 * Invariants: deterministic; every failure is a StepRefused, so that the command changes nothing. What has no exact
 * meaning here (texts in arithmetic, literals with fractions) never gets so far: planners refuse it.
 * Source: MySQL's Item_func_plus and its kin, strict SQL mode.
 */
import type { Column, ColumnValue } from "../../../../architecture/catalog/table.ts";
import type { ArithmeticOperator, Expression } from "../../command.ts";
import { Decimal } from "./decimal.ts";
import { StepRefused } from "./step-refused.ts";

const int64Min = -(2n ** 63n);
const int64Max = 2n ** 63n - 1n;
const int32Min = -(2n ** 31n);
const int32Max = 2n ** 31n - 1n;
const decoder = new TextDecoder();

/** What operations take and give. */
type Calculated = bigint | number | Decimal;

/** A value of a column, or what only stands between operations. */
export type Evaluated = ColumnValue | Decimal;

/** `row`: as the assignments so far left it; `inserted`: the row that could not be inserted, if there is one. */
export function evaluate(
  expression: Expression,
  columns: readonly Column[],
  row: readonly ColumnValue[],
  inserted: readonly ColumnValue[] | undefined,
): Evaluated {
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

function operand(value: Evaluated): Calculated | null {
  if (value === null || value instanceof Decimal) return value;
  if (typeof value === "bigint" || typeof value === "number") return value;
  throw new StepRefused("out_of_range", `'${textOf(value).slice(0, 64)}' is no number`);
}

function calculate(
  operator: ArithmeticOperator,
  left: Calculated,
  right: Calculated,
): Evaluated {
  const exactly = typeof left !== "number" && typeof right !== "number";
  if (exactly || operator === "DIV") {
    const whole = typeof left === "bigint" && typeof right === "bigint" && operator !== "/";
    const result = whole ? integers(operator, left, right) : decimals(operator, left, right);
    const fits = typeof result === "bigint" ? result >= int64Min && result <= int64Max : result?.fits;
    if (fits === true && result !== undefined) return result;
    const type = typeof result === "bigint" ? "BIGINT" : "DECIMAL";
    throw overflow(type, operator, left, right);
  }
  const result = doubles(operator, toDouble(left), toDouble(right));
  if (!Number.isFinite(result)) {
    throw overflow("DOUBLE", operator, left, right);
  }
  return result;
}

function overflow(type: string, operator: ArithmeticOperator, left: Calculated, right: Calculated): StepRefused {
  const shown = (value: Calculated) => String(value instanceof Decimal ? value.toNumber() : value);
  return new StepRefused("overflow", `${type} value is out of range in '(${shown(left)} ${operator} ${shown(right)})'`);
}

function toDouble(value: Calculated): number {
  return value instanceof Decimal ? value.toNumber() : Number(value);
}

/** Undefined where an operand has too many digits. */
function decimals(
  operator: ArithmeticOperator,
  left: Calculated,
  right: Calculated,
): Decimal | bigint | undefined {
  const [one, other] = [Decimal.of(left), Decimal.of(right)];
  if (one === undefined || other === undefined) return undefined;
  switch (operator) {
    case "+":
      return one.plus(other);
    case "-":
      return one.minus(other);
    case "*":
      return one.times(other);
    default:
      if (other.unscaled === 0n) throw divisionByZero();
      if (operator === "/") return one.over(other);
      return operator === "DIV" ? one.div(other) : one.remainder(other);
  }
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
      return operator === "/" ? left / right : left % right;
  }
}

function divisionByZero(): StepRefused {
  return new StepRefused("division_by_zero", "Division by 0");
}

/** The result of an expression as a value of its column. */
export function settle(column: Column, value: Evaluated): ColumnValue {
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
      if (value instanceof Decimal) return value.toNumber();
      if (typeof value !== "number" && typeof value !== "bigint") throw outOfRange(column);
      return Number(value);
    default:
      return text(column, value);
  }
}

function integer(column: Column, value: Evaluated, min: bigint, max: bigint): bigint {
  let whole: bigint;
  if (value instanceof Decimal) whole = value.rounded();
  else if (typeof value === "bigint") whole = value;
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

function text(column: Column, value: Evaluated): ColumnValue {
  const isText = typeof value === "string" || value instanceof Uint8Array;
  if (!isText) throw outOfRange(column);
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

/**
 * Whether a stored row meets column conditions, without decoding the row.
 *
 * Purpose: one meaning of comparisons for reads (executor) and for conditions evaluated at apply (state machine).
 * Numbers compare as numbers, exactly (a bigint with a number too); text and bytes compare byte by byte. A NULL on
 * either side is unknown, which is not true.
 */
import { unreachable } from "../../../kit/assert.ts";
import { compareBytes, compareRanges } from "../../../kit/compare.ts";
import type { ColumnValue, Table } from "../../architecture/catalog/table.ts";
import type { RowLayout } from "../../storage/layout/row-layout.ts";
import type { ColumnCondition, Comparison } from "./command.ts";

const word = new Uint8Array(8);
const wordInt64 = new BigInt64Array(word.buffer);
const wordDouble = new Float64Array(word.buffer);
const span = { start: 0, end: 0 };
const encoder = new TextEncoder();

/** Errors: CORRUPTION. */
export function rowMatches(
  layout: RowLayout,
  table: Table,
  conditions: readonly ColumnCondition[],
  key: Uint8Array,
  value: Uint8Array,
): boolean {
  let keyValues: readonly ColumnValue[] | undefined;
  for (let i = 0; i < conditions.length; i++) {
    const condition = conditions[i];
    if (condition.value === null) return false;
    const keyPlace = table.primaryKey.indexOf(condition.ordinal);
    let order: number | undefined;
    if (keyPlace >= 0) {
      keyValues ??= layout.decodeKey(table, key);
      order = compareValues(keyValues[keyPlace], condition.value);
    } else {
      order = compareStored(layout, table, condition, value);
    }
    if (order === undefined || !holds(condition.comparison, order)) return false;
  }
  return true;
}

/** Undefined where the stored column is NULL. */
function compareStored(
  layout: RowLayout,
  table: Table,
  condition: ColumnCondition,
  value: Uint8Array,
): number | undefined {
  const { start, end } = layout.columnSpan(table, condition.ordinal, value, span);
  if (end === 0) return undefined;
  const type = table.columns[condition.ordinal].type;
  if (type === "int") {
    const stored = value[start] | (value[start + 1] << 8) | (value[start + 2] << 16) | (value[start + 3] << 24);
    return compareValues(stored, condition.value);
  }
  if (type === "bigint" || type === "double") {
    for (let i = 0; i < 8; i++) word[i] = value[start + i];
    return compareValues(type === "bigint" ? wordInt64[0] : wordDouble[0], condition.value);
  }
  const first = value[start];
  const content = start + (first < 251 ? 1 : first === 252 ? 3 : 4);
  const wanted = bytesOf(condition.value);
  return compareRanges(value, content, end, wanted, 0, wanted.length);
}

/** Order of two values of one column type, neither NULL: negative, 0 or positive. */
export function compareValues(a: ColumnValue, b: ColumnValue): number {
  if (a === null || b === null) return 0;
  const numeric = (value: ColumnValue) => typeof value === "bigint" || typeof value === "number";
  if (numeric(a) && numeric(b)) return a < b ? -1 : a > b ? 1 : 0;
  return compareBytes(bytesOf(a), bytesOf(b));
}

function bytesOf(value: ColumnValue): Uint8Array {
  return value instanceof Uint8Array ? value : encoder.encode(String(value));
}

function holds(comparison: Comparison, order: number): boolean {
  switch (comparison) {
    case "=":
      return order === 0;
    case "<":
      return order < 0;
    case "<=":
      return order <= 0;
    case ">":
      return order > 0;
    case ">=":
      return order >= 0;
    case "<>":
      return order !== 0;
    default:
      return unreachable(comparison);
  }
}

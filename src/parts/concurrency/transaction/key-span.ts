/**
 * KeySpan: the range of encoded keys that a predicate's prefix and bounds select.
 *
 * Purpose: one meaning of key bounds for reads (executor) and for predicates evaluated at apply (state machine).
 */
import { compareBytes } from "../../../kit/compare.ts";
import type { ColumnValue, Table } from "../../architecture/catalog/table.ts";
import type { RowLayout } from "../../storage/layout/row-layout.ts";
import type { KeyLimit } from "./command.ts";

export interface KeySpan {
  gte: Uint8Array;
  lt: Uint8Array;
}

/** Undefined where a NULL stands among the values: no key compares with it. */
export function keySpan(
  layout: RowLayout,
  table: Table,
  prefix: readonly ColumnValue[],
  bounds: readonly KeyLimit[],
): KeySpan | undefined {
  if (prefix.includes(null)) return undefined;
  const gte = layout.encodeKey(table, prefix);
  const span: KeySpan = { gte, lt: layout.prefixEnd(gte) };
  for (const { comparison, values } of bounds) {
    if (values.includes(null)) return undefined;
    const key = layout.encodeKey(table, values);
    const edge = comparison === ">" || comparison === "<=" ? layout.prefixEnd(key) : key;
    if (comparison === ">" || comparison === ">=") {
      if (compareBytes(edge, span.gte) > 0) span.gte = edge;
    } else if (compareBytes(edge, span.lt) < 0) {
      span.lt = edge;
    }
  }
  return span;
}

/**
 * KeyRanges: an access path with its values to ranges of encoded keys.
 *
 * Steps: each key prefix gives a range, narrowed by the bounds; ranges come sorted and without overlap, so that reading
 * them one after another gives rows in key order. Those of alternatives may overlap and are cut into segments.
 * What cannot hold a row (a NULL, an empty range) is left out.
 */
import { compareBytes } from "../../../../../kit/compare.ts";
import type { ColumnValue, Table } from "../../../../architecture/catalog/table.ts";
import { type KeyPiece, type KeySegment, keySegments } from "../../../../concurrency/transaction/key-segments.ts";
import type { RowLayout } from "../../../../storage/layout/row-layout.ts";
import type { AccessPath } from "./access-path.ts";
import { bindComparison } from "./bound-comparison.ts";
import { bindConditions } from "./read-steps.ts";
import { bind } from "./value-source.ts";

export interface KeyRange {
  gte: Uint8Array;
  lt: Uint8Array;
  /** Beside the path's filters: a row must meet all conditions of one of these lists. */
  readonly anyOf?: KeySegment["anyOf"];
}

/** `table` is the one whose keys the path is of: a table, or the entries of an index. Throws SqlError. */
export function keyRanges(
  layout: RowLayout,
  table: Table,
  path: AccessPath,
  parameters: readonly ColumnValue[],
  base: number,
): KeyRange[] {
  if (path.alternatives !== undefined) {
    const pieces = path.alternatives.flatMap((alternative): KeyPiece[] => {
      const conditions = bindConditions(alternative.filters, parameters, base);
      return keyRanges(layout, table, alternative, parameters, base).map(({ gte, lt }) => ({ gte, lt, conditions }));
    });
    return keySegments(pieces);
  }
  const ranges: KeyRange[] = [];
  for (const prefix of path.prefixes) {
    const values = prefix.map((source) => bind(source, parameters, base));
    if (values.includes(null)) continue;
    const range = keyRange(layout, table, path, values, parameters, base);
    if (range !== undefined && compareBytes(range.gte, range.lt) < 0) ranges.push(range);
  }
  ranges.sort((a, b) => compareBytes(a.gte, b.gte));
  return ranges.filter((range, i) => i === 0 || compareBytes(ranges[i - 1].gte, range.gte) !== 0);
}

function keyRange(
  layout: RowLayout,
  table: Table,
  path: AccessPath,
  prefix: readonly ColumnValue[],
  parameters: readonly ColumnValue[],
  base: number,
): KeyRange | undefined {
  const gte = layout.encodeKey(table, prefix);
  const range: KeyRange = { gte, lt: layout.prefixEnd(gte) };
  for (const { afterPrefix, comparison: written, sources } of path.bounds) {
    const { comparison, values } = bindComparison(written, sources, parameters, base);
    if (values.includes(null)) return undefined;
    const key = layout.encodeKey(table, afterPrefix ? [...prefix, ...values] : values);
    const edge = comparison === ">" || comparison === "<=" ? layout.prefixEnd(key) : key;
    if (comparison === ">" || comparison === ">=") {
      if (compareBytes(edge, range.gte) > 0) range.gte = edge;
    } else if (compareBytes(edge, range.lt) < 0) {
      range.lt = edge;
    }
  }
  return range;
}

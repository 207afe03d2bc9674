/**
 * KeySegments: ranges of keys that may lie over one another, as segments that do not.
 *
 * Purpose: rows that meet any of several alternatives (`a OR b`), each once and in key order; one meaning of it for
 * reads (executor) and for selections evaluated at apply (state machine).
 * Algorithm: the ends of all ranges cut the keys into segments; going through them in order, a list of the ranges that
 * a segment lies in says which conditions a row there may meet. One range without conditions makes all others
 * superfluous; neighbours without conditions are joined.
 * Source: the sweep line of computational geometry; MySQL's and TiDB's range optimizers join ranges likewise.
 */
import { compareBytes } from "../../../kit/compare.ts";
import type { Table } from "../../architecture/catalog/table.ts";
import type { RowLayout } from "../../storage/layout/row-layout.ts";
import type { ColumnCondition } from "./command.ts";
import type { KeySpan } from "./key-span.ts";
import { rowMatches } from "./row-condition.ts";

/** A range whose rows must meet all of `conditions`. */
export interface KeyPiece extends KeySpan {
  readonly conditions: readonly ColumnCondition[];
}

export interface KeySegment extends KeySpan {
  /** A row must meet all conditions of one of these lists; undefined: all rows count. */
  readonly anyOf: readonly (readonly ColumnCondition[])[] | undefined;
}

/** In key order, without overlap. */
export function keySegments(pieces: readonly KeyPiece[]): KeySegment[] {
  const starts = pieces.filter(({ gte, lt }) => compareBytes(gte, lt) < 0).sort((a, b) => compareBytes(a.gte, b.gte));
  const ends = [...starts].sort((a, b) => compareBytes(a.lt, b.lt));
  const inside = new Set<KeyPiece>();
  const segments: KeySegment[] = [];
  let nextStart = 0;
  let nextEnd = 0;
  while (nextEnd < ends.length) {
    const starting = nextStart < starts.length && compareBytes(starts[nextStart].gte, ends[nextEnd].lt) < 0;
    const at = starting ? starts[nextStart].gte : ends[nextEnd].lt;
    while (nextEnd < ends.length && compareBytes(ends[nextEnd].lt, at) <= 0) inside.delete(ends[nextEnd++]);
    while (nextStart < starts.length && compareBytes(starts[nextStart].gte, at) <= 0) inside.add(starts[nextStart++]);
    if (inside.size === 0) continue;
    const follows = nextStart < starts.length && compareBytes(starts[nextStart].gte, ends[nextEnd].lt) < 0;
    add(segments, { gte: at, lt: follows ? starts[nextStart].gte : ends[nextEnd].lt, anyOf: alternatives(inside) });
  }
  return segments;
}

function alternatives(inside: ReadonlySet<KeyPiece>): KeySegment["anyOf"] {
  const lists = new Set<readonly ColumnCondition[]>();
  for (const { conditions } of inside) {
    if (conditions.length === 0) return undefined;
    lists.add(conditions);
  }
  return [...lists];
}

function add(segments: KeySegment[], segment: KeySegment): void {
  const last = segments.at(-1);
  const joined =
    last !== undefined &&
    last.anyOf === undefined &&
    segment.anyOf === undefined &&
    compareBytes(last.lt, segment.gte) === 0;
  if (joined) last.lt = segment.lt;
  else segments.push(segment);
}

/** Whether a row that lies in a segment counts. Errors: CORRUPTION. */
export function segmentHas(
  layout: RowLayout,
  table: Table,
  anyOf: KeySegment["anyOf"],
  key: Uint8Array,
  value: Uint8Array,
): boolean {
  if (anyOf === undefined) return true;
  for (const conditions of anyOf) if (rowMatches(layout, table, conditions, key, value)) return true;
  return false;
}

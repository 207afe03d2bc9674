/**
 * RowSelection, evaluated: the rows that a step with alternatives, an index, an order or a limit selects.
 *
 * Algorithm:
 *   1. The alternatives become segments of keys that do not overlap (`key-segments.ts`), of the primary key or of an
 *      index; they are gone through in order, or backwards.
 *   2. By the primary key: engine and overlay are merged, of two with one key the overlay's counts.
 *      By an index: entries of the engine lead to rows, except to rows that the overlay has; the overlay's own rows are
 *      looked at one by one, since the entries of the steps before are not in the engine yet; both are put in order.
 *   3. Rows that meet one of the segment's lists of conditions are kept, as copies: what follows may change them.
 *   4. Sort, then OFFSET and LIMIT. Without an order nothing behind the limit is looked at.
 * Invariants: deterministic in (state, step). An index that is gone since the step was planned is a conflict: the
 * statement may be run again. More than `rowsMax` rows or entries to examine refuse the step.
 */
import { compareBytes } from "../../../../../kit/compare.ts";
import { LatheError } from "../../../../../kit/errors.ts";
import type { Table } from "../../../../architecture/catalog/table.ts";
import type { RowSelection, SortedColumn } from "../../command.ts";
import { type KeyPiece, type KeySegment, keySegments, segmentHas } from "../../key-segments.ts";
import { keySpan } from "../../key-span.ts";
import { compareSorted } from "../../value-order.ts";
import type { RunDoors } from "./command-doors.ts";
import type { Overlay } from "./overlay.ts";
import { rowsMax } from "./step-limits.ts";
import { StepRefused } from "./step-refused.ts";

export interface SelectedRow {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

interface PlacedRow extends SelectedRow {
  /** The key by which it was found: its own, or that of its entry. */
  readonly place: Uint8Array;
}

/** Throws StepRefused, and what engine and layout throw. */
export function selectRows(doors: RunDoors, overlay: Overlay, table: Table, selection: RowSelection): SelectedRow[] {
  return new Selecting(doors, overlay, table, selection).rows();
}

class Selecting {
  readonly #doors: RunDoors;
  readonly #overlay: Overlay;
  readonly #table: Table;
  readonly #selection: RowSelection;
  readonly #rows: PlacedRow[] = [];
  #examined = 0;

  constructor(doors: RunDoors, overlay: Overlay, table: Table, selection: RowSelection) {
    this.#doors = doors;
    this.#overlay = overlay;
    this.#table = table;
    this.#selection = selection;
  }

  rows(): SelectedRow[] {
    const { offset, limit, order } = this.#selection;
    if (limit === 0) return [];
    if (this.#selection.indexId === undefined) this.#byKey();
    else this.#byIndex(this.#selection.indexId);
    const rows = order.length === 0 ? this.#rows : this.#sorted(order);
    return rows.slice(offset, offset + limit);
  }

  #sorted(order: readonly SortedColumn[]): readonly SelectedRow[] {
    const { layout } = this.#doors;
    const decoded = this.#rows.map((row) => ({ row, values: layout.decodeRow(this.#table, row.key, row.value) }));
    decoded.sort((a, b) => {
      for (const { ordinal, descending } of order) {
        const compared = compareSorted(a.values[ordinal], b.values[ordinal]);
        if (compared !== 0) return descending ? -compared : compared;
      }
      return 0;
    });
    return decoded.map(({ row }) => row);
  }

  /** Segments of the keys of `keys`, in the order in which they are gone through. */
  #segments(keys: Table): KeySegment[] {
    const { layout } = this.#doors;
    const pieces: KeyPiece[] = [];
    for (const { keyPrefix, bounds, conditions } of this.#selection.alternatives) {
      const span = keySpan(layout, keys, keyPrefix, bounds ?? []);
      if (span !== undefined) pieces.push({ ...span, conditions });
    }
    const segments = keySegments(pieces);
    return this.#selection.reverse ? segments.reverse() : segments;
  }

  #byKey(): void {
    for (const segment of this.#segments(this.#table)) {
      if (this.#isFull()) return;
      const overlaid = this.#overlay.count === 0 ? [] : this.#overlay.between(segment.gte, segment.lt);
      if (this.#selection.reverse) overlaid.reverse();
      this.#mergeSegment(segment, overlaid);
    }
  }

  #mergeSegment({ gte, lt, anyOf }: KeySegment, overlaid: readonly number[]): void {
    const { reverse } = this.#selection;
    const cursor = this.#doors.engine.scan(reverse ? { gte, lt, reverse } : { gte, lt });
    let place = 0;
    try {
      let more = cursor.next();
      while ((more || place < overlaid.length) && !this.#isFull()) {
        const own = place < overlaid.length ? this.#overlay.keyOf(overlaid[place]) : undefined;
        const compared = own === undefined ? -1 : more ? compareBytes(cursor.key, own) : 1;
        const order = reverse && own !== undefined && more ? -compared : compared;
        if (order < 0) {
          this.#offer(anyOf, cursor.key, cursor.value);
          more = cursor.next();
          continue;
        }
        const value = this.#overlay.valueOf(overlaid[place++]);
        if (order === 0) more = cursor.next();
        if (value !== undefined) this.#offer(anyOf, own as Uint8Array, value);
      }
    } finally {
      cursor.close();
    }
  }

  #byIndex(indexId: number): void {
    const { indexes } = this.#doors;
    const index = this.#table.indexes?.find(({ id }) => id === indexId);
    if (index === undefined || indexes === undefined) {
      const why = `an index of table ${this.#table.name} was dropped`;
      throw new StepRefused("conflict", `${why}; try restarting transaction`);
    }
    const entries = indexes.entriesOf(this.#table, index);
    const segments = this.#segments(entries);
    const own = this.#ownRows(entries, segments);
    for (const segment of segments) {
      if (own.length === 0 && this.#isFull()) break;
      this.#entriesOf(segment, indexId, own.length === 0);
    }
    if (own.length === 0) return;
    this.#rows.push(...own);
    const way = this.#selection.reverse ? -1 : 1;
    this.#rows.sort((a, b) => way * compareBytes(a.place, b.place));
  }

  /** `stops`: whether what lies behind the limit need not be looked at. */
  #entriesOf({ gte, lt, anyOf }: KeySegment, indexId: number, stops: boolean): void {
    const { layout, engine, cache } = this.#doors;
    const { reverse } = this.#selection;
    const cursor = engine.scan(reverse ? { gte, lt, reverse } : { gte, lt });
    try {
      while (!(stops && this.#isFull()) && cursor.next()) {
        this.#examine();
        const place = cursor.key.slice();
        const key = this.#rowKey(indexId, place);
        this.#overlay.stageBytes(key);
        if (this.#overlay.find() >= 0) continue;
        const value = cache?.get(key) ?? engine.getSync(key);
        if (value === undefined) {
          const { id: tableId, name } = this.#table;
          const details = { tableId, indexId };
          throw new LatheError("CORRUPTION", `an index of table ${name} has an entry without a row`, { details });
        }
        if (segmentHas(layout, this.#table, anyOf, key, value)) this.#rows.push({ place, key, value: value.slice() });
      }
    } finally {
      cursor.close();
    }
  }

  #rowKey(indexId: number, entryKey: Uint8Array): Uint8Array {
    const { indexes, layout } = this.#doors;
    const index = this.#table.indexes?.find(({ id }) => id === indexId);
    const target = new Uint8Array(entryKey.length + 4);
    if (indexes === undefined || index === undefined) return target;
    return target.subarray(0, indexes.writeRowKey(layout, this.#table, index, entryKey, target));
  }

  /** Rows that the steps before have written, by the entries that they will have. */
  #ownRows(entries: Table, segments: readonly KeySegment[]): PlacedRow[] {
    const rows: PlacedRow[] = [];
    if (this.#overlay.count === 0) return rows;
    const { layout } = this.#doors;
    const table = this.#table;
    const start = layout.encodeKey(table, []);
    for (const entry of this.#overlay.between(start, layout.prefixEnd(start))) {
      this.#examine();
      const value = this.#overlay.valueOf(entry);
      if (value === undefined) continue;
      const key = this.#overlay.keyOf(entry);
      const row = layout.decodeRow(table, key, value);
      const values = entries.primaryKey.map((ordinal) => row[ordinal]);
      if (values.includes(null)) continue;
      const place = layout.encodeKey(entries, values);
      const segment = segments.find(({ gte, lt }) => compareBytes(place, gte) >= 0 && compareBytes(place, lt) < 0);
      if (segment === undefined || !segmentHas(layout, table, segment.anyOf, key, value)) continue;
      rows.push({ place, key: key.slice(), value: value.slice() });
    }
    return rows;
  }

  #offer(anyOf: KeySegment["anyOf"], key: Uint8Array, value: Uint8Array): void {
    this.#examine();
    if (!segmentHas(this.#doors.layout, this.#table, anyOf, key, value)) return;
    const own = key.slice();
    this.#rows.push({ place: own, key: own, value: value.slice() });
  }

  #examine(): void {
    if (++this.#examined > rowsMax) throw new StepRefused("limit_exceeded", `more than ${rowsMax} rows to examine`);
  }

  /** Whether rows behind those that there are cannot count. */
  #isFull(): boolean {
    const { order, offset, limit } = this.#selection;
    return order.length === 0 && this.#rows.length >= offset + limit;
  }
}

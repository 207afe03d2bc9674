/**
 * CommandRun: one command's steps against the engine and an overlay, before anything is committed.
 *
 * Algorithm: per step, conditions are evaluated on the state as the steps before left it (overlay first, then engine).
 *   insert   1. A row that meets any predicate of `unless` skips the step. Predicates whose key prefixes begin with one
 *               another share one scan, of the shortest: TAOBench's four conditions on an edge take two scans.
 *            2. A row without a number gets one (`auto-increment.ts`).
 *            3. Its key must be absent, or the step says what becomes of the two; the row goes into the overlay.
 *   update   rows under the prefix that meet the conditions are collected first, then rewritten (`expression.ts`).
 *   delete   likewise. What a selection (alternatives, an index, an order, a limit) selects: `row-selection.ts`.
 * A dropped table, and a dropped index, gives back its rows and entries: `freed` lists what goes.
 * Where the product has secondary indexes, every change of a row is told to `IndexWrites` as it is made.
 * Limits: a step examines or changes at most `rowsMax` rows; the same on all replicas, hence a constant.
 */
import { compareBytes } from "../../../../../kit/compare.ts";
import { unreachable } from "../../../../../kit/assert.ts";
import type { CatalogDraft } from "../../../../architecture/catalog/catalog-store.ts";
import type { ColumnValue, Table, TableIndex } from "../../../../architecture/catalog/table.ts";
import type { IndexWrites } from "../../../../indexing/secondary-indexes.ts";
import {
  type Assignment,
  type CommandStep,
  isSelection,
  type OnDuplicate,
  type RowPredicate,
  type RowSelection,
  type StepResult,
} from "../../command.ts";
import { keySpan } from "../../key-span.ts";
import { rowMatches } from "../../row-condition.ts";
import { markOf, RowMark } from "../../row-mark.ts";
import { AutoIncrement, counterTable } from "./auto-increment.ts";
import type { RunDoors } from "./command-doors.ts";
import { evaluate, settle } from "./expression.ts";
import type { Overlay } from "./overlay.ts";
import { selectRows } from "./row-selection.ts";
import { rowsMax } from "./step-limits.ts";
import { StepRefused } from "./step-refused.ts";

const nothingChanged: StepResult = { kind: "changed", matchedRows: 0, changedRows: 0 };

/** Visits a row; false ends the scan. The bytes are valid during the call. */
type RowVisitor = (key: Uint8Array, value: Uint8Array) => boolean;

export class CommandRun {
  readonly #doors: RunDoors;
  readonly #overlay: Overlay;
  readonly #indexWrites: IndexWrites | undefined;
  #draft: CatalogDraft | undefined;
  /** Tables and indexes that steps dropped, as tables: every key that begins with the id of one is to be deleted. */
  readonly freed: Table[] = [];

  constructor(doors: RunDoors, overlay: Overlay, indexWrites: IndexWrites | undefined) {
    this.#doors = doors;
    this.#overlay = overlay;
    this.#indexWrites = indexWrites;
  }

  /** Changes of the catalog that the steps so far made, or undefined. */
  get draft(): CatalogDraft | undefined {
    return this.#draft;
  }

  /** Throws StepRefused, and what engine and layout throw. */
  step(step: CommandStep): StepResult {
    switch (step.kind) {
      case "insert":
        return this.#insert(step);
      case "update":
        return this.#update(step.target, step.set);
      case "delete":
        return this.#delete(step.target);
      case "read":
        return this.#read(step.target, step.limit);
      case "createTable":
        return this.#createTable(step.table, step.ifNotExists);
      case "dropTable":
        return this.#dropTable(step.name, step.ifExists);
      case "createIndex":
        return this.#createIndex(step);
      case "dropIndex":
        return this.#dropIndex(step);
      case "write":
        return this.#write(step);
      case "validate":
        return this.#validate(step);
      case "reserve":
        return this.#reserve(step);
      default:
        return unreachable(step);
    }
  }

  #insert({ tableId, rows, unless, onDuplicate }: CommandStep & { kind: "insert" }): StepResult {
    const table = this.#table(tableId);
    if (unless.length > 0 && this.#anyMatch(unless)) return nothingChanged;
    const counter = this.#counter(table);
    const tally = { matchedRows: 0, changedRows: 0, duplicates: 0 };
    const keyValues: ColumnValue[] = [];
    for (const given of rows) {
      let row = counter === undefined ? given : counter.number(given);
      let there = this.#stage(table, keyOf(table, row, keyValues));
      // A number that was set aside may have come with a row of its own meanwhile.
      while (there !== undefined && row !== given && counter?.reserved === true) {
        row = counter.number(given);
        there = this.#stage(table, keyOf(table, row, keyValues));
      }
      if (there === undefined) {
        this.#putNew(table, row);
        tally.matchedRows++;
        tally.changedRows++;
      } else if (onDuplicate === undefined) {
        throw new StepRefused("duplicate_key", `${keyText(keyValues)} in table ${table.name}`);
      } else {
        this.#putOver(table, row, there, onDuplicate, tally);
      }
    }
    const { matchedRows, changedRows } = tally;
    if (counter === undefined && onDuplicate === undefined) return { kind: "changed", matchedRows, changedRows };
    counter?.write(this.#doors.layout, this.#overlay);
    const insertId = changedRows === 0 ? undefined : (counter?.first ?? counter?.given);
    const generated = insertId !== undefined && counter?.first !== undefined;
    return { kind: "changed", matchedRows, changedRows, duplicates: tally.duplicates, insertId, generated };
  }

  #counter(table: Table): AutoIncrement | undefined {
    const { autoIncrement } = table;
    if (autoIncrement === undefined) return undefined;
    const { layout, engine, numbers } = this.#doors;
    if (numbers !== undefined) return new AutoIncrement(table, autoIncrement, 0n, numbers);
    return AutoIncrement.read(layout, table, autoIncrement, this.#overlay, engine);
  }

  #reserve({ tableId, count, above }: CommandStep & { kind: "reserve" }): StepResult {
    const table = this.#table(tableId);
    const counter = this.#counter(table);
    if (counter === undefined) {
      throw new StepRefused("table_missing", `table ${table.name} has no AUTO_INCREMENT column`);
    }
    const { first, rows } = counter.reserve(count, above);
    counter.write(this.#doors.layout, this.#overlay);
    return { kind: "changed", matchedRows: rows, changedRows: rows, insertId: first };
  }

  /** Whether everything that a transaction has read is still the same. */
  #validate({ keys, ranges }: CommandStep & { kind: "validate" }): StepResult {
    const { engine, cache } = this.#doors;
    for (const read of keys) {
      if (!markOf(read.key, cache?.get(read.key) ?? engine.getSync(read.key)).equals(read)) throw conflict();
    }
    for (const read of ranges) {
      const mark = new RowMark();
      const cursor = engine.scan({ gte: read.gte, lt: read.lt });
      try {
        while (mark.rows <= read.rows && cursor.next()) mark.add(cursor.key, cursor.value);
      } finally {
        cursor.close();
      }
      if (!mark.equals(read)) throw conflict();
    }
    return nothingChanged;
  }

  /** Rows of a transaction, as they are; entries of indexes follow from what was there. */
  #write({ tableId, rows }: CommandStep & { kind: "write" }): StepResult {
    const { layout, engine } = this.#doors;
    const table = this.#table(tableId);
    const { keyBytesMax, valueBytesMax } = engine.capabilities;
    const counter = this.#counter(table);
    const indexed = table.indexes !== undefined;
    for (const { key, value } of rows) {
      if (key.length > keyBytesMax) throw tooLong("a key", key.length, keyBytesMax);
      if (value !== undefined && value.length > valueBytesMax) throw tooLong("a row", value.length, valueBytesMax);
      if (counter !== undefined && value !== undefined) counter.number(layout.decodeRow(table, key, value));
      this.#overlay.stageBytes(key);
      if (indexed) this.#writeEntries(table, key, value);
      if (value === undefined) this.#overlay.remove();
      else this.#overlay.putBytes(value);
    }
    counter?.write(layout, this.#overlay);
    return { kind: "changed", matchedRows: rows.length, changedRows: rows.length };
  }

  /** The entries of a row whose key is staged and that becomes `value`. */
  #writeEntries(table: Table, key: Uint8Array, value: Uint8Array | undefined): void {
    const { layout, engine } = this.#doors;
    const entry = this.#overlay.find();
    const before = entry >= 0 ? this.#overlay.valueOf(entry) : engine.getSync(key);
    if (before !== undefined && value !== undefined) {
      const [was, is] = [layout.viewRow(table, before), layout.viewRow(table, value)];
      this.#checkEntry(this.#indexWrites?.updated(table, key, was, is));
    } else if (before !== undefined) {
      this.#indexWrites?.deleted(table, key, before);
    } else if (value !== undefined) {
      this.#checkEntry(this.#indexWrites?.inserted(table, key, layout.decodeRow(table, key, value)));
    }
  }

  /** Stages a whole key; the value of the row that has it. */
  #stage(table: Table, keyValues: readonly ColumnValue[]): Uint8Array | undefined {
    const { layout, engine } = this.#doors;
    const { keyBytesMax } = engine.capabilities;
    const keyBytes = this.#overlay.stageKey(layout, table, keyValues);
    if (keyBytes > keyBytesMax) throw tooLong("a key", keyBytes, keyBytesMax);
    const entry = this.#overlay.find();
    return entry >= 0 ? this.#overlay.valueOf(entry) : engine.getSync(this.#overlay.stagedKey);
  }

  /** Puts a row under the staged key, which is free. */
  #putNew(table: Table, row: readonly ColumnValue[]): void {
    const { layout, engine } = this.#doors;
    const { valueBytesMax } = engine.capabilities;
    if (table.indexes !== undefined) {
      this.#checkEntry(this.#indexWrites?.inserted(table, this.#overlay.stagedKey, row));
    }
    const valueBytes = this.#overlay.putRow(layout, table, row);
    if (valueBytes > valueBytesMax) throw tooLong("a row", valueBytes, valueBytesMax);
  }

  /** A row whose key, which is staged, has the value `there`. Counts as MySQL does: two for a row that changes. */
  #putOver(
    table: Table,
    row: readonly ColumnValue[],
    there: Uint8Array,
    onDuplicate: OnDuplicate,
    tally: { matchedRows: number; changedRows: number; duplicates: number },
  ): void {
    tally.duplicates++;
    if (onDuplicate === "ignore") return;
    const before = this.#doors.layout.viewRow(table, there);
    let after = row;
    if (onDuplicate !== "replace") {
      after = [...before];
      table.primaryKey.forEach((ordinal) => ((after as ColumnValue[])[ordinal] = row[ordinal]));
      assign(table, onDuplicate.set, after as ColumnValue[], row);
    }
    const changed = this.#rewrite(table, this.#overlay.stagedKey, there, before, after);
    const rows = changed ? 2 : onDuplicate === "replace" ? 1 : 0;
    tally.changedRows += rows;
    tally.matchedRows += Math.max(rows, 1);
  }

  /** Puts `after` in the place of a row, whose key is staged. Whether that changed anything. */
  #rewrite(
    table: Table,
    rowKey: Uint8Array,
    value: Uint8Array,
    before: readonly ColumnValue[],
    after: readonly ColumnValue[],
  ): boolean {
    const { layout, engine } = this.#doors;
    const { valueBytesMax } = engine.capabilities;
    // Before the overlay changes: until then the row's old bytes, which `before` views, are valid.
    if (table.indexes !== undefined) this.#checkEntry(this.#indexWrites?.updated(table, rowKey, before, after));
    const valueBytes = this.#overlay.replaceRow(layout, table, after, value);
    if (valueBytes < 0 && engine.keepsUnchanged === true) this.#overlay.putBytes(value);
    if (valueBytes > valueBytesMax) throw tooLong("a row", valueBytes, valueBytesMax);
    return valueBytes >= 0;
  }

  #update(target: RowPredicate | RowSelection, set: readonly Assignment[]): StepResult {
    const { layout } = this.#doors;
    const table = this.#table(target.tableId);
    let matchedRows = 0;
    let changedRows = 0;
    const readsKey = set.some(({ expression }) => expression !== undefined);
    /** The row's key is staged. */
    const rewrite = (rowKey: Uint8Array, value: Uint8Array) => {
      const row = layout.viewRow(table, value);
      const before = table.indexes === undefined ? row : [...row];
      if (readsKey) {
        const keyValues = layout.decodeKey(table, rowKey);
        table.primaryKey.forEach((ordinal, i) => (row[ordinal] = keyValues[i]));
      }
      assign(table, set, row, undefined);
      matchedRows++;
      if (this.#rewrite(table, rowKey, value, before, row)) changedRows++;
    };
    if (!isSelection(target) && target.keyPrefix.length === table.primaryKey.length && target.bounds === undefined) {
      // One row: visiting it has staged its key, and its bytes stay valid until it is rewritten.
      this.#visit(table, target, (key, value) => {
        if (rowMatches(layout, table, target.conditions, key, value)) rewrite(key, value);
        return false;
      });
    } else {
      for (const { key, value } of this.#collect(target)) {
        this.#overlay.stageBytes(key);
        rewrite(key, value);
      }
    }
    return { kind: "changed", matchedRows, changedRows };
  }

  #delete(target: RowPredicate | RowSelection): StepResult {
    const matched = this.#collect(target);
    const table = this.#table(target.tableId);
    for (const { key, value } of matched) {
      this.#indexWrites?.deleted(table, key, value);
      this.#overlay.stageBytes(key);
      this.#overlay.remove();
    }
    return { kind: "changed", matchedRows: matched.length, changedRows: matched.length };
  }

  #read(target: RowPredicate | RowSelection, limit: number): StepResult {
    const table = this.#table(target.tableId);
    const rows: ColumnValue[][] = [];
    if (limit === 0) return { kind: "rows", rows };
    if (isSelection(target)) {
      const selected = selectRows(this.#doors, this.#overlay, table, target);
      for (const { key, value } of selected) rows.push(this.#doors.layout.decodeRow(table, key, value));
      return { kind: "rows", rows };
    }
    this.#visit(table, target, (key, value) => {
      if (rowMatches(this.#doors.layout, table, target.conditions, key, value)) {
        rows.push(this.#doors.layout.decodeRow(table, key, value));
      }
      return rows.length < limit;
    });
    return { kind: "rows", rows };
  }

  #createTable(table: Table, ifNotExists: boolean): StepResult {
    this.#draft ??= this.#doors.catalog.draft();
    if (this.#draft.find(table.name) !== undefined) {
      if (ifNotExists) return nothingChanged;
      throw new StepRefused("table_exists", `table ${table.name} is there already`);
    }
    this.#draft.create(table);
    return nothingChanged;
  }

  #dropTable(name: string, ifExists: boolean): StepResult {
    this.#draft ??= this.#doors.catalog.draft();
    const table = this.#draft.find(name);
    if (table === undefined) {
      if (ifExists) return nothingChanged;
      throw new StepRefused("table_missing", `table ${name} is not there`);
    }
    this.#draft.drop(table);
    if (table.autoIncrement !== undefined) {
      this.#overlay.stageKey(this.#doors.layout, counterTable, [BigInt(table.id)]);
      this.#overlay.remove();
    }
    this.freed.push(table, ...(table.indexes ?? []).map(({ id }) => ({ ...table, id })));
    return nothingChanged;
  }

  /** An entry for every row that is there, the rows of steps before this one included. */
  #createIndex(step: CommandStep & { kind: "createIndex" }): StepResult {
    this.#draft ??= this.#doors.catalog.draft();
    const table = this.#draft.find(step.table);
    if (table === undefined) throw new StepRefused("table_missing", `table ${step.table} is not there`);
    const there = table.indexes ?? [];
    const { name, columns } = step;
    if (findIndex(table, name) !== undefined) {
      if (step.ifNotExists) return nothingChanged;
      throw new StepRefused("index_exists", `index ${name} of table ${table.name} is there already`);
    }
    const altered = this.#draft.alter({ ...table, indexes: [...there, { id: 0, name, columns }] });
    const index = altered.indexes?.at(-1);
    this.#visitRange(altered, { tableId: table.id, keyPrefix: [], conditions: [] }, (key, value) => {
      if (index !== undefined) this.#checkEntry(this.#indexWrites?.filled(altered, index, key, value));
      return true;
    });
    return nothingChanged;
  }

  #dropIndex(step: CommandStep & { kind: "dropIndex" }): StepResult {
    this.#draft ??= this.#doors.catalog.draft();
    const table = this.#draft.find(step.table);
    if (table === undefined) throw new StepRefused("table_missing", `table ${step.table} is not there`);
    const index = findIndex(table, step.name);
    if (index === undefined) {
      if (step.ifExists) return nothingChanged;
      throw new StepRefused("index_missing", `table ${table.name} has no index ${step.name}`);
    }
    const kept = (table.indexes ?? []).filter((other) => other !== index);
    this.freed.push({ ...table, id: index.id });
    this.#draft.alter({ ...table, indexes: kept.length === 0 ? undefined : kept });
    return nothingChanged;
  }

  #checkEntry(entryBytes: number | undefined): void {
    const { keyBytesMax } = this.#doors.engine.capabilities;
    if (entryBytes !== undefined && entryBytes > keyBytesMax) throw tooLong("an index key", entryBytes, keyBytesMax);
  }

  #table(id: number): Table {
    const table = this.#draft === undefined ? this.#doors.catalog.byId(id) : this.#draft.byId(id);
    if (table === undefined) throw new StepRefused("table_missing", `the table with id ${id} was dropped`);
    return table;
  }

  /** Whether a row meets any of the predicates. */
  #anyMatch(predicates: readonly RowPredicate[]): boolean {
    const { layout } = this.#doors;
    const bound = predicates.map((predicate) => {
      const table = this.#table(predicate.tableId);
      return { predicate, table, prefix: layout.encodeKey(table, predicate.keyPrefix) };
    });
    bound.sort((a, b) => a.prefix.length - b.prefix.length);
    while (bound.length > 0) {
      const shortest = bound[0];
      const covered = bound.filter(({ prefix }) => startsWith(prefix, shortest.prefix));
      let met = false;
      this.#visit(shortest.table, shortest.predicate, (key, value) => {
        met = covered.some(
          ({ predicate, table, prefix }) =>
            startsWith(key, prefix) && rowMatches(layout, table, predicate.conditions, key, value),
        );
        return !met;
      });
      if (met) return true;
      for (const done of covered) bound.splice(bound.indexOf(done), 1);
    }
    return false;
  }

  /** Copies of the rows that meet a predicate. */
  #collect(target: RowPredicate | RowSelection): readonly { key: Uint8Array; value: Uint8Array }[] {
    const table = this.#table(target.tableId);
    if (isSelection(target)) return selectRows(this.#doors, this.#overlay, table, target);
    const matched: { key: Uint8Array; value: Uint8Array }[] = [];
    this.#visit(table, target, (key, value) => {
      if (rowMatches(this.#doors.layout, table, target.conditions, key, value)) {
        matched.push({ key: key.slice(), value: value.slice() });
      }
      return true;
    });
    return matched;
  }

  /** Visits the rows under a key prefix in key order, as the overlay leaves them. */
  #visit(table: Table, predicate: RowPredicate, visit: RowVisitor): void {
    for (const value of predicate.keyPrefix) if (value === null) return;
    const whole = predicate.keyPrefix.length === table.primaryKey.length && predicate.bounds === undefined;
    if (whole) this.#visitOne(table, predicate, visit);
    else this.#visitRange(table, predicate, visit);
  }

  #visitOne(table: Table, predicate: RowPredicate, visit: RowVisitor): void {
    const { layout, engine, cache } = this.#doors;
    const keyBytes = this.#overlay.stageKey(layout, table, predicate.keyPrefix);
    if (keyBytes > engine.capabilities.keyBytesMax) return;
    const entry = this.#overlay.find();
    const key = this.#overlay.stagedKey;
    const value = entry >= 0 ? this.#overlay.valueOf(entry) : (cache?.get(key) ?? engine.getSync(key));
    if (value !== undefined) visit(key, value);
  }

  /** Merges the engine's range with the overlay's entries in it; of two with one key the overlay's counts. */
  #visitRange(table: Table, predicate: RowPredicate, visit: RowVisitor): void {
    const { layout, engine } = this.#doors;
    const span = keySpan(layout, table, predicate.keyPrefix, predicate.bounds ?? []);
    if (span === undefined || compareBytes(span.gte, span.lt) >= 0) return;
    const overlaid = this.#overlay.count === 0 ? [] : this.#overlay.between(span.gte, span.lt);
    const cursor = engine.scan(span);
    let place = 0;
    let examined = 0;
    try {
      let more = cursor.next();
      while (more || place < overlaid.length) {
        if (++examined > rowsMax) {
          throw new StepRefused("limit_exceeded", `more than ${rowsMax} rows to examine`);
        }
        const key = place < overlaid.length ? this.#overlay.keyOf(overlaid[place]) : undefined;
        const order = key === undefined ? -1 : more ? compareBytes(cursor.key, key) : 1;
        if (order < 0) {
          if (!visit(cursor.key, cursor.value)) return;
          more = cursor.next();
          continue;
        }
        const value = this.#overlay.valueOf(overlaid[place++]);
        if (order === 0) more = cursor.next();
        if (value !== undefined && !visit(key as Uint8Array, value)) return;
      }
    } finally {
      cursor.close();
    }
  }
}

/** The values of a row's key, in a list that is used again. */
function keyOf(table: Table, row: readonly ColumnValue[], keyValues: ColumnValue[]): readonly ColumnValue[] {
  keyValues.length = 0;
  for (const ordinal of table.primaryKey) {
    if (row[ordinal] === null) throw new StepRefused("null_in_key", `column ${table.columns[ordinal].name}`);
    keyValues.push(row[ordinal]);
  }
  return keyValues;
}

function conflict(): StepRefused {
  return new StepRefused("conflict", "what this transaction had read has changed; try restarting transaction");
}

/** Assigns from left to right; `row` has its key columns where an expression may read them. */
function assign(
  table: Table,
  set: readonly Assignment[],
  row: ColumnValue[],
  inserted: readonly ColumnValue[] | undefined,
): void {
  const { columns } = table;
  for (const { ordinal, value, expression } of set) {
    row[ordinal] =
      expression === undefined ? value : settle(columns[ordinal], evaluate(expression, columns, row, inserted));
  }
}

function findIndex(table: Table, name: string): TableIndex | undefined {
  return table.indexes?.find((index) => index.name.toLowerCase() === name.toLowerCase());
}

function startsWith(bytes: Uint8Array, prefix: Uint8Array): boolean {
  if (bytes.length < prefix.length) return false;
  for (let i = 0; i < prefix.length; i++) if (bytes[i] !== prefix[i]) return false;
  return true;
}

function tooLong(what: string, bytes: number, bytesMax: number): StepRefused {
  return new StepRefused("value_too_long", `${what} of ${bytes} bytes is longer than ${bytesMax}`);
}

/** As MySQL writes a key in its duplicate error: values with dashes between, cut short. */
function keyText(values: readonly ColumnValue[]): string {
  const text = values.map((value) => (value instanceof Uint8Array ? new TextDecoder().decode(value) : String(value)));
  return `'${text.join("-").slice(0, 64)}'`;
}

/**
 * Commands as bytes.
 *
 * Layout (varints are LEB128 below 2^53; numbers little-endian):
 *
 *   | field            | bytes                                                                          |
 *   |------------------|--------------------------------------------------------------------------------|
 *   | format           | 1, value 1; 2 where any step is of a kind from 32 on, 3 from 40 on, or where   |
 *   |                  | an expression divides by `/`, which older readers took for one of doubles      |
 *   | steps            | varint count, then per step its kind (1 byte) and body                         |
 *   | 1 insert         | table id varint; columns varint; rows varint; values; predicates               |
 *   | 2 update         | predicate; count varint, then per assignment ordinal varint and value          |
 *   | 3 delete         | predicate                                                                      |
 *   | 4 read           | predicate; limit varint                                                        |
 *   | 5 create table   | if-not-exists 1; name text; columns; key ordinals: count varint, varint each   |
 *   | 6 drop table     | if-exists 1; name text                                                         |
 *   | 16 create table  | as 5; then indexes: count varint, then per index name text and its ordinals    |
 *   | 17 create index  | if-not-exists 1; table text; name text; ordinals: count varint, varint each    |
 *   | 18 drop index    | if-exists 1; table text; name text                                             |
 *   | 32 insert        | as 1; then on duplicates 1 (0 an error, 1 ignore, 2 replace, 3 update) and,    |
 *   |                  | for update, assignments                                                        |
 *   | 33 update        | limits; predicate; assignments                                                 |
 *   | 34 delete        | limits; predicate                                                              |
 *   | 35 read          | limits; predicate; limit varint                                                |
 *   | 36 create table  | as 16; then per column: flags 1 (bit 0 fixed, bit 1 default follows), default  |
 *   |                  | value; then ordinal of the AUTO_INCREMENT column varint (0 none, else + 1)     |
 *   | 37 write         | table id varint; rows varint, then per row key bytes, 1 (0 delete, 1 put), and |
 *   |                  | the value's bytes                                                              |
 *   | 38 validate      | keys: count varint, per key its bytes and mark; ranges: count varint, per      |
 *   |                  | range two bounds' bytes and mark                                               |
 *   | 39 reserve       | table id varint; count varint; above 8                                         |
 *   | 40 update        | selection; assignments                                                         |
 *   | 41 delete        | selection                                                                      |
 *   | 42 read          | selection; limit varint                                                        |
 *   | selection        | table id varint; index id varint (0 none); flags 1 (bit 0 reverse); order:     |
 *   |                  | count varint, per column ordinal varint and 1 (1 descending); offset varint;   |
 *   |                  | limit varint; alternatives: count varint, limits with their predicate each     |
 *   | mark             | rows varint, low 4, high 4                                                     |
 *   | limits           | count varint, then per bound comparison 1 and its values: count varint, values |
 *   | assignments      | count varint, then per assignment ordinal varint and expression                |
 *   | expression       | tag 1: 0 a value, 1 a column, 2 an inserted column (ordinal varint), 3 an      |
 *   |                  | operation: operator 1 (place in + - * / DIV %), left, right expression         |
 *   | predicates       | count varint, predicate each                                                   |
 *   | predicate        | table id varint; prefix: count varint, values; conditions: count varint, each  |
 *   | condition        | ordinal varint; comparison 1 (place in = < <= > >= <>); value                  |
 *   | column           | name text; type 1; nullable 1; length varint (0 none, else length + 1)         |
 *   | value            | tag 1: 0 NULL, 1 bigint (8), 2 double (8), 3 text, 4 bytes                     |
 *   | text, bytes      | varint length, then UTF-8 or bytes                                             |
 *
 * Steps that format 1 can hold are written in it, so that an older product reads what it could have written itself.
 * Invariants: decode(encode(c)) equals c; decoding never allocates for a count that the rest of the bytes cannot hold.
 */
import { LatheError } from "../../../../../kit/errors.ts";
import type { Column, ColumnType, ColumnValue, Table, TableIndex } from "../../../../architecture/catalog/table.ts";
import type {
  Assignment,
  Command,
  CommandCodec,
  CommandStep,
  Expression,
  KeyRead,
  RangeRead,
  RowPredicate,
  RowSelection,
  RowWrite,
} from "../../command.ts";
import { isSelection } from "../../command.ts";
import {
  CommandReader,
  comparisons,
  operators,
  tagBigint,
  tagBytes,
  tagColumn,
  tagDouble,
  tagInserted,
  tagNull,
  tagOperation,
  tagText,
  tagValue,
} from "./command-reader.ts";
import { CommandWriter } from "./command-writer.ts";

const formatFirst = 1;
const formatExtended = 2;
const formatSelecting = 3;
const commandBytesMax = 64 * 1024 * 1024;
const columnTypes: readonly ColumnType[] = ["bigint", "int", "double", "varchar", "varbinary"];

const kindInsert = 1;
const kindUpdate = 2;
const kindDelete = 3;
const kindRead = 4;
const kindCreateTable = 5;
const kindDropTable = 6;
const kindCreateIndexedTable = 16;
const kindCreateIndex = 17;
const kindDropIndex = 18;
const kindInsertOver = 32;
const kindUpdateWithin = 33;
const kindDeleteWithin = 34;
const kindReadWithin = 35;
const kindCreateDetailedTable = 36;
const kindWrite = 37;
const kindValidate = 38;
const kindReserve = 39;
const kindUpdateSelected = 40;
const kindDeleteSelected = 41;
const kindReadSelected = 42;
const duplicateActions = ["ignore", "replace"] as const;
const duplicateUpdate = 3;
const flagFixed = 1;
const flagDefault = 2;
const indexesMax = 64;

const writer = new CommandWriter(commandBytesMax);

export const commandCodec: CommandCodec = {
  encode(command: Command): Uint8Array {
    writer.begin();
    writer.byte(formatOf(command.steps));
    writer.varint(command.steps.length);
    for (const step of command.steps) encodeStep(step);
    return writer.finish();
  },

  decode: (bytes) => decodeCommand(bytes, "text"),
};

/** With `textAs: "bytes"` text values come as views of their UTF-8 bytes, which is what applying them needs. */
export function decodeCommand(bytes: Uint8Array, textAs: "text" | "bytes"): Command {
  if (bytes.length > commandBytesMax) {
    throw new LatheError("LIMIT_EXCEEDED", `a command of ${bytes.length} bytes is larger than ${commandBytesMax}`);
  }
  const reader = new CommandReader(bytes, textAs === "bytes");
  const format = reader.u8();
  if (format < formatFirst || format > formatSelecting) {
    if (format === 0) throw reader.corrupt("its format is not known");
    const wayOut = "open the store with the version of Lathe that wrote it, or a newer one";
    throw new LatheError("FORMAT_UNKNOWN", `a command of format ${format} is not known here: ${wayOut}`);
  }
  const count = reader.count(1);
  const steps: CommandStep[] = [];
  for (let i = 0; i < count; i++) steps.push(decodeStep(reader));
  reader.expectEnd();
  return { steps };
}

/** The oldest format that can hold them. */
function formatOf(steps: readonly CommandStep[]): number {
  let format = formatFirst;
  for (const step of steps) {
    if (isSelecting(step)) return formatSelecting;
    if (isExtended(step)) format = formatExtended;
  }
  return format;
}

function isSelecting(step: CommandStep): boolean {
  switch (step.kind) {
    case "update":
      return isSelection(step.target) || step.set.some(({ expression }) => divides(expression));
    case "delete":
    case "read":
      return isSelection(step.target);
    case "insert":
      return typeof step.onDuplicate === "object" && step.onDuplicate.set.some(({ expression }) => divides(expression));
    default:
      return false;
  }
}

function divides(expression: Expression | undefined): boolean {
  if (expression?.kind !== "operation") return false;
  return expression.operator === "/" || divides(expression.left) || divides(expression.right);
}

/** Whether it needs a kind that format 1 does not have. */
function isExtended(step: CommandStep): boolean {
  switch (step.kind) {
    case "insert":
      return step.onDuplicate !== undefined;
    case "update":
      return isBounded(step.target) || step.set.some(({ expression }) => expression !== undefined);
    case "delete":
    case "read":
      return isBounded(step.target);
    case "createTable":
      return isDetailed(step.table);
    case "write":
    case "validate":
    case "reserve":
      return true;
    default:
      return false;
  }
}

function isBounded(target: RowPredicate | RowSelection): boolean {
  return isSelection(target) || target.bounds !== undefined;
}

function isDetailed({ columns, autoIncrement }: Table): boolean {
  return autoIncrement !== undefined || columns.some((column) => column.fixed || column.defaultValue !== undefined);
}

function encodeStep(step: CommandStep): void {
  if (isExtended(step)) encodeExtended(step);
  else encodePlain(step);
}

function encodeExtended(step: CommandStep): void {
  switch (step.kind) {
    case "insert":
      writer.byte(kindInsertOver);
      encodeRows(step);
      if (typeof step.onDuplicate === "object") {
        writer.byte(duplicateUpdate);
        return encodeAssignments(step.onDuplicate.set);
      }
      return writer.byte(step.onDuplicate === undefined ? 0 : duplicateActions.indexOf(step.onDuplicate) + 1);
    case "update":
      encodeTarget(step.target, kindUpdateWithin, kindUpdateSelected);
      return encodeAssignments(step.set);
    case "delete":
      return encodeTarget(step.target, kindDeleteWithin, kindDeleteSelected);
    case "read":
      encodeTarget(step.target, kindReadWithin, kindReadSelected);
      return writer.varint(step.limit);
    case "createTable":
      writer.byte(kindCreateDetailedTable);
      return encodeDetailedTable(step.table, step.ifNotExists);
    case "write":
      writer.byte(kindWrite);
      writer.varint(step.tableId);
      writer.varint(step.rows.length);
      for (const { key, value } of step.rows) {
        writer.bytes(key);
        writer.byte(value === undefined ? 0 : 1);
        if (value !== undefined) writer.bytes(value);
      }
      return;
    case "validate":
      writer.byte(kindValidate);
      writer.varint(step.keys.length);
      for (const read of step.keys) {
        writer.bytes(read.key);
        encodeMark(read);
      }
      writer.varint(step.ranges.length);
      for (const read of step.ranges) {
        writer.bytes(read.gte);
        writer.bytes(read.lt);
        encodeMark(read);
      }
      return;
    case "reserve":
      writer.byte(kindReserve);
      writer.varint(step.tableId);
      writer.varint(step.count);
      return writer.int64(step.above);
    default:
      return encodePlain(step);
  }
}

function encodeTarget(target: RowPredicate | RowSelection, within: number, selected: number): void {
  if (!isSelection(target)) {
    writer.byte(within);
    return encodeLimits(target);
  }
  const { tableId, indexId, alternatives, reverse, order, offset, limit } = target;
  writer.byte(selected);
  writer.varint(tableId);
  writer.varint(indexId ?? 0);
  writer.byte(reverse ? 1 : 0);
  writer.varint(order.length);
  for (const { ordinal, descending } of order) {
    writer.varint(ordinal);
    writer.byte(descending ? 1 : 0);
  }
  writer.varint(offset);
  writer.varint(limit);
  writer.varint(alternatives.length);
  for (const alternative of alternatives) encodeLimits({ tableId, ...alternative });
}

function encodeMark({ rows, low, high }: { rows: number; low: number; high: number }): void {
  writer.varint(rows);
  for (const half of [low, high]) for (let shift = 0; shift < 32; shift += 8) writer.byte((half >>> shift) & 0xff);
}

function encodeRows(step: CommandStep & { kind: "insert" }): void {
  const columns = step.rows.length === 0 ? 0 : step.rows[0].length;
  writer.varint(step.tableId);
  writer.varint(columns);
  writer.varint(step.rows.length);
  for (const row of step.rows) {
    if (row.length !== columns) {
      throw new LatheError("INVALID_ARGUMENT", "the rows of an insert differ in length");
    }
    for (let i = 0; i < columns; i++) encodeValue(row[i]);
  }
  writer.varint(step.unless.length);
  for (const predicate of step.unless) encodePredicate(predicate);
}

function encodeLimits(predicate: RowPredicate): void {
  const bounds = predicate.bounds ?? [];
  writer.varint(bounds.length);
  for (const { comparison, values } of bounds) {
    writer.byte(comparisons.indexOf(comparison));
    writer.varint(values.length);
    for (const value of values) encodeValue(value);
  }
  encodePredicate(predicate);
}

function encodeAssignments(set: readonly Assignment[]): void {
  writer.varint(set.length);
  for (const { ordinal, value, expression } of set) {
    writer.varint(ordinal);
    encodeExpression(expression ?? { kind: "value", value });
  }
}

function encodeExpression(expression: Expression): void {
  switch (expression.kind) {
    case "value":
      writer.byte(tagValue);
      return encodeValue(expression.value);
    case "column":
      writer.byte(tagColumn);
      return writer.varint(expression.ordinal);
    case "inserted":
      writer.byte(tagInserted);
      return writer.varint(expression.ordinal);
    case "operation":
      writer.byte(tagOperation);
      writer.byte(operators.indexOf(expression.operator));
      encodeExpression(expression.left);
      return encodeExpression(expression.right);
  }
}

function encodeDetailedTable(table: Table, ifNotExists: boolean): void {
  writer.byte(ifNotExists ? 1 : 0);
  encodeTable(table);
  const indexes = table.indexes ?? [];
  writer.varint(indexes.length);
  for (const { name, columns } of indexes) {
    writer.text(name);
    encodeOrdinals(columns);
  }
  for (const { fixed, defaultValue } of table.columns) {
    writer.byte((fixed ? flagFixed : 0) | (defaultValue === undefined ? 0 : flagDefault));
    if (defaultValue !== undefined) encodeValue(defaultValue);
  }
  writer.varint(table.autoIncrement === undefined ? 0 : table.autoIncrement + 1);
}

function encodePlain(step: CommandStep): void {
  switch (step.kind) {
    case "insert":
      writer.byte(kindInsert);
      return encodeRows(step);
    case "update":
      writer.byte(kindUpdate);
      encodePredicate(step.target as RowPredicate);
      writer.varint(step.set.length);
      for (const { ordinal, value } of step.set) {
        writer.varint(ordinal);
        encodeValue(value);
      }
      return;
    case "delete":
      writer.byte(kindDelete);
      return encodePredicate(step.target as RowPredicate);
    case "read":
      writer.byte(kindRead);
      encodePredicate(step.target as RowPredicate);
      return writer.varint(step.limit);
    case "createTable": {
      const { indexes } = step.table;
      writer.byte(indexes === undefined ? kindCreateTable : kindCreateIndexedTable);
      writer.byte(step.ifNotExists ? 1 : 0);
      encodeTable(step.table);
      if (indexes === undefined) return;
      writer.varint(indexes.length);
      for (const { name, columns } of indexes) {
        writer.text(name);
        encodeOrdinals(columns);
      }
      return;
    }
    case "dropTable":
      writer.byte(kindDropTable);
      writer.byte(step.ifExists ? 1 : 0);
      return writer.text(step.name);
    case "createIndex":
      writer.byte(kindCreateIndex);
      writer.byte(step.ifNotExists ? 1 : 0);
      writer.text(step.table);
      writer.text(step.name);
      return encodeOrdinals(step.columns);
    case "dropIndex":
      writer.byte(kindDropIndex);
      writer.byte(step.ifExists ? 1 : 0);
      writer.text(step.table);
      return writer.text(step.name);
  }
}

function encodePredicate(predicate: RowPredicate): void {
  writer.varint(predicate.tableId);
  writer.varint(predicate.keyPrefix.length);
  for (const value of predicate.keyPrefix) encodeValue(value);
  writer.varint(predicate.conditions.length);
  for (const { ordinal, comparison, value } of predicate.conditions) {
    writer.varint(ordinal);
    writer.byte(comparisons.indexOf(comparison));
    encodeValue(value);
  }
}

function encodeTable(table: Table): void {
  writer.text(table.name);
  writer.varint(table.columns.length);
  for (const { name, type, nullable, lengthMax } of table.columns) {
    writer.text(name);
    writer.byte(columnTypes.indexOf(type));
    writer.byte(nullable ? 1 : 0);
    writer.varint(lengthMax === undefined ? 0 : lengthMax + 1);
  }
  encodeOrdinals(table.primaryKey);
}

function encodeOrdinals(ordinals: readonly number[]): void {
  writer.varint(ordinals.length);
  for (const ordinal of ordinals) writer.varint(ordinal);
}

function encodeValue(value: ColumnValue): void {
  if (typeof value === "bigint") {
    writer.byte(tagBigint);
    writer.int64(value);
  } else if (typeof value === "string") {
    writer.byte(tagText);
    writer.text(value);
  } else if (typeof value === "number") {
    writer.byte(tagDouble);
    writer.double(value);
  } else if (value === null) {
    writer.byte(tagNull);
  } else {
    writer.byte(tagBytes);
    writer.bytes(value);
  }
}

function decodeStep(reader: CommandReader): CommandStep {
  const kind = reader.u8();
  switch (kind) {
    case kindInsert:
      return decodeRows(reader);
    case kindUpdate: {
      const target = reader.predicate();
      const count = reader.count(2);
      const set: { ordinal: number; value: ColumnValue }[] = [];
      for (let i = 0; i < count; i++) set.push({ ordinal: reader.varint(), value: reader.value() });
      return { kind: "update", target, set };
    }
    case kindDelete:
      return { kind: "delete", target: reader.predicate() };
    case kindRead:
      return { kind: "read", target: reader.predicate(), limit: reader.varint() };
    case kindCreateTable: {
      const ifNotExists = reader.flag();
      return { kind: "createTable", table: decodeTable(reader), ifNotExists };
    }
    case kindDropTable: {
      const ifExists = reader.flag();
      return { kind: "dropTable", name: reader.text(), ifExists };
    }
    case kindCreateIndexedTable: {
      const ifNotExists = reader.flag();
      const table = decodeTable(reader);
      return { kind: "createTable", table: { ...table, indexes: decodeIndexes(reader, table) }, ifNotExists };
    }
    case kindCreateIndex: {
      const ifNotExists = reader.flag();
      const table = reader.text();
      const name = reader.text();
      return { kind: "createIndex", table, name, columns: decodeOrdinals(reader), ifNotExists };
    }
    case kindDropIndex: {
      const ifExists = reader.flag();
      return { kind: "dropIndex", table: reader.text(), name: reader.text(), ifExists };
    }
    default:
      return decodeExtended(reader, kind);
  }
}

function decodeExtended(reader: CommandReader, kind: number): CommandStep {
  switch (kind) {
    case kindInsertOver: {
      const insert = decodeRows(reader);
      const action = reader.u8();
      if (action === duplicateUpdate) return { ...insert, onDuplicate: { set: decodeAssignments(reader) } };
      if (action > duplicateUpdate) throw reader.corrupt("what to do about duplicates is not known");
      return action === 0 ? insert : { ...insert, onDuplicate: duplicateActions[action - 1] };
    }
    case kindUpdateWithin:
      return { kind: "update", target: reader.limitedPredicate(), set: decodeAssignments(reader) };
    case kindDeleteWithin:
      return { kind: "delete", target: reader.limitedPredicate() };
    case kindUpdateSelected:
      return { kind: "update", target: reader.selection(), set: decodeAssignments(reader) };
    case kindDeleteSelected:
      return { kind: "delete", target: reader.selection() };
    case kindReadSelected:
      return { kind: "read", target: reader.selection(), limit: reader.varint() };
    case kindReadWithin:
      return { kind: "read", target: reader.limitedPredicate(), limit: reader.varint() };
    case kindCreateDetailedTable: {
      const ifNotExists = reader.flag();
      return { kind: "createTable", table: decodeDetailedTable(reader), ifNotExists };
    }
    case kindWrite: {
      const tableId = reader.varint();
      const count = reader.count(2);
      const rows: RowWrite[] = [];
      for (let i = 0; i < count; i++) {
        const key = reader.lengthPrefixed();
        rows.push({ key, value: reader.flag() ? reader.lengthPrefixed() : undefined });
      }
      return { kind: "write", tableId, rows };
    }
    case kindValidate: {
      const keyCount = reader.count(10);
      const keys: KeyRead[] = [];
      for (let i = 0; i < keyCount; i++) keys.push({ key: reader.lengthPrefixed(), ...reader.mark() });
      const rangeCount = reader.count(11);
      const ranges: RangeRead[] = [];
      for (let i = 0; i < rangeCount; i++) {
        ranges.push({ gte: reader.lengthPrefixed(), lt: reader.lengthPrefixed(), ...reader.mark() });
      }
      return { kind: "validate", keys, ranges };
    }
    case kindReserve:
      return { kind: "reserve", tableId: reader.varint(), count: reader.varint(), above: reader.int64() };
    default:
      throw reader.corrupt(`step kind ${kind} is not known`);
  }
}

function decodeRows(reader: CommandReader): CommandStep & { kind: "insert" } {
  const tableId = reader.varint();
  const columns = reader.varint();
  const rowCount = reader.count(Math.max(columns, 1));
  if (columns === 0 && rowCount > 0) throw reader.corrupt("rows without columns");
  const rows: ColumnValue[][] = [];
  for (let i = 0; i < rowCount; i++) rows.push(reader.values(columns));
  const unlessCount = reader.count(3);
  const unless: RowPredicate[] = [];
  for (let i = 0; i < unlessCount; i++) unless.push(reader.predicate());
  return { kind: "insert", tableId, rows, unless };
}

function decodeAssignments(reader: CommandReader): Assignment[] {
  const count = reader.count(3);
  const set: Assignment[] = [];
  for (let i = 0; i < count; i++) {
    const ordinal = reader.varint();
    const expression = reader.expression();
    set.push(expression.kind === "value" ? { ordinal, value: expression.value } : { ordinal, value: null, expression });
  }
  return set;
}

function decodeDetailedTable(reader: CommandReader): Table {
  const plain = decodeTable(reader);
  const indexes = decodeIndexes(reader, plain);
  const columns = plain.columns.map((column): Column => {
    const flags = reader.u8();
    if (flags > (flagFixed | flagDefault)) throw reader.corrupt("flags of a column are not known");
    const fixed: Column = (flags & flagFixed) === 0 ? column : { ...column, fixed: true };
    return (flags & flagDefault) === 0 ? fixed : { ...fixed, defaultValue: reader.plainValue() };
  });
  const place = reader.varint();
  if (place > columns.length) throw reader.corrupt("the AUTO_INCREMENT column is not valid");
  const table: Table = { ...plain, columns };
  const indexed: Table = indexes.length === 0 ? table : { ...table, indexes };
  return place === 0 ? indexed : { ...indexed, autoIncrement: place - 1 };
}

function decodeTable(reader: CommandReader): Table {
  const name = reader.text();
  const columnCount = reader.count(4);
  const columns: Column[] = [];
  for (let i = 0; i < columnCount; i++) {
    const column = { name: reader.text(), type: reader.choice(columnTypes), nullable: reader.flag() };
    const length = reader.varint();
    columns.push(length === 0 ? column : { ...column, lengthMax: length - 1 });
  }
  const primaryKey = decodeOrdinals(reader);
  if (primaryKey.some((ordinal) => ordinal >= columnCount)) throw reader.corrupt("a key column is not valid");
  return { id: 0, name, columns, primaryKey };
}

function decodeIndexes(reader: CommandReader, table: Table): TableIndex[] {
  const count = reader.count(3);
  if (count > indexesMax) throw reader.corrupt("too many indexes");
  const indexes: TableIndex[] = [];
  for (let i = 0; i < count; i++) indexes.push({ id: 0, name: reader.text(), columns: decodeOrdinals(reader) });
  const valid = indexes.every(({ columns }) => columns.every((ordinal) => ordinal < table.columns.length));
  if (!valid) throw reader.corrupt("an indexed column is not valid");
  return indexes;
}

/** A list of columns, each once and at least one. */
function decodeOrdinals(reader: CommandReader): number[] {
  const count = reader.count(1);
  const ordinals: number[] = [];
  for (let i = 0; i < count; i++) {
    const ordinal = reader.varint();
    if (ordinals.includes(ordinal)) throw reader.corrupt("a column is listed twice");
    ordinals.push(ordinal);
  }
  if (count === 0) throw reader.corrupt("a list of columns is empty");
  return ordinals;
}

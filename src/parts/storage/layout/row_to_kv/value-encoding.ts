/**
 * Values of rows: format byte, null bitmap, then the non-key columns as MySQL's binary protocol writes them, so that a
 * result row is made by copying. Layout: see `storage/layout/row-layout.ts`.
 *
 * Length-encoded bytes:
 *
 *   | first byte | length                       |
 *   |------------|------------------------------|
 *   | 0 to 250   | the byte itself              |
 *   | 252        | the next 2 bytes, LE         |
 *   | 253        | the next 3 bytes, LE         |
 *
 * 251, 254 and 255 do not occur: values are shorter than 16 MiB.
 */
import { LatheError } from "../../../../kit/errors.ts";
import type { ColumnValue } from "../../../architecture/catalog/table.ts";
import { readDouble, readInt32, readInt64, writeDouble, writeInt32, writeInt64 } from "./machine-word.ts";
import { type TableLayout, typeBigint, typeDouble, typeInt, typeVarbinary, typeVarchar } from "./table-layout.ts";

const formatVersion = 1;
const textBytesMax = 0xffffff;
/** From so many characters on the encoder's own loop is worth the call. */
const encoderCharsMin = 64;
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Returns the end of the value, or -1 where it does not fit. Errors: INVALID_ARGUMENT. */
export function writeValue(
  layout: TableLayout,
  row: readonly ColumnValue[],
  target: Uint8Array,
  offset: number,
): number {
  if (row.length !== layout.table.columns.length) {
    throw new LatheError("INVALID_ARGUMENT", `table ${layout.table.name}: ${row.length} values for its columns`);
  }
  const bitmap = offset + 1;
  let at = bitmap + layout.bitmapBytes;
  if (at > target.length) return -1;
  target[offset] = formatVersion;
  target.fill(0, bitmap, at);
  const ordinals = layout.valueOrdinals;
  for (let i = 0; i < ordinals.length; i++) {
    const value = row[ordinals[i]];
    if (value === null) {
      if (!layout.table.columns[ordinals[i]].nullable) throw nullNotAllowed(layout, ordinals[i]);
      target[bitmap + (i >>> 3)] |= 1 << (i & 7);
      continue;
    }
    const type = layout.valueTypes[i];
    if (type === typeBigint) {
      if (at + 8 > target.length) return -1;
      writeInt64(value, target, at);
      at += 8;
    } else if (type === typeInt) {
      if (at + 4 > target.length) return -1;
      writeInt32(value, target, at);
      at += 4;
    } else if (type === typeDouble) {
      if (at + 8 > target.length) return -1;
      writeDouble(value, target, at);
      at += 8;
    } else {
      at = writeLengthEncoded(value, target, at);
      if (at < 0) return -1;
    }
  }
  return at;
}

function writeLengthEncoded(value: ColumnValue, target: Uint8Array, offset: number): number {
  if (typeof value === "string") {
    // Optimistic: if all characters are ASCII then the number of bytes is the number of characters.
    const length = value.length;
    const start = writeLength(length, target, offset);
    if (start < 0 || start + length > target.length) return -1;
    if (writeAscii(value, target, start)) return start + length;
    value = encoder.encode(value);
  }
  if (!(value instanceof Uint8Array)) {
    throw new LatheError("INVALID_ARGUMENT", `a varchar or varbinary column takes text or bytes, not ${typeof value}`);
  }
  const start = writeLength(value.length, target, offset);
  if (start < 0 || start + value.length > target.length) return -1;
  target.set(value, start);
  return start + value.length;
}

/** Returns whether all characters are ASCII; where not, what it wrote is to be written over. There must be room. */
function writeAscii(text: string, target: Uint8Array, start: number): boolean {
  const { length } = text;
  // Any other character takes more bytes than it counts characters, so not all of the text fits into so many bytes.
  if (length >= encoderCharsMin) {
    return encoder.encodeInto(text, target.subarray(start, start + length)).read === length;
  }
  let seen = 0;
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i);
    seen |= code;
    target[start + i] = code;
  }
  return seen < 0x80;
}

function writeLength(length: number, target: Uint8Array, at: number): number {
  if (length > textBytesMax) {
    throw new LatheError("LIMIT_EXCEEDED", `a text of ${length} bytes is longer than 16 MiB`);
  }
  if (at + 4 > target.length) return -1;
  if (length < 251) {
    target[at] = length;
    return at + 1;
  }
  target[at + 1] = length & 0xff;
  target[at + 2] = (length >>> 8) & 0xff;
  if (length <= 0xffff) {
    target[at] = 252;
    return at + 3;
  }
  target[at] = 253;
  target[at + 3] = length >>> 16;
  return at + 4;
}

/** Where the content of length-encoded bytes begins and ends; checked against the value's length. */
function contentStart(layout: TableLayout, value: Uint8Array, at: number): number {
  const first = value[at];
  if (first < 251) return at + 1;
  if (first === 252) return at + 3;
  if (first === 253) return at + 4;
  throw corrupt(layout, "a length is not valid");
}

function columnEnd(layout: TableLayout, type: number, value: Uint8Array, at: number): number {
  let end: number;
  if (type === typeInt) end = at + 4;
  else if (type === typeBigint || type === typeDouble) end = at + 8;
  else {
    if (at >= value.length) throw corrupt(layout, "it is too short");
    const start = contentStart(layout, value, at);
    if (start > value.length) throw corrupt(layout, "it is too short");
    if (start === at + 1) end = start + value[at];
    else if (start === at + 3) end = start + (value[at + 1] | (value[at + 2] << 8));
    else end = start + (value[at + 1] | (value[at + 2] << 8) | (value[at + 3] << 16));
  }
  if (end > value.length) throw corrupt(layout, "it is too short");
  return end;
}

/** Where a non-key column stands, its length prefix included. Errors: CORRUPTION. */
export function findColumn(
  layout: TableLayout,
  ordinal: number,
  value: Uint8Array,
  span: { start: number; end: number },
): { start: number; end: number } {
  checkHead(layout, value);
  const place = layout.valuePlaces[ordinal];
  if (place === undefined || place < 0) {
    throw new LatheError("INVALID_ARGUMENT", `column ${ordinal} of ${layout.table.name} is not in its values`);
  }
  let at = 1 + layout.bitmapBytes;
  for (let i = 0; i < place; i++) {
    if (!isNull(value, i)) at = columnEnd(layout, layout.valueTypes[i], value, at);
  }
  const absent = isNull(value, place);
  span.start = absent ? 0 : at;
  span.end = absent ? 0 : columnEnd(layout, layout.valueTypes[place], value, at);
  return span;
}

/**
 * Puts the non-key columns' values into `row` at their ordinals; with `views` text and bytes are views of `value`.
 * Errors: CORRUPTION.
 */
export function readValue(layout: TableLayout, value: Uint8Array, row: ColumnValue[], views: boolean): void {
  checkHead(layout, value);
  const spareBits = layout.valueOrdinals.length & 7;
  if (spareBits !== 0 && value[layout.bitmapBytes] >>> spareBits !== 0) {
    throw corrupt(layout, "its bitmap is not valid");
  }
  let at = 1 + layout.bitmapBytes;
  for (let i = 0; i < layout.valueOrdinals.length; i++) {
    const ordinal = layout.valueOrdinals[i];
    if (isNull(value, i)) {
      if (!layout.table.columns[ordinal].nullable) {
        throw corrupt(layout, "a column that cannot be NULL is NULL");
      }
      row[ordinal] = null;
      continue;
    }
    const end = columnEnd(layout, layout.valueTypes[i], value, at);
    const type = layout.valueTypes[i];
    const viewed = views && (type === typeVarchar || type === typeVarbinary);
    if (viewed) row[ordinal] = value.subarray(contentStart(layout, value, at), end);
    else row[ordinal] = readColumn(layout, type, value, at, end);
    at = end;
  }
  if (at !== value.length) throw corrupt(layout, "bytes are left over");
}

function readColumn(layout: TableLayout, type: number, value: Uint8Array, at: number, end: number): ColumnValue {
  if (type === typeBigint) return readInt64(value, at);
  if (type === typeInt) return readInt32(value, at);
  if (type === typeDouble) {
    const number = readDouble(value, at);
    if (Number.isNaN(number)) throw corrupt(layout, "a double is not a number");
    return number;
  }
  const start = contentStart(layout, value, at);
  if (type !== typeVarchar) return value.slice(start, end);
  try {
    return decoder.decode(value.subarray(start, end));
  } catch {
    throw corrupt(layout, "text is not UTF-8");
  }
}

function checkHead(layout: TableLayout, value: Uint8Array): void {
  if (value.length < 1 + layout.bitmapBytes) throw corrupt(layout, "it is too short");
  if (value[0] !== formatVersion) throw corrupt(layout, `its format ${value[0]} is not known`);
}

function isNull(value: Uint8Array, place: number): boolean {
  return (value[1 + (place >>> 3)] & (1 << (place & 7))) !== 0;
}

function nullNotAllowed(layout: TableLayout, ordinal: number): LatheError {
  const name = layout.table.columns[ordinal].name;
  return new LatheError("INVALID_ARGUMENT", `column ${name} of table ${layout.table.name} cannot be NULL`);
}

function corrupt(layout: TableLayout, why: string): LatheError {
  const { id, name } = layout.table;
  return new LatheError("CORRUPTION", `row of table ${name}: ${why}`, { details: { tableId: id } });
}

/**
 * Rows from stored bytes: the hot path of reads.
 *
 * Binary rows: 00, null bitmap (bit i + 2 for column i), values. Text rows: per column FB for NULL,
 * else string<lenenc>.
 * Algorithm:
 *   1. A result of all value columns without NULLs, binary: copy the whole value so that its
 *      columns land in place, then write header and bitmap over its first bytes. One copy, no
 *      decoding.
 *   2. Otherwise column by column: RowLayout says where a value's column is; key columns are turned
 *      from their ordered form (big-endian, sign flipped) into the wire's.
 *   3. In text rows 64-bit integers become digits without a BigInt.
 * Invariant: bytes beyond the given key and value are never read.
 */
import { LatheError } from "../../../../../kit/errors.ts";
import type { ColumnValue } from "../../../catalog/table.ts";
import type { RowLayout } from "../../../../storage/layout/row-layout.ts";
import { writeDigits, writeInt64Digits } from "./decimal-digits.ts";
import type { OutputBuffer } from "./output-buffer.ts";
import type { StoredColumn, StoredRowPlan } from "./stored-row-plan.ts";
import { writeBinaryValue, writeTextValue } from "./value-row.ts";

const valueFormat = 1;
const textNull = 0xfb;
/** Room for a number in either form, with its length. */
const numberBytesMax = 32;
/** Below this many bytes a loop is faster than making a view for `set`. */
const loopBytesMax = 48;

/** Beyond this many bytes of a value a view costs little beside the copy, and none is kept. */
const keptViewBytesMax = 4096;

const span = { start: 0, end: 0 };
/** The view that was copied last: caches give all values of one length in one place. */
const kept: { source: Uint8Array; start: number; end: number; view: Uint8Array } = {
  source: new Uint8Array(0), start: 0, end: 0, view: new Uint8Array(0),
};
const doubleScratch = new Float64Array(1);
const doubleBytes = new Uint8Array(doubleScratch.buffer);

export function writeStoredRowBinary(
  output: OutputBuffer,
  plan: StoredRowPlan,
  layout: RowLayout,
  key: Uint8Array,
  value: Uint8Array,
): void {
  const columns = plan.columns;
  // Text out of a decoded key asks for three bytes per character; with that much room nothing below
  // moves the buffer.
  output.reserve(5 + plan.bitmapBytes + value.length + 3 * key.length + columns.length * numberBytesMax);
  const bytes = output.bytes;
  const start = output.position;
  const bitmap = start + 5;
  const values = bitmap + plan.bitmapBytes;
  if (plan.whole && holdsNoNull(plan, value)) {
    const header = plan.valueHeaderBytes;
    bytes.set(value, values - header);
    for (let at = start + 4; at < values; at++) bytes[at] = 0;
    output.position = values + value.length - header;
    output.writeHeader(start, output.position - start - 4);
    return;
  }
  for (let at = start + 4; at < values; at++) bytes[at] = 0;
  output.beginPacket();
  output.position = values;
  const decoded = plan.decodesKey ? layout.decodeKey(plan.table, key) : undefined;
  for (let i = 0; i < columns.length; i++) {
    const column = columns[i];
    if (column.keyPosition !== -1) {
      if (column.keyOffset === -1) writeBinaryValue(output, column.type, keyValue(decoded, column));
      else writeBinaryKeyColumn(output, column, key);
      continue;
    }
    layout.columnSpan(plan.table, column.ordinal, value, span);
    if (span.end === 0) bytes[bitmap + ((i + 2) >> 3)] |= 1 << ((i + 2) & 7);
    else copySpan(output, value, span.start, span.end);
  }
  output.endPacket();
}

export function writeStoredRowText(
  output: OutputBuffer,
  plan: StoredRowPlan,
  layout: RowLayout,
  key: Uint8Array,
  value: Uint8Array,
): void {
  const columns = plan.columns;
  output.reserve(4 + value.length + columns.length * numberBytesMax);
  output.beginPacket();
  const decoded = plan.decodesKey ? layout.decodeKey(plan.table, key) : undefined;
  for (let i = 0; i < columns.length; i++) {
    const column = columns[i];
    if (column.keyPosition !== -1) {
      if (column.keyOffset === -1) writeTextValue(output, keyValue(decoded, column));
      else writeTextKeyColumn(output, column, key);
      continue;
    }
    layout.columnSpan(plan.table, column.ordinal, value, span);
    if (span.end === 0) output.writeU8(textNull);
    else writeTextSpan(output, column, value, span.start, span.end);
  }
  output.endPacket();
}

function holdsNoNull(plan: StoredRowPlan, value: Uint8Array): boolean {
  if (value.length < plan.valueHeaderBytes || value[0] !== valueFormat) return false;
  for (let at = 1; at < plan.valueHeaderBytes; at++) {
    if (value[at] !== 0) return false;
  }
  return true;
}

function keyValue(decoded: readonly ColumnValue[] | undefined, column: StoredColumn): ColumnValue {
  return decoded === undefined ? null : decoded[column.keyPosition];
}

function copySpan(output: OutputBuffer, source: Uint8Array, start: number, end: number): void {
  if (end > source.length || start > end) throw shortRow();
  const length = end - start;
  output.reserve(length);
  const bytes = output.bytes;
  const at = output.position;
  if (length <= loopBytesMax) {
    for (let i = 0; i < length; i++) bytes[at + i] = source[start + i];
  } else {
    bytes.set(viewOf(source, start, end), at);
  }
  output.position = at + length;
}

function viewOf(source: Uint8Array, start: number, end: number): Uint8Array {
  if (kept.source === source && kept.start === start && kept.end === end) return kept.view;
  const view = source.subarray(start, end);
  if (source.buffer.byteLength > keptViewBytesMax) return view;
  kept.source = source;
  kept.start = start;
  kept.end = end;
  kept.view = view;
  return view;
}

function writeTextSpan(
  output: OutputBuffer,
  column: StoredColumn,
  value: Uint8Array,
  start: number,
  end: number,
): void {
  switch (column.type) {
    case "bigint":
      if (end - start !== 8 || end > value.length) throw shortRow();
      return writeInt64Text(output, read32(value, start + 4), read32(value, start));
    case "int":
      if (end - start !== 4 || end > value.length) throw shortRow();
      return writeInt32Text(output, read32(value, start));
    case "double":
      if (end - start !== 8 || end > value.length) throw shortRow();
      for (let i = 0; i < 8; i++) doubleBytes[i] = value[start + i];
      return writeTextValue(output, doubleScratch[0]);
    default:
      return copySpan(output, value, start, end);
  }
}

function writeBinaryKeyColumn(output: OutputBuffer, column: StoredColumn, key: Uint8Array): void {
  const length = column.type === "int" ? 4 : 8;
  const start = column.keyOffset;
  if (start + length > key.length) throw shortRow();
  output.reserve(length);
  const bytes = output.bytes;
  const at = output.position;
  const flip = column.type === "double" && key[start] < 0x80 ? 0xff : 0;
  for (let i = 0; i < length; i++) bytes[at + length - 1 - i] = key[start + i] ^ flip;
  if (flip === 0) bytes[at + length - 1] ^= 0x80;
  output.position = at + length;
}

function writeTextKeyColumn(output: OutputBuffer, column: StoredColumn, key: Uint8Array): void {
  const start = column.keyOffset;
  if (start + (column.type === "int" ? 4 : 8) > key.length) throw shortRow();
  const high = readBigEndian32(key, start);
  if (column.type === "int") return writeInt32Text(output, high ^ 0x8000_0000);
  const low = readBigEndian32(key, start + 4);
  if (column.type === "bigint") return writeInt64Text(output, high ^ 0x8000_0000, low);
  const flip = key[start] < 0x80 ? 0xff : 0;
  for (let i = 0; i < 8; i++) doubleBytes[7 - i] = key[start + i] ^ flip;
  if (flip === 0) doubleBytes[7] ^= 0x80;
  return writeTextValue(output, doubleScratch[0]);
}

function writeInt64Text(output: OutputBuffer, high: number, low: number): void {
  output.reserve(numberBytesMax);
  const at = output.position;
  const end = writeInt64Digits(output.bytes, at + 1, high, low);
  output.bytes[at] = end - at - 1;
  output.position = end;
}

function writeInt32Text(output: OutputBuffer, value: number): void {
  output.reserve(numberBytesMax);
  const bytes = output.bytes;
  const at = output.position;
  let digits = at + 1;
  if (value < 0) bytes[digits++] = 0x2d;
  const end = writeDigits(bytes, digits, Math.abs(value));
  bytes[at] = end - at - 1;
  output.position = end;
}

function read32(bytes: Uint8Array, at: number): number {
  return bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
}

function readBigEndian32(bytes: Uint8Array, at: number): number {
  return (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
}

function shortRow(): LatheError {
  return new LatheError("CORRUPTION", "a stored row is shorter than its table says");
}

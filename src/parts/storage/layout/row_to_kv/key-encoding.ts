/**
 * Keys of rows: the table id and the primary key's columns, so that memcmp orders rows as their keys.
 *
 * Layout: see `storage/layout/row-layout.ts`. Strings and bytes are escaped (00 becomes 00 FF) and ended by 00 01, so
 * that a shorter string sorts before a longer one that it begins, whatever follows in the key.
 * Source: CockroachDB's keyside encoding, TiDB's codec.
 */
import { LatheError } from "../../../../kit/errors.ts";
import type { ColumnValue } from "../../../architecture/catalog/table.ts";
import {
  readOrderedDouble,
  readOrderedInt32,
  readOrderedInt64,
  writeOrderedDouble,
  writeOrderedInt32,
  writeOrderedInt64,
} from "./machine-word.ts";
import { type TableLayout, typeBigint, typeDouble, typeInt, typeVarchar } from "./table-layout.ts";

const escapeByte = 0x00;
const escapedZero = 0xff;
const terminator = 0x01;
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Returns the end of the key, or -1 where it does not fit. Errors: INVALID_ARGUMENT for NULL and wrong types. */
export function writeKey(
  layout: TableLayout,
  values: readonly ColumnValue[],
  target: Uint8Array,
  offset: number,
): number {
  const types = layout.keyTypes;
  if (values.length > types.length) {
    throw new LatheError("INVALID_ARGUMENT", `table ${layout.table.name}: ${values.length} values for its key`);
  }
  const id = layout.table.id;
  if (offset + 4 > target.length) return -1;
  target[offset] = id >>> 24;
  target[offset + 1] = (id >>> 16) & 0xff;
  target[offset + 2] = (id >>> 8) & 0xff;
  target[offset + 3] = id & 0xff;
  let at = offset + 4;
  for (let i = 0; i < values.length; i++) {
    const type = types[i];
    const value = values[i];
    if (value === null) throw new LatheError("INVALID_ARGUMENT", `table ${layout.table.name}: NULL in a key`);
    if (type === typeBigint) {
      if (at + 8 > target.length) return -1;
      writeOrderedInt64(value, target, at);
      at += 8;
    } else if (type === typeInt) {
      if (at + 4 > target.length) return -1;
      writeOrderedInt32(value, target, at);
      at += 4;
    } else if (type === typeDouble) {
      if (at + 8 > target.length) return -1;
      writeOrderedDouble(value, target, at);
      at += 8;
    } else {
      at = writeEscaped(value, target, at);
      if (at < 0) return -1;
    }
  }
  return at;
}

function writeEscaped(value: ColumnValue, target: Uint8Array, offset: number): number {
  let at = offset;
  if (typeof value === "string") {
    // Most keys are ASCII without zero bytes: copied in one pass, which is given up at the first other character.
    const length = value.length;
    if (at + length + 2 > target.length) return -1;
    let i = 0;
    for (; i < length; i++) {
      const code = value.charCodeAt(i);
      if (code === 0 || code >= 0x80) break;
      target[at + i] = code;
    }
    if (i === length) {
      target[at + i] = escapeByte;
      target[at + i + 1] = terminator;
      return at + i + 2;
    }
    value = encoder.encode(value);
  }
  if (!(value instanceof Uint8Array)) {
    throw new LatheError("INVALID_ARGUMENT", `a varchar or varbinary column takes text or bytes, not ${typeof value}`);
  }
  for (let i = 0; i < value.length; i++) {
    if (at + 2 > target.length) return -1;
    const byte = value[i];
    target[at++] = byte;
    if (byte === escapeByte) target[at++] = escapedZero;
  }
  if (at + 2 > target.length) return -1;
  target[at] = escapeByte;
  target[at + 1] = terminator;
  return at + 2;
}

/** Decodes a whole key. Errors: CORRUPTION. */
export function readKey(layout: TableLayout, key: Uint8Array): ColumnValue[] {
  const id = key.length < 4 ? -1 : ((key[0] << 24) | (key[1] << 16) | (key[2] << 8) | key[3]) >>> 0;
  if (id !== layout.table.id) throw corrupt(layout, "it belongs to another table");
  const values: ColumnValue[] = [];
  let at = 4;
  for (const type of layout.keyTypes) {
    if (type === typeBigint || type === typeDouble) {
      if (at + 8 > key.length) throw corrupt(layout, "it is too short");
      values.push(type === typeBigint ? readOrderedInt64(key, at) : finite(layout, readOrderedDouble(key, at)));
      at += 8;
    } else if (type === typeInt) {
      if (at + 4 > key.length) throw corrupt(layout, "it is too short");
      values.push(readOrderedInt32(key, at));
      at += 4;
    } else {
      const end = escapedEnd(layout, key, at);
      const bytes = unescape(key, at, end);
      values.push(type === typeVarchar ? decodeText(layout, bytes) : bytes);
      at = end + 2;
    }
  }
  if (at !== key.length) throw corrupt(layout, "bytes are left over");
  return values;
}

/** Where the first `columns` columns of a key end; what lies behind is not looked at. Errors: CORRUPTION. */
export function keyPrefixBytes(layout: TableLayout, key: Uint8Array, columns: number): number {
  let at = 4;
  for (let i = 0; i < columns; i++) {
    const type = layout.keyTypes[i];
    if (type === typeBigint || type === typeDouble) at += 8;
    else if (type === typeInt) at += 4;
    else at = escapedEnd(layout, key, at) + 2;
  }
  if (at > key.length) throw corrupt(layout, "it is too short");
  return at;
}

/** Where the terminator of an escaped string begins. */
function escapedEnd(layout: TableLayout, key: Uint8Array, start: number): number {
  let at = start;
  while (at + 1 < key.length) {
    if (key[at] !== escapeByte) at++;
    else if (key[at + 1] === escapedZero) at += 2;
    else if (key[at + 1] === terminator) return at;
    else throw corrupt(layout, "an escape is not valid");
  }
  throw corrupt(layout, "a string does not end");
}

function unescape(key: Uint8Array, start: number, end: number): Uint8Array {
  const bytes = new Uint8Array(end - start);
  let length = 0;
  for (let at = start; at < end; at++) {
    bytes[length++] = key[at];
    if (key[at] === escapeByte) at++;
  }
  return length === bytes.length ? bytes : bytes.slice(0, length);
}

function decodeText(layout: TableLayout, bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw corrupt(layout, "text is not UTF-8");
  }
}

function finite(layout: TableLayout, value: number): number {
  if (Number.isNaN(value)) throw corrupt(layout, "a double is not a number");
  return value;
}

function corrupt(layout: TableLayout, why: string): LatheError {
  const { id, name } = layout.table;
  return new LatheError("CORRUPTION", `key of table ${name}: ${why}`, { details: { tableId: id } });
}

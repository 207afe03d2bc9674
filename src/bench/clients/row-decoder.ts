/**
 * Decodes rows of results into a `RowView`, in place in the buffer in which they arrived.
 *
 * | protocol | row                                                                                          |
 * | text     | per column: FB for NULL, else a length-encoded text                                          |
 * | binary   | 00, a bitmap of NULLs that starts at bit 2, then per column its bytes: little-endian integers, |
 * |          | length-encoded texts, temporal values with a length byte                                     |
 * Source: MySQL's client/server protocol documentation.
 */
import type { RowView } from "../../workload/row-view.ts";

/** How a column travels in a binary row. */
const wire = {
  text: 0,
  integer1: 1,
  integer2: 2,
  integer4: 3,
  integer8: 4,
  eightBytes: 5,
  fourBytes: 6,
  temporal: 7,
} as const;

/** How a column of a MySQL type travels; to be kept per statement. */
export function wireOf(type: number): number {
  switch (type) {
    case 1:
      return wire.integer1;
    case 2:
    case 13:
      return wire.integer2;
    case 3:
    case 9:
      return wire.integer4;
    case 8:
      return wire.integer8;
    case 4:
      return wire.fourBytes;
    case 5:
      return wire.eightBytes;
    case 7:
    case 10:
    case 11:
    case 12:
      return wire.temporal;
    default:
      return wire.text;
  }
}

/** Decodes `row.columns` columns that start at `start` of `row.bytes`. Returns where they end. */
export function decodeTextRow(row: RowView, columnWire: Uint8Array, start: number): number {
  let position = start;
  for (let column = 0; column < row.columns; column++) {
    row.isInteger[column] = 0;
    position = decodeText(row, column, position);
    const code = columnWire[column];
    if (code < wire.integer1 || code > wire.integer8 || row.length[column] < 0) continue;
    row.isInteger[column] = row.parseInteger(column, row.start[column], row.length[column]) ? 1 : 0;
  }
  return position;
}

export function decodeBinaryRow(row: RowView, columnWire: Uint8Array, start: number): number {
  const bytes = row.bytes;
  const nulls = start + 1;
  let position = nulls + ((row.columns + 9) >>> 3);
  for (let column = 0; column < row.columns; column++) {
    row.isInteger[column] = 0;
    const bit = column + 2;
    if ((bytes[nulls + (bit >>> 3)] & (1 << (bit & 7))) !== 0) {
      row.length[column] = -1;
    } else if (columnWire[column] === wire.integer8) {
      row.low[column] = littleEndian(bytes, position);
      row.high[column] = littleEndian(bytes, position + 4);
      row.isInteger[column] = 1;
      row.length[column] = 8;
      position += 8;
    } else if (columnWire[column] === wire.text) {
      position = decodeText(row, column, position);
    } else {
      position = decodeSmall(row, column, columnWire[column], position);
    }
  }
  return position;
}

/** A length-encoded text or NULL. */
function decodeText(row: RowView, column: number, start: number): number {
  const bytes = row.bytes;
  let position = start;
  let length = bytes[position++];
  if (length === 0xfb) {
    row.length[column] = -1;
    return position;
  }
  if (length > 0xfb) {
    const width = length === 0xfc ? 2 : 3;
    length = bytes[position] | (bytes[position + 1] << 8) | (width === 3 ? bytes[position + 2] << 16 : 0);
    position += width;
  }
  row.start[column] = position;
  row.length[column] = length;
  return position + length;
}

/** Fixed-width and temporal columns, which the workloads do not have but other queries may. */
function decodeSmall(row: RowView, column: number, code: number, start: number): number {
  const bytes = row.bytes;
  let position = start;
  let length = code === wire.eightBytes ? 8 : 4;
  if (code === wire.temporal) {
    length = bytes[position++];
  } else if (code !== wire.eightBytes && code !== wire.fourBytes) {
    length = code === wire.integer1 ? 1 : code === wire.integer2 ? 2 : 4;
    // Shifting up and down again spreads the sign.
    const unused = 32 - length * 8;
    const raw = length === 4 ? littleEndian(bytes, position) : bytes[position] | (bytes[position + 1] << 8);
    const value = (raw << unused) >> unused;
    row.low[column] = value;
    row.high[column] = value < 0 ? -1 : 0;
    row.isInteger[column] = 1;
  }
  row.start[column] = position;
  row.length[column] = length;
  return position + length;
}

function littleEndian(bytes: Uint8Array, position: number): number {
  return bytes[position] | (bytes[position + 1] << 8) | (bytes[position + 2] << 16) | (bytes[position + 3] << 24);
}

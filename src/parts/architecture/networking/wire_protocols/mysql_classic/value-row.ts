/**
 * Rows from column values: expressions, `SELECT @@version_comment`, rows of transactions.
 *
 * The forms are those of stored-row.ts. A value may come in another type than its column announces
 * only where nothing is lost: a number for a bigint, a bigint for an int.
 */
import { assert } from "../../../../../kit/assert.ts";
import type { ColumnValue } from "../../../catalog/table.ts";
import type { ResultColumn } from "../../../../query_processing/executor.ts";
import type { OutputBuffer } from "./output-buffer.ts";

const textNull = 0xfb;
const scratch = new ArrayBuffer(8);
const scratchBytes = new Uint8Array(scratch);
const scratchInt64 = new BigInt64Array(scratch);
const scratchDouble = new Float64Array(scratch);

export function writeValueRowText(output: OutputBuffer, values: readonly ColumnValue[]): void {
  output.beginPacket();
  for (let i = 0; i < values.length; i++) writeTextValue(output, values[i]);
  output.endPacket();
}

export function writeValueRowBinary(
  output: OutputBuffer,
  columns: readonly ResultColumn[],
  values: readonly ColumnValue[],
): void {
  const bitmapBytes = (columns.length + 2 + 7) >> 3;
  output.beginPacket();
  output.reserve(1 + bitmapBytes);
  output.bytes.fill(0, output.position, output.position + 1 + bitmapBytes);
  for (let i = 0; i < columns.length; i++) {
    if (values[i] === null) output.bytes[output.position + 1 + ((i + 2) >> 3)] |= 1 << ((i + 2) & 7);
  }
  output.position += 1 + bitmapBytes;
  for (let i = 0; i < columns.length; i++) {
    if (values[i] !== null) writeBinaryValue(output, columns[i].type, values[i]);
  }
  output.endPacket();
}

export function writeTextValue(output: OutputBuffer, value: ColumnValue): void {
  if (value === null) output.writeU8(textNull);
  else if (typeof value === "string") output.writeTextWithLength(value);
  else if (typeof value === "bigint") output.writeTextWithLength(value.toString());
  else if (typeof value === "number") output.writeTextWithLength(doubleText(value));
  else output.writeBytesWithLength(value);
}

export function writeBinaryValue(output: OutputBuffer, type: ResultColumn["type"], value: ColumnValue): void {
  switch (type) {
    case "bigint":
      assert(typeof value === "bigint" || typeof value === "number", "a bigint column holds an integer");
      scratchInt64[0] = BigInt(value);
      return output.writeBytes(scratchBytes);
    case "int":
      assert(typeof value === "bigint" || typeof value === "number", "an int column holds an integer");
      return output.writeU32(Number(value) >>> 0);
    case "double":
      assert(typeof value === "bigint" || typeof value === "number", "a double column holds a number");
      scratchDouble[0] = Number(value);
      return output.writeBytes(scratchBytes);
    default:
      if (value instanceof Uint8Array) output.writeBytesWithLength(value);
      else output.writeTextWithLength(typeof value === "number" ? doubleText(value) : String(value));
  }
}

/** Shortest digits that read back as the same double, with an exponent as MySQL writes it (`1e22`). */
function doubleText(value: number): string {
  return String(value).replace("e+", "e");
}

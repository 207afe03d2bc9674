/**
 * Parameters of COM_STMT_EXECUTE, read in place from the packet.
 *
 *   | field                | bytes                                                                 |
 *   |----------------------|-----------------------------------------------------------------------|
 *   | null bitmap          | ceil(n / 8), bit i for parameter i                                    |
 *   | new parameters bound | 1; when 1, types follow, else those of the last execution hold        |
 *   | types                | n × 2: type code, 80 in the second byte for unsigned                  |
 *   | values               | by type; none for NULL and for parameters sent as long data           |
 *
 * Numbers become numbers, 64-bit integers bigints unless 32 bits hold them; text becomes a string where it is UTF-8 and
 * bytes where it is not (the binding of MySQL's C client sends binary strings as VAR_STRING); blobs
 * are views that hold during the call.
 * Source: "COM_STMT_EXECUTE" and "Binary Protocol Value" in MySQL's source documentation.
 */
import { LatheError } from "../../../../../kit/errors.ts";
import type { ColumnValue } from "../../../catalog/table.ts";
import { fieldType } from "./field-type.ts";
import { decodeText } from "./packet-reader.ts";
import type { PacketReader } from "./packet-reader.ts";
import type { SessionStatement } from "./session-statements.ts";

const unsignedFlag = 0x80;

const scratch = new ArrayBuffer(8);
const scratchBytes = new Uint8Array(scratch);
/** Low and high half; as the others, of little-endian machines only. */
const scratchWords = new Int32Array(scratch);
const scratchInt64 = new BigInt64Array(scratch);
const scratchUint64 = new BigUint64Array(scratch);
const scratchFloat = new Float32Array(scratch);
const scratchDouble = new Float64Array(scratch);

/**
 * Fills `statement.values`. Errors: PROTOCOL for what is truncated or unknown, INVALID_ARGUMENT for
 * missing types.
 */
export function readParameters(reader: PacketReader, statement: SessionStatement): void {
  const count = statement.values.length;
  if (count === 0) return;
  const bytes = reader.bytes;
  const bitmap = reader.take((count + 7) >> 3);
  if (reader.u8() === 1) {
    const at = reader.take(count * 2);
    for (let i = 0; i < count * 2; i++) statement.types[i] = bytes[at + i];
    statement.typesKnown = true;
  } else if (!statement.typesKnown) {
    throw new LatheError("INVALID_ARGUMENT", "the first execution must say its parameters' types");
  }
  const values = statement.values;
  const types = statement.types;
  const longData = statement.longData;
  for (let i = 0; i < count; i++) {
    const long = longData?.get(i);
    if (long !== undefined) values[i] = longValue(types[2 * i], Buffer.concat(long));
    else if ((bytes[bitmap + (i >> 3)] & (1 << (i & 7))) !== 0) values[i] = null;
    else values[i] = readValue(reader, types[2 * i], (types[2 * i + 1] & unsignedFlag) !== 0);
  }
}

/** As a 32-bit integer comes where it would fit one: a bigint is made of a heap object and a call. */
function readInt64(reader: PacketReader, unsigned: boolean): number | bigint {
  loadScratch(reader, 8);
  const low = scratchWords[0];
  const high = scratchWords[1];
  if (unsigned) return high === 0 ? low >>> 0 : scratchUint64[0];
  return high === low >> 31 ? low : scratchInt64[0];
}

function readValue(reader: PacketReader, type: number, unsigned: boolean): ColumnValue {
  switch (type) {
    case fieldType.longlong:
      return readInt64(reader, unsigned);
    case fieldType.long:
    case fieldType.int24: {
      const value = reader.u32();
      return unsigned ? value : value | 0;
    }
    case fieldType.short:
    case fieldType.year: {
      const value = reader.u16();
      return unsigned ? value : (value << 16) >> 16;
    }
    case fieldType.tiny: {
      const value = reader.u8();
      return unsigned ? value : (value << 24) >> 24;
    }
    case fieldType.double:
      loadScratch(reader, 8);
      return scratchDouble[0];
    case fieldType.float:
      loadScratch(reader, 4);
      return scratchFloat[0];
    case fieldType.null:
      return null;
    case fieldType.date:
    case fieldType.datetime:
    case fieldType.timestamp:
      return readDate(reader);
    case fieldType.time:
      return readTime(reader);
    case fieldType.tinyBlob:
    case fieldType.mediumBlob:
    case fieldType.longBlob:
    case fieldType.blob:
    case fieldType.bit:
    case fieldType.geometry:
      return reader.view(reader.length());
    case fieldType.varchar:
    case fieldType.varString:
    case fieldType.string:
    case fieldType.decimal:
    case fieldType.newDecimal:
    case fieldType.enum:
    case fieldType.set:
    case fieldType.json: {
      const length = reader.length();
      const start = reader.take(length);
      return decodeText(reader.bytes, start, start + length) ?? reader.bytes.subarray(start, start + length);
    }
    default:
      throw new LatheError("PROTOCOL", `parameters of type ${type} are not known`);
  }
}

function loadScratch(reader: PacketReader, length: number): void {
  const at = reader.take(length);
  const bytes = reader.bytes;
  for (let i = 0; i < length; i++) scratchBytes[i] = bytes[at + i];
}

/** Long data is text where its parameter is bound as text. */
function longValue(type: number, bytes: Buffer): ColumnValue {
  const binary = type >= fieldType.tinyBlob && type <= fieldType.blob;
  return binary ? bytes : (decodeText(bytes, 0, bytes.length) ?? bytes);
}

/** Length 0, 4 (date), 7 (with time) or 11 (with microseconds); as MySQL writes dates in text. */
function readDate(reader: PacketReader): string {
  const length = reader.u8();
  if (length !== 0 && length !== 4 && length !== 7 && length !== 11) throw wrongTime();
  if (length === 0) return "0000-00-00";
  const date = `${digits(reader.u16(), 4)}-${digits(reader.u8(), 2)}-${digits(reader.u8(), 2)}`;
  if (length === 4) return date;
  return `${date} ${readClock(reader, 0)}${length === 11 ? `.${digits(reader.u32(), 6)}` : ""}`;
}

/** Length 0, 8 or 12 (with microseconds): sign, days, hours, minutes, seconds. */
function readTime(reader: PacketReader): string {
  const length = reader.u8();
  if (length !== 0 && length !== 8 && length !== 12) throw wrongTime();
  if (length === 0) return "00:00:00";
  const sign = reader.u8() === 1 ? "-" : "";
  const days = reader.u32();
  return `${sign}${readClock(reader, days * 24)}${length === 12 ? `.${digits(reader.u32(), 6)}` : ""}`;
}

function readClock(reader: PacketReader, hoursBefore: number): string {
  return `${digits(hoursBefore + reader.u8(), 2)}:${digits(reader.u8(), 2)}:${digits(reader.u8(), 2)}`;
}

function digits(value: number, width: number): string {
  return String(value).padStart(width, "0");
}

function wrongTime(): LatheError {
  return new LatheError("PROTOCOL", "a date or time parameter has a length that none has");
}

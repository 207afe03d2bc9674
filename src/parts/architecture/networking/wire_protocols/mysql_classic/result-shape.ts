/**
 * What goes before the rows of a result set: column count and column definitions, encoded once per shape.
 *
 * A planner hands out one ResultShape per plan, so a WeakMap by identity finds the bytes again; a
 * response then begins with one copy. The bytes carry sequence numbers from 1, as they stand in the
 * first result of a command; later results of a multi-statement text are patched at the recorded
 * header offsets.
 *
 * Column definition 4.1: catalog "def", schema, table, original table, name, original name (each
 * string<lenenc>), 0C, collation 2, length 4, type 1, flags 2, decimals 1, 00 00.
 * Source: "Text Resultset" in MySQL's source documentation.
 */
import type { ResultColumn, ResultShape } from "../../../../query_processing/executor.ts";
import { serverStatus } from "./capability.ts";
import { collation, columnFlag, fieldType } from "./field-type.ts";
import { OutputBuffer, OutputSlab } from "./output-buffer.ts";
import { planStoredRow } from "./stored-row-plan.ts";
import type { StoredRowPlan } from "./stored-row-plan.ts";

export interface EncodedShape {
  readonly shape: ResultShape;
  /** Column count, definitions and the EOF packet that ends them. */
  readonly withEof: EncodedPackets;
  /** The same without the EOF packet, for clients with DEPRECATE_EOF. */
  readonly withoutEof: EncodedPackets;
  /** How to cut rows out of stored bytes; undefined for shapes whose rows come as values. */
  readonly plan: StoredRowPlan | undefined;
}

export interface EncodedPackets {
  readonly bytes: Uint8Array;
  /** Where the packets begin. */
  readonly offsets: readonly number[];
}

interface ColumnForm {
  readonly code: number;
  readonly collation: number;
  /** Length announced; 0 where the column's own length counts. */
  readonly bytes: number;
  readonly flags: number;
  readonly decimals: number;
}

const { binary, utf8mb4GeneralCi } = collation;
const columnForms: { readonly [type in ResultColumn["type"]]: ColumnForm } = {
  bigint: { code: fieldType.longlong, collation: binary, bytes: 20, flags: columnFlag.binary, decimals: 0 },
  int: { code: fieldType.long, collation: binary, bytes: 11, flags: columnFlag.binary, decimals: 0 },
  double: { code: fieldType.double, collation: binary, bytes: 22, flags: columnFlag.binary, decimals: 31 },
  varchar: { code: fieldType.varString, collation: utf8mb4GeneralCi, bytes: 0, flags: 0, decimals: 0 },
  decimal: { code: fieldType.newDecimal, collation: binary, bytes: 67, flags: columnFlag.binary, decimals: 0 },
  varbinary: { code: fieldType.varString, collation: binary, bytes: 0, flags: columnFlag.binary, decimals: 0 },
};

/** Bytes announced for a varchar or varbinary whose length no table states. */
const unstatedLength = 16_383;
const bytesPerCharacter = 4;

export class EncodedShapes {
  readonly #encoded = new WeakMap<ResultShape, EncodedShape>();

  of(shape: ResultShape): EncodedShape {
    let encoded = this.#encoded.get(shape);
    if (encoded === undefined) {
      encoded = encodeShape(shape);
      this.#encoded.set(shape, encoded);
    }
    return encoded;
  }
}

function encodeShape(shape: ResultShape): EncodedShape {
  const write = (output: OutputBuffer) => {
    output.beginPacket();
    output.writeLength(shape.columns.length);
    output.endPacket();
    for (const column of shape.columns) writeColumnDefinition(output, column);
  };
  return {
    shape,
    withoutEof: encodePackets(write),
    withEof: encodePackets((output) => {
      write(output);
      writeEof(output, serverStatus.autocommit);
    }),
    plan: shape.stored === undefined ? undefined : planStoredRow(shape.stored.table, shape.stored.ordinals),
  };
}

function encodePackets(write: (output: OutputBuffer) => void): EncodedPackets {
  let bytes = Buffer.alloc(0);
  const output = new OutputBuffer(new OutputSlab(), (written) => (bytes = Buffer.from(written)));
  output.sequence = 1;
  write(output);
  output.flush();
  const offsets: number[] = [];
  for (let at = 0; at < bytes.length; at += 4 + bytes.readUIntLE(at, 3)) offsets.push(at);
  return { bytes, offsets };
}

/** Copies encoded packets into the output with the sequence numbers that come next there. */
export function writeEncodedPackets(output: OutputBuffer, packets: EncodedPackets): void {
  const { bytes, offsets } = packets;
  output.reserve(bytes.length);
  const at = output.position;
  output.bytes.set(bytes, at);
  output.position = at + bytes.length;
  if (output.sequence !== 1) {
    for (let i = 0; i < offsets.length; i++) output.bytes[at + offsets[i] + 3] = output.sequence + i;
  }
  output.sequence = (output.sequence + offsets.length) & 0xff;
}

/** `tail`: what follows the definition in its packet. */
export function writeColumnDefinition(output: OutputBuffer, column: ResultColumn, tail?: Uint8Array): void {
  const form = columnForms[column.type];
  const lengthMax = column.lengthMax ?? unstatedLength;
  const bytes = form.bytes > 0 ? form.bytes : lengthMax * (column.type === "varchar" ? bytesPerCharacter : 1);
  output.beginPacket();
  output.writeTextWithLength("def");
  output.writeTextWithLength("");
  output.writeTextWithLength(column.tableName);
  output.writeTextWithLength(column.tableName);
  output.writeTextWithLength(column.name);
  output.writeTextWithLength(column.name);
  output.writeU8(0x0c);
  output.writeU16(form.collation);
  output.writeU32(Math.min(bytes, 0xffff_ffff));
  output.writeU8(form.code);
  output.writeU16(form.flags | (column.nullable ? 0 : columnFlag.notNull));
  output.writeU8(column.decimals ?? form.decimals);
  output.writeU16(0);
  if (tail !== undefined) output.writeBytes(tail);
  output.endPacket();
}

/** EOF packet: FE, warnings 2, status 2. */
export function writeEof(output: OutputBuffer, status: number): void {
  output.beginPacket();
  output.writeU8(0xfe);
  output.writeU16(0);
  output.writeU16(status);
  output.endPacket();
}

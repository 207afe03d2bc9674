/** Rows cut out of stored bytes are the same, byte for byte, as rows encoded from their values. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { rowToKv } from "../../../../storage/layout/row_to_kv/row-to-kv.ts";
import type { Column, ColumnType, ColumnValue, Table } from "../../../catalog/table.ts";
import { OutputBuffer, OutputSlab } from "./output-buffer.ts";
import { planStoredRow } from "./stored-row-plan.ts";
import { writeStoredRowBinary, writeStoredRowText } from "./stored-row.ts";
import { writeValueRowBinary, writeValueRowText } from "./value-row.ts";

const values: { readonly [type in ColumnType]: fc.Arbitrary<ColumnValue> } = {
  bigint: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  int: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  double: fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
  varchar: fc.string({ unit: "grapheme", maxLength: 80 }).map((text) => text.toWellFormed()),
  varbinary: fc.uint8Array({ maxLength: 300 }),
};

const column = fc.record({
  type: fc.constantFrom<ColumnType>("bigint", "int", "double", "varchar", "varbinary"),
  nullable: fc.boolean(),
});

interface Case {
  readonly table: Table;
  readonly row: readonly ColumnValue[];
  readonly ordinals: readonly number[];
}

const cases: fc.Arbitrary<Case> = fc
  .tuple(fc.array(column, { minLength: 1, maxLength: 20 }), fc.nat(3), fc.infiniteStream(fc.nat(100)))
  .chain(([drawn, keyCount, stream]) => {
    const numbers = drawn.map(() => stream.next().value as number);
    const order = drawn.map((_, index) => index).sort((a, b) => numbers[a] - numbers[b]);
    const primaryKey = order.slice(0, Math.min(drawn.length, keyCount + 1));
    const columns: Column[] = drawn.map(({ type, nullable }, index) => ({
      name: `c${index}`, type, nullable: nullable && !primaryKey.includes(index),
      lengthMax: type.startsWith("var") ? 2000 : undefined,
    }));
    const row = fc.tuple(...columns.map(({ type, nullable }) => nullable ? fc.option(values[type]) : values[type]));
    const rest = columns.map((_, index) => index).filter((index) => !primaryKey.includes(index));
    const ordinals = fc.oneof(
      fc.constant(rest.length > 0 ? rest : [0]),
      fc.array(fc.nat(columns.length - 1), { minLength: 1, maxLength: 12 }),
    );
    return fc.record({ table: fc.constant({ id: 3, name: "t", columns, primaryKey }), row, ordinals });
  });

function write(encode: (output: OutputBuffer) => void): string {
  let written = "";
  const output = new OutputBuffer(new OutputSlab(), (bytes) => (written = Buffer.from(bytes).toString("hex")));
  encode(output);
  output.flush();
  return written;
}

test("stored rows and value rows agree in both forms", () => {
  let whole = 0;
  fc.assert(fc.property(cases, ({ table, row, ordinals }) => {
    const key = rowToKv.encodeKey(table, table.primaryKey.map((ordinal) => row[ordinal]));
    const value = rowToKv.encodeValue(table, row);
    const plan = planStoredRow(table, ordinals);
    if (plan.whole && ordinals.every((ordinal) => row[ordinal] !== null)) whole++;
    const columns = ordinals.map((ordinal) => ({ ...table.columns[ordinal], tableName: "t" }));
    const picked = ordinals.map((ordinal) => row[ordinal]);
    assert.equal(
      write((output) => writeStoredRowBinary(output, plan, rowToKv, key, value)),
      write((output) => writeValueRowBinary(output, columns, picked)),
    );
    assert.equal(
      write((output) => writeStoredRowText(output, plan, rowToKv, key, value)),
      write((output) => writeValueRowText(output, picked)),
    );
  }), { numRuns: 400 });
  assert.ok(whole > 20, `the copying path was taken ${whole} times`);
});

test("stored rows that are cut short are refused, never filled from other bytes", () => {
  fc.assert(fc.property(cases, fc.double({ min: 0, max: 0.99 }), fc.boolean(), ({ table, row, ordinals }, part, binary) => {
    const key = rowToKv.encodeKey(table, table.primaryKey.map((ordinal) => row[ordinal]));
    const value = rowToKv.encodeValue(table, row);
    const plan = planStoredRow(table, ordinals);
    // The copying path trusts the value as a whole: it is checksummed below.
    if (plan.whole) return;
    const cut = (bytes: Uint8Array) => bytes.slice(0, Math.floor(bytes.length * part));
    const encode = binary ? writeStoredRowBinary : writeStoredRowText;
    try {
      write((output) => encode(output, plan, rowToKv, cut(key), cut(value)));
    } catch (error) {
      assert.equal((error as { code?: string }).code, "CORRUPTION", String(error));
    }
  }), { numRuns: 300 });
});

/**
 * The conformance suite of the RowLayout port: order of keys, round trips, prefixes, spans, hostile bytes, as properties
 * over random tables. `LATHE_TEST_RUNS` sets the runs per property.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { Column, ColumnType, ColumnValue, Table } from "../../architecture/catalog/table.ts";
import type { RowLayout } from "./row-layout.ts";

const runs = { numRuns: Number(process.env.LATHE_TEST_RUNS ?? 300) };
const types: readonly ColumnType[] = ["bigint", "int", "double", "varchar", "varbinary"];

function arbitraryOf(type: ColumnType): fc.Arbitrary<ColumnValue> {
  switch (type) {
    case "bigint":
      return fc.oneof(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.constantFrom(0n, -1n, 2n ** 63n - 1n, -(2n ** 63n)));
    case "int":
      return fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
    case "double":
      return fc.double({ noNaN: true }).map((value) => (value === 0 ? 0 : value));
    case "varchar":
      return fc.oneof(fc.string({ unit: "binary", maxLength: 12 }), fc.string({ unit: fc.constantFrom("\0", "\u0001", "a", "ÿ") }));
    case "varbinary":
      return fc.oneof(fc.uint8Array({ maxLength: 12 }), fc.array(fc.constantFrom(0, 1, 255), { maxLength: 6 }).map((bytes) => Uint8Array.from(bytes)));
  }
}

const tableArbitrary: fc.Arbitrary<Table> = fc
  .tuple(
    fc.array(fc.record({ type: fc.constantFrom(...types), nullable: fc.boolean() }), { minLength: 1, maxLength: 12 }),
    fc.integer({ min: 1, max: 0xfffffffe }),
    fc.integer({ min: 1, max: 3 }),
    fc.integer(),
  )
  .map(([kinds, id, keyLength, seed]) => {
    const order = kinds.map((_, i) => i).sort((a, b) => ((a * 7 + seed) % 13) - ((b * 7 + seed) % 13));
    const primaryKey = order.slice(0, Math.min(keyLength, kinds.length));
    const columns = kinds.map(({ type, nullable }, i): Column => ({ name: `c${i}`, type, nullable: nullable && !primaryKey.includes(i) }));
    return { id, name: "t", columns, primaryKey };
  });

const rowOf = (table: Table): fc.Arbitrary<ColumnValue[]> =>
  fc.tuple(...table.columns.map(({ type, nullable }) => (nullable ? fc.option(arbitraryOf(type)) : arbitraryOf(type))));
const keyOf = (table: Table, row: readonly ColumnValue[]) => table.primaryKey.map((ordinal) => row[ordinal]);

/** The order that SQL gives two values of one type: the definition that the encoding must agree with. */
function compareByValue(a: ColumnValue, b: ColumnValue): number {
  if (typeof a === "string" || a instanceof Uint8Array) return Buffer.compare(Buffer.from(a as string), Buffer.from(b as string));
  return (a as number) < (b as number) ? -1 : (a as number) > (b as number) ? 1 : 0;
}

export function testRowLayout(name: string, layout: RowLayout): void {
  describe(`RowLayout: ${name}`, () => registerTests(layout));
}

/** Throws where memcmp of encoded keys and the order of their values differ. */
export function assertKeyOrder(layout: RowLayout): void {
  const pairs = tableArbitrary.chain((table) => fc.tuple(fc.constant(table), rowOf(table), rowOf(table), fc.nat(3)));
  fc.assert(
    fc.property(pairs, ([table, first, second, shared]) => {
      const a = keyOf(table, first);
      const b = [...a.slice(0, shared), ...keyOf(table, second).slice(shared)];
      let expected = 0;
      for (let i = 0; i < a.length && expected === 0; i++) expected = compareByValue(a[i], b[i]);
      const order = Buffer.compare(layout.encodeKey(table, a), layout.encodeKey(table, b));
      assert.equal(Math.sign(order), Math.sign(expected));
    }),
    runs,
  );
}

function registerTests(layout: RowLayout): void {
  test("memcmp of keys is the order of their values", () => assertKeyOrder(layout));

  test("a row comes back as it was, and a written one has the same bytes as an encoded one", () => {
    const rows = tableArbitrary.chain((table) => fc.tuple(fc.constant(table), rowOf(table), fc.nat(400)));
    fc.assert(
      fc.property(rows, ([table, row, room]) => {
        const key = layout.encodeKey(table, keyOf(table, row));
        const value = layout.encodeValue(table, row);
        assert.deepEqual(layout.decodeRow(table, key, value), row);
        assert.deepEqual(layout.encodeValue(table, layout.viewRow(table, value)), value);
        const target = new Uint8Array(room);
        const end = layout.writeValue(table, row, target, 3);
        if (end >= 0) assert.deepEqual(target.slice(3, end), value);
        else assert.ok(room < 3 + value.length + 4);
        if (layout.keyBytes(table) >= 0) assert.equal(key.length, layout.keyBytes(table));
        const keyEnd = layout.writeKey(table, keyOf(table, row), target, 0);
        if (keyEnd >= 0) assert.deepEqual(target.slice(0, keyEnd), key);
        else assert.ok(room < key.length + 2);
      }),
      runs,
    );
  });

  test("a prefix begins exactly the keys below its end", () => {
    const pairs = tableArbitrary.chain((table) => fc.tuple(fc.constant(table), rowOf(table), rowOf(table), fc.nat(2)));
    fc.assert(
      fc.property(pairs, ([table, first, second, length]) => {
        const prefixValues = keyOf(table, first).slice(0, length);
        const prefix = layout.encodeKey(table, prefixValues);
        const other = keyOf(table, second);
        const inside = prefixValues.every((value, i) => compareByValue(value, other[i]) === 0);
        const key = layout.encodeKey(table, other);
        const between = Buffer.compare(key, prefix) >= 0 && Buffer.compare(key, layout.prefixEnd(prefix)) < 0;
        assert.equal(between, inside);
      }),
      runs,
    );
  });

  test("a column's span holds exactly its encoded bytes", () => {
    const rows = tableArbitrary.chain((table) => fc.tuple(fc.constant(table), rowOf(table)));
    fc.assert(
      fc.property(rows, ([table, row]) => {
        const value = layout.encodeValue(table, row);
        const span = { start: 0, end: 0 };
        let at = -1;
        table.columns.forEach((_, ordinal) => {
          if (table.primaryKey.includes(ordinal)) return;
          const { start, end } = layout.columnSpan(table, ordinal, value, span);
          if (row[ordinal] === null) return assert.deepEqual([start, end], [0, 0]);
          if (at >= 0) assert.equal(start, at, "columns that are not NULL are neighbours");
          at = end;
        });
        if (at >= 0) assert.equal(at, value.length);
      }),
      runs,
    );
  });

  test("hostile bytes are CORRUPTION, never a crash and never a loop", () => {
    const hostile = tableArbitrary.chain((table) =>
      fc.tuple(fc.constant(table), rowOf(table), fc.array(fc.tuple(fc.nat(200), fc.nat(255)), { maxLength: 3 }), fc.nat(60), fc.boolean()),
    );
    const span = { start: 0, end: 0 };
    let refused = 0;
    const attempt = (read: () => unknown) => {
      try {
        read();
      } catch (error) {
        assert.equal((error as { code?: string }).code, "CORRUPTION", String(error));
        refused++;
      }
    };
    fc.assert(
      fc.property(hostile, ([table, row, flips, cut, inKey]) => {
        const key = layout.encodeKey(table, keyOf(table, row));
        const value = layout.encodeValue(table, row);
        const target = inKey ? key : value;
        for (const [at, byte] of flips) if (at < target.length) target[at] = byte;
        const damaged = target.subarray(0, Math.max(0, target.length - Math.max(0, cut - 30)));
        attempt(() => layout.decodeRow(table, inKey ? damaged : key, inKey ? value : damaged));
        attempt(() => layout.viewRow(table, inKey ? value : damaged));
        table.columns.forEach((_, ordinal) => {
          if (!table.primaryKey.includes(ordinal)) attempt(() => layout.columnSpan(table, ordinal, inKey ? value : damaged, span));
        });
      }),
      runs,
    );
    assert.ok(refused > 10, `${refused} damaged rows were refused`);
  });
}

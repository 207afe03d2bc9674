/** The row layout: order, round trips, exactness, hostile bytes. `LATHE_TEST_RUNS` sets the runs per property. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { Column, ColumnType, ColumnValue, Table } from "../../../architecture/catalog/table.ts";
import { rowToKv } from "./row-to-kv.ts";

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

describe("rowToKv", () => {
  test("memcmp of keys is the order of their values", () => {
    const pairs = tableArbitrary.chain((table) => fc.tuple(fc.constant(table), rowOf(table), rowOf(table), fc.nat(3)));
    fc.assert(
      fc.property(pairs, ([table, first, second, shared]) => {
        const a = keyOf(table, first);
        const b = [...a.slice(0, shared), ...keyOf(table, second).slice(shared)];
        let expected = 0;
        for (let i = 0; i < a.length && expected === 0; i++) expected = compareByValue(a[i], b[i]);
        const order = Buffer.compare(rowToKv.encodeKey(table, a), rowToKv.encodeKey(table, b));
        assert.equal(Math.sign(order), Math.sign(expected));
      }),
      runs,
    );
  });

  test("a row comes back as it was, and a written one has the same bytes as an encoded one", () => {
    const rows = tableArbitrary.chain((table) => fc.tuple(fc.constant(table), rowOf(table), fc.nat(400)));
    fc.assert(
      fc.property(rows, ([table, row, room]) => {
        const key = rowToKv.encodeKey(table, keyOf(table, row));
        const value = rowToKv.encodeValue(table, row);
        assert.deepEqual(rowToKv.decodeRow(table, key, value), row);
        const target = new Uint8Array(room);
        const end = rowToKv.writeValue(table, row, target, 3);
        if (end >= 0) assert.deepEqual(target.slice(3, end), value);
        else assert.ok(room < 3 + value.length + 4);
        if (rowToKv.keyBytes(table) >= 0) assert.equal(key.length, rowToKv.keyBytes(table));
        const keyEnd = rowToKv.writeKey(table, keyOf(table, row), target, 0);
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
        const prefix = rowToKv.encodeKey(table, prefixValues);
        const other = keyOf(table, second);
        const inside = prefixValues.every((value, i) => compareByValue(value, other[i]) === 0);
        const key = rowToKv.encodeKey(table, other);
        const between = Buffer.compare(key, prefix) >= 0 && Buffer.compare(key, rowToKv.prefixEnd(prefix)) < 0;
        assert.equal(between, inside);
      }),
      runs,
    );
  });

  test("a column's span holds exactly its encoded bytes", () => {
    const rows = tableArbitrary.chain((table) => fc.tuple(fc.constant(table), rowOf(table)));
    fc.assert(
      fc.property(rows, ([table, row]) => {
        const value = rowToKv.encodeValue(table, row);
        const span = { start: 0, end: 0 };
        let at = -1;
        table.columns.forEach((_, ordinal) => {
          if (table.primaryKey.includes(ordinal)) return;
          const { start, end } = rowToKv.columnSpan(table, ordinal, value, span);
          if (row[ordinal] === null) return assert.deepEqual([start, end], [0, 0]);
          if (at >= 0) assert.equal(start, at, "columns that are not NULL are neighbours");
          at = end;
        });
        if (at >= 0) assert.equal(at, value.length);
      }),
      runs,
    );
  });

  const edges: Table = {
    id: 7,
    name: "edges",
    columns: [
      { name: "id1", type: "bigint", nullable: false },
      { name: "value", type: "varchar", lengthMax: 150, nullable: true },
      { name: "n", type: "int", nullable: true },
    ],
    primaryKey: [0],
  };

  test("bytes as documented", () => {
    assert.equal(Buffer.from(rowToKv.encodeKey(edges, [1n])).toString("hex"), "00000007" + "8000000000000001");
    assert.equal(Buffer.from(rowToKv.encodeKey(edges, [-1])).toString("hex"), "00000007" + "7fffffffffffffff");
    assert.equal(Buffer.from(rowToKv.encodeValue(edges, [1n, "hé", -2])).toString("hex"), "0100" + "03" + "68c3a9" + "feffffff");
    assert.equal(Buffer.from(rowToKv.encodeValue(edges, [1n, null, 1])).toString("hex"), "0101" + "01000000");
    const text = { ...edges, columns: [{ ...edges.columns[1], nullable: false }, edges.columns[2]] };
    assert.equal(Buffer.from(rowToKv.encodeKey(text, ["a\0"])).toString("hex"), "00000007" + "6100ff" + "0001");
  });

  test("64-bit integers are exact whether they come as bigint or as number", () => {
    for (const value of [2n ** 53n + 1n, (49n << 57n) + 1n, -(2n ** 63n), 2n ** 63n - 1n]) {
      assert.deepEqual(rowToKv.decodeKey(edges, rowToKv.encodeKey(edges, [value])), [value]);
    }
    for (const value of [0, -1, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, -4294967296, 4294967295]) {
      assert.deepEqual(rowToKv.encodeKey(edges, [value]), rowToKv.encodeKey(edges, [BigInt(value)]));
    }
    for (const value of [2n ** 63n, 0.5, 2 ** 53, Number.NaN, "1"]) {
      assert.throws(() => rowToKv.encodeKey(edges, [value]), { code: "INVALID_ARGUMENT" });
    }
  });

  test("long texts have their lengths in two and three bytes", () => {
    for (const length of [250, 251, 65_535, 65_536, 200_000]) {
      const row = [1n, "x".repeat(length), 5];
      const value = rowToKv.encodeValue(edges, row);
      assert.deepEqual(rowToKv.decodeRow(edges, rowToKv.encodeKey(edges, [1n]), value), row);
    }
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
        const key = rowToKv.encodeKey(table, keyOf(table, row));
        const value = rowToKv.encodeValue(table, row);
        const target = inKey ? key : value;
        for (const [at, byte] of flips) if (at < target.length) target[at] = byte;
        const damaged = target.subarray(0, Math.max(0, target.length - Math.max(0, cut - 30)));
        attempt(() => rowToKv.decodeRow(table, inKey ? damaged : key, inKey ? value : damaged));
        table.columns.forEach((_, ordinal) => {
          if (!table.primaryKey.includes(ordinal)) attempt(() => rowToKv.columnSpan(table, ordinal, inKey ? value : damaged, span));
        });
      }),
      runs,
    );
    assert.ok(refused > 10, `${refused} damaged rows were refused`);
  });
});

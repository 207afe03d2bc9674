/** The row layout: the port's suite, the documented bytes, exact integers, long texts. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Table } from "../../../architecture/catalog/table.ts";
import { assertKeyOrder, testRowLayout } from "../row-layout.conformance.ts";
import { rowToKv } from "./row-to-kv.ts";

testRowLayout("rowToKv", rowToKv);

describe("the suite finds planted defects", () => {
  test("a sign bit that is not flipped, and text without its terminator", () => {
    const unsigned = (table: Table, key: Uint8Array) => {
      if (table.columns[table.primaryKey[0]].type === "bigint" && key.length > 4) key[4] ^= 0x80;
      return key;
    };
    assert.throws(() => assertKeyOrder({ ...rowToKv, encodeKey: (table, values) => unsigned(table, rowToKv.encodeKey(table, values)) }));
    const bare = (table: Table, key: Uint8Array) =>
      table.columns[table.primaryKey[0]].type === "varchar" ? key.filter((byte, i) => i < 4 || byte !== 0) : key;
    assert.throws(() => assertKeyOrder({ ...rowToKv, encodeKey: (table, values) => bare(table, rowToKv.encodeKey(table, values)) }));
  });
});

describe("rowToKv", () => {
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

  test("texts of every length around the encoder's are UTF-8, wherever the character is that is not ASCII", () => {
    for (let length = 0; length < 140; length++) {
      for (const odd of ["", "\x7f", "\x80", "é", "€", "😀", "\ud800"]) {
        for (const place of [0, length >> 1, length]) {
          const text = "a".repeat(place) + odd + "b".repeat(length - place);
          const value = rowToKv.encodeValue(edges, [1n, text, null]);
          const bytes = Buffer.from(text);
          const head = bytes.length < 251 ? [bytes.length] : [252, bytes.length & 0xff, bytes.length >> 8];
          assert.deepEqual(Buffer.from(value), Buffer.concat([Buffer.of(1, 2, ...head), bytes]), JSON.stringify(text));
        }
      }
    }
  });

  test("long texts have their lengths in two and three bytes", () => {
    for (const length of [250, 251, 65_535, 65_536, 200_000]) {
      const row = [1n, "x".repeat(length), 5];
      const value = rowToKv.encodeValue(edges, row);
      assert.deepEqual(rowToKv.decodeRow(edges, rowToKv.encodeKey(edges, [1n]), value), row);
    }
  });
});

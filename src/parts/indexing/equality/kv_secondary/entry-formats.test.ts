/** The bytes that indexes put on disk, as they were in the first version: entries, and definitions with indexes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeDefinition, encodeDefinition } from "../../../architecture/catalog/kv_encoded/table-definition.ts";
import type { Table } from "../../../architecture/catalog/table.ts";
import { rowToKv } from "../../../storage/layout/row_to_kv/row-to-kv.ts";
import { WriteBatch } from "../../../storage/write-batch.ts";
import { kvSecondary } from "./kv-secondary.ts";

const plain: Table = {
  id: 7,
  name: "t",
  columns: [
    { name: "id", type: "varchar", lengthMax: 20, nullable: false },
    { name: "a", type: "int", nullable: true, lengthMax: undefined },
    { name: "b", type: "varchar", lengthMax: 20, nullable: true },
  ],
  primaryKey: [0],
};
const indexed: Table = { ...plain, indexes: [{ id: 8, name: "by_ab", columns: [1, 2] }, { id: 9, name: "by_b", columns: [2] }] };
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const definition =
  '"columns":[{"name":"id","type":"varchar","lengthMax":20,"nullable":false},{"name":"a","type":"int","nullable":true},' +
  '{"name":"b","type":"varchar","lengthMax":20,"nullable":true}],"primaryKey":[0]';

test("entries: index id, indexed columns, then the row's key without its table id", () => {
  const writes = kvSecondary.createWrites(rowToKv);
  writes.begin();
  const rowKey = rowToKv.encodeKey(plain, ["k1"]);
  assert.equal(writes.inserted(indexed, rowKey, ["k1", -2, "x\0"]), 17);
  assert.equal(writes.inserted(indexed, rowKey, ["k1", null, "y"]), 11);
  const batch = new WriteBatch();
  writes.addTo(batch);
  const found: string[] = [];
  batch.forEach((kind, bytes, keyStart, keyEnd, valueEnd) => {
    assert.equal(valueEnd, keyEnd);
    found.push(`${kind} ${Buffer.from(bytes.subarray(keyStart, keyEnd)).toString("hex")}`);
  });
  assert.deepEqual(found, [
    "1 000000087ffffffe7800ff00016b310001",
    "1 000000097800ff00016b310001",
    "1 000000097900016b310001",
  ]);
  const target = new Uint8Array(64);
  const [index] = indexed.indexes ?? [];
  const entry = Uint8Array.from(Buffer.from("000000087ffffffe7800ff00016b310001", "hex"));
  const length = kvSecondary.writeRowKey(rowToKv, indexed, index, entry, target);
  assert.deepEqual(target.slice(0, length), rowKey);
});

test("definitions: format 1 without indexes, format 2 with them, newer ones refused", () => {
  assert.equal(text(encodeDefinition(plain, kvSecondary)), `{"format":1,${definition}}`);
  const indexes = '"indexes":[{"id":8,"name":"by_ab","columns":[1,2]},{"id":9,"name":"by_b","columns":[2]}]';
  const second = `{"format":2,${definition},${indexes}}`;
  assert.equal(text(encodeDefinition(indexed, kvSecondary)), second);
  const decode = (json: string) => decodeDefinition(7, "t", new TextEncoder().encode(json), kvSecondary);
  assert.deepEqual(decode(second), indexed);
  assert.deepEqual(decode(`{"format":1,${definition}}`), plain);
  assert.throws(() => decode(second.replace('"format":2', '"format":4')), { code: "FORMAT_UNKNOWN" });
  for (const wrong of ['"columns":[]', '"columns":[3]', '"columns":[1,1]', '"columns":"a"']) {
    assert.throws(() => decode(second.replace('"columns":[1,2]', wrong)), { code: "CORRUPTION" }, wrong);
  }
});

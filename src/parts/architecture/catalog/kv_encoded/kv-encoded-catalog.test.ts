/** The catalog: what was committed is there again after a reload; damaged definitions are refused. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { MapEngine } from "../../../storage/map-engine.fixture.ts";
import { rowToKv } from "../../../storage/layout/row_to_kv/row-to-kv.ts";
import { WriteBatch } from "../../../storage/write-batch.ts";
import type { CatalogDraft } from "../catalog-store.ts";
import type { Table } from "../table.ts";
import { createCatalog } from "./kv-encoded-catalog.ts";
import { decodeDefinition, encodeDefinition } from "./table-definition.ts";

const table = (name: string): Table => ({
  id: 0,
  name,
  columns: [
    { name: "id", type: "bigint", nullable: false },
    { name: "text", type: "varchar", lengthMax: 150, nullable: true },
  ],
  primaryKey: [0],
});

function open() {
  const engine = new MapEngine();
  const catalog = createCatalog({ engine, layout: rowToKv });
  const change = (edit: (draft: CatalogDraft) => void) => {
    const draft = catalog.draft();
    edit(draft);
    const batch = new WriteBatch();
    for (const { key, value } of draft.writes()) {
      if (value === undefined) batch.delete(key);
      else batch.put(key, value);
    }
    engine.applySync(batch, engine.appliedIndex + 1);
    catalog.commit(draft);
  };
  return { engine, catalog, change };
}

describe("kv-encoded catalog", () => {
  test("what was committed is found, and found again after a reload", () => {
    const { engine, catalog, change } = open();
    const version = catalog.version;
    change((draft) => draft.create(table("b")));
    change((draft) => {
      draft.create(table("a"));
      draft.create(table("gone"));
    });
    change((draft) => draft.drop(draft.find("gone") as Table));
    assert.equal(catalog.version, version + 3);
    assert.deepEqual(catalog.list().map(({ name, id }) => [name, id]), [["a", 2], ["b", 1]]);
    assert.equal(catalog.byId(3), undefined);
    const reopened = createCatalog({ engine, layout: rowToKv });
    assert.deepEqual(reopened.list(), catalog.list().map((each) => ({ ...each, columns: each.columns.map((column) => ({ lengthMax: undefined, ...column })) })));
    // Ids are not used again, also not after a restart.
    assert.equal(reopened.draft().create(table("next")).id, 4);
  });

  test("a draft is seen by nobody before it is committed", () => {
    const { catalog, change } = open();
    change((draft) => draft.create(table("a")));
    const draft = catalog.draft();
    const replaced = draft.find("a") as Table;
    draft.drop(replaced);
    assert.equal(draft.byId(replaced.id), undefined);
    const created = draft.create(table("a"));
    assert.equal(draft.byId(created.id), created);
    assert.equal(catalog.find("a"), replaced);
    catalog.commit(draft);
    assert.equal(catalog.find("a"), created);
    assert.equal(catalog.byId(replaced.id), undefined);
  });

  test("golden: format 3 holds defaults, CHAR and AUTO_INCREMENT, and is written only for them", () => {
    const detailed: Table = {
      id: 4,
      name: "counted",
      columns: [
        { name: "id", type: "int", lengthMax: undefined, nullable: false },
        { name: "c", type: "varchar", lengthMax: 8, nullable: false, fixed: true, defaultValue: "" },
        { name: "n", type: "bigint", lengthMax: undefined, nullable: true, defaultValue: 5n },
      ],
      primaryKey: [0],
      autoIncrement: 0,
    };
    const json =
      '{"format":3,"columns":[{"name":"id","type":"int","nullable":false},' +
      '{"name":"c","type":"varchar","lengthMax":8,"nullable":false,"fixed":true,"default":""},' +
      '{"name":"n","type":"bigint","nullable":true,"default":{"bigint":"5"}}],"primaryKey":[0],"autoIncrement":0}';
    const encoded = encodeDefinition(detailed);
    assert.equal(new TextDecoder().decode(encoded), json);
    assert.deepEqual(decodeDefinition(4, "counted", encoded), detailed);
    const damaged = (from: string, to: string) => new TextEncoder().encode(json.replace(from, to));
    for (const [from, to] of [['"autoIncrement":0', '"autoIncrement":1'], ['"fixed":true', '"fixed":1'], ['"bigint":"5"', '"bigint":"x"']]) {
      assert.throws(() => decodeDefinition(4, "counted", damaged(from, to)), { code: "CORRUPTION" });
    }
    assert.throws(() => decodeDefinition(4, "counted", damaged('"format":3', '"format":4')), { code: "FORMAT_UNKNOWN" });
  });

  test("damaged definitions are refused", () => {
    const bytes = (text: string) => new TextEncoder().encode(text);
    const good = new TextDecoder().decode(encodeDefinition(table("a")));
    assert.equal(decodeDefinition(1, "a", bytes(good)).columns.length, 2);
    const damages: [string, string, string][] = [
      ["{", "[", "CORRUPTION"],
      ['"format":1', '"format":2', "FORMAT_UNKNOWN"],
      ['"bigint"', '"money"', "CORRUPTION"],
      ['"primaryKey":[0]', '"primaryKey":[2]', "CORRUPTION"],
      ['"primaryKey":[0]', '"primaryKey":[]', "CORRUPTION"],
      ['"primaryKey":[0]', '"primaryKey":[0,0]', "CORRUPTION"],
      ['"lengthMax":150', '"lengthMax":-1', "CORRUPTION"],
      ['"nullable":false', '"nullable":0', "CORRUPTION"],
    ];
    for (const [from, to, code] of damages) {
      assert.notEqual(good.replace(from, to), good);
      assert.throws(() => decodeDefinition(1, "a", bytes(good.replace(from, to))), { code }, `${from} as ${to}`);
    }
    assert.throws(() => decodeDefinition(1, "a", bytes("null")), { code: "CORRUPTION" });
  });

  test("a catalog with a flipped byte is refused when it is opened", () => {
    const { engine, change } = open();
    change((draft) => draft.create(table("a")));
    let refused = 0;
    // The row with the last id is left alone: a larger id is as good as the right one.
    for (const [key, value] of [...engine.entries].filter(([, value]) => value.length > 50)) {
      for (let at = 0; at < value.length; at++) {
        const damaged = value.slice();
        damaged[at] ^= 0x80;
        engine.entries.set(key, damaged);
        assert.throws(() => createCatalog({ engine, layout: rowToKv }), (error: { code?: string }) => {
          refused++;
          return error.code === "CORRUPTION" || error.code === "FORMAT_UNKNOWN";
        });
      }
      engine.entries.set(key, value);
    }
    assert.ok(refused > 50);
  });
});

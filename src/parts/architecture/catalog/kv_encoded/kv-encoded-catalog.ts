/**
 * Catalog kept as rows of table 0 in the engine it describes.
 *
 * Purpose: definitions are replicated, recovered and checkpointed with the data, by the same means. All of them are
 * held in memory: a lookup is a Map read.
 * Table 0 has the columns name (key), id, definition (see `table-definition.ts`). The row with the empty name holds the
 * last id that was assigned, so that ids are not used again after a drop.
 * Invariants:
 *   1. What is in memory equals what the engine holds after the last committed draft.
 *   2. Ids rise; a dropped table's rows are out of reach from the moment its definition is gone.
 * Indexes take their ids from the same numbers, so that no key of a row and of an index entry begin alike.
 * The rows of a dropped table and the entries of a dropped index are deleted as ranges, in the batch that drops the
 * definition; where an engine has no range delete they stay on disk, out of reach.
 * Source: TiDB's meta package, CockroachDB's system.descriptor.
 */
import { assert } from "../../../../kit/assert.ts";
import { LatheError } from "../../../../kit/errors.ts";
import type { SecondaryIndexes } from "../../../indexing/secondary-indexes.ts";
import type { StorageEngine } from "../../../storage/engine.ts";
import type { RowLayout } from "../../../storage/layout/row-layout.ts";
import type { CatalogDraft, CatalogStore } from "../catalog-store.ts";
import type { Table } from "../table.ts";
import { decodeDefinition, encodeDefinition } from "./table-definition.ts";

const tableOfTables: Table = {
  id: 0,
  name: "lathe_tables",
  columns: [
    { name: "name", type: "varchar", lengthMax: 64, nullable: false },
    { name: "id", type: "bigint", nullable: false },
    { name: "definition", type: "varbinary", lengthMax: 1024 * 1024, nullable: false },
  ],
  primaryKey: [0],
};
const lastIdName = "";

export interface CatalogDoors {
  readonly engine: StorageEngine;
  readonly layout: RowLayout;
  /** Only where the leaf was selected; a stored table with indexes is refused without it. */
  readonly indexes?: SecondaryIndexes | undefined;
}

/** Errors: CORRUPTION, FORMAT_UNKNOWN. */
export function createCatalog(doors: CatalogDoors): CatalogStore {
  return new KvEncodedCatalog(doors);
}

class KvEncodedCatalog implements CatalogStore {
  readonly #engine: StorageEngine;
  readonly #layout: RowLayout;
  readonly #indexes: SecondaryIndexes | undefined;
  #byName = new Map<string, Table>();
  #byId = new Map<number, Table>();
  #lastId = 0;
  #version = 0;

  constructor({ engine, layout, indexes }: CatalogDoors) {
    this.#engine = engine;
    this.#layout = layout;
    this.#indexes = indexes;
    this.reload();
  }

  get version(): number {
    return this.#version;
  }

  find(name: string): Table | undefined {
    return this.#byName.get(name);
  }

  byId(id: number): Table | undefined {
    return this.#byId.get(id);
  }

  list(): readonly Table[] {
    return [...this.#byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  draft(): CatalogDraft {
    return new Draft(this.#layout, this.#indexes, this.#byName, this.#byId, this.#lastId);
  }

  commit(draft: CatalogDraft): void {
    assert(draft instanceof Draft, "a draft of another catalog");
    for (const [name, table] of draft.changes) {
      const before = this.#byName.get(name);
      if (before !== undefined) this.#byId.delete(before.id);
      if (table === undefined) this.#byName.delete(name);
      else {
        this.#byName.set(name, table);
        this.#byId.set(table.id, table);
      }
    }
    this.#lastId = draft.lastId;
    this.#version++;
  }

  reload(): void {
    const byName = new Map<string, Table>();
    const byId = new Map<number, Table>();
    let lastId = 0;
    const prefix = this.#layout.encodeKey(tableOfTables, []);
    const cursor = this.#engine.scan({ gte: prefix, lt: this.#layout.prefixEnd(prefix) });
    try {
      while (cursor.next()) {
        const [name, storedId, definition] = this.#layout.decodeRow(tableOfTables, cursor.key, cursor.value);
        const id = Number(storedId);
        if (id < 1 || id >= 0xffffffff) {
          throw new LatheError("CORRUPTION", `catalog: table id ${id} is not valid`);
        }
        if (name === lastIdName) {
          lastId = id;
          continue;
        }
        if (byId.has(id)) throw new LatheError("CORRUPTION", `catalog: two tables have the id ${id}`);
        const table = decodeDefinition(id, name as string, definition as Uint8Array, this.#indexes);
        byName.set(table.name, table);
        byId.set(id, table);
      }
    } finally {
      cursor.close();
    }
    const indexIds = [...byId.values()].flatMap((table) => (table.indexes ?? []).map((index) => index.id));
    if (new Set([...byId.keys(), ...indexIds]).size !== byId.size + indexIds.length) {
      throw new LatheError("CORRUPTION", "catalog: an index has the id of a table or of another index");
    }
    for (const id of [...byId.keys(), ...indexIds]) {
      if (id > lastId) throw new LatheError("CORRUPTION", `catalog: id ${id} was never assigned`);
    }
    this.#byName = byName;
    this.#byId = byId;
    this.#lastId = lastId;
    this.#version++;
  }
}

class Draft implements CatalogDraft {
  /** Per name the table that it stands for now; undefined where it was dropped. */
  readonly changes = new Map<string, Table | undefined>();
  lastId: number;
  readonly #layout: RowLayout;
  readonly #indexes: SecondaryIndexes | undefined;
  readonly #byName: ReadonlyMap<string, Table>;
  readonly #byId: ReadonlyMap<number, Table>;

  constructor(
    layout: RowLayout,
    indexes: SecondaryIndexes | undefined,
    byName: ReadonlyMap<string, Table>,
    byId: ReadonlyMap<number, Table>,
    lastId: number,
  ) {
    this.#layout = layout;
    this.#indexes = indexes;
    this.#byName = byName;
    this.#byId = byId;
    this.lastId = lastId;
  }

  find(name: string): Table | undefined {
    return this.changes.has(name) ? this.changes.get(name) : this.#byName.get(name);
  }

  byId(id: number): Table | undefined {
    for (const table of this.changes.values()) if (table?.id === id) return table;
    const table = this.#byId.get(id);
    return table !== undefined && this.find(table.name) === table ? table : undefined;
  }

  create(table: Table): Table {
    assert(this.find(table.name) === undefined, `table ${table.name} is there already`);
    return this.alter({ ...table, id: ++this.lastId });
  }

  alter(table: Table): Table {
    const indexes = table.indexes?.map((index) => (index.id === 0 ? { ...index, id: ++this.lastId } : index));
    const altered: Table = indexes === undefined ? table : { ...table, indexes };
    this.changes.set(table.name, altered);
    return altered;
  }

  drop(table: Table): void {
    this.changes.set(table.name, undefined);
  }

  writes(): { key: Uint8Array; value: Uint8Array | undefined }[] {
    const row = (name: string, id: number, definition: Uint8Array) => ({
      key: this.#layout.encodeKey(tableOfTables, [name]),
      value: this.#layout.encodeValue(tableOfTables, [name, BigInt(id), definition]),
    });
    const writes: { key: Uint8Array; value: Uint8Array | undefined }[] = [];
    for (const [name, table] of this.changes) {
      if (table !== undefined) writes.push(row(name, table.id, encodeDefinition(table, this.#indexes)));
      else writes.push({ key: this.#layout.encodeKey(tableOfTables, [name]), value: undefined });
    }
    if (this.lastId > 0) writes.push(row(lastIdName, this.lastId, new Uint8Array(0)));
    return writes;
  }
}

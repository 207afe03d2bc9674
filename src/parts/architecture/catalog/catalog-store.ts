/**
 * CatalogStore: the catalog as the state machine sees it, which alone changes it.
 *
 * Contract:
 *   1. A change is planned as writes, which the caller puts into the batch of the command that asked for it, so that
 *      definition and data are atomic together; after the batch is applied, in the same turn, `commit` is called.
 *   2. Planning is deterministic in the committed state: replicas assign equal ids. Ids are never used twice.
 *   3. `reload` reads everything from the engine again: after recovery from a snapshot, and on opening.
 */
import type { Catalog, Table } from "./table.ts";

export interface CatalogStore extends Catalog {
  /** A draft of changes over the committed catalog; nothing is visible to others before `commit`. */
  draft(): CatalogDraft;
  commit(draft: CatalogDraft): void;
  /** Errors: CORRUPTION. */
  reload(): void;
}

export interface CatalogDraft {
  find(name: string): Table | undefined;
  byId(id: number): Table | undefined;
  /** Adds a table; its `id` is ignored and a new one is assigned. The name must be free. */
  create(table: Table): Table;
  /** Puts a definition in the place of the one with its name and id; indexes whose id is 0 are assigned new ones. */
  alter(table: Table): Table;
  drop(table: Table): void;
  /** Rows that make the drafted changes: put where there is a value, delete where there is none. */
  writes(): readonly { readonly key: Uint8Array; readonly value: Uint8Array | undefined }[];
}

/**
 * TableLocks: what LOCK TABLES … READ gives a session here: one moment for all that it reads until UNLOCK TABLES.
 *
 * What MySQL's read lock promises its holder is that the tables stay as they are and that it cannot write. A snapshot
 * gives it both. It does not keep others from writing, as MySQL's would: they go on, and the holder does not see it.
 * Locks that are to keep others out (WRITE) are refused by the parser.
 * Invariants: only locked tables are read, and with the definition that they had, for an index that came later has no
 * entries in the snapshot. The snapshot is released with the locks.
 */
import type { Table } from "../../../../architecture/catalog/table.ts";
import type { Snapshot } from "../../../../storage/engine.ts";
import { notSelected, SqlError } from "../../../executor.ts";
import type { RowView, RunDoors } from "./plan.ts";

export class TableLocks {
  readonly view: RowView;
  readonly #doors: RunDoors;
  readonly #tables: ReadonlyMap<string, Table>;
  readonly #snapshot: Snapshot;

  /** Throws SqlError where the engine has no snapshots; errors of the engine. */
  constructor(doors: RunDoors, tables: readonly Table[]) {
    const { engine } = doors;
    if (!engine.capabilities.snapshots) {
      throw notSelected("concurrency/locking/table/metadata", "LOCK TABLES without snapshots of the engine");
    }
    this.#doors = doors;
    this.#tables = new Map(tables.map((table) => [table.name, table]));
    const snapshot = engine.snapshot();
    this.#snapshot = snapshot;
    this.view = {
      getSync: (key) => engine.getSync(key, snapshot),
      scan: (range) => engine.scan({ ...range, snapshot }),
    };
  }

  /** Throws SqlError: table_not_locked, conflict. */
  checkRead({ name }: Table): void {
    const locked = this.#tables.get(name);
    if (locked === undefined) {
      throw new SqlError("table_not_locked", `Table '${name}' was not locked with LOCK TABLES`);
    }
    if (this.#doors.catalog.byId(locked.id) !== locked) {
      throw new SqlError("conflict", `the definition of table '${name}' has changed since LOCK TABLES; lock it again`);
    }
  }

  release(): void {
    this.#snapshot.release();
  }
}

export function lockedForReading(): SqlError {
  return new SqlError("table_locked", "a table was locked with a READ lock and can't be updated; UNLOCK TABLES first");
}

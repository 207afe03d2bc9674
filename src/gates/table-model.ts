/**
 * TableModel: what a table must hold, as plainly as it can be written. The oracle of differential tests.
 *
 * One ordered map from the text of a key to a row; conditional statements as the contract defines them. It
 * shares no code with the parts, so that a mistake must be made twice to go unseen.
 */
export interface ModelRow {
  readonly id1: bigint;
  readonly id2: bigint;
  readonly type: bigint;
  timestamp: bigint;
  value: string;
}

export class TableModel {
  readonly #rows = new Map<string, ModelRow>();

  get size(): number {
    return this.#rows.size;
  }

  get(id1: bigint, id2: bigint, type: bigint): ModelRow | undefined {
    return this.#rows.get(`${id1},${id2},${type}`);
  }

  /** False for a duplicate key, which changes nothing. */
  insert(row: ModelRow): boolean {
    const key = `${row.id1},${row.id2},${row.type}`;
    if (this.#rows.has(key)) return false;
    this.#rows.set(key, { ...row });
    return true;
  }

  /** Rows changed by `UPDATE … SET timestamp, value WHERE timestamp < new AND key`. */
  update(id1: bigint, id2: bigint, type: bigint, timestamp: bigint, value: string): number {
    const row = this.get(id1, id2, type);
    if (row === undefined || row.timestamp >= timestamp) return 0;
    row.timestamp = timestamp;
    row.value = value;
    return 1;
  }

  delete(id1: bigint, id2: bigint, type: bigint, timestamp: bigint): number {
    const row = this.get(id1, id2, type);
    if (row === undefined || row.timestamp >= timestamp) return 0;
    this.#rows.delete(`${id1},${id2},${type}`);
    return 1;
  }

  /** TAOBench's conditional insert of an edge of type `other` (3). */
  insertUnlessBlocked(row: ModelRow): number {
    const blocked = [...this.#rows.values()].some(
      ({ id1, id2, type }) =>
        (id1 === row.id1 && (type === 0n || type === 2n)) ||
        (id1 === row.id1 && id2 === row.id2 && type === 1n) ||
        (id1 === row.id2 && id2 === row.id1),
    );
    if (blocked) return 0;
    return this.insert(row) ? 1 : -1;
  }

  /** All rows in primary-key order. */
  sorted(): ModelRow[] {
    const order = (a: bigint, b: bigint) => (a < b ? -1 : a > b ? 1 : 0);
    return [...this.#rows.values()].sort(
      (a, b) => order(a.id1, b.id1) || order(a.id2, b.id2) || order(a.type, b.type),
    );
  }
}

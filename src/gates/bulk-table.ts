/**
 * A table with megabytes of rows and a model of it: what makes flushes, compactions and evictions happen, and then
 * holds them to every row.
 *
 * Each round's keys cover the whole range, so that files overlap. Old rows are overwritten and deleted all the time: a
 * tombstone or a newer version must go on hiding what lies in deeper levels.
 */
import { RandomLetters } from "./random-letters.ts";

export interface BulkRow {
  readonly id: number;
  readonly value: string;
}

export interface BulkChange {
  readonly id: number;
  readonly value: string | undefined;
}

/** How rows are asked for; each says what was wrong with an answer, or undefined. */
export interface BulkDoor<Connection> {
  insert(connection: Connection, rows: readonly BulkRow[]): Promise<string | undefined>;
  /** Rows that are there: new values, and undefined for those to be deleted. */
  change(connection: Connection, rows: readonly BulkChange[]): Promise<string | undefined>;
  /** Values in the order of the keys. */
  read(connection: Connection, ids: readonly number[]): Promise<(string | undefined)[] | string>;
  all(connection: Connection): Promise<BulkRow[] | string>;
}

const rowBytes = 3000;
const insertsPerRound = 100;
const changesPerRound = 10;
const readsPerRound = 20;

export class BulkTable<Connection> {
  readonly #door: BulkDoor<Connection>;
  readonly #next: () => number;
  readonly #letters: RandomLetters;
  /** Beginning of the value by key; the whole value is too much to keep and to compare. */
  readonly #rows = new Map<number, string>();
  readonly #deleted: number[] = [];
  #rounds = 0;

  constructor(door: BulkDoor<Connection>, next: () => number) {
    this.#door = door;
    this.#next = next;
    this.#letters = new RandomLetters(next);
  }

  get rows(): number {
    return this.#rows.size;
  }

  /** Inserts, overwrites, deletes and reads; what was wrong with an answer, or undefined. */
  async round(connection: Connection): Promise<string | undefined> {
    return (await this.#insert(connection)) ?? (await this.#change(connection)) ?? (await this.#read(connection));
  }

  async compareAll(connection: Connection): Promise<string | undefined> {
    const all = await this.#door.all(connection);
    if (typeof all === "string") return all;
    const found = new Map(all.map(({ id, value }) => [id, value]));
    for (const [id, start] of this.#rows) {
      const difference = differs(id, found.get(id), start);
      if (difference !== undefined) return difference;
    }
    const extra = [...found.keys()].find((id) => !this.#rows.has(id));
    return extra === undefined ? undefined : `bulk row ${extra} is there, but was deleted or never written`;
  }

  #insert(connection: Connection): Promise<string | undefined> {
    // Each round covers the whole range, as every flushed file then does.
    const rows = Array.from({ length: insertsPerRound }, (_, at) => {
      return { id: at * 10_000 + this.#rounds, value: this.#letters.take(rowBytes) };
    });
    for (const { id, value } of rows) this.#rows.set(id, value.slice(0, 40));
    this.#rounds++;
    return this.#door.insert(connection, rows);
  }

  #change(connection: Connection): Promise<string | undefined> {
    const changes = this.#pick(changesPerRound).map((id) => {
      if (this.#next() < 0.5) {
        this.#rows.delete(id);
        this.#deleted.push(id);
        return { id, value: undefined };
      }
      const value = this.#letters.take(rowBytes);
      this.#rows.set(id, value.slice(0, 40));
      return { id, value };
    });
    return this.#door.change(connection, changes);
  }

  async #read(connection: Connection): Promise<string | undefined> {
    const ids = this.#pick(readsPerRound);
    if (this.#deleted.length > 0) ids.push(this.#deleted[Math.floor(this.#next() * this.#deleted.length)]);
    const values = await this.#door.read(connection, ids);
    if (typeof values === "string") return values;
    for (const [at, id] of ids.entries()) {
      const start = this.#rows.get(id);
      if (start === undefined) {
        if (values[at] !== undefined) return `bulk row ${id} was deleted and is there again`;
        continue;
      }
      const difference = differs(id, values[at], start);
      if (difference !== undefined) return difference;
    }
    return undefined;
  }

  /** Distinct keys of rows that are there. */
  #pick(count: number): number[] {
    const picked = new Set<number>();
    while (picked.size < count) {
      const id =
        Math.floor(this.#next() * insertsPerRound) * 10_000 + Math.floor(this.#next() * this.#rounds);
      if (this.#rows.has(id)) picked.add(id);
    }
    return [...picked];
  }
}

function differs(id: number, value: string | undefined, start: string): string | undefined {
  if (value === undefined) return `bulk row ${id} is missing`;
  if (value.length === rowBytes && value.startsWith(start)) return undefined;
  const found = `${value.slice(0, 20)} (${value.length} letters)`;
  return `bulk row ${id} begins ${found} where the model says ${start.slice(0, 20)}`;
}

/**
 * A table with megabytes of rows and a model of it: what makes flushes, compactions and evictions happen, and then
 * holds them to every row.
 *
 * Each round's keys cover the whole range, so that files overlap. Old rows are overwritten and deleted all the time: a
 * tombstone or a newer version must go on hiding what lies in deeper levels.
 */
import type { GateConnection, StatementResult } from "./gate-connection.ts";
import { RandomLetters } from "./random-letters.ts";

const rowBytes = 3000;
const insertsPerRound = 100;
const changesPerRound = 10;
const readsPerRound = 20;

export class BulkTable {
  readonly #table: string;
  readonly #next: () => number;
  readonly #letters: RandomLetters;
  /** Beginning of the value by key; the whole value is too much to keep and to compare. */
  readonly #rows = new Map<number, string>();
  readonly #deleted: number[] = [];
  #rounds = 0;

  constructor(table: string, next: () => number) {
    this.#table = table;
    this.#next = next;
    this.#letters = new RandomLetters(next);
  }

  get createTable(): string {
    return `CREATE TABLE ${this.#table} (id BIGINT PRIMARY KEY, value VARCHAR(4000))`;
  }

  get rows(): number {
    return this.#rows.size;
  }

  /** Inserts, overwrites, deletes and reads; what was wrong with an answer, or undefined. */
  async round(connection: GateConnection): Promise<string | undefined> {
    return (await this.#insert(connection)) ?? (await this.#change(connection)) ?? (await this.#read(connection));
  }

  async compareAll(connection: GateConnection): Promise<string | undefined> {
    const [result] = await connection.query(`SELECT id, value FROM ${this.#table} ORDER BY id LIMIT 1000000`);
    if (result?.error !== undefined) return `${this.#table} cannot be read: ${result.error.message}`;
    const found = new Map(result.rows.map(([id, value]) => [Number(id), value]));
    for (const [id, start] of this.#rows) {
      const difference = differs(id, found.get(id) ?? undefined, start);
      if (difference !== undefined) return difference;
    }
    const extra = [...found.keys()].find((id) => !this.#rows.has(id));
    return extra === undefined ? undefined : `bulk row ${extra} is there, but was deleted or never written`;
  }

  async #insert(connection: GateConnection): Promise<string | undefined> {
    const tuples: string[] = [];
    // Each round covers the whole range, as every flushed file then does.
    for (let at = 0; at < insertsPerRound; at++) {
      const id = at * 10_000 + this.#rounds;
      const value = this.#letters.take(rowBytes);
      this.#rows.set(id, value.slice(0, 40));
      tuples.push(`(${id}, '${value}')`);
    }
    this.#rounds++;
    const results = await connection.query(`INSERT INTO ${this.#table} VALUES ${tuples.join(",")}`);
    return unexpected(results, [insertsPerRound]);
  }

  async #change(connection: GateConnection): Promise<string | undefined> {
    const texts: string[] = [];
    for (const id of this.#pick(changesPerRound)) {
      if (this.#next() < 0.5) {
        this.#rows.delete(id);
        this.#deleted.push(id);
        texts.push(`DELETE FROM ${this.#table} WHERE id=${id}`);
      } else {
        const value = this.#letters.take(rowBytes);
        this.#rows.set(id, value.slice(0, 40));
        texts.push(`UPDATE ${this.#table} SET value='${value}' WHERE id=${id}`);
      }
    }
    return unexpected(await connection.query(texts.join("; ")), texts.map(() => 1));
  }

  async #read(connection: GateConnection): Promise<string | undefined> {
    const ids = this.#pick(readsPerRound);
    if (this.#deleted.length > 0) ids.push(this.#deleted[Math.floor(this.#next() * this.#deleted.length)]);
    const results = await connection.query(
      ids.map((id) => `SELECT value FROM ${this.#table} WHERE id=${id}`).join("; "),
    );
    for (const [at, id] of ids.entries()) {
      const { rows, error } = results[at] ?? {};
      if (rows === undefined || error !== undefined) return `bulk row ${id} cannot be read: ${error?.message}`;
      const start = this.#rows.get(id);
      if (start === undefined) {
        if (rows.length > 0) return `bulk row ${id} was deleted and is there again`;
        continue;
      }
      const difference = differs(id, rows[0]?.[0] ?? undefined, start);
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

function unexpected(results: readonly StatementResult[], affected: readonly number[]): string | undefined {
  const failed = results.find(({ error }) => error !== undefined);
  if (failed?.error !== undefined) {
    return `a bulk write was refused with ${failed.error.errno}: ${failed.error.message}`;
  }
  const at = affected.findIndex((count, index) => results[index]?.affectedRows !== count);
  return at < 0 ? undefined : `a bulk write changed ${results[at]?.affectedRows} rows instead of ${affected[at]}`;
}

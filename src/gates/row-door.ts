/**
 * RowDoor: rows of a number and a text, in a product that is opened in the gate's own process.
 *
 * Products with SQL keep them in a table; those without, behind a key-value surface alone, under keys:
 *   1. A row lies in chunks of at most a value's length: `TABLE-ID.CHUNK`, both numbers with four digits, so that keys
 *   and rows have one order. The last chunk is shorter than the limit, and may be empty.
 *   2. Rows of one write are one batch, which is there as a whole or not at all, as a transaction is.
 *   3. A row of which a chunk is missing is read as what is left of it: text that was never written.
 */
import type { KeyValueDoor, KeyValueWrite, Product } from "../kit/product.ts";

export type NumberedRow = readonly [id: number, value: string];

export interface RowDoor {
  create(): Promise<void>;
  /** All or none. */
  write(rows: readonly NumberedRow[]): Promise<void>;
  /** Undefined: there is no such row. */
  read(id: number): Promise<string | undefined>;
  /** In the order of their numbers; of a table that is missing none. */
  readAll(): Promise<NumberedRow[]>;
}

/** What a gate's writes are in SQL: one statement of several rows, or a transaction of a statement for each. */
export type WriteShape = "statement" | "transaction";

export function rowDoor(product: Product, table: string, shape: WriteShape): RowDoor {
  const { keyValues } = product;
  return keyValues === undefined ? new TableDoor(product, table, shape) : new KeyDoor(keyValues, table);
}

class TableDoor implements RowDoor {
  readonly #product: Product;
  readonly #table: string;
  readonly #shape: WriteShape;

  constructor(product: Product, table: string, shape: WriteShape) {
    this.#product = product;
    this.#table = table;
    this.#shape = shape;
  }

  async create(): Promise<void> {
    await this.#product.query(`CREATE TABLE ${this.#table} (id BIGINT PRIMARY KEY, value VARCHAR(60000))`);
  }

  async write(rows: readonly NumberedRow[]): Promise<void> {
    const tuples = rows.map(([id, value]) => `(${id}, '${value}')`);
    const into = `INSERT INTO ${this.#table} (id, value) VALUES`;
    const inserts = tuples.map((tuple) => `${into} ${tuple}`);
    await this.#product.query(
      this.#shape === "statement" ? `${into} ${tuples.join(", ")}` : `START TRANSACTION; ${inserts.join("; ")}; COMMIT`,
    );
  }

  async read(id: number): Promise<string | undefined> {
    return (await this.#rows(`id = ${id}`))[0]?.[1];
  }

  async readAll(): Promise<NumberedRow[]> {
    try {
      return await this.#rows("id >= 0 ORDER BY id LIMIT 1000000");
    } catch (error) {
      if (/exist|unknown/i.test((error as Error).message)) return [];
      throw error;
    }
  }

  async #rows(condition: string): Promise<NumberedRow[]> {
    const [{ rows }] = await this.#product.query(`SELECT id, value FROM ${this.#table} WHERE ${condition}`);
    return rows.map(([id, value]) => [Number(id), value instanceof Uint8Array ? textOf(value) : String(value)]);
  }
}

const digits = 4;

class KeyDoor implements RowDoor {
  readonly #keyValues: KeyValueDoor;
  readonly #prefix: string;

  constructor(keyValues: KeyValueDoor, table: string) {
    this.#keyValues = keyValues;
    const room = keyValues.keyBytesMax - "-0000.0000".length;
    this.#prefix = room < 0 ? "" : `${table.slice(0, room)}-`;
  }

  async create(): Promise<void> {}

  async write(rows: readonly NumberedRow[]): Promise<void> {
    const { valueBytesMax } = this.#keyValues;
    const changes = rows.flatMap(([id, value]): KeyValueWrite[] => {
      const chunks = 1 + Math.floor(value.length / valueBytesMax);
      return Array.from({ length: chunks }, (_, chunk) => ({
        key: this.#key(id, chunk), value: value.slice(chunk * valueBytesMax, (chunk + 1) * valueBytesMax),
      }));
    });
    await this.#keyValues.write(changes);
  }

  async read(id: number): Promise<string | undefined> {
    let read: string | undefined;
    for (let chunk = 0; ; chunk++) {
      const found = this.#keyValues.get(new TextEncoder().encode(this.#key(id, chunk)));
      if (found === undefined) return read;
      read = (read ?? "") + textOf(found.value);
      if (found.value.length < this.#keyValues.valueBytesMax) return read;
    }
  }

  async readAll(): Promise<NumberedRow[]> {
    const rows: [number, string][] = [];
    this.#keyValues.scan({ prefix: new TextEncoder().encode(this.#prefix) }, ({ key, value }) => {
      const at = this.#prefix.length;
      const id = Number(textOf(key).slice(at, at + digits));
      const last = rows.at(-1);
      if (last?.[0] === id) last[1] += textOf(value);
      else rows.push([id, textOf(value)]);
      return true;
    });
    return rows;
  }

  #key(id: number, chunk: number): string {
    return `${this.#prefix}${String(id).padStart(digits, "0")}.${String(chunk).padStart(digits, "0")}`;
  }
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

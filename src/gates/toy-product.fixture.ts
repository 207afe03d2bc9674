/**
 * A product of one page: rows in a map, transactions as records of one log file. It understands just the statements of
 * the power-loss scenario, and can be built with faults that a gate must find.
 */
import { readU32LE, writeU32LE } from "../kit/bytes.ts";
import { crc32c } from "../kit/crc32c.ts";
import type { Env } from "../kit/env/env.ts";
import type { OpenProduct, Product, QueryResult } from "../kit/product.ts";

export type ToyFault =
  | "noFlush" | "noDirectoryFlush" | "recordPerRow" | "noChecksum" | "lastForgotten" | "waits" | "spins";

type Row = readonly [id: number, value: string];

const headerBytes = 8;

export function toyProduct(fault?: ToyFault): OpenProduct {
  return async (env, _knobs, { dataDirectory }) => new ToyProduct(env, dataDirectory, fault);
}

class ToyProduct implements Product {
  readonly name = "toy";
  readonly #fault: ToyFault | undefined;
  readonly #rows = new Map<number, string>();
  readonly #file: ReturnType<Env["disk"]["open"]>;
  #end = 0;

  constructor({ disk }: Env, directory: string, fault: ToyFault | undefined) {
    this.#fault = fault;
    disk.makeDirectory(directory);
    const path = `${directory}/log`;
    const isNew = !disk.exists(path);
    this.#file = disk.open(path, isNew ? "create" : "write");
    if (isNew && fault !== "noDirectoryFlush") disk.syncDirectory(directory);
    this.#recover();
  }

  async query(sql: string): Promise<QueryResult[]> {
    if (this.#fault === "spins") for (;;);
    if (this.#fault === "waits") return new Promise(() => {});
    if (sql.startsWith("SELECT")) {
      const rows = [...this.#rows].sort(([a], [b]) => a - b);
      return [{ columns: ["id", "value"], rows, affectedRows: 0 }];
    }
    const inserts = [...sql.matchAll(/VALUES \((\d+), '([^']*)'\)/g)].map(([, id, value]): Row => [Number(id), value]);
    const records = this.#fault === "recordPerRow" ? inserts.map((row) => [row]) : inserts.length > 0 ? [inserts] : [];
    for (const record of records) this.#append(record);
    if (this.#fault !== "noFlush") await this.#file.sync();
    for (const [id, value] of inserts) this.#rows.set(id, value);
    return [];
  }

  async serve(): Promise<never> {
    throw new Error("a toy serves nobody");
  }

  metrics(): [] {
    return [];
  }

  async rewrite(): Promise<void> {}
  async settle(): Promise<void> {}
  async drain(): Promise<void> {}

  async close(): Promise<void> {
    this.#file.close();
  }

  #append(rows: readonly Row[]): void {
    const payload = new TextEncoder().encode(JSON.stringify(rows));
    const record = new Uint8Array(headerBytes + payload.length);
    record.set(payload, headerBytes);
    writeU32LE(record, 0, payload.length);
    writeU32LE(record, 4, crc32c(payload, 0, payload.length));
    this.#file.writeSync(record, 0, record.length, this.#end);
    this.#end += record.length;
  }

  #recover(): void {
    const bytes = new Uint8Array(this.#file.sizeSync());
    this.#file.readSync(bytes, 0, bytes.length, 0);
    const records: Row[][] = [];
    while (this.#end + headerBytes <= bytes.length) {
      const start = this.#end + headerBytes;
      const end = start + readU32LE(bytes, this.#end);
      if (end > bytes.length || end === start) break;
      const isWhole = readU32LE(bytes, this.#end + 4) === crc32c(bytes, start, end);
      if (!isWhole && this.#fault !== "noChecksum") break;
      records.push(JSON.parse(new TextDecoder().decode(bytes.subarray(start, end))) as Row[]);
      this.#end = end;
    }
    if (this.#fault === "lastForgotten") records.pop();
    for (const [id, value] of records.flat()) this.#rows.set(id, value);
  }
}

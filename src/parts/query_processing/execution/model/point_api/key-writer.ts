/**
 * KeyWriter: the key of one table from bound sources, into bytes that are used again and again.
 *
 * Keys of a fixed length are written into one buffer of exactly that length: no allocation per read. Others are a view
 * of a buffer that grows. The key is valid until the writer's next call.
 */
import type { ColumnValue, Table } from "../../../../architecture/catalog/table.ts";
import type { RowLayout } from "../../../../storage/layout/row-layout.ts";
import { bind, type ValueSource } from "./value-source.ts";

export class KeyWriter {
  readonly #layout: RowLayout;
  readonly #table: Table;
  readonly #values: ColumnValue[] = [];
  #bytes: Uint8Array;

  constructor(layout: RowLayout, table: Table) {
    this.#layout = layout;
    this.#table = table;
    const fixed = layout.keyBytes(table);
    this.#bytes = new Uint8Array(fixed >= 0 ? fixed : 256);
  }

  /** Undefined where a value is NULL: no key equals it. Throws SqlError. */
  write(sources: readonly ValueSource[], parameters: readonly ColumnValue[], base: number): Uint8Array | undefined {
    const values = this.#values;
    // Setting it is a call, even to what it is.
    if (values.length !== sources.length) values.length = sources.length;
    for (let i = 0; i < sources.length; i++) {
      const value = bind(sources[i], parameters, base);
      if (value === null) return undefined;
      values[i] = value;
    }
    return this.encode(values);
  }

  encode(values: readonly ColumnValue[]): Uint8Array {
    let end = this.#layout.writeKey(this.#table, values, this.#bytes, 0);
    while (end < 0) {
      this.#bytes = new Uint8Array(this.#bytes.length * 4);
      end = this.#layout.writeKey(this.#table, values, this.#bytes, 0);
    }
    return end === this.#bytes.length ? this.#bytes : this.#bytes.subarray(0, end);
  }
}

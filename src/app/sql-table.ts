/**
 * SqlTable: one table of a MySQL server as import and export see it: its columns, its rows in key order by pages, and
 * inserts of whole batches. Values travel as parameters of prepared statements, so any bytes pass unharmed.
 */
import type { MySqlError } from "../bench/clients/mysql-error.ts";
import { MySqlClient, type PreparedHandle } from "../bench/clients/mysql-client.ts";
import type { Endpoint } from "../fleet/server.ts";
import { type ErrorCode, errorCodeOf, LatheError } from "../kit/errors.ts";
import type { RowView } from "../workload/row-view.ts";

export type Cell = bigint | number | string | Uint8Array | null;

export interface TableColumn {
  readonly name: string;
  readonly kind: "integer" | "double" | "text" | "binary";
  readonly nullable: boolean;
}

/** Failures of the server as a whole: no other row, and no second attempt, would fare better. */
const codeOfNumber: Readonly<Record<number, ErrorCode>> = {
  1021: "DISK_FULL",
  1040: "BACKPRESSURE",
  1045: "PERMISSION",
  1053: "CLOSED",
  1105: "IO_ERROR",
  1146: "NOT_FOUND",
  1290: "READ_ONLY",
  1712: "CORRUPTION",
};

/** Errors without a class of their own that are about one row: a text, a value, a size. */
const rowErrorNumbers = new Set([1153, 1300, 1366, 3170]);

const executeCommand = 0x17;
const varString = 253;
const blob = 252;
const utf8 = new TextDecoder("utf-8", { fatal: true });

export class SqlTable {
  readonly columns: readonly TableColumn[];
  readonly name: string;
  /** Ordinals of the key's columns, in key order. */
  readonly key: readonly number[];
  readonly #client: MySqlClient;
  readonly #prepared = new Map<string, PreparedHandle>();
  #ordered: boolean | undefined = undefined;

  private constructor(client: MySqlClient, name: string, columns: readonly TableColumn[], key: readonly number[]) {
    this.#client = client;
    this.name = name;
    this.columns = columns;
    this.key = key;
  }

  /** Errors: NOT_FOUND (no such table), INVALID_ARGUMENT (no primary key), those of connecting. */
  static async open(endpoint: Endpoint, name: string): Promise<SqlTable> {
    const client = await MySqlClient.connect(endpoint);
    try {
      const [described] = await client.query(`SHOW COLUMNS FROM ${quoted(name)}`);
      const [created] = await client.query(`SHOW CREATE TABLE ${quoted(name)}`);
      const columns = described.rows.map(([field, type, nullable]) => columnOf(`${field}`, `${type}`, `${nullable}`));
      const text = /PRIMARY KEY \(([^)]*)\)/.exec(created.rows[0]?.[1] ?? "")?.[1] ?? "";
      const names = text.split(",").map((one) => one.trim().replaceAll("`", ""));
      const key = names.map((one) => columns.findIndex((column) => column.name === one));
      if (key.includes(-1)) throw new LatheError("INVALID_ARGUMENT", `table ${name} has no primary key to read it by`);
      return new SqlTable(client, name, columns, key);
    } catch (error) {
      client.close();
      if ((error as { number?: number }).number !== 1146) throw error;
      throw new LatheError("NOT_FOUND", `there is no table ${name} on the server`, { cause: error });
    }
  }

  /** Up to `limit` rows behind the row `after`, in key order. */
  async page(after: readonly Cell[] | undefined, limit: number): Promise<Cell[][]> {
    const names = this.columns.map(({ name }) => quoted(name)).join(",");
    const keyNames = this.key.map((ordinal) => quoted(this.columns[ordinal].name));
    const marks = this.key.map(() => "?").join(",");
    const bound = this.key.length === 1 ? `${keyNames[0]} > ?` : `(${keyNames.join(",")}) > (${marks})`;
    const where = after === undefined ? "" : ` WHERE ${bound}`;
    const order = this.#ordered === false ? "" : ` ORDER BY ${keyNames.join(",")}`;
    const sql = `SELECT ${names} FROM ${quoted(this.name)}${where}${order} LIMIT ${limit}`;
    try {
      const bounds = after === undefined ? [] : this.key.map((ordinal) => after[ordinal]);
      const { rows } = await this.#execute(sql, bounds, this.key);
      this.#ordered ??= true;
      return rows;
    } catch (error) {
      // Our products answer in key order anyway, and may have no sorting.
      if (this.#ordered !== undefined || (error as { code?: string }).code !== "MYSQL") throw error;
      this.#ordered = false;
      return this.page(after, limit);
    }
  }

  /** Inserts all rows or none. Errors: MySqlError where the rows are at fault, else those of `failureOf`. */
  async insert(rows: readonly (readonly Cell[])[]): Promise<void> {
    const names = this.columns.map(({ name }) => quoted(name)).join(",");
    const marks = `(${this.columns.map(() => "?").join(",")})`;
    const sql = `INSERT INTO ${quoted(this.name)} (${names}) VALUES ${rows.map(() => marks).join(",")}`;
    await this.#execute(sql, rows.flat(), this.columns.keys().toArray());
  }

  close(): void {
    this.#client.close();
  }

  async #prepare(sql: string): Promise<PreparedHandle> {
    try {
      return await this.#client.prepare(sql);
    } catch (error) {
      throw failureOf(error as Error);
    }
  }

  /** `ordinals` are those of the parameters' columns, repeated. */
  async #execute(sql: string, values: readonly Cell[], ordinals: readonly number[]): Promise<{ rows: Cell[][] }> {
    let prepared = this.#prepared.get(sql);
    if (prepared === undefined) this.#prepared.set(sql, (prepared = await this.#prepare(sql)));
    const { request } = this.#client;
    request.begin(executeCommand);
    request.u32(prepared.id);
    request.u8(0);
    request.u32(1);
    if (values.length > 0) {
      const nulls = new Uint8Array((values.length + 7) >>> 3);
      values.forEach((value, i) => (nulls[i >>> 3] |= value === null ? 1 << (i & 7) : 0));
      request.bytes(nulls);
      request.u8(1);
      values.forEach((_, i) => {
        request.u8(this.columns[ordinals[i % ordinals.length]].kind === "binary" ? blob : varString);
        request.u8(0);
      });
      for (const value of values) {
        if (value === null) continue;
        const bytes = value instanceof Uint8Array ? value : Buffer.from(String(value));
        if (bytes.length < 251) request.u8(bytes.length);
        else {
          request.u8(0xfd);
          request.bytes(Uint8Array.of(bytes.length, bytes.length >>> 8, bytes.length >>> 16));
        }
        request.bytes(bytes);
      }
    }
    const rows: Cell[][] = [];
    return new Promise((resolve, reject) => {
      const onDone = (error: Error | undefined) => (error === undefined ? resolve({ rows }) : reject(failureOf(error)));
      const onRow = (row: RowView) => rows.push(this.columns.map((column, i) => cellOf(row, i, column)));
      this.#client.send({ onRow, onResult: () => undefined, onDone }, prepared);
    });
  }
}

/** Whether a statement was refused because of its rows, so that others may fare better. */
export function isRowError(error: unknown): boolean {
  const { code, number, sqlState } = error as Partial<MySqlError>;
  if (code !== "MYSQL") return errorCodeOf(error) === "LIMIT_EXCEEDED";
  return /^2[123]/.test(sqlState ?? "") || rowErrorNumbers.has(number ?? 0);
}

/** The server's failure by its code; an error of a statement is returned as it is. */
export function failureOf(error: Error): Error {
  const code = codeOfNumber[(error as Partial<MySqlError>).number ?? 0];
  return code === undefined ? error : new LatheError(code, `the server failed: ${error.message}`, { cause: error });
}

function cellOf(row: RowView, column: number, { kind }: TableColumn): Cell {
  if (row.isNull(column)) return null;
  if (row.isInteger[column] === 1) return row.bigint(column);
  const start = row.start[column];
  const bytes = Buffer.from(row.bytes.subarray(start, start + row.length[column]));
  if (kind === "double") return bytes.length === 4 ? bytes.readFloatLE(0) : bytes.readDoubleLE(0);
  return kind === "text" ? utf8.decode(bytes) : bytes;
}

/** Errors: INVALID_ARGUMENT for types that are neither number, text nor bytes. */
function columnOf(name: string, type: string, nullable: string): TableColumn {
  const kinds: [RegExp, TableColumn["kind"]][] = [
    [/^(tiny|small|medium|big)?int(eger)?\b(?!.*unsigned)/i, "integer"],
    [/^(double|float)\b/i, "double"],
    [/^(var)?char|^(tiny|medium|long)?text/i, "text"],
    [/^(var)?binary|^(tiny|medium|long)?blob/i, "binary"],
  ];
  const kind = kinds.find(([pattern]) => pattern.test(type))?.[1];
  if (kind !== undefined) return { name, kind, nullable: nullable === "YES" };
  const known = "signed integers, doubles, text and bytes are exported and imported";
  throw new LatheError("INVALID_ARGUMENT", `column ${name} has the type ${type}; ${known}`);
}

/** A name as it stands in a statement. */
export function quoted(name: string): string {
  return `\`${name.replaceAll("`", "``")}\``;
}

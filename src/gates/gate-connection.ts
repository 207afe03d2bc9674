/**
 * What gates need of a running product: start it, talk to it, take answers as text.
 *
 * A product is started with the arguments of a measurement, on a port that the system chooses: it cannot know which of
 * the two it is in.
 */
import { join } from "node:path";
import { MySqlClient, type PreparedHandle } from "../bench/clients/mysql-client.ts";
import type { MySqlError } from "../bench/clients/mysql-error.ts";
import { startProduct } from "../fleet/product-server.ts";
import type { Endpoint, RunningServer } from "../fleet/server.ts";
import type { RowView } from "../workload/row-view.ts";
import type { GateSubject } from "./gate.ts";

export interface StatementResult {
  /** Cells as text; NULL is null. */
  readonly rows: readonly (readonly (string | null)[])[];
  readonly affectedRows: number;
  readonly error?: { readonly errno: number; readonly message: string } | undefined;
}

export interface GateConnection {
  /** Runs text of one or more statements; a failed one is the last result. Rejects when the connection breaks. */
  query(sql: string): Promise<StatementResult[]>;
  /** Prepares (once per text) and runs with 64-bit integer or text parameters. */
  execute(sql: string, parameters: readonly (bigint | string)[]): Promise<StatementResult>;
  close(): Promise<void>;
}

/** Starts the product under examination on `<workDirectory>/data` (or `directory` below it). */
export function startSubject(subject: GateSubject, directory = "data"): Promise<RunningServer> {
  return startProduct({
    productDirectory: subject.productDirectory,
    dataDirectory: join(subject.workDirectory, directory),
    knobs: subject.knobs,
  });
}

/** Errors: those of `MySqlClient.connect`. */
export async function connectGate(endpoint: Endpoint): Promise<GateConnection> {
  return new ClientConnection(await MySqlClient.connect(endpoint));
}

/** Two bytes per parameter: type, and a flag for unsigned. */
const longlong = 8;
const varString = 253;

class ClientConnection implements GateConnection {
  readonly #client: MySqlClient;
  readonly #prepared = new Map<string, PreparedHandle>();

  constructor(client: MySqlClient) {
    this.#client = client;
  }

  query(sql: string): Promise<StatementResult[]> {
    this.#client.beginQuery();
    this.#client.request.utf8(sql);
    return this.#send();
  }

  async execute(sql: string, parameters: readonly (bigint | string)[]): Promise<StatementResult> {
    let prepared = this.#prepared.get(sql);
    if (prepared === undefined) this.#prepared.set(sql, (prepared = await this.#client.prepare(sql)));
    const types = Uint8Array.from(
      parameters.flatMap((value) => [typeof value === "bigint" ? longlong : varString, 0]),
    );
    this.#client.beginExecute(prepared, types);
    for (const value of parameters) {
      if (typeof value === "bigint") this.#client.request.int64(value);
      else this.#client.request.lengthEncodedLatin1(value);
    }
    const results = await this.#send(prepared);
    return results[0] ?? { rows: [], affectedRows: 0, error: { errno: 0, message: "no answer" } };
  }

  async close(): Promise<void> {
    this.#client.close();
  }

  #send(prepared?: PreparedHandle): Promise<StatementResult[]> {
    return new Promise((resolve, reject) => {
      const results: StatementResult[] = [];
      let rows: (string | null)[][] = [];
      const handler = {
        onRow: (row: RowView) => void rows.push(cellsOf(row, prepared !== undefined)),
        onResult: (_: number, affectedRows: number) => {
          results.push({ rows, affectedRows });
          rows = [];
        },
        onDone: (error: Error | undefined) => {
          if (error !== undefined && (error as MySqlError).code !== "MYSQL") return reject(error);
          if (error !== undefined) {
            const { number: errno, message } = error as MySqlError;
            results.push({ rows: [], affectedRows: 0, error: { errno, message } });
          }
          resolve(results);
        },
      };
      this.#client.send(handler, prepared);
    });
  }
}

function cellsOf(row: RowView, binary: boolean): (string | null)[] {
  return Array.from({ length: row.columns }, (_, column) => {
    if (row.isNull(column)) return null;
    if (binary && row.isInteger[column] === 1) return String(row.bigint(column));
    const start = row.start[column];
    return Buffer.from(row.bytes.subarray(start, start + row.length[column])).toString("utf8");
  });
}

/**
 * Loads the first content of a workload over several connections: as text INSERTs of several rows, or as batches over
 * HTTP.
 */
import type { Endpoint } from "../fleet/server.ts";
import { bulkLoadRows } from "../workload/bulk_ingest/bulk-workload.ts";
import { keyValueLoadRows } from "../workload/key_value/key-value-workload.ts";
import { ownLoadRows } from "../workload/own_operations/own-workload.ts";
import { taoLoadRows } from "../workload/taobench/tao-workload.ts";
import type { LoadBatch, Workload } from "../workload/workload.ts";
import { ycsbLoadRows } from "../workload/ycsb/ycsb-workload.ts";
import { LatheError } from "../kit/errors.ts";
import { HttpClient } from "./clients/http-client.ts";
import { HttpStatusError, putRequest } from "./clients/http-session.ts";
import { MySqlClient } from "./clients/mysql-client.ts";
import { MySqlError } from "./clients/mysql-error.ts";
import { isOverHttp } from "./clients/open-session.ts";
import { createTableText, statementsFor } from "./clients/statement-catalog.ts";
import type { LoadResult } from "./driver-protocol.ts";

/**
 * Tables that are there already are filled, never replaced. Errors: MySqlError, CLOSED, ALREADY_EXISTS
 * where they hold rows of an earlier load.
 */
export async function loadWorkload(workload: Workload, endpoint: Endpoint, connections: number): Promise<LoadResult> {
  if (isOverHttp(workload)) return loadOverHttp(workload, endpoint, connections);
  const startedAt = performance.now();
  const batches = workload.load(loadRowsOf(workload))[Symbol.iterator]();
  const clients: MySqlClient[] = [];
  let rows = 0;
  try {
    for (let number = 0; number < connections; number++) clients.push(await MySqlClient.connect(endpoint));
    for (const table of workload.tables) await clients[0].query(createTableText(table));
    await Promise.all(
      clients.map(async (client) => {
        const statements = statementsFor(workload);
        for (let next = batches.next(); next.done !== true; next = batches.next()) {
          statements.writeLoad(client, next.value);
          await new Promise<void>((resolve, reject) => {
            client.send({
              onRow: () => undefined,
              onResult: () => undefined,
              onDone: (error) => (error === undefined ? resolve() : reject(explain(error, next.value))),
            });
          });
          rows += next.value.rows.length;
        }
      }),
    );
  } finally {
    for (const client of clients) client.close();
  }
  return { rows, seconds: (performance.now() - startedAt) / 1000 };
}

/** Keys that are there already are overwritten. Errors: IO_ERROR, HttpStatusError, CLOSED. */
async function loadOverHttp(workload: Workload, endpoint: Endpoint, connections: number): Promise<LoadResult> {
  const startedAt = performance.now();
  const batches = workload.load(keyValueLoadRows)[Symbol.iterator]();
  const clients: HttpClient[] = [];
  let rows = 0;
  try {
    for (let number = 0; number < connections; number++) clients.push(await HttpClient.connect(endpoint));
    await Promise.all(
      clients.map(async (client) => {
        for (let next = batches.next(); next.done !== true; next = batches.next()) {
          const items = next.value.rows.map(([key, value]) => ({ key: String(key), value: String(value) }));
          const { status, body } = await client.request(putRequest({ items }));
          if (status !== 201) throw new HttpStatusError(status, body);
          rows += items.length;
        }
      }),
    );
  } finally {
    for (const client of clients) client.close();
  }
  return { rows, seconds: (performance.now() - startedAt) / 1000 };
}

/** Rows per INSERT. */
function loadRowsOf({ name }: Workload): number {
  if (name.startsWith("bulk_ingest")) return bulkLoadRows;
  if (name === "own_operations") return ownLoadRows;
  return name.startsWith("taobench") ? taoLoadRows : ycsbLoadRows;
}

const duplicateKey = 1062;

function explain(error: Error, batch: LoadBatch | undefined): Error {
  if (!(error instanceof MySqlError) || error.number !== duplicateKey) return error;
  const message = `table ${batch?.table} holds rows of an earlier load: use an empty database, or do not load again`;
  return new LatheError("ALREADY_EXISTS", message, { cause: error });
}

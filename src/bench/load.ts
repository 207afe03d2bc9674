/** Loads the first content of a workload over several connections, as text INSERTs of several rows. */
import type { Endpoint } from "../fleet/server.ts";
import { taoLoadRows } from "../workload/taobench/tao-workload.ts";
import type { Workload } from "../workload/workload.ts";
import { ycsbLoadRows } from "../workload/ycsb/ycsb-workload.ts";
import { MySqlClient } from "./clients/mysql-client.ts";
import { createTableText, statementsFor } from "./clients/statement-catalog.ts";
import type { LoadResult } from "./driver-protocol.ts";

/** Errors: MySqlError, CLOSED. Tables that are there already are filled, not replaced. */
export async function loadWorkload(workload: Workload, endpoint: Endpoint, connections: number): Promise<LoadResult> {
  const startedAt = performance.now();
  const batches = workload.load(workload.name.startsWith("taobench") ? taoLoadRows : ycsbLoadRows)[Symbol.iterator]();
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
              onDone: (error) => (error === undefined ? resolve() : reject(error)),
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

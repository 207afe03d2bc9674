/**
 * The phases of a bulk ingest through a product's front door, each timed, and what is there afterwards, checked.
 *
 * Steps, in a fresh data directory:
 *   open    the product starts on an empty directory, until it listens
 *   write   the records, as INSERTs of many rows over several connections; an answered one has been flushed to the
 *           device, so that the sync that the seed does at the end is part of every statement here
 *   settle  flushes and compactions that are due then come to their end
 *   close   SIGTERM until the process is gone
 *   reopen  it starts again
 *   read    every record once, in pages of 100 by the first index, over one connection, each row verified
 * Verified besides, untimed: all records by the second index, and the counts of both ways and of COUNT(*) are equal.
 * An order of magnitude at a time, from 100 records to the workload's scale, shows how cost grows.
 */
import { join } from "node:path";
import type { WorkloadSpec } from "../contract/contract.ts";
import { type ProductStart, startProduct } from "../fleet/product-server.ts";
import type { Endpoint } from "../fleet/server.ts";
import { LatheError } from "../kit/errors.ts";
import { pageRows } from "../workload/bulk_ingest/bulk-workload.ts";
import {
  entitlementId,
  entitlementNumber,
  grantPools,
  isPayloadOf,
  numberOf,
  principalId,
  principalNumber,
} from "../workload/bulk_ingest/grant-record.ts";
import type { RowView } from "../workload/row-view.ts";
import { MySqlClient } from "./clients/mysql-client.ts";
import { Driver } from "./driver.ts";
import { drainServer } from "./server-signals.ts";

export interface BulkPhases {
  readonly records: number;
  readonly openMs: number;
  readonly writeMs: number;
  readonly settleMs: number;
  readonly closeMs: number;
  readonly reopenMs: number;
  readonly readMs: number;
  readonly pages: number;
}

export interface BulkRequest {
  /** The data directory of each size lies in `directory`. */
  readonly product: Omit<ProductStart, "dataDirectory">;
  readonly directory: string;
  readonly workload: WorkloadSpec;
  readonly dataSeed: number;
  readonly signal?: AbortSignal | undefined;
  readonly progress?: ((line: string) => void) | undefined;
}

const drainTimeoutMs = 120_000;
const smallest = 100;

/** Errors: those of starting and loading; CORRUPTION where a record is not there or differs. */
export async function runBulkPhases(request: BulkRequest): Promise<BulkPhases[]> {
  const { workload, signal, progress } = request;
  const sizes = [workload.scale];
  for (let size = smallest; size < workload.scale; size *= 10) sizes.push(size);
  sizes.sort((a, b) => a - b);
  const found: BulkPhases[] = [];
  for (const records of sizes) {
    if (signal?.aborted === true) break;
    const phases = await runOneSize(request, { ...workload, scale: records });
    found.push(phases);
    const { openMs, writeMs, settleMs, closeMs, readMs } = phases;
    const rounded = [openMs, writeMs, settleMs, closeMs, readMs].map((ms) => ms.toFixed(0));
    const [open, write, settle, close, read] = rounded;
    progress?.(`${records} records: open ${open}, write ${write}, settle ${settle}, close ${close}, read ${read} ms`);
  }
  return found;
}

async function runOneSize(request: BulkRequest, workload: WorkloadSpec): Promise<BulkPhases> {
  const dataDirectory = join(request.directory, `bulk-${workload.scale}`);
  const start = { ...request.product, dataDirectory };
  const driver = await Driver.start(workload, request.dataSeed);
  const began = performance.now();
  let server = await startProduct(start);
  try {
    const opened = performance.now();
    const loaded = await driver.load(server.endpoint, workload.clients);
    const written = performance.now();
    await drainServer(server, drainTimeoutMs);
    const settled = performance.now();
    await server.stop();
    const closed = performance.now();
    server = await startProduct(start);
    const reopened = performance.now();
    const read = await readGrants(server.endpoint, workload.scale);
    expectEqual("rows written", loaded.rows, workload.scale);
    return {
      records: workload.scale,
      openMs: opened - began,
      writeMs: written - opened,
      settleMs: settled - written,
      closeMs: closed - settled,
      reopenMs: reopened - closed,
      ...read,
    };
  } finally {
    await server.kill();
    await driver.close();
  }
}

/**
 * Reads every record by both indexes, verified, and counts. Errors: CORRUPTION where one is missing, differs, comes
 * twice or out of order, or where the counts differ.
 */
export async function readGrants(endpoint: Endpoint, records: number): Promise<{ readMs: number; pages: number }> {
  const client = await MySqlClient.connect(endpoint);
  try {
    const pools = grantPools(records);
    const began = performance.now();
    const byEntitlement = await readIndex(client, records, "entitlement_id", pools.entitlements, entitlementId);
    const readMs = performance.now() - began;
    const byPrincipal = await readIndex(client, records, "principal_id", pools.principals, principalId);
    const [{ rows }] = await client.query("SELECT COUNT(*) FROM grants");
    expectEqual("records by entitlement", byEntitlement.seen.size, records);
    expectEqual("records by principal", byPrincipal.seen.size, records);
    expectEqual("records by COUNT(*)", Number(rows[0][0]), records);
    return { readMs, pages: byEntitlement.pages };
  } finally {
    client.close();
  }
}

/** Pages through one value of the index after the other; every row must be a record of that value, seen once. */
async function readIndex(
  client: MySqlClient,
  records: number,
  column: "entitlement_id" | "principal_id",
  values: number,
  textOf: (value: number) => string,
): Promise<{ seen: Set<number>; pages: number }> {
  const pools = grantPools(records);
  const seen = new Set<number>();
  let pages = 0;
  const check = (row: RowView, value: string): number => {
    const number = numberOf(row.text(0));
    const right =
      number >= 0 && number < records && !seen.has(number) &&
      row.text(1) === entitlementId(entitlementNumber(number, pools)) &&
      row.text(2) === principalId(principalNumber(number, pools)) &&
      row.text(column === "entitlement_id" ? 1 : 2) === value &&
      isPayloadOf(number, row.bytes, row.start[3], row.length[3]);
    if (!right) throw new LatheError("CORRUPTION", `a page of ${value} has a wrong row: ${row.text(0).slice(0, 40)}`);
    seen.add(number);
    return number;
  };
  for (let place = 0; place < values; place++) {
    const value = textOf(place);
    let after = "";
    for (let rows = pageRows; rows === pageRows; pages++) {
      const page = await readPage(client, column, value, after, check);
      ({ rows, after } = page);
    }
  }
  return { seen, pages };
}

function readPage(
  client: MySqlClient,
  column: string,
  value: string,
  after: string,
  check: (row: RowView, value: string) => number,
): Promise<{ rows: number; after: string }> {
  client.beginQuery();
  client.request.latin1(
    `SELECT external_id, entitlement_id, principal_id, payload FROM grants WHERE ${column} = '${value}'` +
      ` AND external_id > '${after}' ORDER BY external_id LIMIT ${pageRows}`,
  );
  let rows = 0;
  let last = after;
  let wrong: unknown;
  return new Promise((resolve, reject) => {
    client.send({
      onRow(row) {
        if (wrong !== undefined) return;
        try {
          check(row, value);
        } catch (thrown) {
          wrong = thrown;
        }
        const id = row.text(0);
        if (id <= last) wrong ??= new LatheError("CORRUPTION", `a page of ${value} is out of order at ${id}`);
        last = id;
        rows++;
      },
      onResult: () => undefined,
      onDone: (error) => (error ?? wrong) === undefined ? resolve({ rows, after: last }) : reject(error ?? wrong),
    });
  });
}

function expectEqual(what: string, found: number, expected: number): void {
  if (found !== expected) throw new LatheError("CORRUPTION", `${what}: ${found} instead of ${expected}`);
}

/**
 * A load over HTTP, in SNDV-KV's manner: single puts, batches of 100 and gets, one after another, each by connections
 * that wait for their answers.
 *
 * Keys are `key` and a number below the scale, values 64 letters that follow from key and version of the run, so that a
 * get can tell a value that was never written. Gets are of keys that were put before.
 */
import type { Endpoint } from "../fleet/server.ts";
import { Histogram } from "../kit/histogram.ts";
import { HttpClient, type HttpReply, requestBytes } from "./clients/http-client.ts";
import type { OperationStatistics } from "./measurement.ts";
import { SeededRandom } from "./statistics/seeded-random.ts";

export interface HttpLoadOptions {
  readonly endpoint: Endpoint;
  /** Keys. */
  readonly scale: number;
  readonly seed: number;
  /** Connections of single puts and gets. */
  readonly connections: number;
  readonly batchConnections: number;
  readonly batchItems: number;
  readonly valueBytes: number;
  readonly warmUpMs: number;
  readonly durationMs: number;
  /** CPU time of the server since its start. */
  readonly serverCpuUs: () => number;
  readonly signal?: AbortSignal | undefined;
}

export type HttpPhaseName = "PUT" | "BATCH" | "GET";

export interface HttpPhase extends OperationStatistics {
  readonly name: HttpPhaseName;
  readonly seconds: number;
  /** Items: requests of single operations, items of batches. */
  readonly itemsPerSecond: number;
  readonly serverCpuUsPerItem: number;
  readonly driverCores: number;
  readonly wrong: number;
  readonly complaints: readonly string[];
}

interface Operation {
  readonly name: HttpPhaseName;
  readonly connections: number;
  readonly items: number;
  next(draw: () => number): { readonly bytes: Buffer; readonly check: (reply: HttpReply) => string | undefined };
}

/** All three phases. Errors: those of connecting; CLOSED where the server closed a connection. */
export async function runHttpLoad(options: HttpLoadOptions): Promise<HttpPhase[]> {
  const phases: HttpPhase[] = [];
  await fill(options);
  for (const operation of operationsOf(options)) {
    if (options.signal?.aborted === true) break;
    phases.push(await runPhase(operation, options));
  }
  return phases;
}

/** Every key once, so that gets find what they ask for. */
async function fill({ endpoint, scale, valueBytes, seed }: HttpLoadOptions): Promise<void> {
  const client = await HttpClient.connect(endpoint);
  try {
    for (let first = 0; first < scale; first += 1000) {
      const numbers = Array.from({ length: Math.min(1000, scale - first) }, (_, at) => first + at);
      const items = numbers.map((number) => ({ key: `key${number}`, value: valueOf(number, seed, valueBytes) }));
      const reply = await client.request(requestBytes("POST", "/batch", JSON.stringify({ items })));
      if (reply.status !== 201) throw new Error(`filling was answered with ${reply.status}: ${reply.body.toString()}`);
    }
  } finally {
    client.close();
  }
}

function operationsOf({ scale, connections, batchConnections, batchItems, valueBytes, seed }: HttpLoadOptions) {
  const itemOf = (number: number) => `{"key":"key${number}","value":"${valueOf(number, seed, valueBytes)}"}`;
  const created = (reply: HttpReply) => (reply.status === 201 ? undefined : `status ${reply.status}`);
  const draw = (next: () => number) => Math.floor(next() * scale);
  const operations: Operation[] = [
    {
      name: "PUT", connections, items: 1,
      next: (next) => ({ bytes: requestBytes("POST", "/put", itemOf(draw(next))), check: created }),
    },
    {
      name: "BATCH", connections: batchConnections, items: batchItems,
      next: (next) => {
        const items = Array.from({ length: batchItems }, () => itemOf(draw(next)));
        return { bytes: requestBytes("POST", "/batch", `{"items":[${items.join(",")}]}`), check: created };
      },
    },
    {
      name: "GET", connections, items: 1,
      next: (next) => {
        const number = draw(next);
        const wanted = `{"key":"key${number}","val":"${valueOf(number, seed, valueBytes)}"}`;
        return {
          bytes: requestBytes("GET", `/get?key=key${number}`),
          check: ({ status, body }) =>
            status === 200 && body.toString("latin1") === wanted ? undefined : `status ${status}: ${body}`,
        };
      },
    },
  ];
  return operations;
}

async function runPhase(operation: Operation, options: HttpLoadOptions): Promise<HttpPhase> {
  const opening = Array.from({ length: operation.connections }, () => HttpClient.connect(options.endpoint));
  const clients = await Promise.all(opening);
  try {
    await drive(operation, clients, options, options.warmUpMs, options.seed + 1);
    return await drive(operation, clients, options, options.durationMs, options.seed + 2);
  } finally {
    for (const client of clients) client.close();
  }
}

async function drive(
  operation: Operation,
  clients: readonly HttpClient[],
  options: HttpLoadOptions,
  durationMs: number,
  seed: number,
): Promise<HttpPhase> {
  const latency = new Histogram();
  const complaints: string[] = [];
  let wrong = 0;
  const cpuBefore = process.cpuUsage();
  const serverBeforeUs = options.serverCpuUs();
  const startMs = performance.now();
  const endMs = startMs + durationMs;
  await Promise.all(clients.map(async (client, number) => {
    const random = new SeededRandom(seed * 1000 + number);
    const draw = () => random.next();
    while (performance.now() < endMs && options.signal?.aborted !== true) {
      const { bytes, check } = operation.next(draw);
      const sentMs = performance.now();
      const reply = await client.request(bytes);
      latency.record((performance.now() - sentMs) * 1000);
      const complaint = check(reply);
      if (complaint === undefined) continue;
      wrong++;
      if (complaints.length < 5) complaints.push(complaint.slice(0, 200));
    }
  }));
  const seconds = (performance.now() - startMs) / 1000;
  const driver = process.cpuUsage(cpuBefore);
  const items = latency.count * operation.items;
  return {
    name: operation.name,
    count: latency.count,
    errors: wrong,
    wrong,
    meanUs: latency.mean,
    p50Us: latency.percentile(50),
    p99Us: latency.percentile(99),
    maxUs: latency.max,
    seconds,
    itemsPerSecond: items / seconds,
    serverCpuUsPerItem: items === 0 ? 0 : (options.serverCpuUs() - serverBeforeUs) / items,
    driverCores: (driver.user + driver.system) / 1e6 / seconds,
    complaints,
  };
}

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";

/** Letters that follow from key and seed. Made once per key: they are the driver's largest cost. */
function valueOf(number: number, seed: number, bytes: number): string {
  const known = values.get(number);
  if (known !== undefined && valuesSeed === seed && known.length === bytes) return known;
  if (valuesSeed !== seed) values.clear();
  valuesSeed = seed;
  let state = Math.imul(number + 1, 0x9e37_79b1) ^ Math.imul(seed + 1, 0x85eb_ca6b);
  let text = "";
  while (text.length < bytes) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    text += letters[(state >>> 16) & 63];
  }
  values.set(number, text);
  return text;
}

const values = new Map<number, string>();
let valuesSeed = -1;

/**
 * Many idle connections beside busy ones: what each idle one costs the server, and what the busy ones notice.
 *
 *   node src/bench/idle-connections.bench.ts PRODUCT_DIRECTORY [--idle 10000] [--busy 500] [--launches 3] [--seconds 5]
 *     [--record DIR]
 *
 * A launch starts the product, loads a small table, and runs the busy connections (one prepared point read in flight on
 * each, closed loop) twice: alone, and with the idle connections open, in an order drawn by coin. The busy connections
 * are one process and the idle ones another, so that the clients do not slow each other. Memory of an idle connection is
 * the growth of the server's resident set (kernel's figure) between before they were opened and after all of them had
 * logged in, run one prepared read, and been left alone, over their number. The number of open files must allow it.
 */
import { type ChildProcess, fork } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { startProduct } from "../fleet/product-server.ts";
import type { Endpoint, RunningServer } from "../fleet/server.ts";
import { createWorkDirectory } from "../fleet/work-directory.ts";
import { MySqlClient, type PreparedHandle } from "./clients/mysql-client.ts";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    idle: { type: "string", default: "10000" },
    busy: { type: "string", default: "500" },
    launches: { type: "string", default: "3" },
    seconds: { type: "string", default: "5" },
    record: { type: "string" },
    clients: { type: "boolean", default: false },
  },
});
const rows = 10_000;
const connectAtOnce = 50;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

interface Latencies {
  readonly queriesPerSecond: number;
  readonly p50Us: number;
  readonly p99Us: number;
}

type Order =
  | { readonly kind: "open"; readonly endpoint: Endpoint; readonly count: number }
  | { readonly kind: "run"; readonly seconds: number }
  | { readonly kind: "close" };

/** One connection with its prepared read. */
class Reader {
  readonly #client: MySqlClient;
  readonly #prepared: PreparedHandle;
  #failed: Error | undefined;

  private constructor(client: MySqlClient, prepared: PreparedHandle) {
    this.#client = client;
    this.#prepared = prepared;
  }

  static async open(endpoint: Endpoint): Promise<Reader> {
    const client = await MySqlClient.connect(endpoint, 60_000);
    return new Reader(client, await client.prepare("SELECT v FROM idle_bench WHERE id = ?"));
  }

  read(id: number, done: () => void): void {
    this.#client.beginExecute(this.#prepared, Uint8Array.of(8, 0));
    this.#client.request.int64(BigInt(id));
    this.#client.send({
      onRow: () => undefined,
      onResult: () => undefined,
      onDone: (error) => {
        this.#failed ??= error;
        if (this.#failed !== undefined) throw this.#failed;
        done();
      },
    }, this.#prepared);
  }

  close(): void {
    this.#client.close();
  }
}

/** The process of clients: does what it is told. */
function serveOrders(): void {
  const readers: Reader[] = [];
  process.on("message", async (order: Order) => {
    if (order.kind === "open") {
      for (let opened = 0; opened < order.count; opened += connectAtOnce) {
        const count = Math.min(connectAtOnce, order.count - opened);
        const some = await Promise.all(Array.from({ length: count }, () => Reader.open(order.endpoint)));
        await Promise.all(some.map((reader, i) => new Promise<void>((resolve) => reader.read(i, resolve))));
        readers.push(...some);
      }
      process.send?.("opened");
    } else if (order.kind === "run") {
      process.send?.(await run(readers, order.seconds));
    } else {
      for (const reader of readers.splice(0)) reader.close();
      process.send?.("closed");
    }
  });
}

async function run(readers: readonly Reader[], seconds: number): Promise<Latencies> {
  const latencies: number[] = [];
  let going = true;
  let running = readers.length;
  const started = performance.now();
  await new Promise<void>((ended) => {
    for (const reader of readers) {
      const next = () => {
        if (!going) {
          if (--running === 0) ended();
          return;
        }
        const sent = performance.now();
        reader.read(Math.floor(Math.random() * rows), () => {
          latencies.push(performance.now() - sent);
          next();
        });
      };
      next();
    }
    setTimeout(() => (going = false), seconds * 1000);
  });
  const elapsed = (performance.now() - started) / 1000;
  latencies.sort((one, other) => one - other);
  const at = (share: number) => 1000 * latencies[Math.floor(share * (latencies.length - 1))];
  return { queriesPerSecond: latencies.length / elapsed, p50Us: at(0.5), p99Us: at(0.99) };
}

interface Launch {
  readonly idleFirst: boolean;
  readonly alone: Latencies;
  readonly beside: Latencies;
  readonly bytesPerIdle: number;
}

function tell<Answer>(child: ChildProcess, order: Order): Promise<Answer> {
  return new Promise((resolve, reject) => {
    child.once("message", (answer) => resolve(answer as Answer));
    child.once("exit", () => reject(new Error("the clients' process has ended")));
    child.send(order);
  });
}

function startClients(): ChildProcess {
  return fork(import.meta.filename, ["--clients"], { execArgv: ["--disable-warning=ExperimentalWarning"] });
}

/** After a while, when the collector has done what it does by itself. */
async function residentBytes(server: RunningServer): Promise<number> {
  await pause(3000);
  return server.memory().residentBytes;
}

async function load(server: RunningServer): Promise<void> {
  const client = await MySqlClient.connect(server.endpoint);
  await client.query("CREATE TABLE IF NOT EXISTS idle_bench (id BIGINT PRIMARY KEY, v VARCHAR(120))");
  for (let from = 0; from < rows; from += 500) {
    const values = Array.from({ length: 500 }, (_, i) => `(${from + i}, '${"v".repeat(100)}')`);
    await client.query(`INSERT INTO idle_bench VALUES ${values.join(",")}`);
  }
  client.close();
}

async function measure(productDirectory: string, dataDirectory: string, idleFirst: boolean): Promise<Launch> {
  const [idle, busy, seconds] = [Number(values.idle), Number(values.busy), Number(values.seconds)];
  const connectionsMax = idle + busy + 10;
  const knobs = { "mysql.connections_max": connectionsMax, "mysql.statements_total_max": connectionsMax };
  const server = await startProduct({ productDirectory, dataDirectory, knobs });
  const [idleClients, busyClients] = [startClients(), startClients()];
  try {
    await load(server);
    await tell(busyClients, { kind: "open", endpoint: server.endpoint, count: busy });
    await tell(busyClients, { kind: "run", seconds: 3 });
    let alone = idleFirst ? undefined : await tell<Latencies>(busyClients, { kind: "run", seconds });
    const before = await residentBytes(server);
    await tell(idleClients, { kind: "open", endpoint: server.endpoint, count: idle });
    const after = await residentBytes(server);
    const beside = await tell<Latencies>(busyClients, { kind: "run", seconds });
    await tell(idleClients, { kind: "close" });
    await pause(3000);
    alone ??= await tell<Latencies>(busyClients, { kind: "run", seconds });
    return { idleFirst, alone, beside, bytesPerIdle: (after - before) / idle };
  } finally {
    idleClients.kill();
    busyClients.kill();
    await server.kill();
  }
}

function page(launches: readonly Launch[]): string {
  const micro = (value: number) => Math.round(value).toLocaleString("en");
  const rowsOf = launches.map(({ idleFirst, alone, beside, bytesPerIdle }) =>
    `| ${idleFirst ? "beside, alone" : "alone, beside"} | ${micro(alone.queriesPerSecond)} | ${micro(alone.p99Us)} | ` +
    `${micro(beside.queriesPerSecond)} | ${micro(beside.p99Us)} | ${(beside.p99Us / alone.p99Us).toFixed(2)} | ` +
    `${(bytesPerIdle / 1024).toFixed(1)} |`);
  return [
    `# ${Number(values.idle).toLocaleString("en")} idle and ${values.busy} busy connections`, "",
    "Busy: one prepared point read in flight on each. Idle: logged in, one statement prepared and run.", "",
    "| order | alone: queries/s | p99, µs | beside the idle: queries/s | p99, µs | p99 ratio | KiB per idle connection |",
    "|---|--:|--:|--:|--:|--:|--:|", ...rowsOf, "",
  ].join("\n");
}

async function main(productDirectory: string | undefined): Promise<void> {
  if (productDirectory === undefined) {
    throw new Error("usage: node src/bench/idle-connections.bench.ts PRODUCT_DIRECTORY");
  }
  const work = createWorkDirectory("idle");
  try {
    const launches: Launch[] = [];
    for (let launch = 1; launch <= Number(values.launches); launch++) {
      launches.push(await measure(productDirectory, join(work.path, String(launch)), Math.random() < 0.5));
      console.log(JSON.stringify(launches.at(-1)));
    }
    const text = page(launches);
    console.log(text);
    if (values.record !== undefined) {
      mkdirSync(values.record, { recursive: true });
      writeFileSync(join(values.record, "idle-connections.md"), text);
      writeFileSync(join(values.record, "idle-connections.json"), `${JSON.stringify(launches, undefined, 1)}\n`);
    }
  } finally {
    work.remove();
  }
}

if (values.clients) serveOrders();
else await main(positionals[0]);

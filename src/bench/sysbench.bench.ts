/**
 * sysbench against a product, MariaDB and a server that answers fixed rows: same machine, same client, launches by turns.
 *
 *   node src/bench/sysbench.bench.ts PRODUCT_DIRECTORY [--test oltp_point_select] [--rows 100000] [--threads 8]
 *     [--launches 5] [--seconds 5] [--pool-mib 1024] [--knob name=value]… [--record DIR]
 *
 * A launch starts the servers anew on their data, in an order drawn by coin, warms each with two seconds of the same,
 * and runs sysbench against one at a time while the others are stopped (SIGSTOP). What counts is server CPU per query,
 * from the kernel's accounting: on few cores throughput also depends on what the client leaves. The fixed-row server
 * takes part in point reads only; there, the product and MariaDB are asked once more by their Unix-domain sockets.
 * Point reads go without the secondary index, so that any product will do (taobench-o has a row cache); the other tests
 * need one with secondary indexes (bulk-ingest).
 */
import { execFile } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs, promisify } from "node:util";
import { type RunningMariadb, startMariadb } from "../fleet/mariadb-server.ts";
import { userAndSystemUs } from "../fleet/process-accounting.ts";
import { startProduct } from "../fleet/product-server.ts";
import { startScriptServer } from "../fleet/script-server.ts";
import type { RunningServer } from "../fleet/server.ts";
import { createWorkDirectory } from "../fleet/work-directory.ts";
import { parseKnobArgument } from "../kit/knob-file.ts";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    test: { type: "string", default: "oltp_point_select" },
    rows: { type: "string", default: "100000" },
    threads: { type: "string", default: "8" },
    launches: { type: "string", default: "5" },
    seconds: { type: "string", default: "5" },
    "pool-mib": { type: "string", default: "1024" },
    knob: { type: "string", multiple: true, default: [] },
    record: { type: "string" },
  },
});
const [productDirectory] = positionals;
if (productDirectory === undefined) throw new Error("usage: node src/bench/sysbench.bench.ts PRODUCT_DIRECTORY");
const knobs = Object.fromEntries(values.knob.map(parseKnobArgument));
const run = promisify(execFile);
const isPointRead = values.test === "oltp_point_select";

type Server = "product" | "mariadb" | "fixed";
/** A server, and how it is reached. */
type Side = Server | "product by socket" | "mariadb by socket";

interface Sample {
  readonly side: Side;
  readonly launch: number;
  readonly queriesPerSecond: number;
  readonly cpuUsPerQuery: number;
  /** What of it was spent in user mode; undefined where the system does not say. */
  readonly userUsPerQuery: number | undefined;
  readonly p99Ms: number;
  readonly errors: number;
}

function sysbench(
  server: RunningServer,
  phase: "prepare" | "run",
  seconds: number,
  bySocket = false,
): Promise<{ stdout: string }> {
  const { host, port, socketPath, user, password } = server.endpoint;
  const where = bySocket
    ? ["--mysql-host=localhost", `--mysql-socket=${socketPath}`]
    : [`--mysql-host=${host}`, `--mysql-port=${port}`];
  return run("sysbench", [
    values.test, "--db-driver=mysql", ...where, `--mysql-user=${user}`,
    `--mysql-password=${password}`, "--mysql-db=lathe", "--tables=1", `--table-size=${values.rows}`,
    `--threads=${values.threads}`, `--time=${seconds}`, "--percentile=99", "--mysql-ignore-errors=all",
    ...(isPointRead ? ["--create_secondary=off"] : []), phase,
  ], { maxBuffer: 1 << 24 });
}

function numberIn(text: string, pattern: RegExp): number {
  const found = pattern.exec(text)?.[1];
  if (found === undefined) throw new Error(`sysbench did not say ${pattern}: ${text.slice(0, 500)}`);
  return Number(found);
}

async function measure(side: Side, launch: number, server: RunningServer): Promise<Sample> {
  const before = server.cpuUs();
  const splitBefore = userAndSystemUs(server.processId);
  const { stdout } = await sysbench(server, "run", Number(values.seconds), side.endsWith("by socket"));
  const cpuUs = server.cpuUs() - before;
  const share = userShare(splitBefore, userAndSystemUs(server.processId));
  const queries = numberIn(stdout, /queries:\s+(\d+)/);
  return {
    side, launch,
    queriesPerSecond: numberIn(stdout, /queries:\s+\d+\s+\(([\d.]+) per sec/),
    cpuUsPerQuery: cpuUs / queries,
    userUsPerQuery: share === undefined ? undefined : (share * cpuUs) / queries,
    p99Ms: numberIn(stdout, /99th percentile:\s+([\d.]+)/),
    errors: numberIn(stdout, /ignored errors:\s+(\d+)/),
  };
}

type Split = ReturnType<typeof userAndSystemUs>;

function userShare(before: Split, after: Split): number | undefined {
  if (before === undefined || after === undefined) return undefined;
  const userUs = after.userUs - before.userUs;
  const systemUs = after.systemUs - before.systemUs;
  return userUs + systemUs > 0 ? userUs / (userUs + systemUs) : undefined;
}

const work = createWorkDirectory("sysbench");
const directories = { product: join(work.path, "p"), mariadb: join(work.path, "m") };
const poolMiB = Number(values["pool-mib"]);

const starts: Readonly<Record<Server, () => Promise<RunningServer>>> = {
  product: () => startProduct({
    productDirectory, dataDirectory: directories.product, knobs, socketPath: join(work.path, "s"),
  }),
  mariadb: () => startMariadb({ dataDirectory: directories.mariadb, poolMiB }),
  fixed: () => startScriptServer("fixed rows", join(import.meta.dirname, "fixed-row-server.ts")),
};
const servers: readonly Server[] = isPointRead ? ["product", "mariadb", "fixed"] : ["product", "mariadb"];
const sides: readonly Side[] = isPointRead ? [...servers, "product by socket", "mariadb by socket"] : servers;

function shuffled<Item>(items: readonly Item[]): Item[] {
  const order = [...items];
  for (let at = order.length - 1; at > 0; at--) {
    const other = Math.floor(Math.random() * (at + 1));
    [order[at], order[other]] = [order[other], order[at]];
  }
  return order;
}

async function runLaunch(launch: number): Promise<Sample[]> {
  const running = new Map<Server, RunningServer>();
  try {
    for (const name of shuffled(servers)) {
      const server = await starts[name]();
      running.set(name, server);
      await sysbench(server, "run", 2);
      server.freeze();
    }
    const samples: Sample[] = [];
    for (const side of shuffled(sides)) {
      const server = running.get(side.split(" ")[0] as Server) as RunningServer;
      server.thaw();
      samples.push(await measure(side, launch, server));
      server.freeze();
    }
    return samples;
  } finally {
    for (const server of running.values()) {
      server.thaw();
      await server.stop(60_000).catch(() => server.kill());
    }
  }
}

function medianOf(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((one, other) => one - other);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The ratio of two sides in each launch: its median, least and greatest. */
function ratio(
  samples: readonly Sample[],
  value: (sample: Sample) => number,
  over: Side,
  ofSide: Side = "product",
): string {
  const launches = [...new Set(samples.map(({ launch }) => launch))];
  const ratios = launches.map((launch) => {
    const of = (side: Side) => value(samples.find((one) => one.launch === launch && one.side === side) as Sample);
    return of(ofSide) / of(over);
  });
  return `${medianOf(ratios).toFixed(2)} (${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)})`;
}

/** What of the CPU per query is spent outside the kernel, and what within. */
function split(samples: readonly Sample[]): string {
  const user = samples.flatMap(({ userUsPerQuery: value }) => value ?? []);
  if (user.length < samples.length) return "";
  const system = samples.map((one) => one.cpuUsPerQuery - (one.userUsPerQuery ?? 0));
  return `${medianOf(user).toFixed(1)} + ${medianOf(system).toFixed(1)}`;
}

function page(samples: readonly Sample[], options: readonly string[]): string {
  const rows = sides.map((side) => {
    const own = samples.filter((one) => one.side === side);
    const of = (value: (sample: Sample) => number) => medianOf(own.map(value));
    return `| ${side} | ${Math.round(of(({ queriesPerSecond: value }) => value)).toLocaleString("en")} | ` +
      `${of(({ cpuUsPerQuery: value }) => value).toFixed(1)} | ` +
      `${split(own)} | ` +
      `${Math.round(1e6 / of(({ cpuUsPerQuery: value }) => value)).toLocaleString("en")} | ` +
      `${of(({ p99Ms: value }) => value).toFixed(2)} | ${own.reduce((sum, { errors }) => sum + errors, 0)} |`;
  });
  const perCpu = ratio(samples, ({ cpuUsPerQuery }) => 1 / cpuUsPerQuery, "mariadb");
  const lines = [
    `# sysbench ${values.test}, ${values.threads} connections, ${Number(values.rows).toLocaleString("en")} rows`, "",
    `${values.launches} launches of ${values.seconds} s for each side by turns; medians over launches.`, "",
    "| server | queries/s | server CPU per query, µs | user + system, µs | queries per CPU second | p99, ms | errors |",
    "|---|--:|--:|--:|--:|--:|--:|", ...rows, "",
    `- Queries per server CPU second against MariaDB: **${perCpu}**`,
    ...(isPointRead
      ? [
        `- Server CPU per query against the fixed-row server: **${ratio(samples, (one) => one.cpuUsPerQuery, "fixed")}**`,
        "- Queries per server CPU second against MariaDB, both by their Unix-domain sockets (no bar): " +
          ratio(samples, (one) => 1 / one.cpuUsPerQuery, "mariadb by socket", "product by socket"),
      ]
      : []),
    `- Throughput against MariaDB: ${ratio(samples, ({ queriesPerSecond }) => queriesPerSecond, "mariadb")}`,
    `- p99 against MariaDB: ${ratio(samples, ({ p99Ms }) => p99Ms, "mariadb")}`, "",
    `Ratios: median over launches (least to greatest). MariaDB: ${options.join(" ")}; pool ${poolMiB} MiB holds the data.`,
    `Product: ${Object.keys(knobs).length === 0 ? "default knobs" : JSON.stringify(knobs)}.`, "",
  ];
  return lines.join("\n");
}

try {
  let options: readonly string[] = [];
  for (const side of ["product", "mariadb"] as const) {
    const server = await starts[side]();
    if (side === "mariadb") options = [(server as RunningMariadb).version, ...(server as RunningMariadb).options];
    await sysbench(server, "prepare", 0);
    await server.stop(120_000);
  }
  const samples: Sample[] = [];
  for (let launch = 1; launch <= Number(values.launches); launch++) {
    const own = await runLaunch(launch);
    for (const one of own) console.log(JSON.stringify(one));
    samples.push(...own);
  }
  const text = page(samples, options);
  console.log(text);
  if (values.record !== undefined) {
    mkdirSync(values.record, { recursive: true });
    const name = `sysbench-${values.test.replace(/^oltp_/, "").replaceAll("_", "-")}`;
    writeFileSync(join(values.record, `${name}.md`), text);
    writeFileSync(join(values.record, `${name}.json`), `${JSON.stringify({ options, knobs, samples }, undefined, 1)}\n`);
  }
} finally {
  work.remove();
}

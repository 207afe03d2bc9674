/**
 * The HTTP surface under load: durable single puts, durable batches of 100 and gets of a product with an HTTP surface,
 * beside what SNDV-KV publishes of itself.
 *
 *     node src/bench/http.bench.ts --help
 *     node src/bench/http.bench.ts --record examples/bars/http
 *
 * Each launch starts the product on fresh data, on a disk: figures of what is synced in memory are no durable ones.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { loadavg } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { loadContract } from "../contract/parse.ts";
import { startProduct } from "../fleet/product-server.ts";
import { createWorkDirectory } from "../fleet/work-directory.ts";
import { buildProduct } from "../foundry/build.ts";
import { describeMachine, machineText } from "../kit/machine.ts";
import { loadKnobCatalog } from "../knobs/catalog.ts";
import { type HttpPhase, type HttpPhaseName, runHttpLoad } from "./http-load.ts";

const { values: flags } = parseArgs({
  options: {
    seconds: { type: "string", default: "10" },
    launches: { type: "string", default: "5" },
    connections: { type: "string", default: "64" },
    "batch-connections": { type: "string", default: "16" },
    contract: { type: "string", default: "examples/sndv-kv/contract.yaml" },
    record: { type: "string" },
    "node-argument": { type: "string", multiple: true, default: [] },
    help: { type: "boolean", default: false },
  },
});

const help = `Usage: node src/bench/http.bench.ts [options]

Durable single puts, durable batches of 100 and gets of an HTTP product, beside SNDV-KV's own figures.

  --seconds N            of each of the three phases (default 10), after a warm-up of 2 at most
  --launches N           each on fresh data; the median is told, with the least and the most (default 5)
  --connections N        of puts and gets (default 64)
  --batch-connections N  of batches (default 16)
  --contract FILE        whose product is measured (default examples/sndv-kv/contract.yaml)
  --record FILE          write FILE.json and FILE.md
  --node-argument ARG    for the product's Node, as --cpu-prof; may be repeated
  --help                 this text
`;
if (flags.help) {
  process.stdout.write(help);
  process.exit(0);
}

/** What the bar asks for, and SNDV-KV's own figures. */
const asked: Readonly<Record<HttpPhaseName, { readonly items: number; readonly seed: string }>> = {
  PUT: { items: 8_000, seed: "710 (its README); 522 (its results.json)" },
  BATCH: { items: 150_000, seed: "43,084 (its README); 89,966 (its results.json, without durability)" },
  GET: { items: 20_000, seed: "8,274 (its first README)" },
};

async function launch(number: number, productDirectory: string): Promise<HttpPhase[]> {
  const work = createWorkDirectory("http-bench");
  const dataDirectory = mkdtempSync(join(work.path, "data-"));
  const server = await startProduct({
    productDirectory, dataDirectory, surface: "http", nodeArguments: flags["node-argument"],
  });
  try {
    const durationMs = Number(flags.seconds) * 1000;
    return await runHttpLoad({
      endpoint: server.endpoint, scale: 100_000, seed: number, connections: Number(flags.connections),
      batchConnections: Number(flags["batch-connections"]), batchItems: 100, valueBytes: 64,
      warmUpMs: Math.min(2000, durationMs / 2), durationMs, serverCpuUs: () => server.cpuUs(),
    });
  } finally {
    await server.stop();
    rmSync(dataDirectory, { recursive: true, force: true });
    work.remove();
  }
}

interface Row {
  readonly name: HttpPhaseName;
  readonly median: number;
  readonly least: number;
  readonly most: number;
  readonly asked: number;
  readonly serverCpuUsPerItem: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly driverCores: number;
  readonly wrong: number;
}

function rowOf(name: HttpPhaseName, launches: readonly HttpPhase[][]): Row {
  const phases = launches.map((phasesOf) => phasesOf.find((phase) => phase.name === name) as HttpPhase);
  const middle = (of: (phase: HttpPhase) => number) => {
    const sorted = phases.map(of).sort((a, b) => a - b);
    return sorted[Math.floor(sorted.length / 2)];
  };
  const rates = phases.map((phase) => phase.itemsPerSecond);
  return {
    name, median: middle((phase) => phase.itemsPerSecond), least: Math.min(...rates), most: Math.max(...rates),
    asked: asked[name].items,
    serverCpuUsPerItem: middle((phase) => phase.serverCpuUsPerItem),
    p50Us: middle((phase) => phase.p50Us), p99Us: middle((phase) => phase.p99Us),
    driverCores: middle((phase) => phase.driverCores),
    wrong: phases.reduce((sum, phase) => sum + phase.wrong, 0),
  };
}

function pageOf(rows: readonly Row[], loadBefore: number): string {
  const count = (value: number) => Math.round(value).toLocaleString("en-US");
  const { seconds, launches, connections, "batch-connections": batchConnections } = flags;
  return [
    "# HTTP: durable puts, batches and gets",
    "",
    `\`node src/bench/http.bench.ts --seconds ${seconds} --launches ${launches} --connections ${connections} ` +
      `--batch-connections ${batchConnections}\` on ${machineText(describeMachine())}; ` +
      `load average ${loadBefore.toFixed(1)} before, ${loadavg()[0].toFixed(1)} after.`,
    "",
    "Driver and server share the machine. Items per second are the median (least–most) of launches on fresh data, every",
    `answer checked; ${connections} connections of single puts and gets, ${batchConnections} of batches of 100; 100,000 keys,`,
    "values of 64 bytes. A put or batch is answered when it is flushed to the device.",
    "",
    "| operation | items/s | asked for | SNDV-KV | server CPU µs/item | p50 µs | p99 µs | driver cores | wrong answers |",
    "|---|--:|--:|---|--:|--:|--:|--:|--:|",
    ...rows.map((row) =>
      `| ${row.name} | ${count(row.median)} (${count(row.least)}–${count(row.most)}) | ${count(row.asked)} | ` +
        `${asked[row.name].seed} | ${row.serverCpuUsPerItem.toFixed(1)} | ${count(row.p50Us)} | ${count(row.p99Us)} | ` +
        `${row.driverCores.toFixed(2)} | ${row.wrong} |`),
    "",
  ].join("\n");
}

async function main(): Promise<void> {
  const [loadBefore] = loadavg();
  const work = createWorkDirectory("http-product");
  try {
    const productDirectory = join(work.path, "product");
    const contract = loadContract(flags.contract);
    const contractText = readFileSync(flags.contract, "utf8");
    buildProduct({ contract, contractText, knobCatalog: loadKnobCatalog() }, productDirectory);
    const launches: HttpPhase[][] = [];
    for (let number = 1; number <= Number(flags.launches); number++) {
      launches.push(await launch(number, productDirectory));
      const shown = launches[number - 1].map(({ name, itemsPerSecond, serverCpuUsPerItem, wrong, complaints }) =>
        `${name} ${Math.round(itemsPerSecond)}/s (${serverCpuUsPerItem.toFixed(1)} µs, ${wrong} wrong ${complaints.join("; ")})`);
      console.log(`launch ${number}: ${shown.join(", ")}`);
    }
    const rows = (["PUT", "BATCH", "GET"] as const).map((name) => rowOf(name, launches));
    const page = pageOf(rows, loadBefore);
    console.log(page);
    if (flags.record === undefined) return;
    writeFileSync(`${flags.record}.md`, page);
    writeFileSync(`${flags.record}.json`, `${JSON.stringify({ rows, launches }, undefined, 1)}\n`);
  } finally {
    work.remove();
  }
}

await main();

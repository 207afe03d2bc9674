/**
 * How fast rows come in from a CSV file: the plain import beside imports as a job, with several writers and batches by
 * size.
 *
 *     node src/app/import.bench.ts [--rows 20000] [--rounds 5] [--record examples/bars]
 *
 * All ways import the same file into tables of their own on one running product (`examples/bulk-ingest`), by turns and
 * in a new order each round, so that what loads the machine meanwhile loads all of them alike. Ratios are of the same
 * round. A wrong number of rows fails the run.
 */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { MySqlClient } from "../bench/clients/mysql-client.ts";
import { createTableText } from "../bench/clients/statement-catalog.ts";
import { barText, type RecordedBar } from "../bench/recorded-bar.ts";
import { loadContract } from "../contract/parse.ts";
import { startProduct } from "../fleet/product-server.ts";
import type { Endpoint } from "../fleet/server.ts";
import { createWorkDirectory } from "../fleet/work-directory.ts";
import { buildProduct } from "../foundry/build.ts";
import { describeMachine, machineText } from "../kit/machine.ts";
import { loadKnobCatalog } from "../knobs/catalog.ts";
import { grantsTable } from "../workload/bulk_ingest/bulk-workload.ts";
import { grantPools, grantRow } from "../workload/bulk_ingest/grant-record.ts";
import { importAsJob, importTable } from "./import.ts";
import type { UseCaseContext } from "./use-case.ts";

const { values: flags } = parseArgs({
  options: {
    rows: { type: "string", default: "20000" },
    rounds: { type: "string", default: "5" },
    record: { type: "string" },
  },
});

interface Way {
  readonly name: string;
  /** Undefined: the plain import. */
  readonly job?: { readonly writers: number; readonly batchBytes: number };
  readonly rowsPerSecond: number[];
}

const KiB = 1024;
const ways: readonly Way[] = [
  { name: "plain", rowsPerSecond: [] },
  ...[[1, 64], [1, 256], [4, 64], [4, 256], [8, 256], [4, 1024]].map(([writers, kib]) => (
    { name: `${writers} writers, batches of ${kib} KiB`, job: { writers, batchBytes: kib * KiB }, rowsPerSecond: [] }
  )),
];

const context: UseCaseContext = {
  signal: new AbortController().signal, progress: () => undefined, status: () => undefined,
};

function writeFile(directory: string, rows: number): string {
  const pools = grantPools(rows);
  const lines = [grantsTable.columns.map(({ name }) => name).join(",")];
  for (let number = 0; number < rows; number++) lines.push(grantRow(number, pools).join(","));
  const file = join(directory, "grants.csv");
  writeFileSync(file, `${lines.join("\n")}\n`);
  return file;
}

async function importOnce(way: Way, file: string, table: string, { host, port, user, password }: Endpoint) {
  const url = `mysql://${user}:${password}@${host}:${port}`;
  const place = { url, product: undefined, data: undefined };
  const request = { ...place, file, table, format: "csv", binary: "base64", skipBad: 0, fromLine: 1 } as const;
  const began = performance.now();
  const { rows } = way.job === undefined
    ? await importTable(request, context)
    : await importAsJob({ ...request, ...way.job, job: table }, context);
  assert.equal(rows, Number(flags.rows), way.name);
  way.rowsPerSecond.push(rows / ((performance.now() - began) / 1000));
}

async function measure(endpoint: Endpoint, file: string): Promise<void> {
  const client = await MySqlClient.connect(endpoint);
  try {
    for (let round = 0; round < Number(flags.rounds); round++) {
      const order = ways.map((_, at) => ways[(at + round) % ways.length]);
      for (const [at, way] of order.entries()) {
        const name = `grants_${round}_${at}`;
        await client.query(createTableText({ ...grantsTable, name }));
        await importOnce(way, file, name, endpoint);
        await client.query(`DROP TABLE ${name}`);
      }
      process.stderr.write(`round ${round + 1} of ${flags.rounds}\n`);
    }
  } finally {
    client.close();
  }
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

function barsOf(): RecordedBar[] {
  const [plain] = ways;
  return ways.map((way) => {
    const ratios = way.rowsPerSecond.map((rate, round) => rate / plain.rowsPerSecond[round]);
    const spread = `${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}`;
    const rate = `${Math.round(quantile(way.rowsPerSecond, 0.5))} rows/s`;
    const ratio = way === plain ? "" : `, ${quantile(ratios, 0.5).toFixed(2)} of plain (${spread})`;
    return { claim: `import, ${way.name}`, measured: `${rate}${ratio}` };
  });
}

function page(bars: readonly RecordedBar[]): string {
  return [
    "# How fast rows come in from a file",
    "",
    `${flags.rows} rows of CSV into \`examples/bulk-ingest\`, medians of ${flags.rounds} rounds with the spread of the`,
    `ratios, on ${machineText(describeMachine())}.`,
    "",
    "| | measured | bar |",
    "|---|--:|---|",
    ...bars.map((bar) => `| ${bar.claim} | ${bar.measured} | ${barText(bar)} |`),
    "",
    "`node src/app/import.bench.ts --record examples/bars` measures it again.",
    "",
  ].join("\n");
}

async function main(): Promise<void> {
  const work = createWorkDirectory("import-bench");
  const contractFile = join(import.meta.dirname, "..", "..", "examples", "bulk-ingest", "contract.yaml");
  const productDirectory = join(work.path, "product");
  const contractText = readFileSync(contractFile, "utf8");
  const knobCatalog = loadKnobCatalog();
  try {
    buildProduct({ contract: loadContract(contractFile), contractText, knobCatalog }, productDirectory);
    const server = await startProduct({ productDirectory, dataDirectory: join(work.path, "data") });
    try {
      await measure(server.endpoint, writeFile(work.path, Number(flags.rows)));
    } finally {
      await server.kill();
    }
    const bars = barsOf();
    const text = page(bars);
    process.stdout.write(text);
    if (flags.record === undefined) return;
    mkdirSync(flags.record, { recursive: true });
    const samples = ways.map(({ name, rowsPerSecond }) => ({ name, rowsPerSecond }));
    const json = { machine: describeMachine(), rows: Number(flags.rows), bars, samples };
    writeFileSync(join(flags.record, "import.json"), `${JSON.stringify(json, undefined, 1)}\n`);
    writeFileSync(join(flags.record, "import.md"), text);
  } finally {
    work.remove();
  }
}

await main();

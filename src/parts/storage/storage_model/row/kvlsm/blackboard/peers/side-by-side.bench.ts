/**
 * The engine beside three native bindings for Node: LevelDB, RocksDB, LMDB. Install them outside the repository with
 * the npm of the system, then run:
 *
 *   npm install --prefix .lathe/peers classic-level@3.0.0 @nxtedition/rocksdb@12.2.12 lmdb@3.5.6
 *   node src/parts/storage/storage_model/row/kvlsm/blackboard/peers/side-by-side.bench.ts --peers .lathe/peers
 *     [--keys 1000000] [--rounds 5] [--tests get,fifth,scan,writers,batches] [--engines lathe,rocksdb] [--directory DIR]
 *     [--record examples/bars]
 *
 *   1. Every engine has a process of its own, frozen (SIGSTOP) while it is not its turn.
 *   2. Every engine loads the same keys and values in the same order; some are overwritten in three steps, and the
 *      last overwrites are still in memory. Ours must have three sorted runs at least and a live memtable, or the
 *      bench stops.
 *   3. Per test, rounds take the engines by turns, in an order that rotates; the first round warms up and is not
 *      counted. Medians over rounds, with the smallest and largest.
 * With `--record DIR`, and all tests and engines, it writes `engine.md` and `engine.json` there (record.bench.ts).
 * The stores stay in `--directory` where one is given, and are not loaded again where they are.
 */
import { type ChildProcess, fork } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { describeMachine, machineText } from "../../../../../../../kit/machine.ts";
import { type EngineName, engineNames } from "./adapters.bench.ts";
import { keyBytes, valueBytes } from "./dataset.bench.ts";
import { type Request, runsMin, type Sample, type TestName } from "./engine-process.bench.ts";
import {
  isComplete, median, rate, rateTable, type Row, spread, type Verdict, verdictLine, verdictOf, writeRecord,
} from "./record.bench.ts";

const { values: options } = parseArgs({
  options: {
    peers: { type: "string", default: ".lathe/peers" },
    keys: { type: "string", default: "1000000" },
    rounds: { type: "string", default: "5" },
    tests: { type: "string", default: "get,fifth,scan,writers,batches" },
    engines: { type: "string", default: engineNames.join(",") },
    directory: { type: "string" },
    record: { type: "string" },
  },
});

const keys = Number(options.keys);
const rounds = Number(options.rounds);
const peers = resolve(options.peers);
const engines = options.engines.split(",") as EngineName[];
const dataBytes = keys * (keyBytes + valueBytes);

/** What speed is judged by: a test, what it does, and how many times the better LSM binding it must reach. */
const tests = {
  get: { title: "random getSync, data in the block cache", test: "get", cacheBytes: 512 << 20, bar: 2 },
  fifth: { title: "random getSync, block cache a fifth of the data", test: "get", cacheBytes: Math.ceil(dataBytes / 5), bar: 0.8 },
  scan: { title: "full scan", test: "scan", cacheBytes: 512 << 20, bar: 1 },
  writers: { title: "64 concurrent durable writers", test: "writers", cacheBytes: 512 << 20, bar: 1 },
  batches: { title: "batches of 1,000, unsynced", test: "batches", cacheBytes: 32 << 20, bar: 1 },
} as const;
type Title = keyof typeof tests;

class EngineProcess {
  readonly name: EngineName;
  readonly directory: string;
  lends = false;
  readonly #child: ChildProcess;

  constructor(name: EngineName, root: string) {
    this.name = name;
    this.directory = join(root, name);
    this.#child = fork(join(import.meta.dirname, "engine-process.bench.ts"), { execArgv: ["--expose-gc"] });
    this.freeze();
  }

  /** Lets the process run until it has answered. */
  async ask<T>(request: Request): Promise<T> {
    this.#child.kill("SIGCONT");
    try {
      return await new Promise<T>((resolve, reject) => {
        const onExit = () => reject(new Error(`${this.name} died`));
        this.#child.once("exit", onExit);
        this.#child.once("message", (message: { result: T; error?: string }) => {
          this.#child.off("exit", onExit);
          if (message.error === undefined) resolve(message.result);
          else reject(new Error(`${this.name}: ${message.error}`));
        });
        this.#child.send(request);
      });
    } finally {
      this.freeze();
    }
  }

  freeze(): void {
    this.#child.kill("SIGSTOP");
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }
}

const root = options.directory === undefined ? mkdtempSync(join(tmpdir(), "lathe-peers-")) : resolve(options.directory);
mkdirSync(root, { recursive: true });
const processes = engines.map((name) => new EngineProcess(name, root));
const rows: Row[] = [];
const verdicts: Verdict[] = [];
const openedWith: Record<string, string[]> = {};
try {
  await loadAll();
  for (const name of options.tests.split(",") as Title[]) await runTest(name);
  report();
} finally {
  for (const one of processes) one.kill();
  if (options.directory === undefined) rmSync(root, { recursive: true, force: true });
}

async function loadAll(): Promise<void> {
  console.log(`${keys} keys of ${keyBytes} bytes, values of ${valueBytes}; ${machineText(describeMachine())}`);
  for (const engine of processes) {
    const { name, directory } = engine;
    if (existsSync(directory)) continue;
    const start = performance.now();
    const shape = await engine.ask<string>({ do: "load", engine: name, directory, peers, keys });
    console.log(`loaded ${name} in ${((performance.now() - start) / 1000).toFixed(1)} s: ${shape}`);
  }
}

async function openAll(name: Title): Promise<void> {
  const { cacheBytes } = tests[name];
  for (const engine of processes) {
    const { directory } = engine;
    const request: Request = { do: "open", engine: engine.name, directory, peers, cacheBytes, keys };
    const opened = await engine.ask<{ settings: string; shape: string; lends: boolean }>(request);
    engine.lends = opened.lends;
    const line = `${engine.name}: ${opened.settings}; ${opened.shape}`;
    (openedWith[tests[name].title] ??= []).push(line);
    console.log(`  ${line}`);
    if (engine.name === "lathe") checkShape(opened.shape);
  }
}

/** Stops where there are too few sorted runs or no live memtable; a small store, for a try, may have fewer. */
function checkShape(shape: string): void {
  const { levelFiles, memtableBytes } = JSON.parse(shape) as { levelFiles: number[]; memtableBytes: number };
  const [newest, ...deeper] = levelFiles;
  const runs = newest + deeper.filter((files) => files > 0).length;
  const enough = runs >= runsMin && memtableBytes > 100_000;
  if (keys >= 1_000_000 && !enough) throw new Error(`too few sorted runs (${runs}) or no memtable: ${shape}`);
}

async function runTest(name: Title): Promise<void> {
  const { title, test, bar } = tests[name];
  console.log(`\n${title}`);
  if (name !== "batches") await openAll(name);
  const found = new Map<string, Row>();
  for (let round = 0; round <= rounds; round++) {
    for (let i = 0; i < processes.length; i++) {
      const engine = processes[(i + round) % processes.length];
      for (const variant of variantsOf(engine, test)) {
        const sample = await engine.ask<Sample>(requestOf(engine, variant, round));
        const column = variant === "getLent" ? `${engine.name} (lent bytes)` : engine.name;
        const row = found.get(column) ?? { title, column, perSecond: [], cpuUs: [] };
        found.set(column, row);
        if (round === 0) continue;
        row.perSecond.push(sample.operations / sample.seconds);
        row.cpuUs.push(sample.cpuUsPerOperation);
      }
    }
  }
  for (const engine of processes) await engine.ask({ do: "close" });
  const measured = [...found.values()];
  rows.push(...measured);
  for (const row of measured) console.log(`  ${lineOf(row)}`);
  const verdict = verdictOf(title, bar, measured);
  if (verdict !== undefined) verdicts.push(verdict);
  console.log(`  ${verdict === undefined ? "no verdict without ours and an LSM binding" : verdictLine(verdict)}`);
}

function variantsOf(engine: EngineProcess, test: TestName): TestName[] {
  return test === "get" && engine.lends ? ["get", "getLent"] : [test];
}

function requestOf(engine: EngineProcess, test: TestName, round: number): Request {
  if (test !== "batches") return { do: "run", test, round };
  const directory = `${engine.directory}-batches`;
  return { do: "batches", engine: engine.name, directory, peers, keys, round };
}

function lineOf(row: Row): string {
  const cpu = median(row.cpuUs).toFixed(2);
  return `${row.column.padEnd(20)} ${rate(median(row.perSecond)).padStart(8)}/s (${spread(row)}), ${cpu} µs CPU`;
}

function report(): void {
  console.log(`\n${rateTable(rows, rounds)}`);
  if (options.record === undefined) return;
  if (verdicts.length < Object.keys(tests).length || !isComplete(rows)) {
    console.log("nothing is recorded: a record takes all tests and all engines");
    return;
  }
  writeRecord(resolve(options.record), { keys, rounds, peers, rows, verdicts, openedWith });
}

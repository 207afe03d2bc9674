/**
 * Agents and conventional scheduler under the same loads, pair by pair; and each load once more with agents on both
 * sides, which shows what a difference of nothing looks like.
 *
 *   node src/bench/conventional/side-by-side.bench.ts [--loads heavy,mixed,shipped] [--pairs 8] [--directory DIR]
 *     [--json FILE]        (adds the loads to what FILE holds of others)
 *
 *   1. A pair is two fresh stores, each in a process of its own, and the same operations for both. They take turns of
 *      some hundred milliseconds, the other one frozen with its threads; who begins a round, a coin says.
 *   2. Flushes and compactions that are due at the end belong to the load: the drain is timed too.
 *   3. Per pair a difference of logarithms (agents less scheduler) for throughput, CPU time and p99.9 of a put, and a
 *      plain difference for stalls. Estimate and interval over pairs: `statistics/interval.ts`.
 */
import { type ChildProcess, fork } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Histogram } from "../../kit/histogram.ts";
import type { Tuning } from "../../parts/storage/storage_model/row/kvlsm/blackboard/options.ts";
import { fixedSizeInterval, type Interval } from "../statistics/interval.ts";
import { median } from "../statistics/summary.ts";
import type { Block, Coordinator, Request, Totals } from "./load-process.bench.ts";

export interface Load {
  readonly title: string;
  readonly keys: number;
  readonly operations: number;
  readonly readShare: number;
  readonly blockOperations: number;
  readonly tuning: Partial<Tuning>;
}

/** Small memtables and files, so that the coordination has work some hundred times in a few seconds. */
const busy: Partial<Tuning> = {
  memtableBytes: 1 << 20,
  blockCacheBytes: 8 << 20,
  levelBaseBytes: 4 << 20,
  targetFileBytes: 1 << 20,
  compactionsMax: 2,
  subcompactionsMax: 2,
};

const loads: Readonly<Record<string, Load>> = {
  heavy: {
    title: "writes only, small memtables (1 MiB), hardly any soft slow-down",
    keys: 200_000, operations: 240_000, readShare: 0, blockOperations: 6_000,
    tuning: { ...busy, slowdownBytesPerSecond: 1 << 28 },
  },
  mixed: {
    title: "half reads, half writes, small memtables (1 MiB)",
    keys: 200_000, operations: 320_000, readShare: 0.5, blockOperations: 8_000, tuning: busy,
  },
  shipped: {
    title: "writes only, shipped options",
    keys: 600_000, operations: 800_000, readShare: 0, blockOperations: 20_000, tuning: {},
  },
};

const { values: options } = parseArgs({
  options: {
    loads: { type: "string", default: Object.keys(loads).join(",") },
    pairs: { type: "string", default: "8" },
    directory: { type: "string", default: tmpdir() },
    json: { type: "string" },
  },
});
const confidence = 0.95;

/** What one side did in one pair. */
interface Outcome {
  readonly operationsPerSecond: number;
  readonly cpuUsPerOperation: number;
  readonly p999Ms: number;
  readonly drainSeconds: number;
  readonly totals: Omit<Totals, "putUs">;
}

export interface Comparison {
  readonly name: string;
  readonly load: Load;
  readonly sides: readonly [Coordinator, Coordinator];
  readonly pairs: number;
  readonly medians: readonly [Record<string, number>, Record<string, number>];
  /** Differences of logarithms. */
  readonly ratios: Readonly<Record<"operationsPerSecond" | "cpuUsPerOperation" | "p999Ms", Interval>>;
  readonly differences: Readonly<Record<"stalls" | "stallSeconds" | "slowdownSeconds", Interval>>;
}

class SideProcess {
  readonly #child: ChildProcess;
  #operations = 0;
  #seconds = 0;
  #cpuSeconds = 0;
  #drainSeconds = 0;

  constructor() {
    this.#child = fork(join(import.meta.dirname, "load-process.bench.ts"));
    this.#child.kill("SIGSTOP");
  }

  /** Lets the process run until it has answered. */
  async ask<T>(request: Request): Promise<T> {
    this.#child.kill("SIGCONT");
    try {
      return await new Promise<T>((resolve, reject) => {
        const onExit = () => reject(new Error("a side died"));
        this.#child.once("exit", onExit);
        this.#child.once("message", (message: { result: T; error?: string }) => {
          this.#child.off("exit", onExit);
          if (message.error === undefined) resolve(message.result);
          else reject(new Error(message.error));
        });
        this.#child.send(request);
      });
    } finally {
      this.#child.kill("SIGSTOP");
    }
  }

  async block(load: Load): Promise<void> {
    const { blockOperations: operations, readShare } = load;
    this.#add(await this.ask<Block>({ do: "block", operations, readShare }));
  }

  async drain(): Promise<void> {
    const block = await this.ask<Block>({ do: "drain" });
    this.#drainSeconds = block.seconds;
    this.#add(block);
  }

  async close(): Promise<Outcome> {
    const { putUs, ...totals } = await this.ask<Totals>({ do: "close" });
    return {
      operationsPerSecond: this.#operations / this.#seconds,
      cpuUsPerOperation: (this.#cpuSeconds * 1e6) / this.#operations,
      p999Ms: Histogram.fromSnapshot(putUs).percentile(99.9) / 1000,
      drainSeconds: this.#drainSeconds,
      totals,
    };
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }

  #add({ operations, seconds, cpuSeconds }: Block): void {
    this.#operations += operations;
    this.#seconds += seconds;
    this.#cpuSeconds += cpuSeconds;
  }
}

async function runPair(load: Load, sides: Comparison["sides"], seed: number): Promise<[Outcome, Outcome]> {
  const root = mkdtempSync(join(options.directory, "lathe-coordination-"));
  const processes = [new SideProcess(), new SideProcess()] as const;
  try {
    const { keys, tuning } = load;
    for (const [at, coordinator] of sides.entries()) {
      const directory = join(root, String(at));
      await processes[at].ask({ do: "open", directory, coordinator, tuning, keys, seed });
    }
    for (let done = 0; done < load.operations; done += load.blockOperations) {
      const first = Math.random() < 0.5 ? 0 : 1;
      await processes[first].block(load);
      await processes[1 - first].block(load);
    }
    for (const one of processes) await one.drain();
    return [await processes[0].close(), await processes[1].close()];
  } finally {
    for (const one of processes) one.kill();
    rmSync(root, { recursive: true, force: true });
  }
}

async function compare(name: string, sides: Comparison["sides"]): Promise<Comparison> {
  const load = loads[name];
  if (load === undefined) throw new Error(`there is no load ${name}; there are ${Object.keys(loads).join(", ")}`);
  const outcomes: [Outcome, Outcome][] = [];
  for (let pair = 0; pair < Number(options.pairs); pair++) outcomes.push(await runPair(load, sides, 1 + pair));
  const differences = (of: (one: Outcome) => number) =>
    fixedSizeInterval(outcomes.map(([a, b]) => of(a) - of(b)), confidence);
  const comparison: Comparison = {
    name,
    load,
    sides,
    pairs: outcomes.length,
    medians: [mediansOf(outcomes.map(([a]) => a)), mediansOf(outcomes.map(([, b]) => b))],
    ratios: {
      operationsPerSecond: differences((one) => Math.log(one.operationsPerSecond)),
      cpuUsPerOperation: differences((one) => Math.log(one.cpuUsPerOperation)),
      p999Ms: differences((one) => Math.log(one.p999Ms)),
    },
    differences: {
      stalls: differences((one) => one.totals.stalls),
      stallSeconds: differences((one) => one.totals.stallSeconds),
      slowdownSeconds: differences((one) => one.totals.slowdownSeconds),
    },
  };
  show(comparison);
  return comparison;
}

function mediansOf(outcomes: readonly Outcome[]): Record<string, number> {
  const flat = outcomes.map(({ totals, ...own }) => ({ ...own, ...totals }) as Record<string, number>);
  const names = Object.keys(flat[0]);
  return Object.fromEntries(names.map((one) => [one, Number(median(flat.map((each) => each[one])).toPrecision(4))]));
}

function show({ name, sides, medians, ratios, differences }: Comparison): void {
  console.log(`${name}: ${sides.join(" / ")}`);
  for (const [at, side] of sides.entries()) console.log(`  ${side} ${JSON.stringify(medians[at])}`);
  const percent = (value: number) => `${(Math.expm1(value) * 100).toFixed(1)} %`;
  for (const [what, { estimate, low, high }] of Object.entries(ratios)) {
    console.log(`  ${what} ${percent(estimate)} [${percent(low)}, ${percent(high)}]`);
  }
  for (const [what, { estimate, low, high }] of Object.entries(differences)) {
    console.log(`  ${what} ${estimate.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]`);
  }
}

if (import.meta.main) {
  const names = options.loads.split(",");
  const found: Comparison[] = [];
  for (const name of names) {
    found.push(await compare(name, ["agents", "scheduler"]));
    found.push(await compare(name, ["agents", "agents"]));
  }
  if (options.json !== undefined) {
    const before = existsSync(options.json) ? (JSON.parse(readFileSync(options.json, "utf8")) as Comparison[]) : [];
    const kept = before.filter((one) => !names.includes(one.name));
    writeFileSync(options.json, `${JSON.stringify([...kept, ...found], undefined, 1)}\n`);
  }
}

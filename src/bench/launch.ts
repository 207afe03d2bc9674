/**
 * A launch: the unit of replication. Both sides are started from their checkpoints, measured against one
 * another in short interleaved blocks, drained, and stopped.
 *
 * Steps:
 *   1. A coin drawn from the seed puts one side first: its directory, its port, its start, its warm-up,
 *      its first block.
 *   2. Per side: clone the checkpoint, read its files once, start, connect, warm up, freeze.
 *   3. Pairs of blocks, in the order AB BA AB …, so that a drift of the machine falls on both. Only the
 *      side being measured runs; the other is stopped (SIGSTOP). Both run the same streams of operations.
 *   4. Per side: a timed drain, whose CPU is charged to the side.
 * Invariants: no process or directory of a launch outlives it; a launch that fails says which side died
 * and hands over the blocks measured until then (`details.blocks`).
 */
import { mkdirSync } from "node:fs";
import type { WorkloadSpec } from "../contract/contract.ts";
import { LatheError } from "../kit/errors.ts";
import { mix } from "../workload/random-stream.ts";
import { ceilingFor, measureCeiling } from "./ceiling.ts";
import { Driver } from "./driver.ts";
import type { BlockOptions } from "./driver-protocol.ts";
import { driverSample } from "./driver-sample.ts";
import { type Contender, LaunchSide } from "./launch-side.ts";
import { NeighbourLoad } from "./machine-load.ts";
import type { Block, LaunchSample, Side, SideSample, Statistic } from "./measurement.ts";

export interface LaunchOptions {
  readonly workload: WorkloadSpec;
  /** Of the content in the checkpoints. */
  readonly dataSeed: number;
  /** Of this launch: the coin and the streams of operations. */
  readonly seed: number;
  readonly incumbent: Contender;
  readonly candidate: Contender;
  /** Copies of the checkpoints are made below it; on the same file system they are links. */
  readonly workDirectory: string;
  readonly warmUpMs?: number | undefined;
  readonly blockMs?: number | undefined;
  readonly blockPairs?: number | undefined;
  /** The driver's ceiling in operations per second, where it is known; measured otherwise. */
  readonly ceilingOpsPerSecond?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Long enough for code to be compiled and caches to fill. Launches of identical code on two cores
 * differed by 13 % (root mean square) with 400 ms and by 3 % with 2,500 ms over 20,000 edges; by 6.6 %
 * with 2,000 ms and by 4 % with 4,000 ms over 500,000, where shorter warm-ups also favoured one place in
 * the order.
 */
const warmUpMsDefault = 4000;
const warmUpTurns = 8;
/**
 * Many short blocks: what slows a shared machine down for some tenths of a second then falls on both sides.
 * Launches of identical code over 20,000 edges differed by 2 % with 32 pairs of 50 ms, by 5 % with 16 of 100 ms.
 */
const blockMsDefault = 50;
const blockPairsDefault = 24;
/**
 * Profiles of which more than a tenth writes: their blocks are of fixed counts, so that both sides do the
 * same work.
 */
const writeHeavy = new Set(["taobench a", "ycsb a", "ycsb f", "key_value sndv", "key_value a"]);

/** The coin of a launch. */
export function firstSide(seed: number): Side {
  return (mix(seed ^ 0xc0171) & 1) === 0 ? "incumbent" : "candidate";
}

/** Errors: CLOSED (a server died), TIMEOUT (it hangs), CANCELLED, and what starting can fail with. */
export async function runLaunch(options: LaunchOptions): Promise<LaunchSample> {
  const startedAtMs = Date.now();
  const begin = performance.now();
  const first = firstSide(options.seed);
  const order: readonly Side[] = first === "incumbent" ? ["incumbent", "candidate"] : ["candidate", "incumbent"];
  mkdirSync(options.workDirectory, { recursive: true });
  const driver = await Driver.start(options.workload, options.dataSeed);
  const sides = new Map<Side, LaunchSide>();
  const blocks: Block[] = [];
  const neighbours = new NeighbourLoad();
  const cancel = onAbort(options.signal);
  let work: Promise<unknown> | undefined;
  try {
    const measured = async () => {
      const { clients } = options.workload;
      const measure = async () => (await measureCeiling(driver, { connections: clients })).operationsPerSecond;
      const known = options.ceilingOpsPerSecond ?? (await measure());
      const block = await startSides(options, order, driver, sides);
      await runBlocks(options, order, sides, block, blocks, neighbours);
      const samples = new Map<Side, SideSample>();
      for (const side of order) samples.set(side, await (sides.get(side) as LaunchSide).drain());
      const fastest = Math.max(...[...samples.values()].map(({ opsPerSecond }) => opsPerSecond));
      const ceiling = await ceilingFor(driver, fastest, known, clients);
      return { ceiling, fastest, samples };
    };
    const working = measured();
    work = working;
    const { ceiling, fastest, samples } = await Promise.race([working, cancel.aborted]);
    const incumbent = samples.get("incumbent") as SideSample;
    const candidate = samples.get("candidate") as SideSample;
    const delays = [...sides.values()].flatMap(({ delaysP99Ms }) => delaysP99Ms);
    return {
      seed: options.seed,
      first,
      blocks,
      incumbent,
      candidate,
      driver: driverSample(ceiling, fastest, delays, neighbours.cores),
      logRatios: logRatiosOf(incumbent, candidate),
      startedAtMs,
      wallSeconds: (performance.now() - begin) / 1000,
    };
  } catch (error) {
    throw withBlocks(error, blocks);
  } finally {
    cancel.release();
    const closeSides = () => Promise.allSettled([...sides.values()].map((side) => side.close()));
    await closeSides();
    await driver.close();
    // After a failure or an abort a side may still have been starting; it is up by now, or never will be.
    await work?.catch(() => undefined);
    await closeSides();
  }
}

/** Starts and warms up the sides one after the other. Returns what a block is to be. */
async function startSides(
  options: LaunchOptions,
  order: readonly Side[],
  driver: Driver,
  sides: Map<Side, LaunchSide>,
): Promise<BlockOptions> {
  const { workload, workDirectory, seed } = options;
  const durationMs = options.blockMs ?? blockMsDefault;
  for (const side of order) {
    const connections = workload.clients;
    const started = await LaunchSide.start(side, options[side], driver, { workDirectory, connections, seed });
    sides.set(side, started);
    throwIfAborted(options.signal);
    // Compiles the driver, too: whoever is first must not be the only one to pay for that.
    await started.warmUp({ durationMs: blockMsDefault });
  }
  const rate = await warmUp(options, order, sides);
  if (workload.loop === "open") {
    return { durationMs, operationsPerSecond: workload.operationsPerSecond ?? 1000, schedule: "poisson" };
  }
  if (!writeHeavy.has(`${workload.benchmark} ${workload.profile}`)) return { durationMs };
  return { operations: Math.max(workload.clients, Math.round((rate * durationMs) / 1000)) };
}

/**
 * Warms both sides up by turns, then lets the one that did less catch up: caches are as full as operations
 * made them, so that a side that was slower at first (a cold driver, a neighbour) would stay slower.
 * Returns operations per second.
 */
async function warmUp(
  { warmUpMs = warmUpMsDefault, signal }: LaunchOptions,
  order: readonly Side[],
  sides: ReadonlyMap<Side, LaunchSide>,
): Promise<number> {
  const done: Record<Side, number> = { incumbent: 0, candidate: 0 };
  let rates = 0;
  for (let turn = 0; turn < warmUpTurns; turn++) {
    for (const side of turn % 2 === 0 ? order : order.toReversed()) {
      throwIfAborted(signal);
      const durationMs = warmUpMs / warmUpTurns;
      const { operations, seconds } = await (sides.get(side) as LaunchSide).warmUp({ durationMs });
      done[side] += operations;
      if (turn === warmUpTurns - 1) rates += operations / seconds;
    }
  }
  const behind: Side = done.incumbent < done.candidate ? "incumbent" : "candidate";
  const operations = Math.abs(done.incumbent - done.candidate);
  if (operations > 0) await (sides.get(behind) as LaunchSide).warmUp({ operations });
  return rates / 2;
}

async function runBlocks(
  options: LaunchOptions,
  order: readonly Side[],
  sides: ReadonlyMap<Side, LaunchSide>,
  block: BlockOptions,
  blocks: Block[],
  neighbours: NeighbourLoad,
): Promise<void> {
  const pairs = options.blockPairs ?? blockPairsDefault;
  for (let pair = 0; pair < pairs; pair++) {
    for (const side of pair % 2 === 0 ? order : order.toReversed()) {
      throwIfAborted(options.signal);
      blocks.push(await (sides.get(side) as LaunchSide).measure(block, blocks.length, neighbours));
    }
  }
}

/** Candidate over incumbent. `cost` is inverted: more is better, as for throughput. */
export function logRatiosOf(incumbent: SideSample, candidate: SideSample): Readonly<Record<Statistic, number>> {
  return {
    throughput: Math.log(candidate.opsPerSecond / incumbent.opsPerSecond),
    cost: Math.log(incumbent.serverCpuUsPerOp / candidate.serverCpuUsPerOp),
    p50: Math.log(candidate.p50Us / incumbent.p50Us),
    p99: Math.log(candidate.p99Us / incumbent.p99Us),
    memory: Math.log(candidate.memoryMiB / incumbent.memoryMiB),
  };
}

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw new LatheError("CANCELLED", "the launch was stopped on request");
}

function onAbort(signal: AbortSignal | undefined): { aborted: Promise<never>; release: () => void } {
  let listener: () => void = () => undefined;
  const aborted = new Promise<never>((_, reject) => {
    listener = () => reject(new LatheError("CANCELLED", "the launch was stopped on request"));
  });
  aborted.catch(() => undefined);
  signal?.addEventListener("abort", listener);
  return { aborted, release: () => signal?.removeEventListener("abort", listener) };
}

function withBlocks(error: unknown, blocks: readonly Block[]): unknown {
  if (!(error instanceof LatheError)) return error;
  return new LatheError(error.code, error.message, { cause: error.cause, details: { ...error.details, blocks } });
}

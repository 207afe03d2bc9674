/**
 * What the power-loss gate does with a product: write transactions, lose power, open again, judge.
 *
 * A transaction is a group of rows that are larger than several sectors; all groups together are larger than a
 * memtable and a segment of the log (with `shrunk-knobs.ts`), so that power is lost during flushes, compactions
 * and the change of segments too.
 */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { KnobValues, OpenProduct, Product } from "../kit/product.ts";
import { createSimulatedEnv, seededNumbers, type SimulatedEnv } from "../simulation/simulated-env.ts";
import { SimulatedDisk } from "../simulation/simulated-disk.ts";
import type { ScenarioOutcome, ScenarioTask } from "./gate-thread.ts";
import { rowDoor } from "./row-door.ts";
import { tableNames } from "./table-names.ts";
import { arrangeTrial, judgeWindow, pause, planTrial, type TrialPlan, type WholeRun } from "./window-trial.ts";

const dataDirectory = "/data";
const groups = 30;
const rowsPerGroup = 3;
const rowBytes = 30_000;
/** Groups of the second half are small, so that a tear within one is as likely as between two. */
const smallRowBytes = 900;

export interface PowerLossTask extends ScenarioTask {
  /** I/O calls at which power is lost. */
  readonly points: number;
  /** Disks that are made of each loss. */
  readonly fates: number;
  /** What the contract allows to be lost; undefined: nothing. */
  readonly windowMs: number | undefined;
}

export async function examinePowerLoss(task: PowerLossTask): Promise<ScenarioOutcome> {
  if (task.windowMs !== undefined) return examineWindow(task, task.windowMs);
  const { seed, points, fates } = task;
  const url = pathToFileURL(join(task.productDirectory, "product.ts")).href;
  const { open } = (await import(url)) as { open: OpenProduct };
  const next = seededNumbers(seed);
  const scenarios = tableNames(next).map((table) => new Scenario(open, task.knobs, seed, table));
  const whole = await scenarios[0].run(new SimulatedDisk());
  if (whole.acknowledged !== groups) {
    const reason = `without faults only ${whole.acknowledged} of ${groups} transactions were acknowledged`;
    return { verdict: "inconclusive", reason, evidence: {} };
  }
  const counts = { seed, calls: whole.calls, losses: 0, disks: 0, unacknowledgedWhole: 0 };
  for (let point = 0; point < points; point++) {
    const scenario = scenarios[point % scenarios.length];
    const call = 1 + Math.floor(((point + next()) / points) * whole.calls);
    const disk = new SimulatedDisk();
    disk.fault = { call, code: "CRASH", persistent: true };
    const { acknowledged } = await scenario.run(disk);
    if (!disk.crashed) continue;
    counts.losses++;
    for (let fate = 0; fate < fates; fate++) {
      counts.disks++;
      const found = await scenario.recover(disk.crash(next));
      const offence = typeof found === "string" ? found : judge(found, acknowledged);
      if (offence !== undefined) {
        const reason = `power lost at call ${call} of ${whole.calls}: ${offence}`;
        return { verdict: "reject", reason, evidence: { ...counts, call, fate, acknowledged } };
      }
      if (typeof found !== "string" && found.size > acknowledged) counts.unacknowledgedWhole++;
    }
  }
  if (counts.losses < points / 2) {
    return { verdict: "inconclusive", reason: `only ${counts.losses} of ${points} runs lost power`, evidence: counts };
  }
  const reason =
    `${counts.losses} power losses over ${whole.calls} I/O calls, ${counts.disks} disks: ` +
    "nothing lost, nothing half there";
  return { verdict: "admit", reason, evidence: counts };
}

/** Where the contract allows a window of losses. */
async function examineWindow(task: PowerLossTask, windowMs: number): Promise<ScenarioOutcome> {
  const { seed, points, fates } = task;
  const url = pathToFileURL(join(task.productDirectory, "product.ts")).href;
  const { open } = (await import(url)) as { open: OpenProduct };
  const next = seededNumbers(seed);
  const scenarios = tableNames(next).map((table) => new Scenario(open, task.knobs, seed, table));
  const wholes = new Map<number, WholeRun>();
  const counts = { seed, windowMs, losses: 0, disks: 0, answeredAndLost: 0, longestLossMs: 0 };
  for (let point = 0; point < points; point++) {
    const scenario = scenarios[point % scenarios.length];
    const plan = planTrial(windowMs, point, (point + next()) / points);
    let whole = wholes.get(plan.flushMs);
    if (whole === undefined) {
      const run = await scenario.runFor(plan, undefined, new SimulatedDisk());
      if (run.answeredUs.length !== groups) {
        const reason = `without faults only ${run.answeredUs.length} of ${groups} transactions were acknowledged`;
        return { verdict: "inconclusive", reason, evidence: counts };
      }
      whole = { calls: run.calls, flushes: run.flushes, endUs: run.lostUs };
      wholes.set(plan.flushMs, whole);
    }
    const disk = new SimulatedDisk();
    const run = await scenario.runFor(plan, whole, disk);
    if (!disk.crashed && plan.ending !== "failedFlush") continue;
    counts.losses++;
    for (let fate = 0; fate < fates; fate++) {
      counts.disks++;
      const found = await scenario.recover(disk.crash(next));
      const kept = typeof found === "string" ? 0 : found.size;
      const offence = typeof found === "string"
        ? found
        : judge(found, Math.min(kept, run.answeredUs.length)) ?? judgeWindow(plan, run, kept);
      if (offence !== undefined) {
        const reason = `power lost at ${(run.lostUs / 1000).toFixed(1)} ms: ${offence}`;
        return { verdict: "reject", reason, evidence: { ...counts, point, fate, ...plan } };
      }
      const first = run.answeredUs[kept];
      if (first === undefined) continue;
      counts.answeredAndLost += run.answeredUs.length - kept;
      const spanMs = (run.answeredUs[run.answeredUs.length - 1] - first) / 1000;
      counts.longestLossMs = Math.max(counts.longestLossMs, spanMs);
    }
  }
  if (counts.losses < points / 2) {
    return { verdict: "inconclusive", reason: `only ${counts.losses} of ${points} runs lost power`, evidence: counts };
  }
  const reason =
    `${counts.losses} power losses, ${counts.disks} disks: no hole, nothing half there, and at most ` +
    `${counts.longestLossMs.toFixed(1)} ms of answers lost, of ${windowMs} that the contract allows`;
  return { verdict: "admit", reason, evidence: counts };
}

/** Rows found per group of one transaction. */
type Found = ReadonlyMap<number, number>;

/** What is wrong after `acknowledged` transactions were answered for, or undefined. */
export function judge(found: Found, acknowledged: number): string | undefined {
  for (let group = 0; group < acknowledged; group++) {
    const rows = found.get(group) ?? 0;
    if (rows !== rowsPerGroup) return `acknowledged transaction ${group} has ${rows} of its ${rowsPerGroup} rows`;
  }
  for (const [group, rows] of found) {
    if (rows !== rowsPerGroup) return `transaction ${group} is half there: ${rows} of its ${rowsPerGroup} rows`;
    // One connection sent one after the other.
    if (group > acknowledged) return `transaction ${group} is there, but only ${acknowledged} were answered before it`;
  }
  return undefined;
}

class Scenario {
  readonly #open: OpenProduct;
  readonly #knobs: KnobValues;
  readonly #seed: number;
  readonly #table: string;

  constructor(open: OpenProduct, knobs: KnobValues, seed: number, table: string) {
    this.#open = open;
    this.#knobs = knobs;
    this.#seed = seed;
    this.#table = table;
  }

  /** Runs until the end or the loss of power; how many transactions were acknowledged, in order. */
  async run(disk: SimulatedDisk): Promise<{ acknowledged: number; calls: number }> {
    const env = createSimulatedEnv({ seed: this.#seed, disk });
    let acknowledged = 0;
    try {
      const product = await env.run(this.#open(env, this.#knobs, { dataDirectory }));
      await this.#write(env, product, () => void acknowledged++);
      await env.run(product.close());
    } catch (error) {
      if (!disk.crashed) throw error;
    }
    return { acknowledged, calls: disk.calls };
  }

  /** The same with pauses in virtual time, on the device of a trial. */
  async runFor(plan: TrialPlan, whole: WholeRun | undefined, disk: SimulatedDisk) {
    const env = createSimulatedEnv({ seed: this.#seed, disk });
    const next = seededNumbers(this.#seed);
    const answeredUs: number[] = [];
    let flushes = 0;
    disk.nemesis = ({ kind }) => void (kind === "sync" && flushes++);
    arrangeTrial(plan, whole, disk, env);
    try {
      const product = await env.run(this.#open(env, this.#knobs, { dataDirectory }));
      await this.#write(env, product, async () => {
        answeredUs.push(env.clock.monotonicUs());
        await pause(env, next() ** 2 * 0.8 * plan.windowMs);
      });
      await env.run(pause(env, 2 * plan.windowMs));
      await env.run(product.close());
    } catch (error) {
      if (!disk.crashed && plan.ending !== "failedFlush") throw error;
    }
    return { answeredUs, lostUs: env.clock.monotonicUs(), calls: disk.calls, flushes };
  }

  /** Opens the product on what a crash has left: rows per group, or what was wrong. */
  async recover(disk: SimulatedDisk): Promise<Found | string> {
    const env = createSimulatedEnv({ seed: this.#seed + 1, disk });
    try {
      const product = await env.run(this.#open(env, this.#knobs, { dataDirectory }));
      const found = new Map<number, number>();
      for (const [id, value] of await env.run(rowDoor(product, this.#table, "transaction").readAll())) {
        const group = Math.floor(id / rowsPerGroup);
        if (value !== valueOf(id)) return `row ${id} has a value that was never written`;
        found.set(group, (found.get(group) ?? 0) + 1);
      }
      await env.run(product.close());
      return found;
    } catch (error) {
      return `the store does not open or cannot be read: ${(error as Error).message}`;
    }
  }

  async #write(env: SimulatedEnv, product: Product, acknowledge: () => Promise<void> | void): Promise<void> {
    const door = rowDoor(product, this.#table, "transaction");
    await env.run(door.create());
    for (let group = 0; group < groups; group++) {
      const ids = Array.from({ length: rowsPerGroup }, (_, row) => group * rowsPerGroup + row);
      await env.run(door.write(ids.map((id) => [id, valueOf(id)])));
      await env.run(Promise.resolve(acknowledge()));
      if (group === groups >> 1) await env.run(product.rewrite());
    }
  }
}

/** Text that says whose it is. */
function valueOf(id: number): string {
  const bytes = id < (groups * rowsPerGroup) / 2 ? rowBytes : smallRowBytes;
  return `${id}-`.repeat(bytes).slice(0, bytes + (id % 5) * 100);
}

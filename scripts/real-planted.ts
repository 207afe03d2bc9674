/**
 * Studies on real processes with one planted gain: five candidates, four that do nothing that could be
 * measured (limits far from being reached) and one that removes a delay. The study is the one of
 * `lathe run`, from calibration to re-measurement; only its gates are reduced to one.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { productHash } from "../src/app/product-hash.ts";
import { ProductEvaluator } from "../src/app/product-evaluator.ts";
import type { LaunchSample } from "../src/bench/measurement.ts";
import { loadGate } from "../src/gates/load-gate.ts";
import { createNodeEnv } from "../src/kit/env/node-env.ts";
import type { JournalEntry } from "../src/journal/entry.ts";
import { createJournal, openJournal } from "../src/journal/journal.ts";
import type { Knob } from "../src/knobs/knob.ts";
import { baselineCandidate, type Candidate, createCandidate } from "../src/search/candidate.ts";
import type { Space } from "../src/search/proposer.ts";
import { createRandomStream, deriveSeed } from "../src/search/random-stream.ts";
import { chooseStatistic } from "../src/study/decisions.ts";
import { runStudy } from "../src/study/run-study.ts";
import { delayKnob, plantDelay } from "./planted-delay.ts";
import type { BarOptions, BarResult } from "./real-bars.ts";
import { buildSubject, headerOf, shortLaunch, type Subject } from "./real-subject.ts";

/** Limits that this workload never comes near; each may take two values. */
const idleKnobs = [
  "executor.plan_cache_entries", "mysql.connections_max", "mysql.statements_max", "mysql.packet_bytes_max",
];
/** What removing the delay is to gain; what it may come to before the delay is corrected again. */
const gainWanted = 0.1;
const gainMin = 0.08;
const gainMax = 0.125;
/** Long, so that its effect stands out and the first correction is a good one. */
const firstGuessNs = 10_000;
const guessLaunches = 4;
const checkLaunches = 6;
const checksMax = 3;
const foundMin = 0.9;

interface Planted {
  readonly delayNs: number;
  /** The incumbent has the delay, the candidate has not. */
  readonly launches: readonly LaunchSample[];
}

interface Run {
  readonly run: number;
  readonly outcome: string;
  readonly reason: string;
  readonly kept: readonly string[];
  readonly found: boolean;
  readonly trials: readonly {
    readonly knobs: Candidate["knobs"];
    readonly outcome: string;
    readonly reason: string;
  }[];
  readonly launches: number;
  readonly seconds: number;
}

/** Undefined: stopped. */
export async function measurePlanted(options: BarOptions): Promise<BarResult | undefined> {
  const { count, directory, progress, signal } = options;
  const plain = buildSubject(join(directory, "product"), options.scale, progress);
  const { planted, subject } = await calibrateDelay(plain, options);
  const runs: Run[] = [];
  for (let run = 1; run <= count && !signal.aborted; run++) {
    const done = await runPlanted(subject, run, options);
    if (signal.aborted) return undefined;
    runs.push(done);
    progress(
      `run ${run} of ${count}: kept ${done.kept.join(", ") || "nothing"} after ${done.launches} launches, ` +
        `${done.seconds.toFixed(0)} s; ${done.reason}`,
    );
  }
  return signal.aborted ? undefined : resultOf(planted, runs, options);
}

/**
 * Finds the delay whose removal gains about a tenth: a long one first, then corrections in proportion (what
 * a wait costs is linear in it), each with launches that say what it came to. Done once per directory.
 */
async function calibrateDelay(
  plain: Subject,
  options: BarOptions,
): Promise<{ planted: Planted; subject: Subject }> {
  const { directory, progress } = options;
  const remembered = join(directory, `planted-delay-${plain.productHash}-${options.scale}.json`);
  const productDirectory = join(directory, "planted-product");
  const subject: Subject = { ...plain, productDirectory, knobTable: [...plain.knobTable, delayKnob] };
  const gainOf = async (delayNs: number, launches: number): Promise<Planted> => {
    plantDelay(plain.productDirectory, productDirectory, delayNs);
    const measured = { delayNs, launches: await launchPairs(subject, delayNs, launches, options) };
    const { mean, statistic } = effectOf(measured);
    progress(`removing ${delayNs} ns gains ${percent(Math.expm1(mean))} ${statistic} in ${launches} launches`);
    return measured;
  };
  let planted: Planted;
  if (existsSync(remembered)) {
    planted = JSON.parse(readFileSync(remembered, "utf8")) as Planted;
    plantDelay(plain.productDirectory, productDirectory, planted.delayNs);
    progress(`the delay is ${planted.delayNs} ns, as calibrated before`);
  } else {
    planted = await gainOf(firstGuessNs, guessLaunches);
    for (let check = 0; check < checksMax && !isAsWanted(planted); check++) {
      const gain = Math.max(0.02, Math.expm1(effectOf(planted).mean));
      planted = await gainOf(Math.round((planted.delayNs * gainWanted) / gain), checkLaunches);
    }
    writeFileSync(remembered, JSON.stringify(planted));
  }
  return { planted, subject: { ...subject, productHash: productHash(productDirectory) } };
}

function isAsWanted(planted: Planted): boolean {
  const gain = Math.expm1(effectOf(planted).mean);
  return gain >= gainMin && gain <= gainMax;
}

async function launchPairs(
  subject: Subject,
  delayNs: number,
  launches: number,
  options: BarOptions,
): Promise<LaunchSample[]> {
  const { directory, seed, signal, progress } = options;
  const evaluator = createEvaluator(subject, join(directory, "planted-work"));
  const without = createCandidate({ [delayKnob.name]: false }, subject.knobTable);
  const workloadSeed = deriveSeed(seed, "delay workload");
  try {
    const samples: LaunchSample[] = [];
    for (let number = 0; number < launches; number++) {
      progress(`launch ${number + 1} of ${launches} with ${delayNs} ns and without`);
      const sides = { incumbent: baselineCandidate(), candidate: without, purpose: "calibration" } as const;
      const launchSeed = deriveSeed(seed, `delay ${delayNs} launch ${number}`);
      samples.push(await evaluator.launch({ ...sides, seed: launchSeed, workloadSeed, signal }));
    }
    return samples;
  } finally {
    await evaluator.close();
  }
}

function createEvaluator(subject: Subject, workDirectory: string): ProductEvaluator {
  const quick = [loadGate({ connections: 8, milliseconds: 200 })];
  mkdirSync(workDirectory, { recursive: true });
  return new ProductEvaluator({
    productDirectory: subject.productDirectory,
    workDirectory,
    workload: subject.workload,
    table: subject.knobTable,
    gates: { product: quick, candidate: quick },
    launch: shortLaunch,
    progress: () => undefined,
  });
}

/** Five knobs of two values each, in an order that the seed decides. */
function spaceOf(subject: Subject, seed: number): Space {
  const twoValued = subject.knobTable
    .filter(({ name }) => idleKnobs.includes(name))
    .map((knob): Knob => {
      const least = Number(knob.default);
      return { ...knob, min: least, max: 2 * least, scale: "log2", impact: "high" };
    });
  const random = createRandomStream(seed, "order of the planted knobs");
  const knobs = [...twoValued, delayKnob]
    .map((knob) => ({ knob, key: random.next() }))
    .sort((one, other) => one.key - other.key)
    .map(({ knob }) => knob);
  return { knobs, table: subject.knobTable };
}

async function runPlanted(subject: Subject, run: number, options: BarOptions): Promise<Run> {
  const { directory, signal, progress } = options;
  const seed = deriveSeed(options.seed, `planted run ${run}`);
  const path = join(directory, `planted-run-${run}-${subject.productHash}`, "journal.ndjson");
  const space = spaceOf(subject, seed);
  const settings = {
    calibrationLaunches: 6,
    remeasurementLaunches: 6,
    confirmationLaunchesMax: 20,
    trialsMax: space.knobs.length,
    budgetSeconds: 1200,
  };
  const journal = existsSync(path)
    ? openJournal(path)
    : createJournal(path, headerOf(subject, space, seed, settings));
  const work = join(directory, `planted-work-${run}`);
  try {
    await runStudy({
      journal,
      evaluator: createEvaluator(subject, work),
      clock: createNodeEnv({ logLevel: "error" }).clock,
      signal,
      onProgress: ({ stage, trial, text }) =>
        progress(`run ${run} · ${stage}${trial === 0 ? "" : ` ${trial}`}: ${text}`),
    });
    return readRun(run, [...journal.entries()]);
  } finally {
    journal.close();
    rmSync(work, { recursive: true, force: true });
  }
}

function readRun(run: number, entries: readonly JournalEntry[]): Run {
  const proposed = new Map<string, Run["trials"][number]["knobs"]>();
  const trials: Run["trials"][number][] = [];
  const kept: string[] = [];
  let ended = { outcome: "none", reason: "it did not end" };
  let incumbent: Candidate["knobs"] = {};
  let seconds = 0;
  for (const entry of entries) {
    if ("elapsedSeconds" in entry && typeof entry.elapsedSeconds === "number") seconds = entry.elapsedSeconds;
    if (entry.kind === "candidate_proposed") proposed.set(entry.candidate.id, entry.candidate.knobs);
    if (entry.kind === "outcome") ended = { outcome: entry.outcome, reason: entry.reason };
    if (entry.kind !== "trial_ended") continue;
    const knobs = proposed.get(entry.candidate) ?? {};
    trials.push({ knobs, outcome: entry.outcome, reason: entry.reason });
    if (entry.outcome !== "kept") continue;
    kept.push(...Object.keys(knobs).filter((name) => knobs[name] !== incumbent[name]));
    incumbent = knobs;
  }
  const launches = entries.filter(({ kind }) => kind.endsWith("_launch")).length;
  const found = kept.length === 1 && kept[0] === delayKnob.name;
  return { run, ...ended, kept, found, trials, launches, seconds };
}

function effectOf({ launches }: Planted): { mean: number; error: number; statistic: "throughput" | "cost" } {
  const statistic = chooseStatistic(launches, "auto");
  const ratios = launches.map(({ logRatios }) => logRatios[statistic]);
  const mean = ratios.reduce((sum, value) => sum + value, 0) / ratios.length;
  const squares = ratios.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, error: Math.sqrt(squares / Math.max(1, ratios.length - 1) / ratios.length), statistic };
}

function resultOf(planted: Planted, runs: readonly Run[], options: BarOptions): BarResult {
  const effect = effectOf(planted);
  const found = runs.filter((run) => run.found).length;
  const wrong = runs.filter(({ kept }) => kept.some((name) => name !== delayKnob.name)).length;
  const seconds = runs.reduce((sum, run) => sum + run.seconds, 0) / runs.length;
  const launches = runs.reduce((sum, run) => sum + run.launches, 0) / runs.length;
  return {
    title: `${runs.length} studies of five candidates with one planted gain, taobench-o at scale ${options.scale}`,
    bars: [
      {
        claim: `true effect of removing ${planted.delayNs} ns per point read, ${effect.statistic}`,
        measured: `${percent(Math.expm1(effect.mean))} ± ${percent(effect.error)}`,
        note: `${planted.launches.length} launches of their own; standard error`,
      },
      {
        claim: "studies that kept the right candidate and no other",
        measured: `${found} of ${runs.length}`,
        bar: { text: `≥ ${foundMin * 100} %`, met: found >= foundMin * runs.length },
        note: `${launches.toFixed(0)} launches and ${seconds.toFixed(0)} s each`,
      },
      { claim: "studies that kept a candidate that does nothing", measured: `${wrong} of ${runs.length}`, note: "" },
    ],
    facts: { delayNs: planted.delayNs, effect, launch: shortLaunch, runs },
  };
}

function percent(value: number): string {
  return `${(value * 100).toFixed(2)} %`;
}

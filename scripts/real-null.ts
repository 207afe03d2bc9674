/**
 * Records A/A launches of a real product and resamples them: whatever a study keeps among them is a false
 * keep.
 *
 * The launches are `calibration_launch` entries of an ordinary journal, so `recorded-null.ts` reads it too.
 */
import { existsSync } from "node:fs";
import { join, relative } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { LaunchSample, Statistic } from "../src/bench/measurement.ts";
import { resampleNull } from "../src/bench/statistics/simulated-study.ts";
import { countOutcomes } from "../src/bench/statistics/study-count.ts";
import { medianAbsoluteDeviation, rootMeanSquare } from "../src/bench/statistics/summary.ts";
import { ProductEvaluator } from "../src/app/product-evaluator.ts";
import { isKind } from "../src/journal/entry.ts";
import { createJournal, openJournal, type Journal } from "../src/journal/journal.ts";
import { baselineCandidate } from "../src/search/candidate.ts";
import { createSpace } from "../src/search/space.ts";
import { deriveSeed } from "../src/search/random-stream.ts";
import { chooseStatistic, launchProblem } from "../src/study/decisions.ts";
import type { BarOptions, BarResult, BarRow } from "./real-bars.ts";
import { buildSubject, headerOf, shortLaunch, type Subject } from "./real-subject.ts";

const studies = 10_000;
const launchesMin = 100;
const rateMax = 0.055;
const failuresMax = 10;

/** Undefined: stopped, or too few launches. */
export async function measureNull(options: BarOptions): Promise<BarResult | undefined> {
  const { count, directory, progress, signal } = options;
  const subject = buildSubject(join(directory, "product"), options.scale, progress);
  const journal = openNullJournal(join(directory, "null", "journal.ndjson"), subject, options.seed);
  try {
    await recordLaunches(journal, subject, options);
    const launches = launchesOf(journal);
    if (signal.aborted || launches.length < Math.min(count, launchesMin)) return undefined;
    return resultOf(launches, relative(directory, journal.path), options);
  } finally {
    journal.close();
  }
}

function openNullJournal(path: string, subject: Subject, seed: number): Journal {
  const space = createSpace(subject.knobTable);
  if (!existsSync(path)) return createJournal(path, headerOf(subject, space, seed, { calibrationLaunches: 2 }));
  const journal = openJournal(path);
  const [header] = journal.entries();
  const same =
    header?.kind === "study_started" &&
    header.product.hash === subject.productHash &&
    header.contract.workload.scale === subject.workload.scale &&
    header.seed === seed;
  if (same) return journal;
  journal.close();
  throw new Error(`${path} holds launches of another product, scale or seed; give another --out, or remove it`);
}

function launchesOf(journal: Journal): LaunchSample[] {
  return [...journal.entries()].filter(isKind("calibration_launch")).map(({ launch }) => launch);
}

/** Adds launches until there are enough; one that is not valid is said and not recorded. */
async function recordLaunches(journal: Journal, subject: Subject, options: BarOptions): Promise<void> {
  const { count, directory, seed, signal, progress } = options;
  const baseline = baselineCandidate();
  const workloadSeed = deriveSeed(seed, "workload");
  const evaluator = new ProductEvaluator({
    productDirectory: subject.productDirectory,
    workDirectory: join(directory, "null-work"),
    workload: subject.workload,
    table: subject.knobTable,
    launch: shortLaunch,
    progress,
  });
  try {
    let recorded = launchesOf(journal).length;
    if (recorded > 0) progress(`${recorded} launches are recorded already`);
    for (let failures = 0; recorded < count && !signal.aborted; ) {
      const launchSeed = deriveSeed(seed, `null launch ${recorded} attempt ${failures}`);
      const sides = { purpose: "calibration", incumbent: baseline, candidate: baseline, workloadSeed } as const;
      const request = { ...sides, seed: launchSeed, signal };
      const launch = await evaluator.launch(request).catch((error: Error) => error);
      if (signal.aborted) return;
      const problem = launch instanceof Error ? launch.message : launchProblem(launch)?.message;
      if (launch instanceof Error || problem !== undefined) {
        progress(`a launch is not valid: ${problem}`);
        if (++failures > failuresMax) throw new Error(`more than ${failuresMax} launches were not valid`);
        await sleep(1000);
        continue;
      }
      journal.append({ kind: "calibration_launch", launch });
      recorded++;
      const { logRatios, driver, wallSeconds } = launch;
      progress(
        `A/A launch ${recorded} of ${count} (${wallSeconds.toFixed(1)} s): ` +
          `throughput ${percent(logRatios.throughput)}, cost ${percent(logRatios.cost)}` +
          `${driver.driverBound ? ", driver-bound" : ""}`,
      );
    }
  } finally {
    await evaluator.close();
  }
}

function resultOf(launches: readonly LaunchSample[], journal: string, options: BarOptions): BarResult {
  const declared = chooseStatistic(launches, "auto");
  const enough = launches.length >= launchesMin;
  const bars: BarRow[] = [];
  const facts: Record<string, unknown>[] = [];
  for (const statistic of ["throughput", "cost"] as const) {
    const logRatios = launches.map((launch) => launch.logRatios[statistic]);
    const note = statistic === declared ? "; what a study here would declare" : "";
    bars.push(noiseRow(statistic, logRatios));
    for (const screening of [true, false]) {
      const how = screening ? "screened" : "all confirmed";
      options.progress(`resampling ${studies} studies on ${statistic}, ${how}`);
      const counted = countOutcomes(studies, (seed) => resampleNull(logRatios, seed, { screening }));
      const { rate, upper } = counted.falseKeep;
      facts.push({ statistic, screening, ...counted });
      bars.push({
        claim: `studies of eight null candidates that keep something, ${statistic}, ${how}`,
        measured: `${percent(rate)} (95 % upper bound ${percent(upper)})`,
        bar: enough ? { text: "upper bound ≤ 5.5 %", met: upper <= rateMax } : undefined,
        note: `${counted.confirmationsMean.toFixed(1)} confirmations each${note}`,
      });
    }
  }
  const bound = launches.filter(({ driver }) => driver.driverBound).length;
  const seconds = launches.reduce((sum, { wallSeconds }) => sum + wallSeconds, 0) / launches.length;
  return {
    title:
      `${launches.length} A/A launches of taobench-o at scale ${options.scale} ` +
      `(${seconds.toFixed(1)} s each, ${bound} driver-bound), ${studies} studies resampled from them`,
    bars,
    facts: {
      journal, launches: launches.length, launch: shortLaunch, driverBound: bound, declared, counted: facts,
    },
  };
}

function noiseRow(statistic: Statistic, logRatios: readonly number[]): BarRow {
  const mean = logRatios.reduce((sum, value) => sum + value, 0) / logRatios.length;
  return {
    claim: `noise of one A/A launch, ${statistic}`,
    measured: percent(rootMeanSquare(logRatios)),
    note: `robust ${percent(medianAbsoluteDeviation(logRatios))}, mean ${percent(mean)}`,
  };
}

function percent(value: number): string {
  return `${(value * 100).toFixed(2)} %`;
}

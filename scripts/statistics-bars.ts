/**
 * What the statistics promise, counted over thousands of simulated studies, with the bars that they must
 * clear.
 *
 * Run: `node scripts/statistics-bars.ts [--studies 10000] [--out DIR]` (seconds; a failed bar exits
 * with 1). With `--out` it writes `statistics.json` and `statistics.md` there.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { alphaForConfirmation } from "../src/bench/statistics/alpha-spending.ts";
import { calibrate } from "../src/bench/statistics/calibration.ts";
import { fixedSizeInterval } from "../src/bench/statistics/interval.ts";
import { SeededRandom } from "../src/bench/statistics/seeded-random.ts";
import { createSequentialTest } from "../src/bench/statistics/sequential-test.ts";
import type { MachineModel } from "../src/bench/statistics/simulated-machine.ts";
import { modelMachine } from "../src/bench/statistics/simulated-machine.ts";
import type { SimulatedStudyOptions } from "../src/bench/statistics/simulated-study.ts";
import type { Rate } from "../src/bench/statistics/study-count.ts";
import { countStudies, rateOf } from "../src/bench/statistics/study-count.ts";
import { mean, quantile, standardDeviation } from "../src/bench/statistics/summary.ts";
import { barText, type RecordedBar } from "../src/bench/recorded-bar.ts";

interface Row extends Omit<RecordedBar, "measured"> {
  readonly rate: Rate;
  readonly note: string;
}

const alpha = 0.05;
const gain = Math.log(1.05);
const nothing = Array<number>(8).fill(0);
const baseModel: MachineModel = { noise: 0.02 };

function nullRows(studies: number): Row[] {
  const worlds: [string, MachineModel, Partial<SimulatedStudyOptions>][] = [
    ["2 % noise", baseModel, {}],
    ["3.5 % noise", { noise: 0.035 }, {}],
    ["2 % noise, every candidate confirmed", baseModel, { screening: false }],
    ["2 % noise, strong drift", { ...baseModel, driftPerLaunch: 0.1 }, {}],
    ["strong drift, every candidate confirmed", { ...baseModel, driftPerLaunch: 0.1 }, { screening: false }],
  ];
  return worlds.map(([name, model, options]) => {
    const count = countStudies(studies, 1, model, { effects: nothing, alpha, ...options });
    const rate = count.falseKeep;
    const launches = count.launchesMean.toFixed(0);
    return {
      claim: `null study keeps something (${name})`,
      rate,
      bar: { text: "upper bound ≤ 5.5 %", met: rate.upper <= 0.055 },
      note: `${count.confirmationsMean.toFixed(1)} confirmations, ${launches} launches per study`,
    };
  });
}

function plantedRows(studies: number): Row[] {
  const planted: [string, MachineModel, Partial<SimulatedStudyOptions>][] = [
    ["keep if better", baseModel, { rule: "keep_if_better" }],
    ["t-test at 5 %, looked at after every launch", baseModel, { rule: "peeking" }],
    ["Lathe's rule without the coin", { ...baseModel, coin: false }, {}],
  ];
  return planted.map(([name, model, options]) => {
    const study: SimulatedStudyOptions = { effects: nothing, alpha, ...options };
    const { falseKeep: rate } = countStudies(Math.ceil(studies / 5), 1, model, study);
    const bar = { text: "the simulation shows it: lower bound > 10 %", met: rate.lower > 0.1 };
    return { claim: `planted bug: ${name}`, rate, bar, note: "" };
  });
}

/** Confirmations of a true effect, calibrated first; `effectOf` says which effect. */
function confirm(
  runs: number,
  model: MachineModel,
  affordable: number,
  effectOf: (effectMin: number) => number,
  alphaOf = alphaForConfirmation,
  confirmation = 1,
): { rate: Rate; launches: number[] } {
  const launches: number[] = [];
  let kept = 0;
  for (let seed = 0; seed < runs; seed++) {
    const machine = modelMachine(model, new SeededRandom(seed));
    const aa = Array.from({ length: 8 }, () => machine.launch(0));
    const design = calibrate(aa, { launchSeconds: 1, budgetSeconds: affordable, alpha, confirmation });
    const test = createSequentialTest({ ...design, alpha: alphaOf(confirmation, alpha) });
    while (test.decision === "continue") test.observe(machine.launch(effectOf(design.effectMin)));
    if (test.decision !== "keep") continue;
    kept++;
    launches.push(test.launches);
  }
  return { rate: rateOf(kept, runs), launches };
}

function powerRows(studies: number): Row[] {
  const fixed = [12, 14, 16].map((affordable): Row => {
    const { rate, launches } = confirm(studies, baseModel, affordable, () => gain);
    return {
      claim: `true gain of 5 % at 2 % noise confirmed within ${affordable} launches`,
      rate,
      bar: affordable < 14 ? undefined : { text: "≥ 90 %", met: rate.rate >= 0.9 },
      note: `median ${quantile(launches, 0.5)}, 90 % within ${quantile(launches, 0.9)} launches`,
    };
  });
  const fourth: SimulatedStudyOptions = { effects: [0, 0, 0, gain], alpha, confirmationLaunches: 16 };
  const whole = countStudies(studies, 1, baseModel, fourth);
  const perSide = confirm(studies, { noise: 0.02 * Math.SQRT2 }, 20, () => gain);
  const promised = confirm(studies, { ...baseModel, outlierRate: 0 }, 14, (effectMin) => effectMin);
  return [
    ...fixed,
    {
      claim: "… as the fourth candidate of a study, screening included",
      rate: whole.anyKeep,
      bar: { text: "≥ 90 %", met: whole.anyKeep.rate >= 0.9 },
      note: `${whole.launchesMean.toFixed(0)} launches per study`,
    },
    {
      claim: "5 % gain where each side has 2 % noise (2.8 % of the ratio), within 20 launches",
      rate: perSide.rate,
      bar: { text: "≥ 90 %", met: perSide.rate.rate >= 0.9 },
      note: `90 % within ${quantile(perSide.launches, 0.9)} launches`,
    },
    {
      claim: "the smallest effect that calibration states, 14 launches, no outliers",
      rate: promised.rate,
      bar: { text: "≥ 90 %", met: promised.rate.rate >= 0.9 },
      note: "",
    },
  ];
}

function scheduleRows(studies: number): Row[] {
  const schedules: [string, (j: number, alpha: number) => number][] = [
    ["α/2^j (used)", alphaForConfirmation],
    ["6α/(π² j²)", (j, total) => (6 * total) / (Math.PI * j) ** 2],
    ["α/3 · (2/3)^(j−1)", (j, total) => (total / 3) * (2 / 3) ** (j - 1)],
  ];
  return schedules.flatMap(([name, alphaOf]) =>
    [1, 2, 3].map((j) => {
      const { rate, launches } = confirm(Math.ceil(studies / 5), baseModel, 10, () => gain, alphaOf, j);
      const note = `mean ${mean(launches).toFixed(1)} launches`;
      return { claim: `5 % gain, confirmation ${j}, ${name}, 10 launches`, rate, note };
    }),
  );
}

/** Student's t at 97.5 % for 5, 7, 11 and 19 degrees of freedom. */
const studentQuantile: Readonly<Record<number, number>> = { 6: 2.5706, 8: 2.3646, 12: 2.201, 20: 2.093 };

function coverageRows(studies: number): Row[] {
  return [6, 8, 12, 20].flatMap((size): Row[] => {
    const samples = Array.from({ length: studies }, (_, seed) => {
      const machine = modelMachine(baseModel, new SeededRandom(seed));
      return Array.from({ length: size }, () => machine.launch(gain));
    });
    const intervals = samples.map((sample) => fixedSizeInterval(sample, 0.95));
    const covered = intervals.filter(({ low, high }) => low <= gain && gain <= high).length;
    const halves = samples.map((s) => (studentQuantile[size] * standardDeviation(s)) / Math.sqrt(size));
    const studentCovered = samples.filter((s, i) => Math.abs(mean(s) - gain) <= halves[i]).length;
    const width = (mean(intervals.map(({ low, high }) => high - low)) * 100).toFixed(1);
    const rate = rateOf(covered, studies);
    return [
      {
        claim: `quoted interval of ${size} launches covers the truth`,
        rate,
        bar: { text: "≥ 94 %", met: rate.rate >= 0.94 },
        note: `mean width ${width} %`,
      },
      {
        claim: `Student's t, ${size} launches`,
        rate: rateOf(studentCovered, studies),
        note: `mean width ${(mean(halves) * 200).toFixed(1)} %`,
      },
    ];
  });
}

function studyCoverageRow(studies: number): Row {
  const effects = [0, gain, 0, Math.log(1.12), 0, 0];
  const { covered: rate } = countStudies(studies, 5, baseModel, { effects, alpha });
  const bar = { text: "≥ 94 %", met: rate.rate >= 0.94 };
  return { claim: "quoted interval after a study that kept something", rate, bar, note: "8 launches" };
}

function percent(value: number): string {
  return `${(value * 100).toFixed(2)} %`;
}

function toMarkdown(rows: readonly Row[], studies: number): string {
  const lines = rows.map(({ claim, rate, bar, note }) => {
    const figures = [rate.rate, rate.lower, rate.upper].map(percent).join(" | ");
    return `| ${claim} | ${figures} | ${barText({ bar })} | ${note} |`;
  });
  return [
    `Simulated studies: ${studies}. Bounds are one-sided, 95 %, exact (Clopper and Pearson).`,
    "",
    "| claim | rate | lower | upper | bar | note |",
    "|---|---|---|---|---|---|",
    ...lines,
    "",
  ].join("\n");
}

const { values } = parseArgs({
  options: { studies: { type: "string", default: "10000" }, out: { type: "string" } },
});
const studies = Number(values.studies);
if (!Number.isInteger(studies) || studies < 100) {
  throw new Error(`--studies takes a whole number from 100, not ${values.studies}`);
}
const rows = [
  ...nullRows(studies),
  ...plantedRows(studies),
  ...powerRows(studies),
  ...coverageRows(studies),
  studyCoverageRow(studies),
  ...scheduleRows(studies),
];
const markdown = toMarkdown(rows, studies);
process.stdout.write(markdown);
if (values.out !== undefined) {
  mkdirSync(values.out, { recursive: true });
  const bars = rows.map((row) => ({ ...row, measured: percent(row.rate.rate) }));
  const json = JSON.stringify({ studies, alpha, bars }, null, 2);
  writeFileSync(join(values.out, "statistics.json"), `${json}\n`);
  writeFileSync(join(values.out, "statistics.md"), markdown);
}
process.exitCode = rows.some(({ bar }) => bar !== undefined && !bar.met) ? 1 : 0;

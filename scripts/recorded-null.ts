/**
 * Whatever a study keeps among A/A launches is a false keep. This resamples the recorded A/A launches of
 * one or more journals with labels drawn anew, runs studies on them, and counts.
 *
 * Run: `node scripts/recorded-null.ts JOURNAL… [--statistic throughput|cost] [--studies 10000]`. Exits
 * with 1 where the upper bound of the false-keep rate is above 5.5 %, with 2 where fewer than 100 launches
 * are recorded.
 */
import { parseArgs } from "node:util";
import { resampleNull } from "../src/bench/statistics/simulated-study.ts";
import { countOutcomes } from "../src/bench/statistics/study-count.ts";
import { medianAbsoluteDeviation, rootMeanSquare } from "../src/bench/statistics/summary.ts";
import { isKind } from "../src/journal/entry.ts";
import { readEntries } from "../src/journal/journal-reader.ts";

const launchesMin = 100;
const rateMax = 0.055;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    studies: { type: "string", default: "10000" },
    statistic: { type: "string", default: "throughput" },
  },
});
const statistic = values.statistic === "cost" ? "cost" : "throughput";
const logRatios = positionals
  .flatMap((path) => [...readEntries(path)].filter(isKind("calibration_launch")))
  .map(({ launch }) => launch.logRatios[statistic]);
if (logRatios.length < launchesMin) {
  process.stderr.write(`${logRatios.length} A/A launches are recorded; at least ${launchesMin} are needed\n`);
  process.exit(2);
}

const percent = (value: number) => `${(value * 100).toFixed(2)} %`;
process.stdout.write(
  `${logRatios.length} A/A launches, ${statistic}: ` +
    `standard deviation ${percent(rootMeanSquare(logRatios))}, robust ${percent(medianAbsoluteDeviation(logRatios))}\n`,
);
let worst = 0;
for (const screening of [true, false]) {
  const count = countOutcomes(Number(values.studies), (seed) => resampleNull(logRatios, seed, { screening }));
  const { rate, upper } = count.falseKeep;
  worst = Math.max(worst, upper);
  process.stdout.write(
    `${count.studies} studies of eight null candidates, ${screening ? "with" : "without"} screening: ` +
      `${percent(rate)} kept something (95 % upper bound ${percent(upper)}), ` +
      `${count.confirmationsMean.toFixed(1)} confirmations each, ` +
      `intervals covered zero in ${percent(count.covered.rate)}\n`,
  );
}
process.exitCode = worst <= rateMax ? 0 : 1;

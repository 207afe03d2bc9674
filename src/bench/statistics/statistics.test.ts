import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Block } from "../measurement.ts";
import { alphaForConfirmation, confirmationIndex } from "./alpha-spending.ts";
import { calibrate, withinLaunchNoise } from "./calibration.ts";
import { guardMemory, guardNonInferiority } from "./guard.ts";
import { fixedSizeInterval } from "./interval.ts";
import { proportionLower, proportionUpper } from "./proportion.ts";
import { promptKvScore, scoreDifference } from "./score.ts";
import { screen, shrunkenEstimate } from "./screening.ts";
import { createSequentialTest, launchesToKeep, resumeSequentialTest } from "./sequential-test.ts";
import { signedRankCumulative } from "./signed-rank.ts";
import { mean, median, medianAbsoluteDeviation, quantile } from "./summary.ts";

const options = { alpha: 0.025, noise: 0.02, effectMin: 0.03, launchesMax: 12 };
const logRatio = fc.double({ min: -1, max: 1, noNaN: true });
const code = (expected: string) => (error: { code?: string }) => error.code === expected;

test("every bet is fair: over both signs of a launch the wealth keeps its mean", () => {
  fc.assert(
    fc.property(fc.array(logRatio, { maxLength: 8 }), logRatio, (past, next) => {
      const before = wealthAfter(past);
      const up = wealthAfter([...past, next]);
      const down = wealthAfter([...past, -next]);
      if (before === undefined || up === undefined || down === undefined) return;
      assert.ok(Math.abs((up + down) / 2 - before) < 1e-9 * Math.max(1, before));
    }),
  );
});

function wealthAfter(logRatios: readonly number[]): number | undefined {
  const sequential = createSequentialTest({ ...options, launchesMax: 100 });
  for (const value of logRatios) {
    if (sequential.decision !== "continue") return undefined;
    sequential.observe(value);
  }
  return sequential.wealth;
}

test("over all sign patterns of any magnitudes at most α of them keep", () => {
  const magnitude = fc.double({ min: 0.001, max: 0.3, noNaN: true });
  fc.assert(
    fc.property(fc.array(magnitude, { minLength: 10, maxLength: 10 }), (magnitudes) => {
      const patterns = 2 ** magnitudes.length;
      let kept = 0;
      for (let pattern = 0; pattern < patterns; pattern++) {
        const sequential = createSequentialTest({ ...options, alpha: 0.05, launchesMax: magnitudes.length });
        for (let i = 0; sequential.decision === "continue"; i++) {
          sequential.observe((pattern >> i) & 1 ? magnitudes[i] : -magnitudes[i]);
        }
        if (sequential.decision === "keep") kept++;
      }
      assert.ok(kept / patterns <= 0.05, `${kept} of ${patterns}`);
    }),
    { numRuns: 15 },
  );
});

test("a clear gain is kept in the fewest launches possible, a loss is given up with a reason", () => {
  const gain = createSequentialTest(options);
  while (gain.decision === "continue") gain.observe(0.1);
  assert.equal(gain.decision, "keep");
  assert.equal(gain.launches, launchesToKeep(options.alpha));
  assert.match(gain.reason, /better by about \+11 %/);
  const loss = createSequentialTest(options);
  while (loss.decision === "continue") loss.observe(-0.01);
  assert.equal(loss.decision, "futile");
  assert.match(loss.reason, /optimistic estimate/);
  const slow = createSequentialTest({ ...options, launchesMax: 6 });
  for (const value of [0.05, -0.001]) slow.observe(value);
  assert.equal(slow.decision, "futile");
  assert.match(slow.reason, /out of reach/);
  assert.throws(() => slow.observe(0.1), code("CLOSED"));
});

test("a confirmation survives JSON, replays to the same state, and a forged one is refused", () => {
  fc.assert(
    fc.property(fc.array(logRatio, { maxLength: 12 }), (values) => {
      const sequential = createSequentialTest(options);
      for (const value of values) if (sequential.decision === "continue") sequential.observe(value);
      const state = JSON.parse(JSON.stringify(sequential.state()));
      assert.deepEqual(resumeSequentialTest(state).state(), state);
    }),
  );
  const sequential = createSequentialTest(options);
  for (const value of [0.05, 0.04, 0.02]) sequential.observe(value);
  assert.throws(() => resumeSequentialTest({ ...sequential.state(), decision: "keep" }), code("CORRUPTION"));
});

test("wrong options and launches that are no numbers are refused", () => {
  for (const wrong of [{ alpha: 0 }, { noise: 0 }, { effectMin: Number.NaN }, { launchesMax: 1.5 }]) {
    assert.throws(() => createSequentialTest({ ...options, ...wrong }), code("INVALID_ARGUMENT"));
  }
  assert.throws(() => createSequentialTest(options).observe(Number.NaN), code("INVALID_ARGUMENT"));
  assert.throws(() => fixedSizeInterval([], 0.95), code("INVALID_ARGUMENT"));
  assert.throws(() => guardNonInferiority([0.1], 0.05), code("INVALID_ARGUMENT"));
  assert.throws(() => alphaForConfirmation(0, 0.05), code("INVALID_ARGUMENT"));
});

test("confirmations together spend no more than α", () => {
  const spent = Array.from({ length: 200 }, (_, j) => alphaForConfirmation(j + 1, 0.05));
  assert.ok(spent.reduce((sum, value) => sum + value, 0) <= 0.05 + 1e-12);
  assert.deepEqual([1, 2, 3, 4].map((j) => launchesToKeep(alphaForConfirmation(j, 0.05))), [6, 7, 8, 9]);
  assert.equal(confirmationIndex([false, true, false]), 3);
});

test("the signed-rank distribution is that of all sign patterns", () => {
  for (const size of [1, 4, 9]) {
    const cumulative = signedRankCumulative(size);
    const counts = new Float64Array(cumulative.length);
    for (let pattern = 0; pattern < 2 ** size; pattern++) {
      let sum = 0;
      for (let rank = 1; rank <= size; rank++) if ((pattern >> (rank - 1)) & 1) sum += rank;
      counts[sum] += 2 ** -size;
    }
    let total = 0;
    counts.forEach((probability, sum) => {
      total += probability;
      assert.ok(Math.abs(total - cumulative[sum]) < 1e-12);
    });
  }
});

test("intervals state their level, shift with the data and flip with the sign", () => {
  assert.equal(fixedSizeInterval([1, 2, 3, 4, 5, 6], 0.95).level, 1 - 2 / 64);
  const few = fixedSizeInterval([1, 2, 3, 4], 0.95);
  assert.equal(few.level, 1 - 2 / 16);
  assert.match(few.method, /4 launches reach no higher level/);
  fc.assert(
    fc.property(fc.array(logRatio, { minLength: 1, maxLength: 20 }), (values) => {
      const plain = fixedSizeInterval(values, 0.95);
      const flipped = fixedSizeInterval(values.map((value) => -value), 0.95);
      const shifted = fixedSizeInterval(values.map((value) => value + 3), 0.95);
      assert.ok(plain.low <= plain.estimate && plain.estimate <= plain.high);
      assert.ok(values.length < 6 || plain.level >= 0.95);
      assert.ok(Math.abs(flipped.low + plain.high) < 1e-9 && Math.abs(shifted.low - plain.low - 3) < 1e-9);
    }),
  );
});

test("guards pass, fail or ask for more launches", () => {
  const steady = [0.01, -0.01, 0.005, 0, -0.004, 0.008];
  assert.equal(guardNonInferiority(steady, 1.05).verdict, "pass");
  assert.equal(guardNonInferiority(steady.map((value) => value + 0.2), 1.05).verdict, "fail");
  assert.equal(guardNonInferiority(steady.map((value) => value * 20), 1.05).verdict, "inconclusive");
  assert.equal(guardNonInferiority(steady.slice(0, 3), 1.05).verdict, "inconclusive");
  const grown = steady.map((value) => value + 0.5);
  assert.equal(guardMemory(grown, 1.05, [90, 95], 100).verdict, "pass");
  assert.equal(guardMemory(grown, 1.05, [90, 101], 100).verdict, "fail");
});

test("screening drops what cannot be worth it, and keeps nothing", () => {
  const noise = { noise: 0.02, effectMin: 0.04 };
  assert.equal(screen([-0.02], noise).decision, "drop");
  assert.equal(screen([-0.01], noise).decision, "more", "a single launch may be an outlier");
  assert.equal(screen([-0.01, -0.01], noise).decision, "drop");
  assert.equal(screen([0.05], noise).decision, "confirm");
  assert.equal(screen([0.02], noise).decision, "more");
  assert.equal(screen([0.02, 0.01], noise).decision, "drop");
  assert.equal(screen([0.02, 0.03], noise).decision, "confirm");
  assert.ok(shrunkenEstimate([0.05], noise) < shrunkenEstimate([0.05, 0.05], noise));
});

test("calibration says what can be confirmed, and when nothing can", () => {
  const aa = [0.012, -0.03, 0.018, -0.011, 0.02, 0.015];
  const budget = { launchSeconds: 10, budgetSeconds: 140, alpha: 0.05 };
  const calibration = calibrate(aa, budget);
  assert.ok(calibration.feasible && calibration.launchesMax === 14);
  assert.match(calibration.sentence, /differ by 1\.9 %\. With up to 14 launches of 10 s a gain of \+\d\.\d/);
  const more = calibrate(aa, { ...budget, budgetSeconds: 300 });
  assert.ok(more.effectMin < calibration.effectMin);
  const short = calibrate(aa, { ...budget, budgetSeconds: 30 });
  assert.equal(short.feasible, false);
  assert.match(short.sentence, /pays for 3, so this study cannot succeed\. Give it 60 s or more/);
  const noisy = calibrate(aa.map((value) => value * 10), budget);
  assert.equal(noisy.feasible, false);
  const silent = calibrate([0, 0, 0, 0], budget);
  assert.ok(silent.noise > 0 && Math.abs(silent.effectMin - Math.log(1.01)) < 1e-12);
  assert.equal(silent.launchesMax, 6);
});

test("noise within a launch comes from neighbouring blocks of different sides", () => {
  const block = (side: "incumbent" | "candidate", position: number, operations: number): Block => {
    return { side, position, operations, errors: 0, seconds: 0.1, serverCpuUs: 1 };
  };
  const blocks = [
    block("incumbent", 0, 100),
    block("candidate", 1, 110),
    block("candidate", 2, 121),
    block("incumbent", 3, 100),
  ];
  // Two pairs, log 1.1 and log 1.21: their standard deviation is log 1.1 / √2, that of the mean log 1.1
  // / 2.
  assert.ok(Math.abs((withinLaunchNoise(blocks) ?? 1) - Math.log(1.1) / 2) < 1e-12);
  assert.equal(withinLaunchNoise(blocks.slice(0, 3)), undefined);
});

test("PromptKV's score is equation 1", () => {
  const baseline = { opsPerSecond: 1000, p50Us: 200 };
  const side = { opsPerSecond: 1500, p50Us: 100, memoryMiB: 200 };
  assert.ok(Math.abs(promptKvScore(side, baseline) - (1.5 - 0.25 - 0.5 * (Math.E - 1))) < 1e-12);
  assert.equal(promptKvScore({ ...side, memoryMiB: 50 }, baseline), 1.25);
  assert.ok(Number.isFinite(promptKvScore({ ...side, memoryMiB: 1e9 }, baseline)));
  type Sides = Parameters<typeof scoreDifference>[0];
  assert.equal(scoreDifference({ incumbent: side, candidate: side } as unknown as Sides, baseline), 0);
});

test("summaries agree with known values", () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(quantile([1, 2, 3, 4], 0.25), 1.75);
  assert.equal(medianAbsoluteDeviation([1, 2, 3, 4, 100]), 1.4826);
  assert.throws(() => mean([]), code("INVALID_ARGUMENT"));
});

test("bounds of proportions agree with published values", () => {
  assert.ok(Math.abs(proportionUpper(0, 100, 0.95) - 0.02951) < 1e-4);
  assert.ok(Math.abs(proportionUpper(10, 100, 0.975) - 0.17622) < 1e-4);
  assert.ok(Math.abs(proportionLower(10, 100, 0.975) - 0.04900) < 1e-4);
  assert.ok(proportionUpper(500, 10_000, 0.95) < 0.0538);
});

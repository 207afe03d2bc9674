/**
 * Do the statistics keep their promises? A few hundred to a thousand simulated studies;
 * `scripts/statistics-bars.ts` runs ten thousand. Planted bugs (no coin, keep if better, peeking) must
 * show in the same simulation.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { alphaForConfirmation } from "./alpha-spending.ts";
import { calibrate } from "./calibration.ts";
import { SeededRandom } from "./seeded-random.ts";
import { createSequentialTest } from "./sequential-test.ts";
import { modelMachine } from "./simulated-machine.ts";
import { resampleNull } from "./simulated-study.ts";
import { countOutcomes, countStudies, rateOf } from "./study-count.ts";

const studies = Number(process.env.LATHE_SIMULATED_STUDIES ?? 1000);
const alpha = 0.05;
const nothing = Array<number>(8).fill(0);
const model = { noise: 0.02 };

test("a study of null candidates keeps one in at most 5 % of the studies", () => {
  for (const screening of [true, false]) {
    const count = countStudies(studies, 1, model, { effects: nothing, alpha, screening });
    assert.ok(count.falseKeep.lower <= alpha, `false keeps in ${count.falseKeep.rate} of the studies`);
    assert.ok(count.confirmationsMean > (screening ? 0.2 : 7.9), "the studies confirmed nothing");
  }
});

test("the same simulation shows the invalid rules for what they are", () => {
  for (const rule of ["keep_if_better", "peeking"] as const) {
    const { falseKeep } = countStudies(200, 1, model, { effects: nothing, alpha, rule });
    assert.ok(falseKeep.lower > 0.5, `${rule}: ${falseKeep.rate}`);
  }
  const withoutCoin = countStudies(400, 1, { ...model, coin: false }, { effects: nothing, alpha });
  assert.ok(withoutCoin.falseKeep.lower > 0.1, `without the coin: ${withoutCoin.falseKeep.rate}`);
  assert.ok(withoutCoin.covered.upper < 0.94, "without the coin the intervals should not hold");
});

test("a gain of 5 % at 2 % noise is confirmed within the stated launches", () => {
  const gain = Math.log(1.05);
  const runs = 500;
  let kept = 0;
  for (let seed = 0; seed < runs; seed++) {
    const machine = modelMachine(model, new SeededRandom(seed));
    const aa = Array.from({ length: 8 }, () => machine.launch(0));
    const design = calibrate(aa, { launchSeconds: 10, budgetSeconds: 160, alpha });
    const confirmation = createSequentialTest({ ...design, alpha: alphaForConfirmation(1, alpha) });
    while (confirmation.decision === "continue") confirmation.observe(machine.launch(gain));
    assert.ok(confirmation.launches <= design.launchesMax);
    if (confirmation.decision === "keep") kept++;
  }
  assert.ok(rateOf(kept, runs).upper >= 0.9, `confirmed in ${kept} of ${runs}`);
});

test("the re-measured interval covers the truth, whatever was kept before", () => {
  for (const remeasurementLaunches of [6, 8, 12, 20]) {
    const effects = [0, Math.log(1.05), 0, Math.log(1.12)];
    const { covered, anyKeep } = countStudies(studies, 7, model, { effects, alpha, remeasurementLaunches });
    assert.ok(covered.upper >= 0.95, `${remeasurementLaunches} launches cover in ${covered.rate}`);
    assert.ok(anyKeep.rate > 0.9);
  }
});

test("recorded A/A launches with random labels keep nothing more often than stated", () => {
  const machine = modelMachine({ noise: 0.03, driftPerLaunch: 0.1 }, new SeededRandom(11));
  const recorded = Array.from({ length: 100 }, () => machine.launch(0));
  const { falseKeep } = countOutcomes(studies, (study) => resampleNull(recorded, study));
  assert.ok(falseKeep.lower <= alpha, `false keeps in ${falseKeep.rate}`);
  assert.deepEqual(resampleNull(recorded, 3), resampleNull(recorded, 3));
});

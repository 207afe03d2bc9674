import assert from "node:assert/strict";
import { test } from "node:test";
import { WindowClimber } from "./window-climber.ts";

const cells = 10_000;

/** Lets the climber run on a workload whose hit ratio is a function of the window's share. */
function climb(ratioAt: (share: number) => number, samples: number, share = 0.01): number {
  const climber = new WindowClimber(cells);
  let window = share * cells;
  for (let sample = 0; sample < samples; sample++) {
    const hits = Math.round(1e6 * ratioAt(window / cells));
    window = Math.min(0.8 * cells, Math.max(1, window + climber.adjustment(hits, 1e6 - hits)));
  }
  return window / cells;
}

test("finds the window that serves best, wherever it lies", () => {
  for (const best of [0.02, 0.2, 0.5, 0.75]) {
    const found = climb((share) => 0.5 - 0.3 * Math.abs(share - best), 300);
    assert.ok(Math.abs(found - best) < 0.05, `best ${best}, found ${found}`);
  }
});

test("comes to rest on a steady workload", () => {
  const climber = new WindowClimber(cells);
  let last = 0;
  for (let sample = 0; sample < 500; sample++) last = climber.adjustment(500 + (sample % 2), 500);
  assert.ok(Math.abs(last) <= 1, `${last}`);
});

test("takes large steps again when the workload changes", () => {
  const climber = new WindowClimber(cells);
  for (let sample = 0; sample < 500; sample++) climber.adjustment(500, 500);
  climber.adjustment(300, 700);
  assert.equal(Math.abs(climber.adjustment(300, 700)), 625);
});

test("the first sample of none is no division by zero", () => {
  assert.ok(Number.isFinite(new WindowClimber(cells).adjustment(0, 0)));
});

/**
 * The metamorphic gate where time is short: it begins no further program after a share of its limit, runs the least
 * number in any case, and those are the first of the programs that it would run with all the time. What no other gate
 * finds is found by them.
 */
import assert from "node:assert/strict";
import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { GateVerdict } from "../../src/gates/gate.ts";
import { productGates } from "../../src/gates/gate-table.ts";
import { metamorphicGate, type MetamorphicGateOptions } from "../../src/gates/metamorphic/metamorphic-gate.ts";
import { programSeeds, runTrials } from "../../src/gates/metamorphic/metamorphic-trial.ts";
import { loadProductEngine } from "../../src/gates/metamorphic/product-engine.ts";
import { loadMutants, plantMutant } from "../../src/gates/mutant.ts";

const source = join(import.meta.dirname, "..", "..", "src");
const work = mkdtempSync(join(tmpdir(), "lathe-metamorphic-share-"));
after(() => rmSync(work, { recursive: true, force: true }));

/** Of the gate table, and the seed that checks have by default. */
const programsMin = 8;
const checkSeed = 1;

test("seeds: the least number in any case, more while there is time, never more than planned", () => {
  const drawn = (turnsWithTime: number) => {
    let turns = 0;
    return [...programSeeds({ firstSeed: 1000, seeds: 5, seedsMin: 2 }, () => turns++ < turnsWithTime)];
  };
  assert.deepEqual(drawn(0), [1000, 1001]);
  assert.deepEqual(drawn(1), [1000, 1001, 1002]);
  assert.deepEqual(drawn(100), [1000, 1001, 1002, 1003, 1004]);
});

let runs = 0;

function judge(options: Omit<MetamorphicGateOptions, "knobSets">): Promise<GateVerdict> {
  const workDirectory = join(work, `run-${runs++}`);
  mkdirSync(workDirectory);
  const gate = metamorphicGate({ ...options, knobSets: 3 });
  return gate.run({ productDirectory: source, knobs: {}, seed: checkSeed, workDirectory });
}

test("a gate without time left runs the first programs, the same ones every time, and says how many", async () => {
  const hurried = await judge({ programs: 20, programsMin: 2, timeShare: 0 });
  assert.equal(hurried.verdict, "admit", hurried.reason);
  assert.match(hurried.reason, /^2 of 20 programs, 6 runs, \d+ operations/);
  const again = await judge({ programs: 20, programsMin: 2, timeShare: 0 });
  assert.deepEqual(again.evidence, hurried.evidence);
  const calm = await judge({ programs: 2, programsMin: 2 });
  assert.deepEqual({ ...calm.evidence, programsPlanned: 20 }, hurried.evidence);
});

test("fewer programs than the least number are no verdict", async () => {
  const verdict = await judge({ programs: 1, programsMin: 2 });
  assert.equal(verdict.verdict, "inconclusive");
  assert.match(verdict.reason, /only 1 of 1 programs.*at least 2/);
});

test("the gate of the table states its least number", () => {
  const description = productGates().find(({ name }) => name === "metamorphic")?.description ?? "";
  assert.match(description, new RegExp(`^20 random programs \\(on a loaded machine ${programsMin} at least\\)`));
});

/** Faults that no other gate is expected to find. */
const onlyHere = loadMutants().filter(({ expectedGates }) => expectedGates.join() === "metamorphic");

test("there are faults that are left to it", () => assert.ok(onlyHere.length >= 2));

for (const mutant of onlyHere) {
  test(`mutant ${mutant.name}: found by the first ${programsMin} programs of a check`, async (context) => {
    const directory = join(work, mutant.name);
    const pristine = join(work, "pristine");
    const isProduct = (path: string) => !/\.(test|fuzz|bench|conformance|fixture)\.ts$/.test(path);
    for (const room of ["kit", "parts"]) {
      cpSync(join(source, room), join(pristine, room), { recursive: true, filter: isProduct });
    }
    plantMutant(pristine, mutant, directory);
    const maker = await loadProductEngine(directory, work);
    try {
      const seeds = programSeeds({ firstSeed: checkSeed * 1000, seeds: programsMin, seedsMin: programsMin }, () => true);
      const { failure, programs } = await runTrials(maker, seeds, { knobSets: 12, shrinkAttempts: 0 });
      assert.ok(failure !== undefined, `${programs} programs did not find it`);
      context.diagnostic(`${mutant.name}: found by program ${programs}, seed ${failure.seed}, "${failure.knobs.name}"`);
    } finally {
      await maker.close();
    }
  });
}

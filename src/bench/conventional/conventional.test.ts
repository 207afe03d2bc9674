/**
 * The conventional variant under the engine's own tests: conformance, background work, races, crashes, simulated seeds
 * and metamorphic programs. They are imported here after the redirection, and so run on the variant.
 * `LATHE_TEST_SEEDS` and `LATHE_METAMORPHIC_SEEDS` set how many seeds and programs.
 */
import "./instead-of-agents.bench.ts";
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { coordinate } from "./conventional-coordination.bench.ts";

const engine = "../../parts/storage/storage_model/row/kvlsm/blackboard";
const seedCount = Number(process.env.LATHE_TEST_SEEDS ?? 40);
const programs = Number(process.env.LATHE_METAMORPHIC_SEEDS ?? 1);
process.env.LATHE_TEST_RUNS ??= "12";

test("the variant is in the place of the agents", async () => {
  const { coordinate: found } = (await import(`${engine}/agent-coordination.ts`)) as { coordinate: unknown };
  assert.equal(found, coordinate);
});

for (const name of [
  "blackboard-engine.test.ts", "background.test.ts", "parallel-compactions.test.ts", "live-tuning.test.ts",
  "close-races.test.ts", "recovery.sim.test.ts",
]) {
  await import(`${engine}/${name}`);
}

for (const subject of ["engine", "bare-engine"]) {
  test(`simulated scenarios: ${subject}, ${seedCount} seeds`, async () => {
    const { runTask } = await import("../../app/simulation/simulation-task.ts");
    const seeds = Array.from({ length: seedCount }, (_, at) => at + 1);
    const outcome = await runTask({ kind: "seeds", subject, seeds, checkDeterminism: false, shrink: false });
    assert.deepEqual(outcome.failures.map(({ seed, message }) => `seed ${seed}: ${message}`), []);
    assert.equal(outcome.runs, seedCount);
    assert.ok(outcome.coverage.lsm_compactions_total > 0 && outcome.coverage.lsm_background_failures_total > 0);
  });
}

test(`metamorphic programs: ${programs}, under every knob set`, async () => {
  const { loadProductEngine } = await import("../../gates/metamorphic/product-engine.ts");
  const { runTrials } = await import("../../gates/metamorphic/metamorphic-trial.ts");
  const work = mkdtempSync(join(tmpdir(), "lathe-conventional-"));
  const maker = await loadProductEngine(join(import.meta.dirname, "..", ".."), work);
  try {
    const seeds = Array.from({ length: programs }, (_, number) => 1 + number);
    const { failure, runs } = await runTrials(maker, seeds, { shrinkAttempts: 200 });
    assert.equal(failure, undefined, `seed ${failure?.seed}, shrunk:\n${failure?.text}`);
    assert.ok(runs >= programs * 20);
  } finally {
    await maker.close();
    rmSync(work, { recursive: true, force: true });
  }
});

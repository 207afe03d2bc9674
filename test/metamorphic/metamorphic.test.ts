/**
 * Metamorphic runs of the engine in this tree: random programs under every standard knob set and random ones, all
 * equal to the model. `LATHE_METAMORPHIC_SEEDS` sets how many programs (default 3), `LATHE_TEST_SEED` the
 * first one; `lathe check --metamorphic` runs as many as are wanted over a product.
 */
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { liveOptions, standardKnobSets } from "../../src/gates/metamorphic/knob-sets.ts";
import { knobSetsOf, replay, runTrials } from "../../src/gates/metamorphic/metamorphic-trial.ts";
import { parseOperationFile } from "../../src/gates/metamorphic/operation-file.ts";
import { loadProductEngine } from "../../src/gates/metamorphic/product-engine.ts";
import { defaultTuning } from "../../src/parts/storage/storage_model/row/kvlsm/blackboard/options.ts";

const programs = Number(process.env.LATHE_METAMORPHIC_SEEDS ?? 3);
// A fresh part of the seeds every day would make failures come and go; more seeds are a matter of the variable.
const firstSeed = Number(process.env.LATHE_TEST_SEED ?? 1);
const source = join(import.meta.dirname, "..", "..", "src");
const work = mkdtempSync(join(tmpdir(), "lathe-metamorphic-"));
const maker = await loadProductEngine(source, work);

after(async () => {
  await maker.close();
  rmSync(work, { recursive: true, force: true });
});

test(`${programs} programs from seed ${firstSeed} give the model's answers under every knob set`, async () => {
  assert.ok(standardKnobSets.length >= 25);
  assert.equal(new Set(standardKnobSets.map(({ name }) => name)).size, standardKnobSets.length);
  const seeds = Array.from({ length: programs }, (_, number) => firstSeed + number);
  const { failure, runs, operations } = await runTrials(maker, seeds, { shrinkAttempts: 500 });
  assert.equal(failure, undefined, `seed ${failure?.seed}, shrunk:\n${failure?.text}`);
  assert.ok(runs === programs * knobSetsOf(1, undefined).length && operations > runs * 50);
});

test("every option of the engine is drawn, and changed in running stores", () => {
  const drawn = new Map<string, Set<unknown>>();
  for (let seed = 0; seed < 200; seed++) {
    for (const { name, options } of knobSetsOf(seed, undefined)) {
      if (!name.startsWith("random")) continue;
      for (const [option, value] of Object.entries(options)) {
        const values = drawn.get(option) ?? new Set();
        drawn.set(option, values.add(value));
      }
    }
  }
  // How long trouble may last counts where disks fail, which is for the simulation.
  const expected = Object.keys(defaultTuning).filter((name) => name !== "troubleLimitMs").sort();
  assert.deepEqual([...drawn.keys()].sort(), expected);
  for (const [option, values] of drawn) assert.ok(values.size > 1, option);
  assert.deepEqual(liveOptions.map(([name]) => name).sort(), expected);
});

const golden = join(import.meta.dirname, "golden");
const names = readdirSync(golden).filter((name) => name.endsWith(".ops"));

for (const name of names) {
  test(`the recorded program ${name} gives the model's answers under every standard knob set`, async () => {
    const file = parseOperationFile(readFileSync(join(golden, name), "utf8"));
    const missing = file.features.filter((feature) => !maker.features.includes(feature));
    assert.deepEqual(missing, []);
    for (const knobs of standardKnobSets) {
      assert.equal(await replay(maker, file, knobs), undefined, `under ${knobs.name}`);
    }
  });
}

import assert from "node:assert/strict";
import { test } from "node:test";
import { smallModel } from "./differential.fixture.ts";
import { allSelections } from "./random-model.fixture.ts";
import { pairwiseSample } from "./pairwise-sample.ts";
import { Reasoner } from "./reasoner.ts";
import { violationsOf } from "./violations.ts";

/** Pairs of choices that some selection has, as texts. */
function pairsOf(selections: readonly ReadonlySet<string>[], points: readonly string[]): Set<string> {
  const pairs = new Set<string>();
  for (const selected of selections) {
    const choices = points.map((path) => `${selected.has(path) ? "" : "!"}${path}`);
    choices.forEach((one, at) => choices.slice(at + 1).forEach((other) => pairs.add(`${one} ${other}`)));
  }
  return pairs;
}

test("samples of random models are valid and cover every pair that brute force finds, and no selection is idle", () => {
  let selections = 0;
  let all = 0;
  for (let seed = 1; seed <= 250; seed++) {
    const model = smallModel(seed);
    const points = model.features.map(({ path }) => path);
    const possible = allSelections(model);
    const expected = pairsOf(possible, points);
    const found = pairwiseSample(new Reasoner(model), { points, seed });
    const sets = found.selections.map((one) => new Set(one));
    for (const set of sets) assert.deepEqual(violationsOf(model, set), [], `seed ${seed}`);
    assert.deepEqual(pairsOf(sets, points), expected, `seed ${seed}`);
    assert.deepEqual([found.coverable, found.covered], [expected.size, expected.size], `seed ${seed}`);
    const sizes = sets.map((_, at) => pairsOf(sets.slice(0, at + 1), points).size);
    sizes.forEach((size, at) => assert.ok(size > (sizes[at - 1] ?? -1), `seed ${seed}: selection ${at} adds nothing`));
    selections += sets.length;
    all += possible.length;
  }
  assert.ok(selections < 0.6 * all, `${selections} of ${all} selections`);
});

test("the same seed gives the same sample; a limit ends it and says what is left", () => {
  const model = smallModel(20);
  const points = model.features.map(({ path }) => path);
  const sample = (selectionsMax: number) => pairwiseSample(new Reasoner(model), { points, seed: 7, selectionsMax });
  assert.deepEqual(sample(9), sample(9));
  const [short, whole] = [sample(1), sample(99)];
  assert.ok(whole.selections.length > 1 && short.covered < short.coverable);
  assert.equal(whole.covered, whole.coverable);
});

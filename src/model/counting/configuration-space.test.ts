import assert from "node:assert/strict";
import { test } from "node:test";
import { smallModel } from "../differential.fixture.ts";
import type { FeatureModel } from "../feature-model.ts";
import { allSelections, randomModel } from "../random-model.fixture.ts";
import { RandomNumbers } from "../random-numbers.ts";
import { noPicks, type Picks } from "../reasoner.ts";
import { violationsOf } from "../violations.ts";
import { subModel } from "../sub-model.ts";
import { ConfigurationSpace } from "./configuration-space.ts";

const models = Number(process.env.LATHE_TEST_RUNS ?? 1500);

function somePicks(model: FeatureModel, random: RandomNumbers): Picks {
  const paths = model.features.map(({ path }) => path).filter(() => random.chance(0.2));
  const chosen = paths.filter(() => random.chance(0.6));
  return { chosen, excluded: paths.filter((path) => !chosen.includes(path)) };
}

/** What the space says otherwise than brute force. */
function disagreement(space: ConfigurationSpace, picks: Picks): string | undefined {
  const { model } = space;
  const selections = allSelections(model).filter((one) =>
    picks.chosen.every((path) => one.has(path)) && !picks.excluded.some((path) => one.has(path)));
  if (space.count !== BigInt(selections.length)) return `counted ${space.count}, there are ${selections.length}`;
  const shares = space.shares();
  const wrong = model.features.find(({ path }, at) =>
    shares[at] !== BigInt(selections.filter((one) => one.has(path)).length));
  return wrong === undefined ? undefined : `${wrong.path} counted in ${shares[model.position(wrong.path)]}`;
}

test(`counts and shares of ${models} small random models, with picks and without, are those of brute force`, () => {
  for (let seed = 1; seed <= models; seed++) {
    const model = smallModel(seed);
    const picks = seed % 3 === 0 ? somePicks(model, new RandomNumbers(seed)) : noPicks;
    assert.equal(disagreement(new ConfigurationSpace(model, picks), picks), undefined, `seed ${seed}`);
  }
});

test("models of more features and fewer rules, which fold more, are counted as by brute force", () => {
  for (let seed = 1; seed <= 12; seed++) {
    const shape = { features: 14, edges: 4, constraints: seed % 2, childrenMax: 6 };
    const model = randomModel(new RandomNumbers(seed), shape);
    assert.equal(disagreement(new ConfigurationSpace(model), noPicks), undefined, `seed ${seed}`);
  }
});

test("where decisions run out, the count is a bound and says so; nothing is drawn from it", () => {
  let bounds = 0;
  for (let seed = 1; seed <= 400; seed++) {
    const model = smallModel(seed);
    const space = new ConfigurationSpace(model, noPicks, 0);
    const selections = BigInt(allSelections(model).length);
    if (space.exact) assert.equal(space.count, selections, `seed ${seed}`);
    else {
      bounds++;
      assert.ok(space.count >= selections, `seed ${seed}: ${space.count} is no bound of ${selections}`);
      assert.throws(() => space.draw(new RandomNumbers(1)), { code: "LIMIT_EXCEEDED" });
    }
  }
  assert.ok(bounds > 40, `${bounds} bounds`);
});

/** The chi-square statistic of draws over equally likely selections. */
function chiSquare(model: FeatureModel, seed: number, perSelection: number): { statistic: number; freedom: number } {
  const space = new ConfigurationSpace(model);
  const random = new RandomNumbers(seed);
  const counts = new Map<string, number>();
  const draws = perSelection * Number(space.count);
  for (let turn = 0; turn < draws; turn++) {
    const drawn = space.draw(random);
    assert.deepEqual(violationsOf(model, new Set(drawn)), [], `seed ${seed}`);
    const key = drawn.join();
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  let statistic = (Number(space.count) - counts.size) * perSelection;
  for (const count of counts.values()) statistic += (count - perSelection) ** 2 / perSelection;
  return { statistic, freedom: Number(space.count) - 1 };
}

test("draws are uniform: chi-square against enumeration within five standard deviations", () => {
  let judged = 0;
  for (let seed = 1; seed <= 120; seed++) {
    const model = smallModel(seed);
    const selections = allSelections(model).length;
    if (selections < 4 || selections > 60) continue;
    const { statistic, freedom } = chiSquare(model, seed, 40);
    assert.ok(statistic < freedom + 5 * Math.sqrt(2 * freedom), `seed ${seed}: ${statistic} of ${freedom}`);
    judged++;
  }
  assert.ok(judged > 30, `${judged} judged`);
});

test("a group's subtree alone counts what its selections show of it, by the rules within it", () => {
  for (let seed = 1; seed <= 200; seed++) {
    const model = smallModel(seed);
    for (const { path } of model.features.filter(({ kind }) => kind === "group")) {
      const part = subModel(model, path);
      const count = new ConfigurationSpace(part).count;
      assert.equal(count, BigInt(allSelections(part).length), `seed ${seed}, ${path}`);
      const inside = new Set(part.features.map((feature) => feature.path));
      const shown = allSelections(model).filter((one) => one.has(path))
        .map((one) => [...one].filter((feature) => inside.has(feature)).join());
      assert.ok(BigInt(new Set(shown).size) <= count, `seed ${seed}, ${path}`);
    }
  }
});

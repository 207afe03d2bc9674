import assert from "node:assert/strict";
import { test } from "node:test";
import { diffConfigurations } from "./configuration-diff.ts";
import { smallModel } from "./differential.fixture.ts";
import { allSelections } from "./random-model.fixture.ts";
import { Reasoner } from "./reasoner.ts";

test("differences of two selections are those of sets, a choice is what brute force does without", () => {
  let [choices, forced] = [0, 0];
  for (let seed = 1; seed <= 300; seed++) {
    const model = smallModel(seed);
    const selections = allSelections(model);
    if (selections.length < 2) continue;
    const leavesOf = (one: ReadonlySet<string>) => [...one].filter((path) => model.feature(path).kind === "leaf");
    const [before, after] = [leavesOf(selections[0]), leavesOf(selections[selections.length - 1])];
    const found = diffConfigurations(new Reasoner(model), before, after);
    for (const [only, own, other] of [[found.onlyBefore, before, after], [found.onlyAfter, after, before]] as const) {
      assert.deepEqual(only.map(({ path }) => path).sort(), own.filter((path) => !other.includes(path)).sort());
      for (const { path, choice, because } of only) {
        const rest = own.filter((one) => one !== path);
        const possible = selections.some((one) => !one.has(path) && rest.every((leaf) => one.has(leaf)));
        assert.equal(choice, possible, `seed ${seed}, ${path}`);
        assert.equal(because.length > 0, !choice, `seed ${seed}, ${path}`);
        if (choice) choices++;
        else forced++;
      }
    }
  }
  assert.ok(choices > 50 && forced > 50, `${choices} choices, ${forced} forced`);
});

test("an unknown leaf is told with the nearest", () => {
  const model = smallModel(4);
  const [leaf] = model.leaves;
  assert.throws(() => diffConfigurations(new Reasoner(model), [leaf.path], ["f99"]), { code: "NOT_FOUND" });
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { completeSelection, propagatePicks } from "./complete.ts";
import { findConflict, type Pick } from "./conflict.ts";
import { smallModel } from "./differential.fixture.ts";
import { loadArchetypes } from "./load-archetypes.ts";
import { loadModel } from "./load-model.ts";
import { loadPaperSelection } from "./paper-selection.ts";
import { allSelections } from "./random-model.fixture.ts";
import { RandomNumbers } from "./random-numbers.ts";
import { Reasoner } from "./reasoner.ts";
import { violationsOf } from "./violations.ts";

const model = loadModel();
const reasoner = new Reasoner(model);

test("on random models forced, open, conflicts and repairs are those of brute force", () => {
  let conflicts = 0;
  for (let seed = 1; seed <= 500; seed++) {
    const small = smallModel(seed);
    const random = new RandomNumbers(seed);
    const paths = random.shuffle(small.features.map(({ path }) => path));
    const chosen = paths.slice(0, random.below(4));
    const excluded = paths.slice(4, 4 + random.below(3));
    const own = new Reasoner(small);
    const all = allSelections(small);
    const having = (some: readonly string[], none: readonly string[]) =>
      all.filter((one) => some.every((path) => one.has(path)) && !none.some((path) => one.has(path)));
    const fitting = having(chosen, excluded);
    const outcome = propagatePicks(own, { chosen, excluded });
    const completed = completeSelection(own, { chosen, excluded });
    assert.equal(outcome.ok, fitting.length > 0, `seed ${seed}`);
    if (outcome.ok && completed.ok) {
      for (const { path, selected } of outcome.value.forced) {
        assert.ok(fitting.every((one) => one.has(path) === selected), `seed ${seed}: ${path} is forced`);
      }
      for (const path of outcome.value.open) {
        assert.equal(new Set(fitting.map((one) => one.has(path))).size, 2, `seed ${seed}: ${path} is open`);
      }
      const whole = new Set(completed.value.selected);
      assert.deepEqual(violationsOf(small, whole), [], `seed ${seed}: completed`);
      assert.ok(chosen.every((path) => whole.has(path)) && !excluded.some((path) => whole.has(path)));
    } else if (!outcome.ok && all.length > 0) {
      conflicts++;
      const { picks, repairs } = outcome.conflict;
      const pathsOf = (some: readonly Pick[], side: boolean) =>
        some.filter(({ selected }) => selected === side).map(({ path }) => path);
      const split = (some: readonly Pick[]) => having(pathsOf(some, true), pathsOf(some, false));
      assert.equal(split(picks).length, 0, `seed ${seed}: the conflict is one`);
      for (const left of picks) {
        assert.ok(split(picks.filter((one) => one !== left)).length > 0, `seed ${seed}: minimal`);
      }
      const every = [
        ...chosen.map((path) => ({ path, selected: true })),
        ...excluded.map((path) => ({ path, selected: false })),
      ];
      assert.ok(repairs.length > 0);
      for (const dropped of repairs) {
        const rest = every.filter((one) => !dropped.some(({ path }) => path === one.path));
        assert.ok(split(rest).length > 0, `seed ${seed}: repair`);
      }
    }
  }
  assert.ok(conflicts > 50, `${conflicts} conflicts`);
});

test("the paper's selection is valid as it stands: completion adds groups only", () => {
  const leaves = loadPaperSelection("tpcc").leaves.map(({ path }) => path);
  const outcome = completeSelection(reasoner, { chosen: leaves, excluded: [] });
  assert.ok(outcome.ok);
  assert.deepEqual(outcome.value.leaves.toSorted(), leaves.toSorted());
});

test("every archetype can be completed, the same way each time, adding few leaves", () => {
  for (const { name, picks } of loadArchetypes(model)) {
    const first = completeSelection(reasoner, { chosen: picks, excluded: [] });
    assert.ok(first.ok, name);
    assert.deepEqual(completeSelection(new Reasoner(model), { chosen: picks, excluded: [] }), first, name);
    assert.deepEqual(violationsOf(model, new Set(first.value.selected)), [], name);
    const added = first.value.added.filter(({ path }) => model.feature(path).kind === "leaf");
    assert.ok(added.length <= 8, `${name}: ${added.map(({ path }) => path).join(", ")}`);
    for (const { because } of first.value.added) assert.match(because, /^\S+ is selected: /);
  }
});

test("an empty pick is completed by defaults, each with its reason", () => {
  const outcome = completeSelection(reasoner, { chosen: [], excluded: [] });
  assert.ok(outcome.ok);
  assert.deepEqual(violationsOf(model, new Set(outcome.value.selected)), []);
  assert.ok(outcome.value.added.some(({ because }) => because.includes("is the default below")));
});

test("a conflict names the picks, why, and what to drop", () => {
  const chosen = ["core/wal", "storage/storage_model/row/heap", "storage/storage_model/col/mergetree"];
  const conflict = findConflict(reasoner, { chosen, excluded: [] });
  assert.deepEqual(conflict?.picks.map(({ path }) => path), chosen.slice(1));
  assert.match(conflict?.explanation.steps.at(-1)?.sentence ?? "", /this cannot be/);
  assert.deepEqual(conflict?.repairs.map((dropped) => dropped.map(({ path }) => path)), [[chosen[2]], [chosen[1]]]);
});

/** Selections of what the library can build: each closes, plans, finds its parts. `LATHE_TEST_RUNS` says how many. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigurationSpace } from "../model/counting/configuration-space.ts";
import { RandomNumbers } from "../model/random-numbers.ts";
import { completeSelection } from "../model/complete.ts";
import { noPicks, Reasoner } from "../model/reasoner.ts";
import { composeParts } from "./composition.ts";
import { libraryModel } from "./library-model.ts";
import { designSpace } from "./select/design-space.ts";
import { selectionProblems } from "./random-selection.fixture.ts";

const { model, library } = designSpace();
const narrowed = libraryModel(model, library);
const runs = Number(process.env.LATHE_TEST_RUNS ?? 200);
const seed = Number(process.env.LATHE_TEST_SEED ?? 1);

test(`${runs} selections drawn uniformly from what the library can build close, plan and find their parts`, () => {
  const space = new ConfigurationSpace(narrowed);
  assert.ok(space.exact && space.count > 10n ** 6n, `${space.count}`);
  const random = new RandomNumbers(seed);
  const reasoner = new Reasoner(model);
  for (let run = 0; run < runs; run++) {
    const drawn = space.draw(random);
    assert.deepEqual(selectionProblems(drawn, reasoner, library), [], `seed ${seed}, draw ${run}: ${drawn.join(" ")}`);
  }
});

test("a selection that lacks a part, or takes one role twice, is told apart", () => {
  const outcome = completeSelection(new Reasoner(narrowed), noPicks);
  assert.ok(outcome.ok);
  const { selected, leaves } = outcome.value;
  const reasoner = new Reasoner(model);
  assert.deepEqual(selectionProblems(selected, reasoner, library), []);
  const without = selected.filter((path) => path !== "core/wal");
  assert.ok(selectionProblems(without, reasoner, library).some((one) => one.includes("core/wal")));
  const engine = "storage/storage_model/memory";
  assert.equal(composeParts([...leaves, engine], library).clashes.length, leaves.includes(engine) ? 0 : 1);
  const foreign = model.withAncestors([...leaves, "indexing/spatial/rtree"]);
  assert.ok(selectionProblems(foreign, reasoner, library).some((one) => one.includes("rtree")));
});

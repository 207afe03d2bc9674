import assert from "node:assert/strict";
import { test } from "node:test";
import { completeSelection } from "./complete.ts";
import { adviceFor, alternativesOf, loadAdvice, loadDimensions } from "./load-advice.ts";
import { loadArchetypes } from "./load-archetypes.ts";
import { loadModel } from "./load-model.ts";
import { loadPaperSelection } from "./paper-selection.ts";
import { Reasoner } from "./reasoner.ts";

const model = loadModel();
const reasoner = new Reasoner(model);
const advice = loadAdvice(model);
const dimensions = loadDimensions(model);

function selected(chosen: readonly string[]): Set<string> {
  const outcome = completeSelection(reasoner, { chosen, excluded: [] });
  assert.ok(outcome.ok);
  return new Set(outcome.value.selected);
}

test("the paper's selection is told its gaps", () => {
  const told = adviceFor(advice, selected(loadPaperSelection("tpcc").leaves.map(({ path }) => path)));
  const names = told.map(({ name }) => name);
  const gaps = ["row_locks_without_deadlock_handling", "no_primary_key", "no_eviction_policy", "no_group_commit"];
  for (const gap of gaps) assert.ok(names.includes(gap), gap);
  assert.equal(told[0].severity, "danger");
});

test("every remedy takes its advice away, in some valid selection", () => {
  for (const one of advice) {
    const ends = one.remedy.filter((path) => reasoner.satisfiable([reasoner.literal(path)]));
    const gone = ends.filter((path) => {
      const outcome = completeSelection(reasoner, { chosen: [path], excluded: [] });
      return outcome.ok && !adviceFor([one], new Set(outcome.value.selected)).length;
    });
    assert.ok(gone.length > 0, one.name);
  }
});

test("there are seven dimensions and 28 alternatives; each is realised by a system and by a selection", () => {
  assert.equal(dimensions.length, 7);
  assert.equal(dimensions.flatMap(({ alternatives }) => alternatives).length, 28);
  const realised = loadArchetypes(model).flatMap(({ picks }) => alternativesOf(dimensions, selected(picks)));
  for (const { name, alternatives } of dimensions) {
    const found = new Set(realised.filter((one) => one.dimension === name).flatMap((one) => one.alternatives));
    assert.ok(found.size >= 2, `${name}: ${[...found].join(", ")}`);
    assert.ok(alternatives.every(({ systems, systemsGeneral }) => systems.length + systemsGeneral.length > 0));
  }
});

test("HTAP can be expressed: rows as the base, columns as a replica", () => {
  const htap = loadArchetypes(model).find(({ name }) => name === "htap");
  const realised = alternativesOf(dimensions, selected(htap?.picks ?? []));
  const found = realised.find(({ dimension }) => dimension === "workload");
  assert.ok(found?.alternatives.includes("htap") && found.alternatives.includes("oltp"));
});

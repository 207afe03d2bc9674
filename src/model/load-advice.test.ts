import assert from "node:assert/strict";
import { test } from "node:test";
import { completeSelection } from "./complete.ts";
import type { Expression } from "./expression.ts";
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

interface Picks {
  readonly chosen: readonly string[];
  readonly excluded: readonly string[];
}

/** Ways to make a condition hold: what to choose, and what to leave out. */
function waysTo(expression: Expression, holds = true): Picks[] {
  if (expression.kind === "feature") {
    return [holds ? { chosen: [expression.path], excluded: [] } : { chosen: [], excluded: [expression.path] }];
  }
  if (expression.kind === "not") return waysTo(expression.of, !holds);
  assert.ok(expression.kind === "and" || expression.kind === "or");
  const [left, right] = [waysTo(expression.left, holds), waysTo(expression.right, holds)];
  if ((expression.kind === "or") === holds) return [...left, ...right];
  return left.flatMap((one) => right.map((other) => {
    return { chosen: [...one.chosen, ...other.chosen], excluded: [...one.excluded, ...other.excluded] };
  }));
}

test("every piece of advice is told of a valid selection that calls for it, behind nothing less grave", () => {
  const grave = ["danger", "caution", "note"];
  for (const one of advice) {
    const possible = waysTo(one.when).find(({ chosen, excluded }) => {
      return reasoner.satisfiable(reasoner.literalsOf({ chosen, excluded }));
    });
    const outcome = completeSelection(reasoner, possible ?? { chosen: [], excluded: [] });
    assert.ok(possible !== undefined && outcome.ok, `${one.name} is told of no valid selection`);
    const told = adviceFor(advice, new Set(outcome.value.selected));
    const place = told.findIndex(({ name }) => name === one.name);
    assert.ok(place >= 0, one.name);
    assert.ok(told.slice(0, place).every(({ severity }) => grave.indexOf(severity) <= grave.indexOf(one.severity)));
  }
});

test("what endangers data or locks out is a danger, what hurts under load a caution", () => {
  const severityOf = (name: string) => advice.find((one) => one.name === name)?.severity;
  const expected = {
    danger: [
      "row_locks_without_deadlock_handling", "heap_without_vacuum", "undo_without_purge", "volatile_data", "torn_pages",
      "acknowledged_before_flush", "network_without_authentication", "lsm_without_compaction",
    ],
    caution: ["no_primary_key", "no_group_commit", "no_checkpoint", "no_eviction_policy", "costs_without_statistics"],
    note: ["no_backup", "network_without_tls", "transactions_without_savepoints"],
  };
  for (const [severity, names] of Object.entries(expected)) {
    for (const name of names) assert.equal(severityOf(name), severity, name);
  }
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

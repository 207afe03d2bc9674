import assert from "node:assert/strict";
import { test } from "node:test";
import { completeSelection } from "../../model/complete.ts";
import { loadArchetypes } from "../../model/load-archetypes.ts";
import { loadModel } from "../../model/load-model.ts";
import { loadPaperSelection } from "../../model/paper-selection.ts";
import { Reasoner } from "../../model/reasoner.ts";
import { closeAddition } from "./addition.ts";
import { loadWaves } from "./load-waves.ts";
import { makePlan, type Plan, readPlan } from "./plan.ts";
import { comparePlans } from "./plan-diff.ts";
import { expandSelection } from "./plan-input.ts";
import { renderContractSpec, specifyContract } from "./contract-spec.ts";
import { subPlan } from "./sub-plan.ts";

const model = loadModel();
const reasoner = new Reasoner(model);
const waves = loadWaves();
const paper = loadPaperSelection("tpcc");
const built = paper.leaves.map(({ path }) => path);

function planOf(leaves: readonly string[], mode: "waves" | "strict" = "waves"): Plan {
  const { unmet, ...input } = expandSelection(model, leaves);
  return makePlan({ ...input, contracts: paper.contracts }, { name: "test", mode, waves, unmet });
}

test("the waves of the catalog give the paper's layers too", () => {
  const printed = paper.layers.map(({ nodes }) => [...nodes].sort());
  assert.deepEqual(planOf(built).layers, printed);
});

test("an addition brings what it requires, and no more", () => {
  const { added } = closeAddition(model, built, "value_types/compound/array");
  const paths = added.map(({ path }) => path);
  assert.ok(paths.includes("parser/syntax/expression/subscript"), paths.join());
  assert.match(added.find(({ path }) => path.endsWith("subscript"))?.because ?? "", /value_types.*requires it/);
  assert.ok(paths.every((path) => !built.includes(path)));
  assert.deepEqual(expandSelection(model, [...built, ...paths]).unmet, []);
});

test("the sub-plan holds what is new, and the contracts whose members changed", () => {
  const addition = closeAddition(model, built, "recovery/auxiliary/group_commit");
  const whole = planOf([...built, ...addition.added.map(({ path }) => path)]);
  const sub = subPlan(planOf(built), whole, addition);
  assert.deepEqual(sub.order, ["recovery/auxiliary/group_commit", "contract/oltp_durability_coord"]);
  assert.equal(sub.contractNodes[0].members.length, 14);
  const difference = comparePlans(planOf(built), whole);
  assert.deepEqual(difference.nodesAdded, ["recovery/auxiliary/group_commit"]);
  assert.deepEqual(difference.contractsChanged[0]?.membersAdded, ["recovery/auxiliary/group_commit"]);
  assert.deepEqual([difference.nodesRemoved, difference.edgesRemoved, difference.same], [[], [], false]);
  assert.equal(comparePlans(whole, whole).same, true);
});

test("what stands against an addition is named, and an unknown path has neighbours", () => {
  assert.throws(() => closeAddition(model, built, "storage/storage_model/col"), (error: { message: string }) =>
    error.message.includes("storage/storage_model/row is selected"));
  assert.throws(() => closeAddition(model, built, "core/wal"), { code: "ALREADY_EXISTS" });
  assert.throws(() => closeAddition(model, built, "core/wall"), { code: "NOT_FOUND" });
  assert.throws(() => expandSelection(model, ["core/wall", "core"]), (error: { message: string }) =>
    error.message.includes("core/wal") && error.message.includes("core is a group"));
  const both = ["storage/storage_model/row/heap", "storage/storage_model/col/row_group"];
  assert.throws(() => expandSelection(model, both), { code: "INVALID_ARGUMENT", message: /exclude one another/ });
});

test("every archetype closes and plans", () => {
  const archetypes = loadArchetypes(model);
  assert.ok(archetypes.length >= 12);
  for (const { name, picks } of archetypes) {
    const outcome = completeSelection(reasoner, { chosen: picks, excluded: [] });
    assert.ok(outcome.ok, name);
    const plan = planOf(outcome.value.leaves, "strict");
    assert.deepEqual(plan.unmet, [], name);
    assert.ok(plan.layers.length > 1, name);
  }
});

test("a contract node's specification has the paper's five parts in order", () => {
  const plan = planOf(built);
  const contract = plan.contractNodes.find(({ path }) => path === "contract/oltp_durability_coord");
  assert.ok(contract);
  const spec = specifyContract(plan, contract, model, (leaf) => (leaf === "core/wal" ? "catalog/x.md" : undefined));
  assert.equal(spec.layer, 11);
  assert.equal(spec.members.length, 13);
  assert.equal(spec.testPoints.length, spec.sharedProtocol.length);
  assert.ok(spec.awaitedBy.includes("architecture/catalog/heap_relations"));
  const pool = spec.members.find(({ path }) => path === "storage/page_io/buffer/shared_pool");
  assert.ok(pool?.primitiveFor.includes("indexing/equality/btree"));
  const headings = [...renderContractSpec(spec).matchAll(/^## (\d)\. (.*)$/gm)].map(([, number]) => number);
  assert.deepEqual(headings, ["1", "2", "3", "4", "5"]);
});

test("a plan's file is read back, and one that was changed or is newer is refused", () => {
  const plan = planOf(built);
  const stored = JSON.parse(JSON.stringify(plan)) as Plan;
  assert.deepEqual(readPlan(stored, "plan.json"), plan);
  assert.throws(() => readPlan({ ...stored, leaves: 70 }, "plan.json"), { code: "CORRUPTION" });
  assert.throws(() => readPlan({ ...stored, version: 2 }, "plan.json"), { code: "FORMAT_UNKNOWN" });
  assert.throws(() => readPlan([], "plan.json"), { code: "FORMAT_UNKNOWN" });
});

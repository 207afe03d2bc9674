import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import {
  adviceOnPlan, diffPlans, drawPlanOf, planAddition, planFor, specifyContractNode, writePlanFile, writePlanPicture,
} from "./plan.ts";
import { selectFor } from "./select.ts";
import { loadContract } from "../contract/parse.ts";

const contract = join(import.meta.dirname, "..", "..", "examples", "taobench-o", "contract.yaml");

function inDirectory(work: (file: (name: string, text: string) => string) => void): void {
  const directory = mkdtempSync(join(tmpdir(), "lathe-plan-"));
  try {
    work((name, text) => {
      const path = join(directory, name);
      if (text !== "") writeFileSync(path, text);
      return path;
    });
  } finally {
    rmSync(directory, { recursive: true });
  }
}

test("the paper's selection, an archetype, a contract and a selection's file are planned by name", () => {
  const { leaves, cooperateEdges, contracts, mergedNodes, layers } = planFor("tpcc", "waves");
  assert.deepEqual([leaves, cooperateEdges, contracts, mergedNodes, layers.length], [69, 21, 6, 49, 13]);
  assert.ok(planFor("blackboard_kv", "strict").order.includes("core/blackboard"));
  assert.ok(planFor(contract, "strict").order.includes("storage/lsm/memtable"));
  inDirectory((file) => {
    const json = file("selection.json", JSON.stringify({ contract: "mine", leaves: ["core/wal", "core/checkpoint"] }));
    const yaml = file("selection.yaml", "name: mine\nleaves:\n  - { path: core/wal }\n  - core/checkpoint\n");
    assert.deepEqual(planFor(json, "strict").layers, [["core/checkpoint", "core/wal"]]);
    assert.equal(planFor(json, "strict").name, "mine");
    assert.equal(diffPlans(json, yaml, "strict").same, true);
    const written = selectFor({ contract: loadContract(contract) }, { with: [], without: [] });
    const whole = file("whole.json", JSON.stringify(written));
    assert.equal(planFor(whole, "strict").leaves, written.leaves.length);
  });
});

test("what is not there, or does not go together, is told with a way out", () => {
  assert.throws(() => planFor("tpc", "strict"), { code: "NOT_FOUND", message: /did you mean tpcc\?/ });
  assert.throws(() => planAddition("tpcc", "strict", "core/wall"), { code: "NOT_FOUND", message: /core\/wal/ });
  const missing = () => specifyContractNode("tpcc", "waves", "oltp_durability_cord");
  assert.throws(missing, { code: "NOT_FOUND", message: /contract\/oltp_durability_coord/ });
  // Overrides hold for every question.
  const without = { with: [], without: ["core/wal"] };
  for (const question of [
    () => planAddition(contract, "strict", "core/wal", without),
    () => specifyContractNode(contract, "strict", "any", without),
  ]) assert.throws(question, { code: "INVALID_ARGUMENT", message: /core\/wal was left out on request/ });
  inDirectory((file) => {
    const unknown = file("selection.yaml", "leaves: [core/wall]\n");
    assert.throws(() => planFor(unknown, "strict"), { code: "NOT_FOUND", message: /nearest: core\/wal/ });
    const written = selectFor({ contract: loadContract(contract) }, { with: [], without: [] });
    const edited = file("edited.json", JSON.stringify({ ...written, leaves: written.leaves.slice(1) }));
    assert.throws(() => planFor(edited, "strict"), { code: "CORRUPTION", message: /its hash does not fit its leaves/ });
    const older = file("older.json", JSON.stringify({ ...written, model: "0".repeat(64) }));
    const otherModel = /older\.json was made with another version of the feature model; select again: lathe select/;
    assert.throws(() => planFor(older, "strict"), { code: "INVALID_ARGUMENT", message: otherModel });
    const twice = file("twice.json", '{"leaves": ["core/wal"], "leaves": []}');
    assert.throws(() => planFor(twice, "strict"), { code: "CORRUPTION", message: /"leaves" stands twice/ });
    const plan = file("plan.json", JSON.stringify(planFor("blackboard_kv", "strict")));
    assert.throws(() => planFor(plan, "strict"), { code: "INVALID_ARGUMENT", message: /is a plan already/ });
    const wrong = file("wrong.yaml", "leaves: [1]\n");
    assert.throws(() => planFor(wrong, "strict"), { code: "INVALID_ARGUMENT", message: /wrong\.yaml:1:/ });
  });
});

test("a plan's file is written, drawn and compared; other files are left alone", () => {
  inDirectory((file) => {
    const plan = planFor("tpcc", "waves");
    const path = file("plan.json", "");
    writePlanFile(path, plan, false);
    writePlanFile(path, plan, false);
    assert.equal(diffPlans(path, "tpcc", "waves").same, true);
    const { svg } = drawPlanOf(path, "strict");
    assert.equal(svg, drawPlanOf("tpcc", "waves").svg);
    const picture = file("plan.svg", "");
    writePlanPicture(picture, svg, false);
    writePlanPicture(picture, svg, false);
    // An older selection, and a picture that Lathe did not draw, are no plan and no picture of one.
    const selection = '{"version":1,"contract":"x","contractHash":"0","leaves":[]}';
    const others = [["notes.txt", "mine"], ["logo.svg", '<svg xmlns="x"><g/></svg>'], ["selection.json", selection]];
    for (const [name, text] of others) {
      const other = file(name, text);
      assert.throws(() => writePlanFile(other, plan, false), { code: "ALREADY_EXISTS" });
      assert.throws(() => writePlanPicture(other, svg, false), { code: "ALREADY_EXISTS", message: /--force/ });
      assert.equal(readFileSync(other, "utf8"), text);
    }
    assert.throws(() => writePlanPicture(path, svg, false), { code: "ALREADY_EXISTS" });
    assert.throws(() => writePlanFile(picture, plan, false), { code: "ALREADY_EXISTS" });
    writePlanPicture(path, svg, true);
    assert.equal(readFileSync(path, "utf8"), svg);
  });
});

test("a plan and a selection tell what is unwise about them, members of contracts included", () => {
  const told = adviceOnPlan(planFor("tpcc", "strict"));
  const gaps = ["row_locks_without_deadlock_handling", "no_primary_key", "no_group_commit", "no_eviction_policy"];
  for (const gap of gaps) assert.ok(told.some(({ name }) => name === gap), gap);
  assert.equal(told[0].severity, "danger");
  const relaxed = contract.replace("taobench-o", "ycsb-a-relaxed");
  const known = adviceOnPlan(planFor(relaxed, "strict")).map(({ name }) => name);
  assert.deepEqual(known, ["acknowledged_before_flush"]);
  assert.deepEqual(adviceOnPlan(planFor(contract, "strict")), []);
});

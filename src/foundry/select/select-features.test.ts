/** Selections of the examples and of random overrides. `LATHE_TEST_RUNS=10000` draws more of them. */
import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { loadContract } from "../../contract/parse.ts";
import type { Contract } from "../../contract/contract.ts";
import { loadArchetypes } from "../../model/load-archetypes.ts";
import { loadModel } from "../../model/load-model.ts";
import { Reasoner } from "../../model/reasoner.ts";
import { statementText } from "../../model/sentence.ts";
import { violationsOf } from "../../model/violations.ts";
import { loadPartDescriptors } from "../part-descriptor.ts";
import { loadWaves } from "../plan/load-waves.ts";
import { makePlan } from "../plan/plan.ts";
import { expandSelection } from "../plan/plan-input.ts";
import { type Demand, meetDemands } from "./demands.ts";
import { explainLeftOut, explainSelected } from "./explain-selection.ts";
import type { FeatureSelection } from "./feature-selection.ts";
import { loadSelectRules } from "./select-rules.ts";
import { type Overrides, selectFeatures } from "./select-features.ts";

const runs = { numRuns: Number(process.env.LATHE_TEST_RUNS ?? 15) };

const model = loadModel();
const reasoner = new Reasoner(model);
const rules = loadSelectRules(model);
const archetypes = loadArchetypes(model);
const library = loadPartDescriptors();
const examples = join(import.meta.dirname, "..", "..", "..", "examples");
const contracts = readdirSync(examples)
  .map((name) => join(examples, name, "contract.yaml"))
  .filter((file) => existsSync(file))
  .map((file) => loadContract(file));
const taobench = contracts.find(({ name }) => name === "taobench-o") as Contract;

function select(contract: Contract, overrides: Partial<Overrides> = {}): FeatureSelection {
  const both = { with: [], without: [], ...overrides };
  return selectFeatures({ contract, model, rules, archetypes, library, overrides: both });
}

/** What the model says against a selection, by its own judge. */
function violations({ leaves }: FeatureSelection): string[] {
  const selected = new Set(model.withAncestors(leaves));
  // A mandatory group of options only may be there without any leaf.
  for (const { path, parent, relation, kind } of model.features) {
    const mayBeEmpty = kind === "group" && model.groupsBelow(path).every(({ min }) => min === 0);
    if (relation === "mandatory" && mayBeEmpty && parent !== undefined && selected.has(parent)) selected.add(path);
  }
  return violationsOf(model, selected).map(statementText);
}

test("the contracts of the examples get the parts that serve them, in a selection that the model allows", () => {
  assert.ok(contracts.length >= 5);
  for (const contract of contracts) {
    const selection = select(contract);
    assert.deepEqual(violations(selection), [], contract.name);
    assert.deepEqual(selection.withoutPart, [], contract.name);
    assert.deepEqual(selection.leftOut, [], contract.name);
    assert.equal(selection.decisions.length, selection.leaves.length);
    assert.ok(selection.decisions.every(({ because }) => because.length > 10));
  }
});

test("the same input gives the same selection, whatever the order of overrides and parts", () => {
  const overrides = { with: ["storage/ttl", "core/checkpoint"], without: ["architecture/observability"] };
  const one = select(taobench, overrides);
  assert.deepEqual(select(taobench, { ...overrides, with: [...overrides.with].reverse() }).leaves, one.leaves);
  const input = { contract: taobench, model, rules, archetypes, library: [...library].reverse(), overrides };
  const reversed = selectFeatures(input);
  assert.equal(reversed.hash, one.hash);
  assert.deepEqual([...one.leaves], [...one.leaves].sort());
  assert.notEqual(select(taobench).hash, one.hash);
});

test("an override outweighs a rule, and what the contract depends on outweighs none", () => {
  const tree = select(taobench, { with: ["storage/storage_model/row/btree_clustered"] });
  assert.deepEqual(violations(tree), []);
  assert.ok(tree.leftOut.some(({ path }) => path === "storage/storage_model/row/kvlsm/blackboard"));
  assert.throws(() => select(taobench, { without: ["core/wal"] }), {
    code: "INVALID_ARGUMENT", message: /--without[^]*what is acknowledged survives/,
  });
  const both = { with: ["storage/storage_model/row/heap"], without: ["storage/storage_model/row"] };
  assert.throws(() => select(taobench, both), { code: "INVALID_ARGUMENT", message: /asked for[^]*--without/ });
  assert.throws(() => select(taobench, { without: ["storage/storage_model"] }), { message: /this cannot be/ });
  // The two that were asked for are the reason; that a rule wants the same as one of them adds nothing.
  const opposite = { with: ["core/wal"], without: ["core/wal"] };
  const minimal = /^these cannot go together:\n {2}core\/wal was asked for \(--with\)\n {2}core\/wal was left out on request[^\n]*$/;
  assert.throws(() => select(taobench, opposite), { code: "INVALID_ARGUMENT", message: minimal });
  assert.throws(() => select(taobench, { with: ["recovery/auxiliary/relaxed_sync"] }), { message: /has been flushed/ });
  // No choice of the rules does, so the solver finds one.
  const without = select(taobench, { without: ["storage/lsm/memtable", "storage/lsm/kv_primitives"] });
  assert.deepEqual(violations(without), []);
  assert.throws(() => select(taobench, { with: ["core/wall"] }), { code: "NOT_FOUND", message: /core\/wal/ });
});

test("why goes back to a rule, and why not names what stands against", () => {
  const selection = select(taobench);
  const { reasons } = explainSelected(selection, model, "core/blackboard");
  assert.match(reasons[0], /comes with the part blackboard-lsm/);
  assert.match(reasons.at(-1) ?? "", /rule for storage\/storage_model/);
  const asked = select(taobench, { with: ["core/checkpoint"] });
  assert.match(explainSelected(asked, model, "core/checkpoint").reasons[0], /asked for/);
  const whyNot = (path: string) => explainLeftOut(selection, model, rules, taobench, path).reasons.join("\n");
  assert.match(whyNot("replication/consensus/raft_group"), /nodes is 1, at least 2 wanted/);
  assert.match(whyNot("storage/storage_model/col"), /cannot be:[^]*only one may be selected/);
  assert.match(whyNot("recovery/auxiliary/relaxed_sync"), /stays out/);
  assert.match(whyNot("indexing/fulltext"), /no rule asks for it/);
});

test("random overrides end in a selection that the model allows and that plans, or in both sides of a conflict", () => {
  const leaves = model.leaves.map(({ path }) => path);
  const waves = loadWaves();
  let closed = 0;
  let refused = 0;
  fc.assert(
    fc.property(
      fc.constantFrom(...contracts),
      fc.uniqueArray(fc.constantFrom(...leaves), { maxLength: 3 }),
      fc.uniqueArray(fc.constantFrom(...leaves), { maxLength: 2 }),
      (contract, wanted, unwanted) => {
        let selection: FeatureSelection;
        try {
          selection = select(contract, { with: wanted, without: unwanted });
        } catch (error) {
          const { code, details } = error as { code: string; details: { demands: Demand[] } };
          assert.equal(code, "INVALID_ARGUMENT");
          assert.ok(details.demands.length > 0);
          assert.throws(() => meetDemands(reasoner, details.demands), "the demands named are enough for it");
          for (const one of details.demands) {
            const others = details.demands.filter((other) => other.path !== one.path);
            assert.doesNotThrow(() => meetDemands(reasoner, others), `${one.path} is not needed for the conflict`);
          }
          refused++;
          return;
        }
        closed++;
        assert.deepEqual(violations(selection), []);
        assert.ok(wanted.every((path) => selection.leaves.includes(path)));
        assert.ok(unwanted.every((path) => !selection.leaves.includes(path)));
        const { unmet, ...input } = expandSelection(model, selection.leaves);
        assert.deepEqual(unmet, []);
        assert.ok(makePlan(input, { name: "drawn", mode: "strict", waves }).layers.length > 1);
      },
    ),
    runs,
  );
  assert.ok(closed > 0 && closed + refused >= runs.numRuns, `${closed} closed, ${refused} refused`);
});

/** Plans of random selections: laws that hold for each. `LATHE_TEST_RUNS=10000` runs more of them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { PlanEdge } from "./decycle.ts";
import { makePlan, type Plan, type PlanOptions } from "./plan.ts";
import type { LeafEdge, PlanInput } from "./plan-input.ts";
import type { CycleStep } from "./relax.ts";

const runs = { numRuns: Number(process.env.LATHE_TEST_RUNS ?? 300) };

const names = ["a/a", "a/b", "a/c", "b/a", "b/b/c", "b/b/d", "c/a", "c/b", "d/a", "d/b", "d/c", "e"];
const waves = [
  { number: 1, prefixes: ["a"] }, { number: 2, prefixes: ["b/a"] }, { number: 3, prefixes: ["b/b", "c"] },
  { number: 5, prefixes: ["d"] },
];

const pairs = (max: number): fc.Arbitrary<LeafEdge[]> =>
  fc
    .uniqueArray(fc.tuple(fc.nat(names.length - 1), fc.nat(names.length - 1)), {
      maxLength: max,
      selector: ([from, to]) => `${from} ${to}`,
    })
    .map((ends) =>
      ends
        .filter(([from, to]) => from !== to)
        .map(([from, to]) => ({ from: names[from], to: names[to], reason: `${from} to ${to}`, source: "drawn" })),
    );

/** `requires` from later names to earlier ones only where `acyclic`, so that most plans exist. */
const inputs = (acyclic: boolean): fc.Arbitrary<PlanInput> =>
  fc.tuple(pairs(18), pairs(14), pairs(7), fc.shuffledSubarray(names, { minLength: names.length })).map(
    ([requires, references, cooperate, shuffled]) => {
      const rank = (leaf: string) => shuffled.indexOf(leaf);
      return {
        leaves: names,
        requires: acyclic ? requires.filter(({ from, to }) => rank(from) > rank(to)) : requires,
        references,
        cooperate: cooperate.filter(({ from, to }) => from < to),
      };
    },
  );

const options: readonly PlanOptions[] = [
  { name: "strict", mode: "strict", waves: [] },
  { name: "large units", mode: "strict", waves: [], unitMembersMax: 12 },
  { name: "waves", mode: "waves", waves },
];

const plansOf = (input: PlanInput): Plan[] => options.map((one) => makePlan(input, one));

function layerNumbers({ layers }: Plan): Map<string, number> {
  return new Map(layers.flatMap((nodes, at) => nodes.map((node) => [node, at] as const)));
}

const nodeOf = (plan: Plan, leaf: string): string =>
  plan.contractNodes.find(({ form, members }) => form === "unit" && members.includes(leaf))?.path ?? leaf;

test("every node comes after all it depends on, and every leaf is built once", () => {
  fc.assert(
    fc.property(inputs(true), (input) => {
      for (const plan of plansOf(input)) {
        const layerOf = layerNumbers(plan);
        const place = new Map(plan.order.map((node, at) => [node, at] as const));
        const after = (from: string, to: string) => {
          assert.ok((place.get(from) ?? -1) > (place.get(to) ?? Infinity), `${plan.name}: ${from} after ${to}`);
          const [one, other] = [layerOf.get(from) ?? -1, layerOf.get(to) ?? Infinity];
          assert.ok(plan.mode === "strict" ? one > other : one >= other, `${plan.name}: layers of ${from}, ${to}`);
        };
        for (const { from, to } of plan.edges) after(from, to);
        const relaxed = new Set(plan.checkAfter.map(({ from, to }) => `${from} ${to}`));
        const kept = input.references.filter(({ from, to }) => !relaxed.has(`${from} ${to}`));
        for (const { from, to } of [...input.requires, ...kept]) {
          const [one, other] = [nodeOf(plan, from), nodeOf(plan, to)];
          if (one !== other) after(one, other);
        }
        for (const { path, form, members } of plan.contractNodes) {
          if (form === "two_phase") for (const member of members) after(path, member);
        }
        assert.deepEqual([...plan.order].sort(), plan.layers.flat().sort());
        assert.equal(new Set(plan.order).size, plan.order.length);
        const units = plan.contractNodes.filter(({ form }) => form === "unit").flatMap(({ members }) => members);
        const built = [...plan.order.filter((node) => !node.startsWith("contract/")), ...units];
        assert.deepEqual(built.sort(), [...input.leaves].sort());
      }
    }),
    runs,
  );
});

/** Kahn's algorithm, written apart from what it checks. */
function isAcyclic(edges: readonly Pick<PlanEdge, "from" | "to">[]): boolean {
  let left = edges;
  for (;;) {
    const sources = new Set(left.map(({ from }) => from));
    const next = left.filter(({ to }) => sources.has(to));
    if (next.length === left.length) return next.length === 0;
    left = next;
  }
}

function checkCycle(cycle: readonly CycleStep[], input: PlanInput, same: (leaf: string) => string): void {
  for (const [at, { from, to, kind }] of cycle.entries()) {
    const edges = kind === "requires" ? input.requires : input.references;
    assert.ok(edges.some((edge) => edge.from === from && edge.to === to), `${from} -> ${to} is an edge`);
    assert.equal(same(to), same(cycle[(at + 1) % cycle.length].from));
  }
}

test("no merge gives a cycle, and where one is refused a shortest cycle of real edges says why", () => {
  let refused = 0;
  let united = 0;
  fc.assert(
    fc.property(inputs(true), (input) => {
      for (const plan of plansOf(input)) {
        assert.ok(isAcyclic(plan.edges), plan.name);
        const relaxed = new Set(plan.checkAfter.map(({ from, to }) => `${from} ${to}`));
        const kept = [...input.requires, ...input.references.filter(({ from, to }) => !relaxed.has(`${from} ${to}`))];
        for (const { form, because, cycle, members } of plan.contractNodes) {
          const units = plan.contractNodes.filter((one) => one.form === "unit" && one.members.length <= members.length);
          if (form === "unit") united++;
          if (because !== "cycle") {
            assert.deepEqual(cycle, []);
            continue;
          }
          refused++;
          const merged = (leaf: string) =>
            members.includes(leaf) ? "this" : (units.find((one) => one.members.includes(leaf))?.path ?? leaf);
          assert.ok(cycle.length >= 2);
          checkCycle(cycle, input, merged);
          const quotient = kept.map(({ from, to }) => ({ from: merged(from), to: merged(to) }));
          assert.ok(!isAcyclic(quotient.filter(({ from, to }) => from !== to)));
        }
      }
    }),
    runs,
  );
  assert.ok(refused > 20 && united > 20, `${refused} refused, ${united} made one unit`);
});

test("a unit is made wherever one component alone closes no cycle", () => {
  fc.assert(
    fc.property(inputs(true), pairs(1), (input, [tie]) => {
      if (tie === undefined) return;
      const [one, other] = [tie.from, tie.to].sort();
      const single = { ...input, references: [], cooperate: [{ ...tie, from: one, to: other }] };
      const plan = makePlan(single, options[0]);
      const merged = (leaf: string) => (leaf === other ? one : leaf);
      const quotient = single.requires.map(({ from, to }) => ({ from: merged(from), to: merged(to) }));
      const possible = isAcyclic(quotient.filter(({ from, to }) => from !== to));
      assert.equal(plan.contractNodes[0].form, possible ? "unit" : "two_phase");
      assert.equal(plan.bareMergeCycle.length === 0, possible);
    }),
    runs,
  );
});

test("the order of the input changes nothing, and the hash is that of the value", () => {
  fc.assert(
    fc.property(inputs(true), (input) => {
      const reversed: PlanInput = {
        leaves: [...input.leaves].reverse(),
        requires: [...input.requires].reverse(),
        references: [...input.references].reverse(),
        cooperate: [...input.cooperate].reverse(),
      };
      const [plans, again] = [plansOf(input), plansOf(reversed)];
      assert.deepEqual(again, plans);
      const fewer = makePlan({ ...input, leaves: [...input.leaves, "f"] }, options[0]);
      assert.notEqual(fewer.hash, plans[0].hash);
      assert.equal(makePlan(input, { ...options[0], name: "another" }).hash, plans[0].hash);
    }),
    runs,
  );
});

test("requires in a circle are refused with a shortest circle, and references are relaxed as few as needed", () => {
  let circles = 0;
  let relaxations = 0;
  fc.assert(
    fc.property(inputs(false), (input) => {
      let plan: Plan;
      try {
        plan = makePlan(input, options[0]);
      } catch (error) {
        circles++;
        const { code, details } = error as { code: string; details: { cycle: CycleStep[] } };
        assert.equal(code, "INVALID_ARGUMENT");
        checkCycle(details.cycle, input, (leaf) => leaf);
        assert.equal(details.cycle.length, shortestCircle(input.requires));
        return;
      }
      assert.ok(isAcyclic(input.requires));
      const kept = new Set(plan.checkAfter.map(({ from, to }) => `${from} ${to}`));
      const stay = [...input.requires, ...input.references.filter(({ from, to }) => !kept.has(`${from} ${to}`))];
      assert.ok(isAcyclic(stay));
      for (const { from, to, cycle } of plan.checkAfter) {
        relaxations++;
        assert.ok(!isAcyclic([...stay, { from, to }]), `${from} -> ${to} need not be relaxed`);
        checkCycle(cycle, input, (leaf) => leaf);
      }
    }),
    runs,
  );
  assert.ok(circles > 5 && relaxations > 5, `${circles} circles, ${relaxations} references relaxed`);
});

/** By powers of the adjacency relation: the smallest n for which a node reaches itself in n steps. */
function shortestCircle(edges: readonly LeafEdge[]): number | undefined {
  let reached = new Set(edges.map(({ from, to }) => `${from} ${to}`));
  for (let length = 1; length <= names.length; length++) {
    if (names.some((name) => reached.has(`${name} ${name}`))) return length;
    const next = [...reached].flatMap((pair) => {
      const [from, middle] = pair.split(" ");
      return edges.filter((edge) => edge.from === middle).map(({ to }) => `${from} ${to}`);
    });
    reached = new Set(next);
  }
  return undefined;
}

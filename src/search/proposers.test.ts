import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Knob } from "../knobs/knob.ts";
import { baselineCandidate, type Candidate } from "./candidate.ts";
import type { Proposer, Space, TrialView } from "./proposer.ts";
import { createProposer, proposers } from "./proposer-registry.ts";
import { createRandomStream } from "./random-stream.ts";
import { createSpace, points, problemsOf, valuesAt } from "./space.ts";

function knob(name: string, rest: Partial<Knob>): Knob {
  return {
    name,
    type: "integer",
    leaf: "storage",
    description: name,
    default: 0,
    impact: "high",
    risk: "none",
    effect: "restart",
    constraints: [],
    ...rest,
  };
}

const table: Knob[] = [
  knob("a.size_bytes", {
    min: 1,
    max: 256,
    scale: "log2",
    default: 16,
    constraints: ["a.size_bytes <= 8 * a.count + 64"],
  }),
  knob("a.count", { min: 0, max: 12, default: 4, impact: "medium" }),
  knob("a.mode", { type: "choice", choices: ["plain", "fast", "odd"], default: "plain" }),
  knob("a.on", { type: "boolean", default: false }),
];

type Landscape = (values: Record<string, unknown>) => number;

/** A study without noise: whatever is better by a percent is kept. */
function climb(
  proposer: Proposer,
  space: Space,
  landscape: Landscape,
  trialsMax: number,
  seed: number,
) {
  const effect = (candidate: Candidate) => landscape(valuesAt(space, candidate));
  const trials: TrialView[] = [];
  let incumbent = baselineCandidate();
  for (let trial = 0; trial < trialsMax; trial++) {
    const candidate = proposer.propose(
      { space, incumbent, trials },
      createRandomStream(seed, `propose ${trial}`),
    );
    if (candidate === undefined) break;
    const estimate = effect(candidate) - effect(incumbent);
    trials.push({ candidate, incumbent, outcome: estimate > 0.01 ? "kept" : "dropped", estimate });
    if (estimate > 0.01) incumbent = candidate;
  }
  return { trials, incumbent, effect: effect(incumbent) };
}

const hill: Landscape = (values) => {
  const size = Math.log2(values["a.size_bytes"] as number);
  const mode = values["a.mode"] === "fast" ? 0.1 : 0;
  return (
    -0.05 * (size - 6) ** 2 -
    0.01 * ((values["a.count"] as number) - 9) ** 2 +
    mode +
    (values["a.on"] === true ? 0.05 : 0)
  );
};

for (const { name } of proposers) {
  test(`${name}: proposals are in the space, new, and the same for the same seed`, () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 50 }), (seed, bumps) => {
        const space = createSpace(table, { impacts: ["high", "medium"] });
        const landscape: Landscape = (values) =>
          Math.sin(bumps * JSON.stringify(values).length) / 10;
        const { trials } = climb(createProposer(name), space, landscape, 40, seed);
        const ids = trials.map(({ candidate }) => candidate.id);
        assert.equal(new Set([baselineCandidate().id, ...ids]).size, trials.length + 1);
        for (const { candidate } of trials) assert.deepEqual(problemsOf(space, candidate), []);
        const again = climb(createProposer(name), space, landscape, 40, seed);
        assert.deepEqual(again.trials, trials);
      }),
      { numRuns: 20 },
    );
  });

  test(`${name}: says so when nothing new is left`, () => {
    const space = createSpace(table, { names: ["a.mode", "a.on", "a.size_bytes"] });
    const { trials } = climb(createProposer(name), space, () => 0, 100, 7);
    assert.equal(trials.length, [...points(space)].length - 1);
  });
}

test("greedy reaches the top of a hill with fewer trials than random search on average", () => {
  const space = createSpace(table, { impacts: ["high", "medium"] });
  const best = Math.max(...[...points(space)].map((candidate) => hill(valuesAt(space, candidate))));
  const greedy = climb(createProposer("greedy"), space, hill, 40, 1);
  assert.ok(greedy.effect > best - 0.03, `greedy reached ${greedy.effect} of ${best}`);
  const random = Array.from(
    { length: 20 },
    (_, seed) => climb(createProposer("random"), space, hill, 40, seed).effect,
  );
  const mean = random.reduce((sum, effect) => sum + effect, 0) / random.length;
  assert.ok(greedy.effect > mean, `greedy ${greedy.effect}, random ${mean} on average`);
});

test("greedy tries every knob of high impact before it repeats one, and follows what helped", () => {
  const space = createSpace(table, { impacts: ["high", "medium"] });
  const { trials } = climb(createProposer("greedy"), space, () => 0, 4, 1);
  const names = trials.map(({ candidate }) => Object.keys(candidate.knobs)[0]);
  assert.deepEqual(names, ["a.size_bytes", "a.mode", "a.on", "a.count"]);
  const counting = createSpace(table, { names: ["a.count"] });
  const up = climb(
    createProposer("greedy"),
    counting,
    (values) => values["a.count"] as number,
    2,
    1,
  );
  const counts = up.trials.map(({ candidate }) => candidate.knobs["a.count"] as number);
  assert.ok(counts[0] > 4 && counts[1] > counts[0], `counts ${counts.join(", ")}`);
});

test("greedy turns round where one direction screened worse", () => {
  const space = createSpace(table, { names: ["a.count"] });
  const { trials } = climb(
    createProposer("greedy"),
    space,
    (values) => -(values["a.count"] as number),
    2,
    1,
  );
  const counts = trials.map(({ candidate }) => candidate.knobs["a.count"] as number);
  assert.ok(counts[0] > 4 && counts[1] < 4, `counts ${counts.join(", ")}`);
});

test("an unknown policy names those that there are", () => {
  assert.throws(() => createProposer("gredy"), /there are greedy, random; did you mean greedy\?/);
});

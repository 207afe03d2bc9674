/** The plan of the paper's TPC-C selection, layer by layer, as printed in SpecDB, section 4.3. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { loadModel } from "../../model/load-model.ts";
import { loadPaperSelection } from "../../model/paper-selection.ts";
import { canonicalHash } from "../../contract/canonical-json.ts";
import { makePlan, type Plan } from "./plan.ts";
import { expandSelection, type PlanInput } from "./plan-input.ts";
import { DirectedGraph } from "./directed-graph.ts";

const model = loadModel();
const paper = loadPaperSelection("tpcc");
const waves = paper.waves.map(({ layer, prefixes }) => ({ number: layer, prefixes }));
const input: PlanInput = {
  ...expandSelection(model, paper.leaves.map(({ path }) => path)),
  contracts: paper.contracts,
};

function planOf(changed: PlanInput = input): Plan {
  return makePlan(changed, { name: "tpcc", mode: "waves", waves });
}

/** What differs from the printed schedule, in plain lines; empty where every layer is exactly as printed. */
function differences(plan: Plan): string[] {
  const printed = paper.layers.map(({ nodes }) => [...nodes].sort());
  const found: string[] = [];
  for (let at = 0; at < Math.max(printed.length, plan.layers.length); at++) {
    const [expected, actual] = [printed[at] ?? [], plan.layers[at] ?? []];
    found.push(...expected.filter((node) => !actual.includes(node)).map((node) => `layer ${at + 1} lacks ${node}`));
    found.push(...actual.filter((node) => !expected.includes(node)).map((node) => `layer ${at + 1} also has ${node}`));
  }
  for (const { name, members } of paper.contracts) {
    const contract = plan.contractNodes.find(({ path }) => path === name);
    const same = contract?.members.join() === [...members].sort().join();
    if (!same) found.push(`${name} has members ${contract?.members.join(", ") ?? "none"}`);
  }
  const { leaves, cooperateEdges, contracts, mergedNodes } = plan;
  const counted = { leaves, cooperate_edges: cooperateEdges, contracts, merged_nodes: mergedNodes };
  for (const [key, value] of Object.entries(counted)) {
    const stated = paper.paper[key as keyof typeof counted];
    if (stated !== value) found.push(`${key}: ${value}, printed ${stated}`);
  }
  return found;
}

test("69 leaves, 21 cooperate edges, 6 contracts, 49 nodes and 13 layers, each exactly as printed", () => {
  const plan = planOf();
  assert.deepEqual(differences(plan), []);
  assert.equal(plan.layers.length, 13);
  assert.deepEqual([plan.leaves, plan.cooperateEdges, plan.contracts, plan.mergedNodes], [69, 21, 6, 49]);
  assert.deepEqual(plan.layers.map((nodes) => nodes.length), [2, 9, 4, 3, 5, 2, 2, 16, 7, 18, 1, 5, 1]);
  assert.deepEqual(plan.unmet, []);
});

/** Of every edge among the 69 leaves, so that no change of one passes unseen, also where no layer moves. */
const edgesHash = "4b62e52b2329cee1e7efef6ee6a6b263e2788d945e6c75aff084f847ef8fd3e1";

function hashOfEdges({ requires, references, cooperate }: PlanInput): string {
  const ends = (edges: PlanInput["requires"]) => edges.map(({ from, to }) => `${from} ${to}`);
  return canonicalHash({ requires: ends(requires), references: ends(references), cooperate: ends(cooperate) });
}

test("the edges are those with which the schedule was checked", () => {
  const hint = "edges among the paper's leaves changed: where the layers fit and it is meant, state the new hash";
  assert.equal(hashOfEdges(input), edgesHash, hint);
});

test("the cooperate edges are the paper's, by both ends", () => {
  const ends = (edges: readonly { from: string; to: string }[]) =>
    edges.map(({ from, to }) => [from, to].sort().join(" = ")).sort();
  assert.deepEqual(ends(input.cooperate), ends(paper.cooperate));
});

test("the merge that the paper describes has a cycle, which the plan names edge by edge", () => {
  const { bareMergeCycle, contractNodes } = planOf();
  assert.ok(bareMergeCycle.length >= 2);
  const contractOf = (leaf: string) => contractNodes.find(({ members }) => members.includes(leaf))?.path ?? leaf;
  for (const [at, { from, to, kind }] of bareMergeCycle.entries()) {
    const edges = kind === "requires" ? input.requires : input.references;
    assert.ok(edges.some((edge) => edge.from === from && edge.to === to), `${from} -> ${to}`);
    assert.equal(contractOf(to), contractOf(bareMergeCycle[(at + 1) % bareMergeCycle.length].from));
  }
  const large = contractNodes.find(({ members }) => members.length === 13);
  assert.equal(large?.path, "contract/oltp_durability_coord");
  assert.deepEqual([large.form, large.because], ["two_phase", "cycle"]);
});

test("strict layers put every node after all it needs, at the length of the longest path", () => {
  const plan = makePlan(input, { name: "tpcc", mode: "strict", waves });
  const layerOf = new Map(plan.layers.flatMap((nodes, at) => nodes.map((node) => [node, at] as const)));
  const numberOf = (node: string) => layerOf.get(node) ?? Number.NaN;
  for (const { from, to } of plan.edges) assert.ok(numberOf(from) > numberOf(to), `${from} -> ${to}`);
  const leavesOnly = makePlan({ ...input, cooperate: [] }, { name: "leaves", mode: "strict", waves: [] });
  assert.equal(leavesOnly.layers.length, 18, "the depth of the leaves alone, computed apart from this code");
});

test("an edge that is dropped, turned or added in the data shows", () => {
  const planted = { reason: "planted", source: "planted" };
  for (const edge of input.cooperate) {
    const fewer = input.cooperate.filter((one) => one !== edge);
    assert.notDeepEqual(differences(planOf({ ...input, cooperate: fewer })), []);
  }
  const circle = { from: "core/wal", to: "architecture/engine_core/session_object", ...planted };
  assert.throws(() => planOf({ ...input, requires: [...input.requires, circle] }), /in a circle/);
  const late = { from: "core/checkpoint", to: "value_types/boolean/native_bool", ...planted };
  const delayed = differences(planOf({ ...input, requires: [...input.requires, late] }));
  assert.ok(delayed.includes("layer 1 lacks core/checkpoint"));
  const hasty = input.references.filter(({ from }) => from !== "architecture/networking/transports/tcp");
  assert.deepEqual(differences(planOf({ ...input, references: hasty })), [
    "layer 1 also has architecture/networking/transports/tcp", "layer 12 lacks architecture/networking/transports/tcp",
  ]);
  const turned = input.requires.map((edge) => ({ ...edge, from: edge.to, to: edge.from }));
  for (const [at, edge] of turned.entries()) {
    assert.notEqual(hashOfEdges({ ...input, requires: input.requires.with(at, edge) }), edgesHash);
  }
});

test("18 of the 49 merged nodes need one another in a circle", () => {
  const names = new Map(paper.contracts.flatMap(({ name, members }) => members.map((one) => [one, name] as const)));
  const graph = new DirectedGraph();
  for (const leaf of input.leaves) graph.addNode(names.get(leaf) ?? leaf);
  for (const { from, to } of [...input.requires, ...input.references]) {
    const [one, other] = [names.get(from) ?? from, names.get(to) ?? to];
    if (one !== other) graph.addEdge(one, other);
  }
  assert.equal(graph.nodes.length, 49);
  const circular = graph.nodes.filter((node) => graph.shortestPath(node, node) !== undefined);
  assert.equal(circular.length, 18);
});

/** The walk from a selection to parts: what the examples get, what parts may declare, and what is refused. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { loadContract } from "../contract/parse.ts";
import { FeatureModel } from "../model/feature-model.ts";
import { Reasoner } from "../model/reasoner.ts";
import { composeProduct } from "./build.ts";
import { composeParts, wiredComposition } from "./composition.ts";
import { missingLeaves } from "./missing-leaves.ts";
import { implementedLeaves } from "./part-descriptor.ts";
import { type DesignSpace, designSpace, noOverrides, selectFor } from "./select/design-space.ts";

const examples = join(import.meta.dirname, "..", "..", "examples");
const contractOf = (name: string) => loadContract(join(examples, name, "contract.yaml"));
const tao = contractOf("taobench-o");
const space = designSpace();
const { model, library } = space;

const common = ["wal", "row-to-kv", "kv-encoded-catalog", "one-shot-command", "single-node-log"];
const sql = ["recursive-descent-parser", "point-api-executor", "metrics-endpoint"];
const http = ["single-operation", "auth-token", "kv-http", "http-surface"];

const expected: Readonly<Record<string, readonly string[]>> = {
  "taobench-o": ["blackboard-lsm", "w-tinylfu-row-cache", "mysql-surface", ...common, ...sql],
  "sndv-kv": ["blackboard-lsm", "w-tinylfu-row-cache", "metrics-endpoint", ...http, ...common],
  "session-store": ["memory", "metrics-endpoint", ...http, ...common],
  "latency-bound": ["memory", "mysql-surface", ...common, ...sql],
  "ycsb-a-relaxed": [
    "blackboard-lsm", "lru-row-cache", "mysql-surface", "relaxed-sync", "single-node-acid", ...common, ...sql,
  ],
  "embedded": ["blackboard-lsm", "embedded-library", ...common],
};

test("the examples get the parts that their contracts ask for, and no other", () => {
  for (const [name, parts] of Object.entries(expected)) {
    const { selection, plan } = composeProduct({ contract: contractOf(name) });
    assert.deepEqual(selection.parts.map((part) => part.name).sort(), [...parts].sort(), name);
    assert.deepEqual(plan.unmet, [], name);
    assert.deepEqual(selection.leftOut, [], name);
  }
});

test("what a part declares goes together, once, and is nobody else's primary leaf", () => {
  const reasoner = new Reasoner(model);
  const primary = new Map(library.map((part) => [part.leaves[0], part.name]));
  assert.equal(primary.size, library.length);
  for (const { name, leaves, offers } of library) {
    const all = implementedLeaves({ leaves, offers });
    assert.equal(new Set(all).size, all.length, `${name} names a leaf twice`);
    const others = all.filter((leaf) => (primary.get(leaf) ?? name) !== name);
    assert.deepEqual(others, [], `${name} declares what another part lives for`);
    assert.ok(reasoner.satisfiable(reasoner.literalsOf({ chosen: leaves, excluded: [] })), `${name} contradicts itself`);
    for (const leaf of offers) {
      const chosen = [leaves[0], leaf];
      assert.ok(reasoner.satisfiable(reasoner.literalsOf({ chosen, excluded: [] })), `${name} cannot offer ${leaf}`);
    }
  }
});

test("a selection costs a fraction of a second, and none when it was made before", () => {
  const busier = { ...tao, workload: { ...tao.workload, clients: 77 } };
  const first = selectFor(busier);
  assert.equal(selectFor(structuredClone(busier)), first);
  assert.equal(designSpace().model, model);
});

test("all leaves without a part are told at once, each with its specification and with what it would take", () => {
  const overrides = { ...noOverrides, with: ["storage/storage_model/row/btree_clustered"] };
  const selection = selectFor(tao, overrides);
  const missing = missingLeaves(selection, space);
  assert.deepEqual(missing.map(({ path }) => path), selection.withoutPart);
  assert.ok(missing.length > 3);
  const tree = missing.find(({ path }) => path === overrides.with[0]);
  assert.equal(tree?.description, "rows in the leaves of the key tree");
  assert.match(tree?.because ?? "", /asked for/);
  assert.ok(tree?.requires.some(({ path }) => path === "indexing/equality/btree"));
  assert.ok(tree?.excludes.some(({ path }) => path === "storage/storage_model/col"));
  assert.equal(tree?.needed.role, "engine");
  assert.ok(tree?.needed.ports.includes("storage/engine.ts"));
  assert.match(tree?.needed.descriptor ?? "", /^role: engine\nleaves: \[storage\/storage_model\/row\/btree_clustered\]/m);
  const layout = missing.find(({ path }) => path === "value_types/binary");
  assert.deepEqual(layout?.comesWith, { part: "row-to-kv", leaf: "storage/layout/row_to_kv", canBeAdded: true });
  const primitives = missing.find(({ path }) => path === "storage/lsm/kv_primitives");
  assert.equal(primitives?.comesWith?.canBeAdded, false);
  assert.throws(() => composeProduct({ contract: tao, overrides }), (error: Error & { details: object }) => {
    for (const { path, description } of missing) assert.ok(error.message.includes(`${path}: ${description}`), path);
    assert.deepEqual(Object.keys(error.details), ["missing"]);
    return true;
  });
});

test("unknown paths, overrides that contradict, and leaves that need one another in a circle", () => {
  const compose = (wanted: string[], without: string[] = []) =>
    composeProduct({ contract: tao, overrides: { with: wanted, without } });
  assert.throws(() => compose(["core/wall"]), { code: "NOT_FOUND", message: /nearest: core\/wal/ });
  assert.throws(() => compose(["storage/storage_model/row/heap"], ["storage/storage_model/row"]), {
    code: "INVALID_ARGUMENT", message: /asked for[^]*left out on request/,
  });
  const edge = (from: string, to: string) =>
    ({ kind: "requires" as const, from, to, reason: "planted", source: "test", origin: undefined });
  const cyclic: DesignSpace = {
    ...space,
    model: new FeatureModel({
      name: model.name, features: model.features, groups: model.groups, constraints: model.constraints,
      edges: [...model.edges, edge("core/wal", "replication/single_node"), edge("replication/single_node", "core/wal")],
    }),
  };
  const selection = selectFor(tao);
  assert.throws(() => composeProduct({ contract: tao, selection }, cyclic), {
    code: "INVALID_ARGUMENT", message: /core\/wal[^]*replication\/single_node|replication\/single_node[^]*core\/wal/,
  });
});

test("a server that no client could reach is offered every surface; what needs one of them is offered that one", () => {
  const { leaves } = selectFor(tao);
  const server = ["mysql-surface", "recursive-descent-parser", "point-api-executor", "kv-secondary"];
  const primaries = library.filter(({ name }) => server.includes(name)).map((part) => part.leaves[0]);
  const bare = leaves.filter((leaf) => !primaries.includes(leaf));
  const { vacant, unreachable } = composeParts(bare, library);
  assert.deepEqual([vacant, unreachable], [[], true]);
  assert.throws(() => wiredComposition(bare, library), {
    code: "NOT_SELECTED", message: /no client could reach[^]*--with [^ ]*mysql_classic, or --with [^ ]*transports\/http$/,
  });
  assert.throws(() => wiredComposition([...bare, "parser/api_dialect/kv_http"], library), ({ message }: Error) =>
    message.includes("serves HTTP") && !message.includes("mysql_classic"));
});

test("a leaf is served by what is taken, not by what lies in the library", () => {
  const { leaves } = selectFor(tao);
  assert.deepEqual(composeParts(leaves, library).missing, []);
  assert.deepEqual(composeParts([...leaves, "storage/ttl"], library).missing, ["storage/ttl"]);
  const withBoth = [...leaves, "architecture/model/embedded_library"];
  const { misplaced, missing } = composeParts(withBoth, library);
  assert.deepEqual(missing, []);
  assert.ok(misplaced.some(({ role }) => role === "mysqlSurface"), "a library has no place for a surface");
});

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { loadContract } from "../../contract/parse.ts";
import { loadKnobCatalog } from "../../knobs/catalog.ts";
import { assembleProduct } from "../build.ts";
import { runSuite } from "../construct/suite-run.ts";
import type { Edge } from "../../model/feature.ts";
import { FeatureModel } from "../../model/feature-model.ts";
import { designSpace } from "../select/design-space.ts";
import { idlePoints, jointEdges, untestedEdges } from "./joint-edges.ts";
import { type PlantedFault, plantedFaults } from "./planted-faults.fixture.ts";
import { type TestPoint, testPoints, testPointText } from "./test-point.ts";

const examples = join(import.meta.dirname, "..", "..", "..", "examples");
const scratch = mkdtempSync(join(tmpdir(), "lathe-joint-"));
after(() => rmSync(scratch, { recursive: true }));

const assembled = new Map<string, ReadonlyMap<string, string>>();

function filesOf(example: string): ReadonlyMap<string, string> {
  const known = assembled.get(example);
  if (known !== undefined) return known;
  const contract = loadContract(join(examples, example, "contract.yaml"));
  const input = { contract, contractText: "version: 1\n", knobCatalog: loadKnobCatalog() };
  const { files } = assembleProduct(input, join(scratch, "nowhere"));
  assembled.set(example, files);
  return files;
}

test("every cooperate edge that a product can have is tested at each door of such products, with a fault for it", () => {
  const space = designSpace();
  const edges = jointEdges(space);
  assert.ok(edges.length >= 8, `${edges.length} edges`);
  assert.deepEqual(untestedEdges(edges), [], "write a template in points/ and an entry in test-point.ts");
  assert.deepEqual(idlePoints(edges), [], "test points that no product of the library gets");
  for (const { name, doors } of testPoints) {
    for (const door of doors) {
      const fault = plantedFaults.find((one) => one.point === name && (one.door ?? "sql") === door);
      assert.ok(fault !== undefined, `${name} has no planted fault of products that are asked by ${door}`);
    }
  }
});

test("an edge without a test, one that lacks a door, and a test of no edge are found", () => {
  const edges = jointEdges(designSpace());
  const missing = (points: readonly TestPoint[]) => untestedEdges(edges, points);
  const apply = "concurrency/transaction/model/one_shot_command = replication/single_node";
  const others = testPoints.filter(({ name }) => name !== "conditions-at-apply");
  assert.deepEqual(missing(others), ["sql", "key-value", "embedded"].map((door) => `${apply} in products asked by ${door}`));
  const deaf = testPoints.map((point): TestPoint => ({ ...point, doors: point.doors.filter((door) => door !== "key-value") }));
  assert.ok(missing(deaf).includes(`${apply} in products asked by key-value`));
  const idle: TestPoint = { ...testPoints[0], edge: ["core/wal", "storage/ttl"] };
  assert.deepEqual(idlePoints(edges, [...testPoints, idle]), ["core/wal = storage/ttl"]);
  const everywhere = testPoints.map((point): TestPoint => ({ ...point, doors: ["sql", "key-value", "embedded"] }));
  assert.ok(idlePoints(edges, everywhere).some((line) => line.endsWith("kv_secondary in products asked by embedded")));
  // An edge that somebody adds to the model, between leaves that one product has.
  const { model, library } = designSpace();
  const { name, features, groups, constraints } = model;
  const added: Edge = { kind: "cooperate", from: "core/wal", to: "storage/ttl", reason: "planted", source: "", origin: undefined };
  const other = new FeatureModel({ name, features, groups, edges: [...model.edges, added], constraints });
  const found = untestedEdges(jointEdges({ model: other, library }));
  assert.deepEqual(found, ["core/wal = storage/ttl in products asked by sql", "core/wal = storage/ttl in products asked by key-value"]);
});

test("a product carries the specification, the joint test and the marked wiring of each of its contract nodes", () => {
  for (const example of ["taobench-o", "sndv-kv", "embedded", "bulk-ingest", "ycsb-a-relaxed"]) {
    const files = filesOf(example);
    const plan = JSON.parse(files.get("plan.json") ?? "") as { contractNodes: { path: string }[] };
    assert.ok(plan.contractNodes.length > 0, example);
    for (const { path } of plan.contractNodes) {
      const name = path.replace("contract/", "");
      const spec = files.get(`contracts/${name}.md`) ?? "";
      const headings = [...spec.matchAll(/^## (\d)\. /gm)].map(([, number]) => number);
      assert.deepEqual(headings, ["1", "2", "3", "4", "5"], `${example} ${name}`);
      assert.doesNotMatch(spec, /no statement of this product can break it/, `${example} ${name}`);
      // What it names is in the product.
      const named = [...spec.matchAll(/`((?:src|test|parts|catalog)\/[\w/.-]+)`/g)].map(([, path]) => path);
      assert.ok(named.length > 1, `${example} ${name}`);
      const isThere = (path: string) => files.has(path) || [...files.keys()].some((file) => file.startsWith(`${path}/`));
      assert.deepEqual(named.filter((path) => !isThere(path)), [], `${example} ${name}`);
      assert.match(files.get(`test/contracts/${name}.test.ts`) ?? "", /^test\("/m);
      assert.match(files.get("product.ts") ?? "", new RegExp(`// Wires ${path}: see contracts/${name}\\.md\\.\n( *// .*\n)*.*\\(`));
    }
  }
});

/**
 * The joint tests of an example by title, with a fault or without; a product is written once per fault. `asserted`: those
 * of the failed ones that saw a property not hold. A product that breaks down has its fault found by chance.
 */
async function judge(
  example: string, fault: PlantedFault | undefined, only: RegExp,
): Promise<{ failed: string[]; asserted: string[]; passed: string[] }> {
  const files = new Map(filesOf(example));
  if (fault !== undefined) {
    const source = files.get(fault.file) ?? "";
    assert.equal(source.split(fault.found).length, 2, `${fault.file} has the place of the fault once`);
    files.set(fault.file, source.replace(fault.found, fault.replacement));
  }
  const directory = mkdtempSync(join(scratch, "product-"));
  for (const [path, text] of files) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), text);
  }
  const outcome = { failed: [] as string[], asserted: [] as string[], passed: [] as string[] };
  for (const path of files.keys()) {
    if (!/^test\/contracts\/.*\.test\.ts$/.test(path) || !only.test(path)) continue;
    const { report } = await runSuite(directory, path, { signal: undefined, timeoutMs: 120_000 });
    for (const [, not, title, rest] of report.matchAll(/^(not )?ok \d+ - (.*)\n((?:(?: .*)?\n)*)/gm)) {
      outcome[not === undefined ? "passed" : "failed"].push(title);
      if (not !== undefined && /^ *code: 'ERR_ASSERTION'$/m.test(rest)) outcome.asserted.push(title);
    }
  }
  return outcome;
}

async function checkFault(fault: PlantedFault, only: RegExp): Promise<void> {
  const { failed, asserted, passed } = await judge(fault.example, fault, only);
  const titlesOf = (wanted: string) => {
    const [point] = testPoints.filter(({ name }) => name === wanted);
    const text = testPointText(point, fault.door ?? "sql");
    return [...text.matchAll(/^test\("(.*)", async/gm)].map(([, title]) => title);
  };
  const found = asserted.some((title) => titlesOf(fault.point).includes(title));
  const own = [fault.point, ...(fault.also ?? [])].flatMap(titlesOf);
  assert.ok(found, `${fault.point} did not find its fault in ${fault.example}; passed: ${passed.join("; ")}`);
  assert.deepEqual(failed.filter((title) => !own.includes(title)), [], `found by others than ${fault.point}`);
}

// Two that take a second each; all of them with LATHE_ALL_FAULTS=1.
const cheap: readonly [PlantedFault, RegExp][] = plantedFaults.flatMap((fault): [PlantedFault, RegExp][] => {
  if (fault.example === "embedded") return [[fault, /./]];
  return fault.point === "declared-length" ? [[fault, /create_table_coord/]] : [];
});
for (const [fault, only] of cheap) {
  test(`a planted fault is found: ${fault.point} in ${fault.example}`, () => checkFault(fault, only));
}

const all = process.env.LATHE_ALL_FAULTS === "1";
test("every planted fault is found by its test point, and by no other", { skip: !all }, async (t) => {
  // A test that fails without any fault would find all of them.
  for (const example of new Set(plantedFaults.map((fault) => fault.example))) {
    await t.test(`none in ${example}`, async () => {
      const { failed, passed } = await judge(example, undefined, /./);
      assert.deepEqual(failed, []);
      assert.ok(passed.length > 1, example);
    });
  }
  for (const fault of plantedFaults) await t.test(`${fault.point} in ${fault.example}`, () => checkFault(fault, /./));
});

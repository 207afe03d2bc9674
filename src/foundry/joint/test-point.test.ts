import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { loadContract } from "../../contract/parse.ts";
import { loadKnobCatalog } from "../../knobs/catalog.ts";
import { assembleProduct } from "../build.ts";
import { runSuite } from "../construct/suite-run.ts";
import { implementedLeaves } from "../part-descriptor.ts";
import { designSpace } from "../select/design-space.ts";
import { type PlantedFault, plantedFaults } from "./planted-faults.fixture.ts";
import { testPointOf, testPoints, testPointText } from "./test-point.ts";

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

test("every cooperate edge among leaves that parts implement has a test point, and every test point a fault", () => {
  const { model, library } = designSpace();
  const implemented = new Set(library.flatMap(implementedLeaves));
  const ends = (path: string) => model.leavesBelow(path).map((leaf) => leaf.path).filter((leaf) => implemented.has(leaf));
  const edges = model.edgesOf("cooperate").flatMap(({ from, to }) =>
    ends(from).flatMap((one) => ends(to).map((other) => [one, other])),
  );
  assert.ok(edges.length >= 6, `${edges.length} edges`);
  const without = edges.filter((edge) => testPointOf(edge) === undefined).map((edge) => edge.join(" = "));
  assert.deepEqual(without, [], "write a template in points/ and an entry in test-point.ts");
  const idle = testPoints.filter(({ edge }) => edges.every((one) => one.some((end) => !edge.includes(end))));
  assert.deepEqual(idle.map(({ edge }) => edge.join(" = ")), [], "test points of edges that are not in the model");
  for (const point of testPoints) {
    for (const door of point.doors) assert.match(testPointText(point, door), /^test\("/m);
    assert.ok(plantedFaults.some((fault) => fault.point === point.name), `${point.name} has no planted fault`);
  }
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
      assert.match(files.get(`test/contracts/${name}.test.ts`) ?? "", /^test\("/m);
      assert.match(files.get("product.ts") ?? "", new RegExp(`// Wires ${path}: see contracts/${name}\\.md\\.\n( *// .*\n)*.*\\(`));
    }
  }
});

/** The tests of one run by title; a product is written once per fault. */
async function judge(fault: PlantedFault, only: RegExp): Promise<{ failed: string[]; passed: string[] }> {
  const files = filesOf(fault.example);
  const source = files.get(fault.file) ?? "";
  assert.equal(source.split(fault.found).length, 2, `${fault.file} has the place of the fault once`);
  const directory = mkdtempSync(join(scratch, "product-"));
  for (const [path, text] of files) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), path === fault.file ? source.replace(fault.found, fault.replacement) : text);
  }
  const outcome = { failed: [] as string[], passed: [] as string[] };
  for (const path of files.keys()) {
    if (!/^test\/contracts\/.*\.test\.ts$/.test(path) || !only.test(path)) continue;
    const { report } = await runSuite(directory, path, { signal: undefined, timeoutMs: 120_000 });
    for (const [, not, title] of report.matchAll(/^(not )?ok \d+ - (.*)$/gm)) {
      outcome[not === undefined ? "passed" : "failed"].push(title);
    }
  }
  return outcome;
}

async function checkFault(fault: PlantedFault, only: RegExp): Promise<void> {
  const { failed, passed } = await judge(fault, only);
  const titlesOf = (wanted: string) => {
    const [point] = testPoints.filter(({ name }) => name === wanted);
    const text = testPointText(point, fault.door ?? "sql");
    return [...text.matchAll(/^test\("(.*)", async/gm)].map(([, title]) => title);
  };
  const found = failed.some((title) => titlesOf(fault.point).includes(title));
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
  for (const fault of plantedFaults) await t.test(`${fault.point} in ${fault.example}`, () => checkFault(fault, /./));
});

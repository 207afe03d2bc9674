import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { loadContract } from "../../contract/parse.ts";
import { loadKnobCatalog } from "../../knobs/catalog.ts";
import { assembleProduct } from "../build.ts";
import { runSuite } from "../construct/suite-run.ts";
import { sourceRoot } from "../part-descriptor.ts";
import { sourceClosure } from "../source-closure.ts";
import { layeredTree } from "../source-tree.ts";

const examples = join(sourceRoot, "..", "examples");
const scratch = mkdtempSync(join(tmpdir(), "lathe-coverage-"));
after(() => rmSync(scratch, { recursive: true }));

function filesOf(example: string): Map<string, string> {
  const contract = loadContract(join(examples, example, "contract.yaml"));
  const input = { contract, contractText: "version: 1\n", knobCatalog: loadKnobCatalog() };
  return new Map(assembleProduct(input, join(scratch, "nowhere")).files);
}

async function run(files: ReadonlyMap<string, string>) {
  const directory = mkdtempSync(join(scratch, "product-"));
  for (const [path, text] of files) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), text);
  }
  return runSuite(directory, "test/coverage.test.ts", { signal: undefined, timeoutMs: 120_000 });
}

// That sound products pass is for `test/system/products.test.ts`.
test("a part that is only loaded is named with its leaves", async () => {
  const files = filesOf("embedded");
  const path = "storage/page_io/replacement/lru";
  for (const file of sourceClosure(layeredTree(sourceRoot, []), [`parts/${path}/lru-cache.ts`])) {
    files.set(file, readFileSync(join(sourceRoot, file), "utf8"));
  }
  files.set("product.ts", `import "./parts/${path}/lru-cache.ts";\n${files.get("product.ts")}`);
  const selection = JSON.parse(files.get("selection.json") ?? "") as { parts: object[] };
  selection.parts.push({ role: "rowCache", name: "lru-row-cache", path, leaves: [path] });
  files.set("selection.json", JSON.stringify(selection));
  const dead = await run(files);
  assert.equal(dead.ok, false, dead.output);
  const said = `no request runs a function of lru-row-cache in parts/${path} (${path})`;
  assert.ok(dead.report.includes(said), `${dead.output}\n${dead.report}`);
});

test("requests follow from the contract: surfaces, tables, indexes, transactions", () => {
  const overMysql = filesOf("bulk-ingest").get("test/coverage.test.ts") ?? "";
  assert.match(overMysql, /CREATE TABLE `grants` \(.*KEY `by_entitlement` \(`entitlement_id`\)/);
  assert.match(overMysql, /SELECT `external_id` FROM `grants` WHERE `by_principal`|WHERE `principal_id` = \?/);
  assert.doesNotMatch(overMysql, /askOverHttp|BEGIN/);
  const overHttp = filesOf("session-store").get("test/coverage.test.ts") ?? "";
  assert.match(overHttp, /ttlSeconds: 60/);
  assert.doesNotMatch(overHttp, /askOverMysql|SELECT|\.query\(|\.rows\(/);
  assert.match(filesOf("ycsb-a-relaxed").get("test/coverage.test.ts") ?? "", /query\("BEGIN"\)/);
});

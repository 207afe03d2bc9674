/** A part of one's own: built into a product that starts and answers, or refused before anything is written. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { loadContract } from "../contract/parse.ts";
import { loadKnobCatalog } from "../knobs/catalog.ts";
import { assembleProduct, type BuildInput, buildProduct, composeProduct } from "./build.ts";
import { designSpace } from "./select/design-space.ts";

const repository = join(import.meta.dirname, "..", "..");
const clockSource = readFileSync(join(import.meta.dirname, "clock-cache.template"), "utf8");
const tao = loadContract(join(repository, "examples", "taobench-a", "contract.yaml"));
const clock = "storage/page_io/replacement/clock_sweep";
const lru = "storage/page_io/replacement/lru";

const importLine = (name: string, from: string) => `import { ${name} } from "${from}";\n`;
const suite =
  importLine("cacheConformance", "../../cache.conformance.ts") + importLine("createClockCache", "./clock-cache.ts") +
  'cacheConformance("clock", (capacityBytes) => createClockCache({ capacityBytes }));\n';

function descriptor(leaf: string, changes: Readonly<Record<string, string>> = {}): string {
  const fields = {
    name: "clock-row-cache", role: "rowCache", leaves: `[${leaf}]`, provides: "[storage/page_io/cache.ts]",
    requires: "[]", entry: "clock-cache.ts", exports: "{ create: createClockCache }", knobs: "[row_cache.bytes]",
    capabilities: "{}", conformance: "[storage/page_io/cache.conformance.ts]", ...changes,
  };
  return Object.entries(fields).map(([name, value]) => `${name}: ${value}\n`).join("");
}

const partAt = (leaf: string, source = clockSource) => ({
  [`${leaf}/part.yaml`]: descriptor(leaf),
  [`${leaf}/clock-cache.ts`]: source,
  [`${leaf}/clock-cache.test.ts`]: suite,
});

function withParts(files: Readonly<Record<string, string>>, use: (parts: string, root: string) => void): void {
  const root = mkdtempSync(join(tmpdir(), "lathe-own-parts-"));
  try {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, "parts", path)), { recursive: true });
      writeFileSync(join(root, "parts", path), text);
    }
    use(join(root, "parts"), root);
  } finally {
    rmSync(root, { recursive: true });
  }
}

/** A contract that leaves the row cache open, and one that asks for LRU. */
const uncached = { ...tao, caching: { rowCache: "none" as const } };
const inputOf = (contract: typeof tao, parts: readonly string[], wanted: readonly string[] = []): BuildInput => ({
  contract, contractText: "version: 1\n", knobCatalog: loadKnobCatalog(), space: designSpace(parts),
  overrides: { with: wanted, without: [] },
});

function runTest(product: string, file: string): void {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const run = spawnSync(process.execPath, ["--test", "--test-reporter=tap", file], { cwd: product, encoding: "utf8", env });
  assert.equal(run.status, 0, `${file}\n${run.stdout}${run.stderr}`);
  assert.match(run.stdout, /^# pass [1-9]/m, "some test ran");
}

test("a part for another leaf stands beside the library's, and its product passes the port's suite and answers", () => {
  withParts(partAt(clock), (parts, root) => {
    const product = join(root, "store");
    // Nothing selects it by itself, and that is told.
    assert.deepEqual(assembleProduct(inputOf(uncached, [parts]), product).partsUnused, [clock]);
    assert.deepEqual(buildProduct(inputOf(uncached, [parts], [clock]), product).partsUnused, []);
    const wiring = readFileSync(join(product, "product.ts"), "utf8");
    assert.match(wiring, /import \{ createClockCache \} from ".*\/clock_sweep\/clock-cache.ts"/);
    assert.equal(readFileSync(join(product, "parts", clock, "clock-cache.ts"), "utf8"), clockSource);
    symlinkSync(join(repository, "node_modules"), join(product, "node_modules"), "junction");
    runTest(product, `test/conformance/parts/${clock}/clock-cache.test.ts`);
    runTest(product, "test/product.test.ts");
  });
});

test("a part at the path of one of the library takes its place, of two directories the first", () => {
  const marked = clockSource.replace("Corbató 1968", "mine").replace("createClockCache", "createCatalog");
  withParts(partAt(lru), (parts) => {
    const mine = { ...partAt(lru, marked), [`${lru}/part.yaml`]: descriptor(lru, { exports: "{ create: createCatalog }" }) };
    withParts(mine, (first) => {
      const { parts: [...taken], selected } = composeProduct(inputOf(tao, [first, parts]), designSpace([first, parts]));
      assert.ok(taken.some(({ name }) => name === "clock-row-cache"));
      assert.equal(selected.rowCache?.origin, first);
      const { files } = assembleProduct(inputOf(tao, [first, parts]), join(first, "..", "store"));
      assert.match(files.get(`parts/${lru}/clock-cache.ts`) ?? "", /Source: mine/);
      assert.ok(!files.has(`parts/${lru}/lru-cache.ts`), "nothing of the part that it replaces");
      // Another part exports that name, too; the types of the whole have been checked.
      assert.match(files.get("product.ts") ?? "", /import \{ createCatalog as createCatalogOfRowCache \}/);
    });
  });
});

test("a part that does not type-check is refused with the compiler's lines, and nothing is written", () => {
  withParts(partAt(clock, clockSource.replace("epoch(): number", "epoch(): string")), (parts, root) => {
    const product = join(root, "store");
    assert.throws(() => buildProduct(inputOf(uncached, [parts], [clock]), product), {
      code: "INVALID_ARGUMENT", message: /clock_sweep\/clock-cache\.ts\(\d+,\d+\): error TS2322/,
    });
    assert.equal(existsSync(product), false);
    assert.deepEqual(readdirSync(root), ["parts"]);
  });
});

test("parts that cannot be taken are refused with what is wrong with them", () => {
  const refused = (files: Readonly<Record<string, string>>, code: string, message: RegExp) =>
    withParts(files, (parts) => assert.throws(() => designSpace([parts]), { code, message }));
  const yaml = (changes: Readonly<Record<string, string>>, leaf = clock) => ({
    ...partAt(clock), [`${clock}/part.yaml`]: descriptor(leaf, changes),
  });
  assert.throws(() => designSpace([join(tmpdir(), "lathe-no-such-parts")]), { code: "NOT_FOUND", message: /no directory/ });
  refused({ "notes.txt": "mine" }, "NOT_FOUND", /holds no part\.yaml/);
  refused(yaml({ role: "rowcache" }), "INVALID_ARGUMENT", /role/);
  refused(yaml({ exports: "{}" }), "INVALID_ARGUMENT", /exports lacks create, which the wiring calls of the role rowCache/);
  refused(yaml({ exports: "{ create: a, tuning: b }" }), "INVALID_ARGUMENT", /exports has tuning; the role rowCache knows/);
  refused(yaml({ entry: "gone.ts" }), "INVALID_ARGUMENT", /gone\.ts does not exist/);
  refused(yaml({}, "storage/page_io/replacement/lru"), "INVALID_ARGUMENT", /it lies at .*clock_sweep, and its first leaf/);
  refused(yaml({ name: "lru-row-cache" }), "INVALID_ARGUMENT", /another part named lru-row-cache/);
  const unknown = "storage/page_io/replacement/clock_sweeps";
  refused(partAt(unknown), "INVALID_ARGUMENT", /clock_sweeps is no leaf .*nearest: storage\/page_io\/replacement\/clock_sweep/);
  withParts(partAt(clock, `import "./secret.ts";\n${clockSource}`), (parts, root) => {
    writeFileSync(join(root, "secret.ts"), "export const secret = 1;\n");
    symlinkSync("../../../../../secret.ts", join(parts, clock, "secret.ts"));
    const message = /clock_sweep\/secret\.ts is a link out of .*parts, to .*secret\.ts; put a copy in its place/;
    const build = () => buildProduct(inputOf(uncached, [parts], [clock]), join(root, "store"));
    assert.throws(build, { code: "INVALID_ARGUMENT", message });
  });
  withParts(partAt(clock, `import "zod";\n${clockSource}`), (parts, root) => {
    assert.throws(() => buildProduct(inputOf(uncached, [parts], [clock]), join(root, "store")), {
      code: "INVALID_ARGUMENT", message: /imports zod: a product holds only files of kit\/ and parts\//,
    });
  });
});

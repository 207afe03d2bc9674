import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { LatheError } from "../../kit/errors.ts";
import type { PartDescriptor } from "../part-descriptor.ts";
import { layOut } from "./build-layer.ts";
import { raiseProduct, type RaiseOptions } from "./raise-product.ts";
import { SuiteRecord } from "./suite-record.ts";
import { readReport } from "./suite-run.ts";

const scratch = mkdtempSync(join(tmpdir(), "lathe-construct-"));
after(() => rmSync(scratch, { recursive: true }));

/** Two parts, of which the second stands on the port of the first; a contract node joins them. */
const plan = {
  layers: [["base/log"], ["base/store"], ["contract/log_coord"]],
  contractNodes: [],
};

function part(name: string): PartDescriptor {
  const common = {
    role: "log" as const, offers: [], exports: {}, provides: [], requires: [], knobs: [], capabilities: {}, conformance: [],
  };
  return { ...common, name, path: `base/${name}`, leaves: [`base/${name}`], entry: `${name}.ts` };
}

const parts = [part("store"), part("log")];
const runner = 'import assert from "node:assert/strict";\nimport { test } from "node:test";\n';

function productFiles(changes: Readonly<Record<string, string>> = {}): Map<string, string> {
  return new Map(Object.entries({
    "kit/word.ts": 'export const word = "log";\n',
    "parts/base/port.ts": "export interface Log { readonly name: string }\n",
    "parts/base/log/log.ts": 'import type { Log } from "../port.ts";\nimport { word } from "../../../kit/word.ts";\n' +
      "export const log: Log = { name: word };\n",
    "parts/base/store/store.ts": 'import type { Log } from "../port.ts";\n' +
      "export const store = (log: Log) => `store on ${log.name}`;\n",
    "product.ts": 'import { log } from "./parts/base/log/log.ts";\nimport { store } from "./parts/base/store/store.ts";\n' +
      "export const product = store(log);\n",
    "test/parts/base/log/log.test.ts": `${runner}import { log } from "../../../../parts/base/log/log.ts";\n` +
      'test("log", () => assert.equal(log.name, "log"));\n',
    "test/parts/base/log/both.test.ts": `${runner}import { log } from "../../../../parts/base/log/log.ts";\n` +
      'import { store } from "../../../../parts/base/store/store.ts";\n' +
      'test("both", () => assert.equal(store(log), "store on log"));\n',
    "test/product.test.ts": `${runner}import { product } from "../product.ts";\n` +
      'test("whole", () => assert.equal(product, "store on log"));\n',
    ...changes,
  }));
}

let places = 0;

function raise(files: Map<string, string>, options: Partial<RaiseOptions> = {}) {
  const place = join(scratch, `place-${places++}`, "product");
  const raised = raiseProduct(place, plan, parts, files, { record: undefined, runAll: false, ...options });
  return { place, raised };
}

test("parts come in the layer of their leaves, shared files with the first, a suite when all it needs is there", () => {
  const layers = layOut(plan, parts, productFiles());
  assert.deepEqual(layers.map((layer) => layer.parts.map(({ name }) => name)), [["log"], ["store"], []]);
  assert.deepEqual(layers[0].files, ["kit/word.ts", "parts/base/log/log.ts", "parts/base/port.ts"]);
  assert.deepEqual(layers[1].files, ["parts/base/store/store.ts"]);
  assert.deepEqual(layers.map((layer) => layer.suites.map(({ file }) => file)), [
    ["test/parts/base/log/log.test.ts"], ["test/parts/base/log/both.test.ts"], [],
  ]);
});

test("an import of a part of a later layer names both", () => {
  const files = productFiles({ "parts/base/log/log.ts": 'import { store } from "../store/store.ts";\nvoid store;\n' });
  assert.throws(() => layOut(plan, parts, files), {
    code: "INVALID_ARGUMENT",
    message: /log \(layer 1\) imports parts\/base\/store\/store\.ts of store \(layer 2\)/,
  });
  const lost = productFiles({ "parts/base/log/log.ts": 'import { lost } from "./lost.ts";\nvoid lost;\n' });
  assert.throws(() => layOut(plan, parts, lost), { code: "NOT_FOUND", message: /log\.ts imports \.\/lost\.ts/ });
});

test("every layer is raised in turn, and what passed with the same bytes is not run again", async () => {
  const directory = join(scratch, "record");
  const record = new SuiteRecord(directory);
  const seen: string[] = [];
  const first = raise(productFiles(), { record, onLayer: ({ number, kind }, of) => seen.push(`${number}/${of} ${kind}`) });
  const { suitesRun, suitesKnown, tests, unsteady, withoutSuite } = await first.raised;
  // What a part does beside another is a suite of the one in whose folder it stands.
  assert.deepEqual(withoutSuite, ["store"]);
  assert.deepEqual({ suitesRun, suitesKnown, tests, unsteady }, { suitesRun: 3, suitesKnown: 0, tests: 3, unsteady: [] });
  assert.deepEqual(seen, ["1/4 parts", "2/4 parts", "3/4 parts", "4/4 wiring"]);
  assert.deepEqual(readdirSync(join(first.place, "..")), [], "the staging directory is gone");

  const counts = async (files: Map<string, string>, runAll = false) => {
    const report = await raise(files, { record, runAll }).raised;
    return [report.suitesRun, report.suitesKnown];
  };
  assert.deepEqual(await counts(productFiles()), [0, 3]);
  assert.deepEqual(await counts(productFiles(), true), [3, 0]);
  const other = productFiles();
  other.set("parts/base/store/store.ts", `${other.get("parts/base/store/store.ts")}// one more line\n`);
  assert.deepEqual(await counts(other), [2, 1], "the suite of the log knows nothing of the store");
  for (const name of readdirSync(directory)) writeFileSync(join(directory, name), '{"version":1,"key":"another"');
  assert.deepEqual(await counts(productFiles()), [3, 0], "damaged records are none");
});

test("a record keeps what was used last", () => {
  const directory = join(scratch, "bounded");
  const record = new SuiteRecord(directory, 2);
  for (const key of ["a", "b", "c", "d"]) record.add(key, { suite: "s", tests: 1 });
  record.prune();
  assert.equal(readdirSync(directory).length, 2);
  record.add("e", { suite: "s", tests: 2 });
  const entry = readFileSync(join(directory, "e.json"), "utf8");
  assert.deepEqual(record.find("e"), { suite: "s", tests: 2 });
  writeFileSync(join(directory, "f.json"), entry);
  assert.equal(record.find("f"), undefined, "an entry under a foreign name is none");
});

test("the first layer that does not stand ends the build with the test's name, and leaves nothing", async () => {
  const files = productFiles({ "kit/word.ts": 'export const word = "lag";\n' });
  const seen: number[] = [];
  const { place, raised } = raise(files, { onLayer: ({ number }) => seen.push(number) });
  await assert.rejects(raised, (error: LatheError) => {
    assert.equal(error.code, "CONSTRAINT");
    assert.match(error.message, /layer 1 does not stand \(log\), and nothing was written/);
    assert.match(error.message, /suite {2}test\/parts\/base\/log\/log\.test\.ts\n {2}test {3}log\n/);
    assert.match(error.message, /lag/);
    assert.equal(error.details.layer, 1);
    assert.equal(error.details.test, "log");
    return true;
  });
  assert.deepEqual(seen, []);
  assert.deepEqual(readdirSync(join(place, "..")), []);
});

test("a suite that fails only under load is told apart, and not recorded", async () => {
  const marker = join(scratch, "once");
  const files = productFiles({
    "test/product.test.ts": `${runner}import { existsSync, writeFileSync } from "node:fs";\n` +
      `test("second try", () => {\n  const again = existsSync(${JSON.stringify(marker)});\n` +
      `  writeFileSync(${JSON.stringify(marker)}, "");\n  assert.ok(again);\n});\n`,
  });
  const record = new SuiteRecord(join(scratch, "unsteady"));
  assert.deepEqual((await raise(files, { record }).raised).unsteady, ["test/product.test.ts"]);
  assert.equal((await raise(files, { record }).raised).suitesRun, 1);
});

test("a suite that does not end in its time is not given it twice", async () => {
  const started = join(scratch, "overdue");
  const files = productFiles({
    "test/parts/base/log/log.test.ts": `${runner}import { appendFileSync } from "node:fs";\n` +
      `appendFileSync(${JSON.stringify(started)}, "started;");\n` +
      'test("waits", () => new Promise(() => setInterval(() => assert.ok(true), 1000)));\n',
  });
  const { raised } = raise(files, { suiteTimeoutMs: 3000 });
  await assert.rejects(raised, { code: "CONSTRAINT", message: /took longer than 3 s/ });
  // On a machine with much to do its time may be over before it has come to its first line.
  if (existsSync(started)) assert.equal(readFileSync(started, "utf8"), "started;");
});

test("a cancelled build kills what it started and leaves nothing", async () => {
  const started = join(scratch, "started");
  const files = productFiles({
    "test/parts/base/log/log.test.ts": `${runner}import { writeFileSync } from "node:fs";\n` +
      `writeFileSync(${JSON.stringify(started)}, String(process.pid));\n` +
      'test("waits", () => new Promise(() => setInterval(() => assert.ok(true), 1000)));\n',
  });
  const controller = new AbortController();
  const { place, raised } = raise(files, { signal: controller.signal });
  const outcome = assert.rejects(raised, { code: "CANCELLED" });
  while (!existsSync(started) || readFileSync(started, "utf8") === "") {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  controller.abort(new LatheError("CANCELLED", "stopped"));
  await outcome;
  assert.deepEqual(readdirSync(join(place, "..")), []);
  assert.throws(() => process.kill(Number(readFileSync(started, "utf8")), 0), { code: "ESRCH" });
});

test("a suite ends when the build that runs it is killed", async () => {
  const started = join(scratch, "orphan");
  const suite = join(scratch, "orphan.test.ts");
  writeFileSync(suite, `import { writeFileSync } from "node:fs";\nimport { test } from "node:test";\n` +
    `writeFileSync(${JSON.stringify(started)}, String(process.pid));\n` +
    'test("never yields", () => { for (;;); });\n');
  const run = `const { runSuite } = await import(${JSON.stringify(join(import.meta.dirname, "suite-run.ts"))});` +
    `await runSuite(${JSON.stringify(scratch)}, ${JSON.stringify(suite)}, { signal: undefined, timeoutMs: 600000 });`;
  const build = spawn(process.execPath, ["--input-type=module", "--eval", run], { stdio: "ignore" });
  const pause = () => new Promise((resolve) => setTimeout(resolve, 20));
  while (!existsSync(started) || readFileSync(started, "utf8") === "") await pause();
  const isThere = () => {
    try {
      return process.kill(Number(readFileSync(started, "utf8")), 0);
    } catch {
      return false;
    }
  };
  assert.ok(isThere());
  build.kill("SIGKILL");
  for (const until = performance.now() + 60_000; isThere() && performance.now() < until;) await pause();
  assert.ok(!isThere());
});

test("a report is read: the innermost failure, a crash, a file without tests", () => {
  const tap = [
    "TAP version 13", "# Subtest: outer", "    # Subtest: inner", "    not ok 1 - inner", "      ---",
    "      error: 'no'", "      failureType: 'testCodeFailure'", "      ...", "not ok 1 - outer", "  ---",
    "  failureType: 'subtestsFailed'", "  ...", "# pass 3",
  ].join("\n");
  const failed = readReport(tap, "warned\n", false, "ended with code 1");
  assert.deepEqual([failed.failedTest, failed.tests], ["inner", 3]);
  assert.equal(failed.output, "error: 'no'\nwarned");
  assert.match(readReport("", "boom\n", false, "ended with SIGSEGV").output, /^ended with SIGSEGV\nboom$/);
  assert.equal(readReport("# pass 0", "", true, "").ok, false);
  assert.equal(readReport("# pass 2", "", true, "").ok, true);
});

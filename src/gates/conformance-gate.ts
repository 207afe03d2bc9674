/**
 * Conformance gate: the workshop's suites over the product's parts.
 *
 * Steps:
 *   1. Copy the product aside and replace its `test/` by what the workshop holds for its parts: a product is never judged
 *      by its own copies.
 *   2. Run them in a process of their own with Node's test runner; read its closing counts.
 * Invariant: a run without tests, or one that ends without counts, is no admission.
 */
import { spawn } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { sourceRoot } from "../foundry/part-descriptor.ts";
import { productTests } from "../foundry/source-closure.ts";
import { LatheError } from "../kit/errors.ts";
import type { Gate, GateSubject, GateVerdict } from "./gate.ts";
import { verdictOf } from "./run-gates.ts";

const name = "conformance";

export function conformanceGate(): Gate {
  return {
    name,
    description: "the workshop's conformance suites and part tests over the product's parts",
    stage: "product",
    timeoutMs: 180_000,
    run: runConformance,
  };
}

async function runConformance(subject: GateSubject): Promise<GateVerdict> {
  const verdict = verdictOf(name, performance.now());
  const copy = join(subject.workDirectory, "product");
  const files = plantWorkshopTests(subject.productDirectory, copy);
  const tests = files.filter((path) => path.endsWith(".test.ts"));
  if (tests.length === 0) return verdict.inconclusive("the workshop has no tests for the parts of this product");
  const run = await runTests(copy, tests, subject.signal);
  const evidence = { files: tests.length, ...run.counts };
  const { tests: count = 0, fail = 0, pass = 0 } = run.counts;
  if (count === 0) return verdict.inconclusive(`the test runner gave no counts: ${run.output.slice(-300)}`, evidence);
  if (run.exitCode !== 0 || fail > 0) {
    return verdict.reject(`${fail} of ${count} tests failed: ${firstFailure(run.output)}`, evidence);
  }
  return verdict.admit(`${pass} tests of ${tests.length} suites passed`, evidence);
}

/** Copies the product and puts the workshop's tests in the place of its own. Returns the planted paths. */
function plantWorkshopTests(productDirectory: string, copy: string): string[] {
  cpSync(productDirectory, copy, { recursive: true });
  // The suites use fast-check, which is the workshop's; a product need not have installed it.
  const fastCheck = dirname(createRequire(import.meta.url).resolve("fast-check/package.json"));
  rmSync(join(copy, "node_modules"), { recursive: true, force: true });
  symlinkSync(dirname(fastCheck), join(copy, "node_modules"), "dir");
  rmSync(join(copy, "test"), { recursive: true, force: true });
  const sources = filesBelow(copy).filter((path) => /^(kit|parts)\/.*\.ts$/.test(path));
  const { parts } = JSON.parse(readFileSync(join(copy, "selection.json"), "utf8")) as {
    parts: readonly { readonly path: string }[];
  };
  const folders = parts.map(({ path }) => `parts/${path}`);
  const planted = productTests(sourceRoot, folders, new Set(sources));
  for (const [path, text] of planted) {
    const target = join(copy, path);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, text);
  }
  if (folders.length === 0) throw new LatheError("NOT_FOUND", `${productDirectory}/selection.json names no parts`);
  return [...planted.keys()];
}

function filesBelow(directory: string, root = directory): string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    return entry.isDirectory() ? filesBelow(path, root) : [relative(root, path)];
  });
}

interface TestRun {
  readonly exitCode: number | null;
  readonly counts: Readonly<Record<string, number>>;
  readonly output: string;
}

function runTests(directory: string, tests: readonly string[], signal: AbortSignal | undefined): Promise<TestRun> {
  const environment = { ...process.env };
  // Otherwise a runner that is itself run by a test runner reports to that one.
  delete environment.NODE_TEST_CONTEXT;
  const child = spawn(
    process.execPath,
    ["--disable-warning=ExperimentalWarning", "--test", "--test-reporter=tap", "--test-concurrency=2", ...tests],
    { cwd: directory, env: environment, stdio: ["ignore", "pipe", "pipe"], ...(signal ? { signal } : {}) },
  );
  let output = "";
  const collect = (bytes: Buffer) => (output = (output + bytes.toString()).slice(-400_000));
  child.stdout.on("data", collect);
  child.stderr.on("data", collect);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (exitCode) => {
      const counts = Object.fromEntries(
        [...output.matchAll(/^# (tests|pass|fail|skipped) (\d+)$/gm)].map(([, key, count]) => [key, Number(count)]),
      );
      resolve({ exitCode, counts, output });
    });
  });
}

function firstFailure(output: string): string {
  const name = /^\s*not ok \d+ - (.*)$/m.exec(output)?.[1] ?? "unknown";
  const message = /^\s*error: (?:\|-\n\s*)?(.*)$/m.exec(output)?.[1] ?? "";
  return `${name}${message === "" ? "" : ` (${message.slice(0, 200)})`}`;
}

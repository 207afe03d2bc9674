/**
 * Conformance gate: the workshop's suites of ports over the product's parts.
 *
 * Steps:
 *   1. Copy the product aside and replace its `test/` by what the workshop holds for its parts: a product is
 *      never judged by its own copies.
 *   2. Run the suites of ports in a process of their own with Node's test runner; read its closing counts.
 * A part's other tests fix how it does its work (which entry a cache drops, what an agent proposes). A
 * candidate is free to do that in another way, so they are for the part's authors and decide nothing here; the
 * suites of ports say what everybody may rely on.
 * Invariant: a run without tests, or one that ends without counts, is no admission.
 */
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join, relative } from "node:path";
import { releaseProcess, spawnGuarded } from "../foundry/orphan-guard.ts";
import { scanImports } from "../foundry/import-scanner.ts";
import { sourceRoot } from "../foundry/part-descriptor.ts";
import { productTests } from "../foundry/source-closure.ts";
import { directoryTree } from "../foundry/source-tree.ts";
import { LatheError } from "../kit/errors.ts";
import type { Gate, GateSubject, GateVerdict } from "./gate.ts";
import { verdictOf } from "./run-gates.ts";

const name = "conformance";

export function conformanceGate(): Gate {
  return {
    name,
    description: "the workshop's conformance suites of ports over the product's parts",
    stage: "product",
    timeoutMs: 180_000,
    run: runConformance,
  };
}

async function runConformance(subject: GateSubject): Promise<GateVerdict> {
  const verdict = verdictOf(name, performance.now());
  const copy = join(subject.workDirectory, "product");
  const { tests, suites } = plantWorkshopTests(subject.productDirectory, copy);
  if (tests.length === 0) return verdict.inconclusive("the workshop has no suites for the parts of this product");
  const run = await runTests(copy, { tests, suites }, subject.signal);
  const evidence = { suites, ...run.counts };
  const { tests: count = 0, fail = 0, pass = 0 } = run.counts;
  if (count === 0) return verdict.inconclusive(`the test runner gave no counts: ${run.output.slice(-300)}`, evidence);
  if (run.exitCode !== 0 || fail > 0) {
    return verdict.reject(`${fail} of ${count} tests failed: ${firstFailure(run.output)}`, evidence);
  }
  return verdict.admit(`${pass} tests of ${suites.length} ports passed: ${suites.join(", ")}`, evidence);
}

interface Suites {
  /** Test files that apply a suite to a part. */
  readonly tests: readonly string[];
  /** What the names of the suites' tests begin with. */
  readonly suites: readonly string[];
}

/** Without what it has installed, and without its studies: one of them is where a study of a product works. */
export function copyProduct(productDirectory: string, copy: string): void {
  mkdirSync(copy, { recursive: true });
  for (const entry of readdirSync(productDirectory)) {
    if (entry === "node_modules" || entry === ".lathe") continue;
    cpSync(join(productDirectory, entry), join(copy, entry), { recursive: true });
  }
}

/** Copies the product and puts the workshop's tests in the place of its own. */
function plantWorkshopTests(productDirectory: string, copy: string): Suites {
  copyProduct(productDirectory, copy);
  // The suites use fast-check, which is the workshop's; a product need not have installed it.
  const fastCheck = dirname(createRequire(import.meta.url).resolve("fast-check/package.json"));
  symlinkSync(dirname(fastCheck), join(copy, "node_modules"), "dir");
  rmSync(join(copy, "test"), { recursive: true, force: true });
  const sources = filesBelow(copy).filter((path) => /^(kit|parts)\/.*\.ts$/.test(path));
  const { parts } = JSON.parse(readFileSync(join(copy, "selection.json"), "utf8")) as {
    parts: readonly { readonly path: string }[];
  };
  const folders = parts.map(({ path }) => `parts/${path}`);
  const planted = productTests(directoryTree(sourceRoot), folders, new Set(sources));
  for (const [path, text] of planted) {
    const target = join(copy, path);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, text);
  }
  if (folders.length === 0) throw new LatheError("NOT_FOUND", `${productDirectory}/selection.json names no parts`);
  const suiteFiles = [...planted.keys()].filter((path) => path.endsWith(".conformance.ts"));
  const isSuite = (path: string) => suiteFiles.some((file) => file.endsWith(path));
  const tests = [...planted].filter(
    ([path, text]) =>
      path.endsWith(".test.ts") && scanImports(text).some(({ specifier }) => isSuite(basename(specifier))),
  );
  // A large suite lies in several files: those that another one imports bring tests into it and have no title.
  const importedNames = new Set(
    suiteFiles.flatMap((path) => scanImports(planted.get(path) ?? "").map(({ specifier }) => basename(specifier))),
  );
  const suites = suiteFiles.flatMap((path) => {
    const title = /describe\(`([\w ]+): \$\{name\}`/.exec(planted.get(path) ?? "")?.[1];
    if (title === undefined && importedNames.has(basename(path))) return [];
    if (title === undefined) throw new LatheError("NOT_FOUND", `${path} has no describe(\`<port>: \${name}\`)`);
    return title;
  });
  return { tests: tests.map(([path]) => path), suites };
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

function runTests(
  directory: string,
  { tests, suites }: Suites,
  signal: AbortSignal | undefined,
): Promise<TestRun> {
  const environment = { ...process.env };
  // Otherwise a runner that is itself run by a test runner reports to that one.
  delete environment.NODE_TEST_CONTEXT;
  const child = spawnGuarded(
    process.execPath,
    [
      "--disable-warning=ExperimentalWarning", "--test", "--test-reporter=tap", "--test-concurrency=2",
      `--test-name-pattern=/^(${suites.join("|")}): /`, ...tests,
    ],
    // A process group of its own: the runner and its tests end together, on request or with us.
    { cwd: directory, env: environment, stdio: ["ignore", "pipe", "pipe"], detached: true, group: true },
  );
  const group = child.pid === undefined ? undefined : -child.pid;
  const stop = () => {
    try {
      if (group !== undefined) process.kill(group, "SIGKILL");
    } catch {
      // It has just ended by itself.
    }
  };
  signal?.addEventListener("abort", stop);
  let output = "";
  const collect = (bytes: Buffer) => (output = (output + bytes.toString()).slice(-400_000));
  child.stdout?.on("data", collect);
  child.stderr?.on("data", collect);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (exitCode) => {
      signal?.removeEventListener("abort", stop);
      if (group !== undefined) releaseProcess(group);
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

/** `lathe check --patch` on real products: a good patch is admitted, bad ones are rejected by name, others refused. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { checkProduct, type CheckResult } from "../../src/app/check.ts";
import { sourceRoot } from "../../src/foundry/part-descriptor.ts";
import { loadMutants, mutatedFiles } from "../../src/gates/mutant.ts";
import { withTemporaryDirectory } from "./product-harness.ts";

const contractFile = join(import.meta.dirname, "..", "..", "examples", "taobench-o", "contract.yaml");
const skip = spawnSync("strace", ["-V"]).status === 0 ? false : "strace is not installed";

/** A mutant as a stranger would send it. */
function patchOf(name: string, directory: string): string {
  const mutant = loadMutants().find((one) => one.name === name);
  assert.ok(mutant !== undefined);
  const patch = [...mutatedFiles(sourceRoot, mutant)].map(([path, text]) => {
    const changed = join(directory, "changed.ts");
    writeFileSync(changed, text);
    const labels = ["--label", `a/${path}`, "--label", `b/${path}`];
    return spawnSync("diff", ["-u", ...labels, join(sourceRoot, path), changed], { encoding: "utf8" }).stdout;
  });
  const file = join(directory, `${name}.diff`);
  writeFileSync(file, patch.join(""));
  return file;
}

function check(patchFile: string, workDirectory: string, effort = 1): Promise<CheckResult> {
  const context = { signal: new AbortController().signal, progress: () => {}, status: () => {} };
  const request = { contractFile, mutants: false, names: [], patchFile, seed: 1, effort, workDirectory };
  return checkProduct(request, context);
}

test("a good patch passes every gate, after those for patches", { skip }, () =>
  withTemporaryDirectory(async (directory) => {
    const { verdict, gates, patch } = await check(patchOf("benign-fsync-twice", directory), directory, 0.1);
    assert.equal(verdict, "admit", JSON.stringify(gates));
    assert.deepEqual(gates.slice(0, 2).map(({ gate }) => gate), ["source-law", "containment"]);
    assert.deepEqual(patch?.files, [{ path: "parts/core/wal/wal.ts", kind: "modify" }]);
  }),
);

test("bad ones are rejected by the gate that sees it, and no later one runs", { skip }, () =>
  withTemporaryDirectory(async (directory) => {
    const planted = await check(patchOf("skip-fsync", directory), directory);
    assert.equal(planted.verdict, "reject");
    assert.equal(planted.gates.at(-1)?.gate, "flush-audit", JSON.stringify(planted.gates));
    const made = (path: string, line: string) => `--- /dev/null\n+++ b/${path}\n@@ -0,0 +1 @@\n+${line}\n`;
    const exits = join(directory, "exits.diff");
    writeFileSync(exits, made("parts/core/wal/early-exit.ts", "process.exit(0);"));
    const { verdict, gates } = await check(exits, directory);
    assert.equal(verdict, "reject");
    assert.deepEqual(gates.map(({ gate }) => gate), ["source-law"]);
    mkdirSync(join(directory, "outside"));
    const outside = join(directory, "outside.diff");
    writeFileSync(outside, made("../outside/x.ts", "export {};") + made("test/y.ts", "export {};"));
    const refused = { code: "INVALID_ARGUMENT", message: /leaves the product[^]*a test/ };
    await assert.rejects(check(outside, directory), refused);
  }),
);

/**
 * The whole list of gates on a product over real processes, and a few mutants that they must reject. CI runs
 * all mutants in a step of its own; they take minutes.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { checkProduct } from "../../src/app/check.ts";
import { productGates } from "../../src/gates/gate-table.ts";
import { withTemporaryDirectory } from "./product-harness.ts";

const examples = join(import.meta.dirname, "..", "..", "examples");
const contractFile = join(examples, "taobench-o", "contract.yaml");
const httpContractFile = join(examples, "sndv-kv", "contract.yaml");

test("a product is admitted by every gate; mutants are rejected by the gates that should", async () => {
  await withTemporaryDirectory(async (workDirectory) => {
    const seed = Number(process.env.LATHE_TEST_SEED ?? 1);
    const context = { signal: new AbortController().signal, progress: () => {}, status: () => {} };
    const request = { contractFile, patchFile: undefined, seed, effort: 1, workDirectory };
    // The main job runs them in full; here it is that all of them run and admit.
    const result = await checkProduct({ ...request, effort: 0.1, mutants: false, names: [] }, context);
    const text = `seed ${seed}: ${JSON.stringify(result, undefined, 1)}`;
    assert.deepEqual(result.gates.map(({ gate }) => gate), productGates().map(({ name }) => name));
    assert.deepEqual(new Set(result.gates.map(({ verdict }) => verdict)), new Set(["admit"]), text);
    const names = ["skip-fsync", "split-batch", "stale-cache"];
    const recordFile = join(workDirectory, "mutants");
    const { mutants } = await checkProduct({ ...request, mutants: true, names, recordFile }, context);
    const right = names.map((name) => [name, true]);
    assert.deepEqual(mutants.map((mutant) => [mutant.name, mutant.right]), right, JSON.stringify({ seed, mutants }));
    // What is recorded and still holds is not run again.
    const again = await checkProduct({ ...request, mutants: true, names, recordFile }, context);
    assert.deepEqual(again.mutants, mutants);
    const table = readFileSync(`${recordFile}.md`, "utf8");
    assert.match(table, /Planted faults rejected: \*\*3 of 3\*\*/);
  });
});

test("faults of an HTTP product are found by the gates over HTTP; those of other products are left out by name", async () => {
  await withTemporaryDirectory(async (workDirectory) => {
    const seed = Number(process.env.LATHE_TEST_SEED ?? 1);
    const context = { signal: new AbortController().signal, progress: () => {}, status: () => {} };
    // Two of those that take seconds, drawn by the seed; all of them are in the recorded table.
    const quick = ["http-batch-in-halves", "http-condition-judged-early", "http-cursor-skips-a-key",
      "http-deleted-keys-stay-cached", "http-import-not-awaited", "http-answered-before-flush"];
    const [first, second] = [seed % quick.length, (seed >>> 4) % (quick.length - 1)];
    const names = [...quick.splice(first, 1), ...quick.splice(second, 1), "canned-answers"].sort();
    const { mutants, skipped } = await checkProduct({
      contractFile: httpContractFile, patchFile: undefined, seed, effort: 1, workDirectory, mutants: true, names,
    }, context);
    const found = mutants.map(({ name, right }) => [name, right]);
    const wanted = names.filter((name) => name !== "canned-answers").map((name) => [name, true]);
    assert.deepEqual(found, wanted, JSON.stringify({ seed, mutants }));
    assert.deepEqual(skipped.map(({ name }) => name), ["canned-answers"]);
  });
});

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

const contractFile = join(import.meta.dirname, "..", "..", "examples", "taobench-o", "contract.yaml");

test("a product is admitted by every gate; mutants are rejected by the gates that should", async () => {
  await withTemporaryDirectory(async (workDirectory) => {
    const seed = Math.floor(Math.random() * 2 ** 32);
    const context = { signal: new AbortController().signal, progress: () => {}, status: () => {} };
    const request = { contractFile, patchFile: undefined, seed, effort: 1, workDirectory };
    const result = await checkProduct({ ...request, mutants: false, names: [] }, context);
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

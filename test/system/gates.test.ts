/**
 * The whole list of gates on a product over real processes, and a few mutants that they must reject. CI runs
 * all mutants in a step of its own; they take minutes.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { checkProduct } from "../../src/app/check.ts";
import { productGates } from "../../src/gates/gate-table.ts";
import { withTemporaryDirectory } from "./product-harness.ts";

const contractFile = join(import.meta.dirname, "..", "..", "examples", "taobench-o", "contract.yaml");

test("a product is admitted by every gate; mutants are rejected by the gates that should", async () => {
  await withTemporaryDirectory(async (workDirectory) => {
    const seed = Math.floor(Math.random() * 2 ** 32);
    const result = await checkProduct(
      {
        contractFile,
        mutants: true,
        names: ["skip-fsync", "split-batch", "stale-cache"],
        patchFile: undefined,
        seed,
        effort: 1,
        workDirectory,
      },
      { signal: new AbortController().signal, progress: () => {}, status: () => {} },
    );
    const text = `seed ${seed}: ${JSON.stringify(result, undefined, 1)}`;
    assert.deepEqual(result.gates.map(({ gate }) => gate), productGates().map(({ name }) => name));
    assert.deepEqual(new Set(result.gates.map(({ verdict }) => verdict)), new Set(["admit"]), text);
    assert.deepEqual(result.mutants.map(({ name, right }) => [name, right]), [
      ["skip-fsync", true], ["split-batch", true], ["stale-cache", true],
    ], text);
  });
});

/**
 * A product waited for a timer before it had a socket, and no timer of Env keeps a process alive: it ended
 * with Node's exit code 13 before it listened.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { buildFromContract } from "../../src/app/build.ts";
import { startProduct, withTemporaryDirectory } from "../system/product-harness.ts";

const contractFile = join(import.meta.dirname, "..", "..", "examples", "taobench-o", "contract.yaml");

test("a product whose first commit waits for its group starts", async () => {
  await withTemporaryDirectory(async (directory) => {
    const product = join(directory, "product");
    buildFromContract({ contractFile, directory: product, knobs: { "wal.group_delay_us": 5000 } });
    const started = await startProduct(product, ["--data", join(directory, "data")]);
    assert.equal((await started.end("SIGTERM")).exitCode, 0);
  });
});

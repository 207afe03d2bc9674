/** A short soak on real files and threads, and what opening and closing leaves behind. The long one is soak.ts. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { createNodeEnv } from "../../src/kit/env/node-env.ts";
import { growthByCursors, growthByStores } from "./leaks.ts";
import { OwnedKeys } from "./owned-keys.ts";
import { bytesOf, valueOf, versionIn } from "./self-verifying.ts";
import { SoakRun } from "./soak-run.ts";

const root = mkdtempSync(join(tmpdir(), "lathe-soak-"));
const env = createNodeEnv({ logLevel: "error", threads: 4 });
const seed = Number(process.env.LATHE_TEST_SEED ?? 1);

after(async () => {
  await env.threads.close();
  rmSync(root, { recursive: true, force: true });
});

test(`everything at once, closed in the middle and opened again (seed ${seed})`, async () => {
  const directory = join(root, "run");
  const run = new SoakRun(env, { directory, seed, writers: 24, keysPerWriter: 60, rounds: 3, roundMs: 900 });
  const counts = await run.run().catch((error: Error) => {
    throw new Error(`LATHE_TEST_SEED=${seed}: ${error.message}`, { cause: error });
  });
  assert.ok(counts.acknowledged > 100 && counts.scanned > 1000 && counts.reopenings === 3, JSON.stringify(counts));
});

test("cursors and stores leave no file descriptors, files or memory behind", async () => {
  const cursors = await growthByCursors(env, join(root, "cursors"), 8000);
  assert.equal(cursors.descriptors, 0);
  const stores = await growthByStores(env, join(root, "stores"), 25);
  assert.ok(stores.descriptors <= 0, `${stores.descriptors} file descriptors`);
  assert.ok(stores.files <= 5, `${stores.files} files in the store`);
  for (const { bytes } of [cursors, stores]) assert.ok(bytes < 48 << 20, `${bytes} bytes`);
});

test("the soak's judges: a value of another key, one cut off, a stale one, half a batch", () => {
  const value = valueOf("a-0000", 3, 20);
  assert.equal(versionIn("a-0000", value), 3);
  assert.throws(() => versionIn("a-0001", value), /of the key/);
  assert.throws(() => versionIn("a-0000", value.subarray(0, value.length - 1)), /whole/);
  const owner = new OwnedKeys("a", 2);
  owner.begin(new Map([["a-0000", 3], ["a-0001", 4]]));
  assert.throws(() => owner.decide((key) => (key === "a-0000" ? value : undefined)), /half there/);
  const settled = new OwnedKeys("a", 2);
  settled.begin(new Map([["a-0000", 4]]));
  settled.settle();
  assert.throws(() => settled.check("a-0000", value), /reads version 3, due is 4/);
  assert.throws(() => settled.check("a-0000", bytesOf("")), /whole/);
});

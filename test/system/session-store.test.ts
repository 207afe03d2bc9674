/** Sessions expire, asked over HTTP, by a clock that the test sets; they stay gone over a restart. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { buildFromContract } from "../../src/app/build.ts";
import { createNodeEnv } from "../../src/kit/env/node-env.ts";
import type { OpenProduct, Product } from "../../src/kit/product.ts";
import { withSettableClock } from "../../src/parts/storage/settable-clock.fixture.ts";

const contractFile = join(import.meta.dirname, "..", "..", "examples", "session-store", "contract.yaml");

test("a session is there until its time and gone from then on", async () => {
  const root = mkdtempSync(join(tmpdir(), "lathe-session-store-"));
  const real = createNodeEnv({ logStream: { write: () => true } });
  const { env, clock } = withSettableClock(real);
  // What is open when an assertion fails is closed all the same: a server left open would keep the process alive.
  const opened: Product[] = [];
  try {
    const directory = join(root, "product");
    buildFromContract({ contractFile, directory });
    const { open } = (await import(pathToFileURL(join(directory, "product.ts")).href)) as { open: OpenProduct };
    const serve = async () => {
      const product = await open(env, {}, { dataDirectory: join(root, "data") });
      opened.push(product);
      const access = { tokenSecret: env.random.bytes(32), tokenRequired: false };
      const { httpPort } = await product.serve({ host: "127.0.0.1", httpPort: 0, user: "u", password: "p", access });
      const status = async (path: string, init?: RequestInit) => {
        const response = await fetch(`http://127.0.0.1:${httpPort}${path}`, init);
        await response.arrayBuffer();
        return response.status;
      };
      return { product, status };
    };
    let { product, status } = await serve();
    assert.equal(await status("/kv/short?ttl=60", { method: "PUT", body: "a" }), 204);
    assert.equal(await status("/kv/long?ttl=600", { method: "PUT", body: "b" }), 204);
    assert.equal(await status("/kv/ever", { method: "PUT", body: "c" }), 204);
    const all = async () => [await status("/kv/short"), await status("/kv/long"), await status("/kv/ever")];
    clock.nowMs += 59_999;
    assert.deepEqual(await all(), [200, 200, 200]);
    clock.nowMs += 1;
    assert.deepEqual(await all(), [404, 200, 200]);
    await product.rewrite();
    await product.close();
    ({ product, status } = await serve());
    assert.deepEqual(await all(), [404, 200, 200]);
    clock.nowMs += 600_000;
    assert.deepEqual(await all(), [404, 404, 200]);
    await product.close();
  } finally {
    for (const product of opened) await product.close();
    await real.threads.close();
    rmSync(root, { recursive: true });
  }
});

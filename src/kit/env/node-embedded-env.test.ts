import assert from "node:assert/strict";
import { test } from "node:test";
import { createEmbeddedEnv } from "./node-embedded-env.ts";

test("a library's environment has clock, disk and threads, and refuses the network by the name of the leaf", async () => {
  const env = createEmbeddedEnv({ logStream: { write: () => true } });
  assert.ok(env.clock.nowMs() > 0);
  assert.ok(env.disk.exists(import.meta.filename));
  const refused = { code: "NOT_SELECTED", message: /architecture\/networking/ };
  await assert.rejects(env.network.connect({ host: "127.0.0.1", port: 1 }), refused);
  await assert.rejects(env.network.listen({ host: "127.0.0.1", port: 0 }, () => undefined), refused);
  await env.threads.close();
});

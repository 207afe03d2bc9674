/** Writes `test/product.test.ts`: the product opens, serves, keeps its directory to itself, and refuses wrong knobs. */
import type { Contract } from "../contract/contract.ts";

export function productTestModule(contract: Contract): string {
  return `/** ${contract.name} as a whole, with Node alone: \`npm test\`. The suites of its parts are in \`conformance/\`. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createNodeEnv } from "../kit/env/node-env.ts";
import { defaultsOf } from "../kit/knob-table.ts";
import { renderPrometheus } from "../kit/prometheus.ts";
import { knobTable } from "../knobs.ts";
import { open } from "../product.ts";

const silent = { write: () => true };

async function withDirectory(use: (dataDirectory: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "${contract.name}-"));
  try {
    await use(join(directory, "data"));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** The first bytes that a server sends. */
function greeting(port: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("data", (bytes) => {
      socket.destroy();
      resolve(bytes);
    });
    socket.once("error", reject);
  });
}

test("it opens, serves, drains, and opens again", async () => {
  await withDirectory(async (dataDirectory) => {
    for (let turn = 0; turn < 2; turn++) {
      const env = createNodeEnv({ logStream: silent });
      const product = await open(env, {}, { dataDirectory });
      const bound = await product.serve({ host: "127.0.0.1", mysqlPort: 0, metricsPort: 0, user: "u", password: "p" });
      assert.equal((await greeting(bound.mysqlPort))[4], 10, "protocol version of the greeting");
      const response = await fetch(\`http://127.0.0.1:\${bound.metricsPort}/metrics\`);
      assert.equal(response.status, 200);
      assert.ok((await response.text()).includes("# TYPE "));
      assert.ok(renderPrometheus(product.metrics()).length > 0);
      await product.rewrite();
      await product.settle();
      await product.drain(1000);
      await product.close();
      await env.threads.close();
    }
  });
});

test("a second one on the same directory is refused", async () => {
  await withDirectory(async (dataDirectory) => {
    const env = createNodeEnv({ logStream: silent });
    const product = await open(env, {}, { dataDirectory });
    await assert.rejects(open(env, {}, { dataDirectory }), { code: "LOCKED" });
    await product.close();
    await env.threads.close();
  });
});

test("wrong knobs are refused before anything is opened", async () => {
  await withDirectory(async (dataDirectory) => {
    const env = createNodeEnv({ logStream: silent });
    await assert.rejects(open(env, { "no.such_knob": 1 }, { dataDirectory }), { code: "INVALID_ARGUMENT" });
    const [first] = knobTable;
    await assert.rejects(open(env, { [first.name]: "?" }, { dataDirectory }), { code: "INVALID_ARGUMENT" });
    assert.equal(env.disk.exists(dataDirectory), false);
    assert.ok(Object.keys(defaultsOf(knobTable)).length > 0);
    await env.threads.close();
  });
});
`;
}

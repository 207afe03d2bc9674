import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { test } from "node:test";
import fc from "fast-check";
import { createNodeEnv } from "../../../../kit/env/node-env.ts";
import type { Metric } from "../../../../kit/metric.ts";
import { headBytesMax, RequestHeadReader } from "./http-request-head.ts";
import { openMetricsEndpoint } from "./metrics-endpoint.ts";

const metric: Metric = { kind: "counter", name: "reads_total", help: "Reads", value: 3 };

async function withEndpoint(
  options: Partial<Parameters<typeof openMetricsEndpoint>[1]>,
  use: (port: number) => Promise<void>,
): Promise<void> {
  const env = createNodeEnv({ logStream: { write: () => true } });
  const endpoint = openMetricsEndpoint(env, { metrics: () => [metric], ...options });
  const { port } = await endpoint.listen({ host: "127.0.0.1", port: 0 });
  try {
    await use(port);
  } finally {
    await endpoint.close();
    await env.threads.close();
  }
}

/** Everything that the endpoint answers to these bytes, until it closes. */
function exchange(port: number, request: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(request));
    let text = "";
    socket.on("data", (bytes) => (text += bytes.toString()));
    socket.on("error", () => undefined);
    socket.on("close", () => resolve(text));
  });
}

test("GET and HEAD of /metrics", async () => {
  await withEndpoint({}, async (port) => {
    const response = await fetch(`http://127.0.0.1:${port}/metrics?x=1`);
    assert.equal(response.status, 200);
    assert.match(response.headers.get("content-type") ?? "", /^text\/plain; version=0.0.4/);
    assert.match(await response.text(), /^reads_total 3$/m);
    assert.equal(await (await fetch(`http://127.0.0.1:${port}/health`)).text(), "ok\n");
    const head = await exchange(port, "HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
    assert.match(head, /^HTTP\/1.1 200 OK\r\n/);
    assert.ok(head.endsWith("\r\n\r\n"));
  });
});

test("anything else is refused, and the connection closes", async () => {
  await withEndpoint({}, async (port) => {
    for (const [request, status] of [
      ["GET / HTTP/1.1\r\n\r\n", 404],
      ["POST /metrics HTTP/1.1\r\n\r\n", 405],
      ["hello\r\n\r\n", 400],
      [`GET /metrics HTTP/1.1\r\nX: ${"y".repeat(headBytesMax)}`, 431],
    ] as const) {
      assert.match(await exchange(port, request), new RegExp(`^HTTP/1.1 ${status} `));
    }
  });
});

test("a request that does not come to its end is given up", async () => {
  await withEndpoint({ requestTimeoutMs: 100 }, async (port) => assert.equal(await exchange(port, "GET /metr"), ""));
});

test("a metric source that throws is a 500, not a crash", async () => {
  const metrics = () => {
    throw new Error("broken");
  };
  await withEndpoint({ metrics }, async (port) => {
    assert.equal((await fetch(`http://127.0.0.1:${port}/metrics`)).status, 500);
  });
});

test("connections over the limit are closed", async () => {
  await withEndpoint({ connectionsMax: 1, requestTimeoutMs: 600_000 }, async (port) => {
    // Whoever connects first is taken first.
    const first = connect(port, "127.0.0.1");
    await once(first, "connect");
    assert.equal(await exchange(port, "GET /metrics HTTP/1.1\r\n\r\n"), "");
    first.destroy();
  });
});

test("a head may arrive in any pieces, and no bytes hold more than a head", () => {
  const request = Buffer.from("GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n");
  fc.assert(fc.property(fc.array(fc.nat(request.length), { maxLength: 6 }), (cuts) => {
    const reader = new RequestHeadReader();
    const points = [0, ...cuts.sort((one, other) => one - other), request.length];
    let verdict = reader.take(new Uint8Array());
    for (let at = 1; at < points.length; at++) verdict = reader.take(request.subarray(points[at - 1], points[at]));
    assert.deepEqual(verdict, { kind: "request", method: "GET", path: "/metrics" });
  }));
  fc.assert(fc.property(fc.array(fc.uint8Array({ maxLength: 5000 }), { maxLength: 6 }), (chunks) => {
    const reader = new RequestHeadReader();
    for (const chunk of chunks) assert.ok(["incomplete", "bad", "request"].includes(reader.take(chunk).kind));
  }));
});

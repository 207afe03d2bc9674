/** The session's verification on servers that lie: every planted fault is found, the honest one is not accused. */
import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { createWorkload } from "../../workload/create-workload.ts";
import { DriverTarget } from "../driver-target.ts";
import { loadWorkload } from "../load.ts";

type Fault = "none" | "stale" | "missing" | "invented" | "another key" | "scan skips" | "scan ends early" | "refuses";

const keys = 200;

function toyServer(fault: Fault): Server {
  const items = new Map<string, string>();
  let turn = 0;
  const isDue = (one: Fault) => fault === one && ++turn % 40 === 0;
  return createServer((request, response) => {
    let text = "";
    request.on("data", (bytes: Buffer) => (text += bytes.toString()));
    request.on("end", () => {
      const { pathname, searchParams } = new URL(request.url ?? "/", "http://a");
      const answer = (status: number, body = "") => {
        response.writeHead(status, { "Content-Length": String(body.length) }).end(body);
      };
      if (pathname === "/put" || pathname === "/batch") {
        if (isDue("refuses")) return answer(503, "too much");
        const { items: many, ...one } = JSON.parse(text) as { items?: { key: string; value: string }[] };
        const changes = many ?? [one as { key: string; value: string }];
        // A write of one item is sometimes forgotten: whoever reads it next finds what was there before.
        const isForgotten = pathname === "/put" && isDue("stale");
        if (!isForgotten) for (const { key, value } of changes) items.set(key, value);
        return answer(201);
      }
      if (pathname === "/get") {
        const key = searchParams.get("key") ?? "";
        if (isDue("missing")) return answer(404);
        if (isDue("another key")) return answer(200, JSON.stringify({ key: "key0000001x", val: items.get(key) }));
        const val = isDue("invented") ? "a".repeat(items.get(key)?.length ?? 0) : items.get(key);
        return answer(200, JSON.stringify({ key, val }));
      }
      const limit = Number(searchParams.get("limit"));
      const from = searchParams.get("from") ?? "";
      const page = [...items.keys()].filter((key) => key >= from).sort().slice(0, limit);
      if (isDue("scan skips")) page.splice(page.length >> 1, 1);
      if (isDue("scan ends early")) page.pop();
      answer(200, JSON.stringify({ items: page.map((key) => ({ key, val: items.get(key) })), cursor: null }));
    });
  });
}

async function drive(fault: Fault, profile: string) {
  const server = toyServer(fault);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const endpoint = { host: "127.0.0.1", port, user: "", password: "" };
  const workload = createWorkload({ benchmark: "key_value", profile, scale: keys, clients: 4, loop: "closed" });
  try {
    assert.equal((await loadWorkload(workload, endpoint, 2)).rows, keys);
    const target = await DriverTarget.connect(workload, { endpoint, connections: 4, seed: 3, verify: true });
    const closed = await target.run({ operations: 600 });
    const open = await target.run({ durationMs: 40, operationsPerSecond: 1000, schedule: "fixed" });
    target.close();
    assert.ok(open.operations + open.errors > 20, "an open loop ran");
    return closed;
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

test("an honest server is not accused, whatever the mix", async () => {
  for (const profile of ["sndv", "a", "b", "c", "e"]) {
    const { operations, errors, verificationFailures, complaints } = await drive("none", profile);
    assert.deepEqual([operations, errors, verificationFailures, complaints], [600, 0, 0, []], profile);
  }
});

test("wrong answers are found, each in its own words", async () => {
  const faults: readonly (readonly [Fault, string, RegExp])[] = [
    ["stale", "a", /stale/],
    ["missing", "c", /missing although it was loaded/],
    ["invented", "c", /never written/],
    ["another key", "c", /another form/],
    ["scan skips", "e", /where key\d+ must come|keys instead of/],
    ["scan ends early", "e", /keys instead of/],
  ];
  for (const [fault, profile, words] of faults) {
    const { verificationFailures, complaints } = await drive(fault, profile);
    assert.ok(verificationFailures > 0, fault);
    assert.match(complaints.join("\n"), words);
  }
});

test("a refusal is an error of its operation, and the connection goes on", async () => {
  const { operations, errors, verificationFailures, connectionsLost, complaints } = await drive("refuses", "a");
  assert.ok(errors > 0 && operations > 500, `${errors} of ${operations}`);
  assert.deepEqual([verificationFailures, connectionsLost], [0, 0]);
  assert.match(complaints[0], /status 503: too much/);
});

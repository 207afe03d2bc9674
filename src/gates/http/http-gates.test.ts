/** The oracles of the HTTP gates on servers that lie: every planted fault is found, the honest one is not accused. */
import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { valueOf } from "../kill-gate.ts";
import { KeyValueScript } from "./http-differential-gate.ts";
import { judgePairValues } from "./http-kill-gate.ts";
import { HttpGateConnection } from "./http-subject.ts";

type Fault = "none" | "forgets" | "half a batch" | "stale" | "unescaped" | "order" | "condition" | "etag" | "undeleted";

/** A server of the API over a map, with one fault. */
function toyServer(fault: Fault): Server {
  const items = new Map<string, { val: string; etag: string }>();
  let version = 1;
  let turn = 0;
  const store = (batch: readonly { key: string; value: string }[]) => {
    const etag = `"${++version}"`;
    if (fault === "forgets" && ++turn % 40 === 0) return etag;
    const kept = fault === "half a batch" && batch.length > 20 ? batch.slice(1) : batch;
    for (const { key, value } of kept) items.set(key, { val: value, etag: fault === "etag" && batch.length > 1 ? '"0"' : etag });
    return etag;
  };
  return createServer((request, response) => {
    let text = "";
    request.on("data", (bytes: Buffer) => (text += bytes.toString("latin1")));
    request.on("end", () => {
      const url = new URL(request.url ?? "/", "http://a");
      const key = url.searchParams.get("key") ?? "";
      const body = text === "" ? {} : JSON.parse(Buffer.from(text, "latin1").toString());
      const answer = (status: number, value = "", headers: Record<string, string> = {}) => {
        response.writeHead(status, { ...headers, "Content-Length": String(Buffer.byteLength(value)) }).end(value);
      };
      if (url.pathname === "/get") {
        const found = items.get(key);
        if (found === undefined) return answer(404);
        const json = fault === "unescaped" ? `{"key":"${key}","val":"${found.val}"}` : JSON.stringify({ key, val: found.val });
        return answer(200, fault === "stale" && ++turn % 30 === 0 ? JSON.stringify({ key, val: "old" }) : json);
      }
      if (url.pathname === "/delete") {
        if (fault !== "undeleted" || ++turn % 10 !== 0) items.delete(key);
        return answer(200);
      }
      if (url.pathname === "/scan") {
        const prefix = url.searchParams.get("prefix") ?? "";
        const keys = [...items.keys()].filter((one) => one.startsWith(prefix));
        if (fault === "order") keys.sort();
        else keys.sort((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)));
        return answer(200, JSON.stringify({ items: keys.map((one) => ({ key: one, ...items.get(one) })), cursor: null }));
      }
      if (url.pathname === "/batch") return answer(201, "", { ETag: store(body.items) });
      const there = items.get(body.key);
      const { "if-match": match, "if-none-match": none } = request.headers;
      const refused = (match !== undefined && there?.etag !== match) || (none !== undefined && there !== undefined);
      if (refused && fault !== "condition") return answer(412);
      return answer(201, "", { ETag: store([body]) });
    });
  });
}

async function judge(fault: Fault, requests: number): Promise<string | undefined> {
  const server = toyServer(fault);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const connection = await HttpGateConnection.open({ endpoint: { host: "127.0.0.1", port, user: "", password: "" } });
  try {
    const script = new KeyValueScript(7);
    for (let request = 0; request < requests; request++) {
      const difference = await script.step(connection).catch((error: Error) => error.message);
      if (difference !== undefined) return difference;
    }
    return await script.compareAll(connection);
  } finally {
    connection.close();
    server.close();
    server.closeAllConnections();
  }
}

test("the differential gate finds every planted fault, and accuses nobody else", async () => {
  assert.equal(await judge("none", 1200), undefined);
  const faults: readonly Fault[] = [
    "forgets", "half a batch", "stale", "unescaped", "order", "condition", "etag", "undeleted",
  ];
  for (const fault of faults) assert.notEqual(await judge(fault, 1200), undefined, fault);
});

test("the kill gate tells lost, half written and invented values", () => {
  const state = { acknowledged: 5n, pending: new Set([6n]) };
  const at = (version: bigint) => [0, 1].map((side) => `${version} ${valueOf(3 * 2 + side, version)}`);
  assert.equal(judgePairValues(3, state, at(5n)), undefined);
  assert.equal(judgePairValues(3, state, at(6n)), undefined);
  assert.match(judgePairValues(3, state, at(4n)) ?? "", /has version 4, but 5 was answered/);
  assert.match(judgePairValues(3, state, [undefined, undefined]) ?? "", /has version 0/);
  assert.match(judgePairValues(3, state, [at(6n)[0], at(5n)[1]]) ?? "", /half written/);
  assert.match(judgePairValues(3, state, [at(5n)[0], "5 x"]) ?? "", /never written/);
});

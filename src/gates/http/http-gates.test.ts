/** The oracles of the HTTP gates on servers that lie: every planted fault is found, the honest one is not accused. */
import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { valueOf } from "../kill-gate.ts";
import { KeyValueScript } from "./key-value-script.ts";
import { judgePairValues } from "./http-kill-gate.ts";
import { HttpLoad } from "./http-load-gate.ts";
import { HttpGateConnection } from "./http-subject.ts";

type Fault =
  | "none" | "forgets" | "half a batch" | "stale" | "unescaped" | "order" | "condition" | "etag" | "undeleted"
  | "never expires" | "expires early" | "import forgets" | "many skips" | "raw is old";

interface Item {
  readonly val: string;
  readonly etag: string;
  readonly expires_ms?: number | undefined;
}

type Change = { readonly key: string; readonly value: string; readonly ttl?: number };

/** The store of a server with one fault. */
class ToyStore {
  readonly items = new Map<string, Item>();
  readonly #fault: Fault;
  #version = 1;
  #turn = 0;

  constructor(fault: Fault) {
    this.#fault = fault;
  }

  isDue(fault: Fault, every: number): boolean {
    return this.#fault === fault && ++this.#turn % every === 0;
  }

  is(fault: Fault): boolean {
    return this.#fault === fault;
  }

  store(batch: readonly Change[]): string {
    const etag = `"${++this.#version}"`;
    if (this.isDue("forgets", 40)) return etag;
    const kept = this.is("half a batch") && batch.length > 20 ? batch.slice(1) : batch;
    for (const { key, value, ttl = 0 } of kept) {
      const early = this.is("expires early") && ttl === 600 ? 1 : ttl;
      const expires_ms = ttl === 0 ? undefined : Date.now() + early * 1000;
      this.items.set(key, { val: value, etag: this.is("etag") && batch.length > 1 ? '"0"' : etag, expires_ms });
    }
    return etag;
  }

  at(key: string): Item | undefined {
    const item = this.items.get(key);
    if (item?.expires_ms === undefined || this.is("never expires") || item.expires_ms > Date.now()) return item;
    return undefined;
  }

  /** In the order of bytes, with those before `prefix` left out. */
  list(prefix: string): [string, Item][] {
    const keys = [...this.items.keys()].filter((one) => one.startsWith(prefix) && this.at(one) !== undefined);
    if (this.is("order")) keys.sort();
    else keys.sort((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)));
    return keys.map((key) => [key, this.items.get(key) as Item]);
  }
}

/** A server of the API over a map, with one fault. */
function toyServer(fault: Fault): Server {
  const store = new ToyStore(fault);
  return createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on("data", (bytes: Buffer) => pieces.push(bytes));
    request.on("end", () => {
      const text = Buffer.concat(pieces).toString();
      const answer = (status: number, value = "", headers: Record<string, string> = {}) => {
        const length = status === 304 ? {} : { "Content-Length": String(Buffer.byteLength(value)) };
        response.writeHead(status, { ...headers, ...length }).end(value);
      };
      const url = new URL(request.url ?? "/", "http://a");
      if (url.pathname.startsWith("/kv/")) return answerBytes(store, request, url, text, answer);
      answerJson(store, request, url, text, answer);
    });
  });
}

type Answer = (status: number, value?: string, headers?: Record<string, string>) => void;

function answerBytes(store: ToyStore, request: IncomingMessage, url: URL, text: string, answer: Answer): void {
  const key = decodeURIComponent(url.pathname.slice(4));
  if (request.method === "DELETE") {
    store.items.delete(key);
    return answer(204);
  }
  if (request.method === "PUT") {
    const etag = store.store([{ key, value: text, ttl: Number(url.searchParams.get("ttl") ?? 0) }]);
    return answer(204, "", { ETag: etag });
  }
  const item = store.at(key);
  if (item === undefined) return answer(404);
  const headers: Record<string, string> = { ETag: item.etag };
  if (item.expires_ms !== undefined) headers["Lathe-Expires-Ms"] = String(item.expires_ms);
  if (request.headers["if-none-match"] === item.etag) return answer(304, "", headers);
  answer(200, store.isDue("raw is old", 30) ? "old" : item.val, headers);
}

function answerJson(store: ToyStore, request: IncomingMessage, url: URL, text: string, answer: Answer): void {
  const key = url.searchParams.get("key") ?? "";
  const { pathname } = url;
  if (pathname === "/import") {
    const lines = text.trimEnd().split("\n").map((line) => JSON.parse(line) as Change);
    store.store(store.is("import forgets") ? lines.slice(1) : lines);
    return answer(200, `{"imported":${lines.length}}`);
  }
  const body = text === "" ? {} : JSON.parse(text);
  if (pathname === "/get") {
    const found = store.at(key);
    if (found === undefined) return answer(404);
    const json = store.is("unescaped")
      ? `{"key":"${key}","val":"${found.val}"}`
      : JSON.stringify({ key, val: found.val });
    return answer(200, store.isDue("stale", 30) ? JSON.stringify({ key, val: "old" }) : json);
  }
  if (pathname === "/delete" || pathname === "/batch/delete") {
    const keys: string[] = body.keys ?? [key];
    if (!store.isDue("undeleted", 10)) for (const one of keys) store.items.delete(one);
    return answer(200);
  }
  if (pathname === "/scan" || pathname === "/batch/get") {
    const found: [string, Item | undefined][] = body.keys === undefined
      ? store.list(url.searchParams.get("prefix") ?? "")
      : (body.keys as string[]).map((one) => [one, store.at(one)]);
    const there = found.filter(([, item]) => item !== undefined);
    if (body.keys !== undefined && store.is("many skips") && there.length > 3) there.pop();
    const items = there.map(([one, item]) => ({ key: one, ...item }));
    return answer(200, JSON.stringify({ items, cursor: null }));
  }
  if (pathname === "/batch") return answer(201, "", { ETag: store.store(body.items) });
  const there = store.at(body.key);
  const { "if-match": match, "if-none-match": none } = request.headers;
  const refused = (match !== undefined && there?.etag !== match) || (none !== undefined && there !== undefined);
  if (refused && !store.is("condition")) return answer(412);
  answer(201, "", { ETag: store.store([body]) });
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
    await sleep(Math.max(0, script.shortestExpiryMs - Date.now()));
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
    "forgets", "half a batch", "stale", "unescaped", "order", "condition", "etag", "undeleted", "never expires",
    "expires early", "import forgets", "many skips", "raw is old",
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

test("the load gate tells missing, changed, invented and repeated keys", () => {
  const load = new HttpLoad("x");
  for (const key of ["a", "b", "c"]) load.acknowledged.set(key, `value of ${key}`);
  const all = [...load.acknowledged].map(([key, value]) => ({ key, value }));
  assert.equal(load.compare(all), undefined);
  assert.match(load.compare(all.slice(1)) ?? "", /1 of 3 answered keys are missing, first a/);
  assert.match(load.compare([{ key: "a", value: "old" }, ...all.slice(1)]) ?? "", /key a has old instead of/);
  assert.match(load.compare([...all, { key: "d", value: "" }]) ?? "", /key d is there, but was never answered/);
  assert.match(load.compare([...all, all[2]]) ?? "", /1 keys twice/);
});

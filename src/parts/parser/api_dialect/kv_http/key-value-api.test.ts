/** Every route, its status codes (SNDV-KV's among them), and what is refused. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { HttpAnswer, HttpExchange } from "../../../architecture/networking/http-application.ts";
import { createTokenAuthority } from "../../../architecture/security/authentication/auth_token/auth-token.ts";
import { openStore } from "../../../concurrency/transaction/model/single_operation/in-memory-store.fixture.ts";
import { createKeyValueApi } from "./key-value-api.ts";
import { commonAnswers, routes } from "./routes.ts";

const authority = createTokenAuthority(Buffer.alloc(32, 1));
const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

interface Reply {
  readonly status: number;
  readonly text: string;
  readonly bytes: Buffer;
  readonly fields: Readonly<Record<string, string>>;
}

type Ask = (
  method: string,
  target: string,
  body?: string | Uint8Array,
  headers?: Readonly<Record<string, string>>,
  pieces?: number,
) => Promise<Reply>;

async function openApi(anonymous = true) {
  const { store, log, engine } = await openStore(true);
  const env = { log: silent, clock: { nowMs: () => log.ms, defer: (callback: () => void) => setImmediate(callback) } as never };
  const about = { title: "test", version: "1", description: "a test" };
  const api = createKeyValueApi(env, { store, authority, anonymous, about, metrics: () => store.metrics(), bodyBytesMax: 100_000, exportMsMax: 5000 });
  const ask: Ask = (method, target, body = "", headers = {}, pieces = 1) =>
    new Promise((resolve) => {
      const [path, query = ""] = target.split("?");
      const written: Buffer[] = [];
      let head: Omit<HttpAnswer, "body"> = { status: 0 };
      const reply = ({ status, fields = [], contentType }: Omit<HttpAnswer, "body">, bytes: Buffer) => {
        const named = Object.fromEntries(fields.map(([name, value]) => [name.toLowerCase(), value]));
        if (contentType !== undefined) named["content-type"] = contentType;
        resolve({ status, bytes, text: bytes.toString(), fields: named });
      };
      const responder = {
        send: (answer: HttpAnswer) => reply(answer, Buffer.from(answer.body ?? "")),
        begin: (answer: Omit<HttpAnswer, "body">) => void (head = answer),
        write: (bytes: Uint8Array) => written.push(Buffer.from(bytes)) > 0,
        end: () => reply(head, Buffer.concat(written)),
        abort: () => reply({ status: 0 }, Buffer.alloc(0)),
        resumeBody: () => resume(),
      };
      let resume = () => {};
      const header = (name: string) => (name === "host" && headers.host === undefined ? "localhost" : headers[name]);
      const opened = api.open({ method, path, query, remoteAddress: "test", header }, responder);
      if ("status" in opened) return responder.send(opened);
      feed(opened, Buffer.from(body), pieces, (next) => (resume = next));
    });
  return { ask, store, log, api, engine };
}

/** A body as its exchange wants it; streamed ones in so many pieces, each when the one before was taken. */
function feed(exchange: HttpExchange, body: Buffer, pieces: number, onPause: (resume: () => void) => void): void {
  if (exchange.body === "collect") return exchange.handle?.(body);
  const size = Math.max(1, Math.ceil(body.length / pieces));
  let at = 0;
  const step = (): void => {
    while (at < body.length) {
      const piece = body.subarray(at, at + size);
      at += size;
      if (exchange.data?.(piece) === false) return onPause(step);
    }
    exchange.end?.();
  };
  step();
}

const json = (value: unknown) => JSON.stringify(value);

test("SNDV-KV's routes with its status codes", async () => {
  const { ask } = await openApi();
  assert.equal((await ask("POST", "/put", json({ key: "a", value: "1", unknown: true }))).status, 201);
  const found = await ask("GET", "/get?key=a");
  assert.deepEqual([found.status, found.text, found.fields["content-type"]], [200, '{"key":"a","val":"1"}', "application/json"]);
  assert.equal((await ask("PUT", "/put", json({ key: "a", value: "2", ttl: 0 }))).status, 201);
  assert.equal((await ask("POST", "/batch", json({ items: [{ key: "b", value: "3" }, { key: "c", value: "4" }] }))).status, 201);
  assert.equal((await ask("POST", "/batch", json({ items: [] }))).status, 201);
  assert.equal((await ask("DELETE", "/delete?key=b")).status, 200);
  assert.equal((await ask("POST", "/delete?key=absent")).status, 200);
  assert.equal((await ask("GET", "/get?key=b")).status, 404);
  assert.match((await ask("GET", "/metrics")).text, /^\{"write_operations_count":6,"read_operations_count":2,/);
  const refused: readonly (readonly [string, string, string, number, RegExp])[] = [
    ["POST", "/put", "{", 400, /^Bad Request/], ["POST", "/put", "[]", 400, /object/], ["POST", "/put", '{"key":1}', 400, /string/],
    ["POST", "/put", '{"key":"","value":""}', 400, /empty/], ["POST", "/put", '{"key":"a"}', 400, /Missing value/],
    ["POST", "/put", '{"key":"a","value":"b","ttl":"1"}', 400, /ttl/], ["POST", "/put", '{"key":"\\ud800","value":""}', 400, /surrogate/],
    ["POST", "/batch", "{}", 400, /items/], ["POST", "/batch", '{"items":[{"key":"a"}]}', 400, /value/],
    ["GET", "/get", "", 400, /Missing key/], ["GET", "/get?key=", "", 400, /Missing key/], ["GET", "/get?key=%", "", 400, /%/],
    ["GET", "/get?key=a&key=b", "", 400, /twice/], ["DELETE", "/delete", "", 400, /Missing key/],
    ["GET", "/batch", "", 405, /^Method Not Allowed/], ["DELETE", "/put", "", 405, /^Method/], ["PATCH", "/get", "", 405, /^Method/],
    ["POST", "/metrics", "", 405, /^Method/], ["GET", "/nope", "", 404, /^Not Found/],
    ["POST", "/put", json({ key: "k".repeat(65), value: "" }), 413, /longer than 64/],
    ["POST", "/put", json({ key: "k", value: "v".repeat(70_001) }), 413, /longer than 70000/],
  ];
  for (const [method, target, body, status, text] of refused) {
    const reply = await ask(method, target, body);
    assert.deepEqual([reply.status, text.test(reply.text)], [status, true], `${method} ${target} ${body}: ${reply.text}`);
  }
  assert.equal((await ask("GET", "/batch")).fields.allow, "POST");
});

test("any text and any bytes come back as they were sent", async () => {
  const { ask } = await openApi();
  const text = fc.string({ unit: "binary", minLength: 1, maxLength: 20 }).filter((one) => one.isWellFormed() && Buffer.byteLength(one) <= 64);
  await fc.assert(fc.asyncProperty(text, text, async (key, value) => {
    await ask("POST", "/put", json({ key, value }));
    const found = await ask("GET", `/get?key=${encodeURIComponent(key)}`);
    assert.deepEqual(JSON.parse(found.text), { key, val: value });
  }), { numRuns: 200 });
  const bytes = fc.uint8Array({ minLength: 1, maxLength: 60 });
  await fc.assert(fc.asyncProperty(bytes, bytes, async (key, value) => {
    const target = `/kv/${[...key].map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join("")}`;
    assert.equal((await ask("PUT", target, value)).status, 204);
    assert.deepEqual((await ask("GET", target)).bytes, Buffer.from(value));
    const asked = json({ keys_base64: [Buffer.from(key).toString("base64")] });
    const [item] = JSON.parse((await ask("POST", "/batch/get", asked)).text).items;
    const decode = (name: string) => (item[name] === undefined ? Buffer.from(item[`${name}_base64`], "base64") : Buffer.from(item[name]));
    assert.deepEqual([decode("key"), decode("val")], [Buffer.from(key), Buffer.from(value)]);
    const again = { key_base64: Buffer.from(key).toString("base64"), value_base64: Buffer.from(value).toString("base64") };
    assert.equal((await ask("POST", "/put", json(again))).status, 201);
    assert.deepEqual((await ask("GET", target)).bytes, Buffer.from(value));
    await ask("DELETE", target);
    assert.equal((await ask("GET", target)).status, 404);
  }), { numRuns: 200 });
  assert.equal((await ask("POST", "/put", json({ key: "a", value_base64: "a" }))).status, 400);
  assert.equal((await ask("POST", "/put", json({ key: "a", value_base64: "a*==" }))).status, 400);
  assert.equal((await ask("POST", "/put", json({ key: "a", value: "", value_base64: "" }))).status, 400);
});

test("conditions by ETag", async () => {
  const { ask } = await openApi();
  const put = (value: string, headers: Record<string, string>) => ask("PUT", "/kv/a", value, headers);
  const first = await put("1", { "if-none-match": "*" });
  assert.equal(first.status, 204);
  const refused = await put("2", { "if-none-match": "*" });
  assert.deepEqual([refused.status, refused.text], [412, `Precondition Failed: its ETag is ${first.fields.etag}`]);
  const second = await put("2", { "if-match": `"7", ${first.fields.etag}` });
  assert.equal(second.status, 204);
  assert.notEqual(second.fields.etag, first.fields.etag);
  assert.equal((await put("3", { "if-match": first.fields.etag })).status, 412);
  assert.equal((await put("3", { "if-match": `W/${second.fields.etag}` })).status, 412);
  assert.equal((await put("3", { "if-match": '"other"' })).status, 412);
  assert.equal((await put("3", { "if-match": "unquoted" })).status, 400);
  assert.equal((await put("3", { "if-match": "*", "if-none-match": "*" })).status, 400);
  const read = await ask("GET", "/kv/a", "", { "if-none-match": `"1", W/${second.fields.etag}` });
  assert.deepEqual([read.status, read.fields.etag], [304, second.fields.etag]);
  assert.equal((await ask("GET", "/get?key=a", "", { "if-none-match": first.fields.etag })).status, 200);
  assert.equal((await ask("DELETE", "/delete?key=a", "", { "if-match": first.fields.etag })).status, 412);
  assert.equal((await ask("DELETE", "/kv/a", "", { "if-match": second.fields.etag })).status, 204);
  assert.equal((await put("3", { "if-match": "*" })).status, 412);
});

test("a key is gone from its expiry on, also where it was just read", async () => {
  const { ask, log } = await openApi();
  await ask("POST", "/put", json({ key: "a", value: "1", ttl: 2 }));
  await ask("PUT", "/kv/b?ttl=2", "1");
  await ask("POST", "/put", json({ key: "c", value: "1", ttl: -1 }));
  for (const key of ["a", "b", "c"]) assert.equal((await ask("GET", `/get?key=${key}`)).status, 200);
  log.ms += 1999;
  assert.equal((await ask("GET", "/kv/a")).fields["lathe-expires-ms"], "3000");
  log.ms += 1;
  assert.deepEqual(await Promise.all(["a", "b", "c"].map(async (key) => (await ask("GET", `/kv/${key}`)).status)), [404, 404, 200]);
  assert.equal((await ask("PUT", "/kv/a", "2", { "if-none-match": "*" })).status, 204, "an expired key is absent");
});

test("pages of a scan hold every key of the range once, in order", async () => {
  const { ask } = await openApi();
  const keys = Array.from({ length: 25 }, (_, at) => `k${String(at).padStart(2, "0")}`);
  await ask("POST", "/batch", json({ items: keys.map((key) => ({ key, value: key })) }));
  const seen: string[] = [];
  let cursor: string | null = "";
  for (let pages = 0; cursor !== null; pages++) {
    assert.ok(pages < 10);
    const page: { items: { key: string }[]; cursor: string | null } = JSON.parse((await ask("GET", `/scan?prefix=k&limit=7&cursor=${cursor}`)).text);
    seen.push(...page.items.map(({ key }) => key));
    cursor = page.cursor;
  }
  assert.deepEqual(seen, keys);
  const part = JSON.parse((await ask("GET", "/scan?from=k03&to=k05")).text);
  assert.deepEqual(part.items.map(({ key }: { key: string }) => key), ["k03", "k04"]);
  for (const query of ["limit=0", "limit=1001", "limit=x", "cursor=*"]) assert.equal((await ask("GET", `/scan?${query}`)).status, 400);
});

test("an export is what an import takes, in any pieces", async () => {
  const from = await openApi();
  const items = Array.from({ length: 1200 }, (_, at) => ({ key: `key ${at} "é`, value: `${at}`.repeat(at % 7), ttl: at % 3 === 0 ? 100 : 0 }));
  await from.ask("POST", "/batch", json({ items }));
  await from.ask("PUT", "/kv/%ff%00", Buffer.from([0xff, 0, 0xfe]));
  const exported = await from.ask("GET", "/export");
  assert.equal(exported.text.trim().split("\n").length, 1201);
  for (const pieces of [1, 3, 5000]) {
    const to = await openApi();
    const reply = await to.ask("POST", "/import", exported.text, {}, pieces);
    assert.deepEqual([reply.status, reply.text], [200, '{"imported":1201}']);
    assert.equal((await to.ask("GET", "/export")).text, exported.text);
  }
});

test("an export shows one moment, whatever is written meanwhile, and holds it no longer than it takes", async () => {
  const { ask, engine } = await openApi();
  const keyOf = (at: number) => `k${String(at).padStart(4, "0")}`;
  const items = Array.from({ length: 1000 }, (_, at) => ({ key: keyOf(at), value: "before" }));
  await ask("POST", "/batch", json({ items }));
  const exporting = ask("GET", "/export");
  // Its pages come in later turns.
  await ask("POST", "/batch", json({ items: items.map(({ key }) => ({ key: `${key}x`, value: "new" })) }));
  await ask("PUT", `/kv/${keyOf(999)}`, "after");
  await ask("DELETE", `/kv/${keyOf(998)}`);
  assert.equal(engine.openSnapshots, 1);
  const lines = (await exporting).text.trimEnd().split("\n").map((line) => JSON.parse(line) as { key: string; value: string });
  assert.deepEqual(lines, items);
  assert.equal(engine.openSnapshots, 0);
});

test("an export that takes too long is broken off, too many at once are refused, and none keeps its moment", async () => {
  const { ask, api, engine, log } = await openApi();
  await ask("POST", "/batch", json({ items: Array.from({ length: 1000 }, (_, at) => ({ key: `k${at}`, value: "x" })) }));
  const late = ask("GET", "/export");
  log.ms += 5001;
  assert.equal((await late).status, 0, "aborted");
  assert.equal(engine.openSnapshots, 0);
  const statuses: number[] = [];
  const exchanges = Array.from({ length: 17 }, () => {
    const note = ({ status }: { status: number }) => void statuses.push(status);
    // Whoever writes to it has to wait.
    const responder = { send: note, begin: note, write: () => false, end: () => {}, abort: () => {}, resumeBody: () => {} };
    const request = { method: "GET", path: "/export", query: "", remoteAddress: "test", header: () => undefined };
    const exchange = api.open(request, responder) as HttpExchange;
    exchange.handle?.(Buffer.alloc(0));
    return exchange;
  });
  assert.deepEqual(statuses, [...Array.from({ length: 16 }, () => 200), 503]);
  for (const exchange of exchanges) exchange.gone?.();
  assert.equal(engine.openSnapshots, 0);
  assert.equal((await ask("GET", "/export")).status, 200);
});

test("an import says which line is wrong and how much is in", async () => {
  const { ask } = await openApi();
  const lines = Array.from({ length: 700 }, (_, at) => json({ key: `k${at}`, value: "x" }));
  const wrong = [...lines.slice(0, 600), "{", ...lines.slice(600)].join("\n");
  const reply = await ask("POST", "/import", wrong, {}, 9);
  assert.equal(reply.status, 400);
  const told = JSON.parse(reply.text);
  assert.deepEqual([told.imported, told.line], [600, 601]);
  assert.equal(JSON.parse((await ask("GET", "/scan?limit=1000")).text).items.length, 600);
  const long = await ask("POST", "/import", `${json({ key: "a", value: "b" })}\n${"x".repeat(500_000)}`, {}, 20);
  assert.deepEqual([long.status, JSON.parse(long.text).line], [413, 2]);
  const large = await ask("POST", "/import", `${json({ key: "a", value: "b" })}\n\n${json({ key: "k".repeat(65), value: "" })}`);
  assert.deepEqual([large.status, JSON.parse(large.text).line, JSON.parse(large.text).imported], [413, 3, 1]);
});

test("tokens: before the path, by scope; without one no pages of browsers", async () => {
  const { ask, log } = await openApi(false);
  const issue = (...scopes: ("read" | "write" | "admin")[]) =>
    authority.issue({ subject: "t", scopes, issuedAtMs: 0, expiresAtMs: 10_000 });
  const as = (token: string, method = "GET", target = "/get?key=a") => ask(method, target, json({ key: "a", value: "b" }), { authorization: token });
  assert.equal((await ask("GET", "/get?key=a")).status, 401);
  assert.equal((await ask("GET", "/nowhere")).status, 401);
  assert.equal((await as("Bearer x")).status, 401);
  for (const [scopes, read, write] of [[["read"], 404, 403], [["write"], 403, 201], [["admin"], 200, 201]] as const) {
    assert.equal((await as(`Bearer ${issue(...scopes)}`)).status, read, scopes[0]);
    if (scopes[0] !== "admin") assert.equal((await as(issue(...scopes), "POST", "/put")).status, write, scopes[0]);
  }
  const token = issue("read");
  assert.equal((await as(token)).status, 200);
  log.ms = 10_000;
  assert.equal((await as(token)).status, 401, "a token that was remembered expires too");
  const health = (await ask("GET", "/health")).text;
  assert.deepEqual(JSON.parse(health), { status: "ok", profile: "safe", loss_window_ms: 0 });
  for (const path of ["/health", "/openapi.json", "/docs"]) assert.equal((await ask("GET", path)).status, 200);
  const open = await openApi(true);
  assert.equal((await open.ask("GET", "/get?key=a", "", { origin: "http://evil" })).status, 403);
  assert.equal((await open.ask("GET", "/get?key=a", "", { host: "evil.example" })).status, 403);
  assert.equal((await open.ask("GET", "/get?key=a", "", { host: "127.0.0.1:8080" })).status, 404);
  assert.equal((await open.ask("GET", "/get?key=a", "", { authorization: "wrong" })).status, 401);
});

test("the description names every route, and every status that a route answers with", async () => {
  const { ask } = await openApi();
  const { paths } = JSON.parse((await ask("GET", "/openapi.json")).text);
  const docs = (await ask("GET", "/docs")).text;
  const ids = new Set<string>();
  for (const route of routes) {
    for (const method of route.methods) {
      const operation = paths[route.path][method.toLowerCase()];
      assert.ok(!ids.has(operation.operationId));
      ids.add(operation.operationId);
      for (const status of [...Object.keys(route.answers), ...Object.keys(commonAnswers)]) assert.ok(operation.responses[status]);
    }
    assert.ok(docs.includes(`\`${route.path}\``), route.path);
  }
  assert.ok(ids.size > routes.length);
  assert.match((await ask("GET", "/metrics", "", { accept: "text/plain" })).text, /^# HELP kv_reads_total/m);
});

/**
 * The handlers of the routes: what each does with a request whose body has come as a whole.
 *
 * Reads answer in the turn of the request; writes when they are durable. A handler that refuses throws a Problem.
 */
import type { Clock } from "../../../../kit/env/env.ts";
import type { Metric } from "../../../../kit/metric.ts";
import { prometheusContentType, renderPrometheus } from "../../../../kit/prometheus.ts";
import type { HttpAnswer, HttpRequest } from "../../../architecture/networking/http-application.ts";
import type {
  KeyRange, KeyValueChange, KeyValueItem, KeyValueStore,
} from "../../../concurrency/transaction/key-value-store.ts";
import {
  bytesOfBase64, changeOf, etagOf, itemJson, keysOf, listedItemJson, parseJson, parseObject, ttlMsOf,
} from "./item-json.ts";
import type { ApiDescription } from "./openapi.ts";
import { docsOf, openApiOf } from "./openapi.ts";
import { isUnchanged, writeConditionOf } from "./precondition.ts";
import { Problem, problemAnswer } from "./problem.ts";
import type { QueryParameters } from "./query-parameters.ts";
import type { Operation } from "./routes.ts";

export interface HandlerDoors {
  readonly store: KeyValueStore;
  readonly clock: Clock;
  readonly about: ApiDescription;
  /** All that the product counts. */
  readonly metrics: () => readonly Metric[];
  readonly health: () => Health;
}

export interface Health {
  /** `ok`, or `failed`: no write is answered any more. */
  readonly status: "ok" | "failed";
  readonly profile: "safe" | "fast";
  /** What a loss of power may take of what was answered. */
  readonly loss_window_ms: number;
  /** Why it failed. */
  readonly reason?: string | undefined;
}

export interface Call {
  readonly doors: HandlerDoors;
  readonly request: HttpRequest;
  readonly query: QueryParameters;
  /** The path's `{key}`, decoded. */
  readonly pathKey: Uint8Array | undefined;
  readonly body: Uint8Array;
}

export type Handler = (call: Call) => HttpAnswer | Promise<HttpAnswer>;
export type CollectedOperation = Exclude<Operation, "exportItems" | "importItems">;

const jsonType = "application/json";
const itemsMax = 10_000;
const pageItemsMax = 1000;
const pageItemsDefault = 100;
const keysMax = 1000;
/** A page ends early rather than fill memory: one answer stays below this, and one value. */
const pageCharsMax = 4 << 20;
const answerCharsMax = 16 << 20;

const created: HttpAnswer = { status: 201 };

export const handlers: Readonly<Record<CollectedOperation, Handler>> = {
  put: ({ doors, request, body }) => {
    const change = changeOf(parseJson(body), doors.clock.nowMs());
    return write(doors, [withCondition(change as KeyValueChange, request)], 201);
  },

  get: ({ doors, request, query }) => {
    const item = itemAt(doors, queryKey(query));
    const fields = [["ETag", etagOf(item.version)]] as const;
    if (isUnchanged((name) => request.header(name), item.version)) return { status: 304, fields };
    return { status: 200, contentType: jsonType, fields, body: itemJson(item) };
  },

  batch: ({ doors, body }) => {
    const { items } = parseObject(parseJson(body));
    if (!Array.isArray(items)) throw new Problem(400, "items is no list");
    if (items.length > itemsMax) throw new Problem(413, `at most ${itemsMax} items at once; /import takes any number`);
    if (items.length === 0) return created;
    const nowMs = doors.clock.nowMs();
    return write(doors, items.map((item) => changeOf(item, nowMs) as KeyValueChange), 201);
  },

  delete: ({ doors, request, query }) => {
    const key = queryKey(query);
    return write(doors, [withCondition({ key, value: undefined }, request)], 200);
  },

  getItem: ({ doors, request, pathKey }) => {
    const item = itemAt(doors, pathKey as Uint8Array);
    const fields = [["ETag", etagOf(item.version)], ...expiryFields(item)] as const;
    if (isUnchanged((name) => request.header(name), item.version)) return { status: 304, fields };
    return { status: 200, contentType: "application/octet-stream", fields, body: item.value };
  },

  putItem: ({ doors, request, query, pathKey, body }) => {
    const ttlMs = ttlMsOf(query.integer("ttl", -1, Number.MAX_SAFE_INTEGER));
    const change = { key: pathKey as Uint8Array, value: body, ttlMs };
    return write(doors, [withCondition(change, request)], 204);
  },

  deleteItem: ({ doors, request, pathKey }) =>
    write(doors, [withCondition({ key: pathKey as Uint8Array, value: undefined }, request)], 204),

  batchGet: ({ doors, body }) => {
    let text = "";
    for (const key of keysOf(parseJson(body), keysMax)) {
      const item = doors.store.get(key);
      if (item === undefined) continue;
      text += text === "" ? listedItemJson(item) : `,${listedItemJson(item)}`;
      if (text.length > answerCharsMax) throw new Problem(413, "too much for one answer; ask for fewer keys");
    }
    return { status: 200, contentType: jsonType, body: `{"items":[${text}]}` };
  },

  batchDelete: ({ doors, body }) => {
    const keys = keysOf(parseJson(body), itemsMax);
    if (keys.length === 0) return { status: 200 };
    return write(doors, keys.map((key) => ({ key, value: undefined })), 200);
  },

  scan: ({ doors, query }) => scanPage(doors, query),

  metrics: ({ doors, request }) => {
    if ((request.header("accept") ?? "").includes("text/plain")) {
      return { status: 200, contentType: prometheusContentType, body: renderPrometheus(doors.metrics()) };
    }
    return { status: 200, contentType: jsonType, body: JSON.stringify(countsOf(doors.store.metrics())) };
  },

  health: ({ doors }) => {
    const health = doors.health();
    return { status: health.status === "ok" ? 200 : 503, contentType: jsonType, body: JSON.stringify(health) };
  },

  openapi: ({ doors }) => ({ status: 200, contentType: jsonType, body: JSON.stringify(openApiOf(doors.about)) }),

  docs: ({ doors }) => ({ status: 200, contentType: "text/markdown; charset=utf-8", body: docsOf(doors.about) }),
};

async function write(doors: HandlerDoors, changes: readonly KeyValueChange[], status: number): Promise<HttpAnswer> {
  const result = await doors.store.write(changes);
  if (result.kind === "written") {
    const deleted = changes.length === 1 && changes[0].value === undefined;
    return deleted ? { status } : { status, fields: [["ETag", etagOf(result.version)]] };
  }
  const present = result.version === undefined ? "it is not there" : `its ETag is ${etagOf(result.version)}`;
  return problemAnswer(412, present);
}

function withCondition(change: KeyValueChange, request: HttpRequest): KeyValueChange {
  const condition = writeConditionOf((name) => request.header(name));
  return condition === undefined ? change : { ...change, condition };
}

function queryKey(query: QueryParameters): Uint8Array {
  const key = query.bytes("key");
  if (key === undefined || key.length === 0) throw new Problem(400, "Missing key");
  return key;
}

function itemAt({ store }: HandlerDoors, key: Uint8Array): KeyValueItem {
  const item = store.get(key);
  if (item === undefined) throw new Problem(404);
  return item;
}

function expiryFields({ expiresAtMs }: KeyValueItem): [string, string][] {
  return expiresAtMs === undefined ? [] : [["Lathe-Expires-Ms", String(expiresAtMs)]];
}

export function rangeOf(query: QueryParameters): KeyRange {
  const named = (name: string) => {
    const bytes = query.bytes(name);
    return bytes === undefined || bytes.length === 0 ? undefined : bytes;
  };
  return { prefix: named("prefix"), from: named("from"), to: named("to") };
}

function scanPage({ store }: HandlerDoors, query: QueryParameters): HttpAnswer {
  const limit = query.integer("limit", 1, pageItemsMax) ?? pageItemsDefault;
  const cursor = query.text("cursor");
  const after = cursor === undefined || cursor === "" ? undefined : keyOfCursor(cursor);
  let text = "";
  let items = 0;
  let last: Uint8Array | undefined;
  let more = false;
  store.scan({ ...rangeOf(query), after }, (item) => {
    if (items === limit || text.length > pageCharsMax) {
      more = true;
      return false;
    }
    text += items++ === 0 ? listedItemJson(item) : `,${listedItemJson(item)}`;
    last = item.key;
    return true;
  });
  const next = more && last !== undefined ? `"${Buffer.from(last).toString("base64url")}"` : "null";
  return { status: 200, contentType: jsonType, body: `{"items":[${text}],"cursor":${next}}` };
}

function keyOfCursor(cursor: string): Uint8Array {
  const key = bytesOfBase64(cursor.replaceAll("-", "+").replaceAll("_", "/"), "cursor");
  if (key.length === 0) throw new Problem(400, "cursor is no base64");
  return key;
}

/** The four counts of SNDV-KV's /metrics. */
function countsOf(metrics: readonly Metric[]): Record<string, number> {
  const count = (name: string) => {
    const metric = metrics.find((one) => one.name === name);
    return metric === undefined || metric.kind === "histogram" ? 0 : metric.value;
  };
  return {
    write_operations_count: count("kv_changes_total"),
    read_operations_count: count("kv_reads_total"),
    cache_hit_count: count("kv_row_cache_hits_total"),
    cache_miss_count: count("kv_row_cache_misses_total"),
  };
}

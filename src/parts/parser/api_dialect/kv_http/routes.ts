/**
 * The routes, as data: from this table alone requests are dispatched, `/openapi.json` and `/docs` are made.
 *
 * `/put`, `/get`, `/batch`, `/delete` and `/metrics` with their status codes are those of SNDV-KV, whose clients work
 * unchanged; the others are ours. What every route may answer (401, 403, 405, 413, 500, 503, 507) stands in `common`.
 */
import type { Route, RouteAnswer, RouteParameter, Schema } from "./route.ts";

const text: Schema = { type: "string" };
const base64: Schema = { type: "string", contentEncoding: "base64" };
const binary: Schema = { type: "string", format: "binary" };
const ttl: Schema = { type: "integer", description: "Seconds until the key is gone; 0, less or absent: never." };

const itemIn: Schema = {
  type: "object",
  description: "A key (`key`, or `key_base64` for bytes) with its value (`value`, or `value_base64` for bytes).",
  properties: {
    key: text, key_base64: base64, value: text, value_base64: base64, ttl,
    expires_ms: { type: "integer", description: "Instead of ttl: milliseconds since 1970, as an export writes it." },
  },
};
const itemOut: Schema = {
  type: "object",
  description: "`val` where the value is UTF-8, otherwise `val_base64`; likewise `key` and `key_base64`.",
  properties: {
    key: text, key_base64: base64, val: text, val_base64: base64, etag: text, expires_ms: { type: "integer" },
  },
};
const list = (items: Schema): Schema => ({ type: "array", items });

const keyQuery: readonly RouteParameter[] = [
  { name: "key", place: "query", text: "The key, percent-encoded; any bytes.", schema: text },
];
const keyPath: RouteParameter = {
  name: "key", place: "path", text: "The key, percent-encoded; any bytes.", schema: text, required: true,
};
const ifMatch: RouteParameter = {
  name: "If-Match", place: "header", text: "Only where the key has one of these ETags; `*`: where it is there.",
  schema: text,
};
const ifNoneMatch: RouteParameter = {
  name: "If-None-Match", place: "header", text: "Of a write only `*`: where the key is not there.", schema: text,
};
const rangeQuery: readonly RouteParameter[] = [
  { name: "prefix", place: "query", text: "Only keys that begin so.", schema: text },
  { name: "from", place: "query", text: "Only this key and those behind it.", schema: text },
  { name: "to", place: "query", text: "Only keys before this one.", schema: text },
];
const ifChanged: RouteParameter = {
  name: "If-None-Match", place: "header", text: "ETags; 304 where one is right.", schema: text,
};
const stored: RouteAnswer = { text: "Stored, durably; the ETag field has its version." };
const gone: RouteAnswer = { text: "It is not there any more, durably." };
const unchanged: RouteAnswer = { text: "It still has that ETag." };
const preconditionFailed: RouteAnswer = { text: "The condition does not hold; nothing was changed." };
const notFound: RouteAnswer = { text: "No such key." };
const badRequest: RouteAnswer = { text: "The request is not valid; the text says why." };

export type Operation =
  | "put" | "get" | "batch" | "delete" | "metrics" | "health" | "openapi" | "docs"
  | "putItem" | "getItem" | "deleteItem" | "batchGet" | "batchDelete" | "scan" | "exportItems" | "importItems";

export const routes: readonly Route<Operation>[] = [
  {
    operation: "put", methods: ["POST", "PUT"], path: "/put", scope: "write", summary: "Stores a value under a key.",
    parameters: [ifMatch, ifNoneMatch],
    body: { kind: "collect", text: "The item.", content: { "application/json": itemIn } },
    answers: { 201: stored, 400: badRequest, 412: preconditionFailed },
  },
  {
    operation: "get", methods: ["GET", "HEAD"], path: "/get", scope: "read", summary: "The value of a key.",
    parameters: [...keyQuery, ifChanged],
    answers: {
      200: { text: "The item.", content: { "application/json": itemOut } },
      304: unchanged, 400: badRequest, 404: notFound,
    },
  },
  {
    operation: "batch", methods: ["POST"], path: "/batch", scope: "write",
    summary: "Stores many items, all or none; of several with one key the last one counts.",
    body: {
      kind: "collect", text: "The items.",
      content: { "application/json": { type: "object", properties: { items: list(itemIn) }, required: ["items"] } },
    },
    answers: { 201: { text: "Stored, durably." }, 400: badRequest },
  },
  {
    operation: "delete", methods: ["DELETE", "POST"], path: "/delete", scope: "write", summary: "Deletes a key.",
    parameters: [...keyQuery, ifMatch],
    answers: { 200: gone, 400: badRequest, 412: preconditionFailed },
  },
  {
    operation: "getItem", methods: ["GET", "HEAD"], path: "/kv/{key}", scope: "read",
    summary: "The value of a key, as its bytes.",
    parameters: [keyPath, ifChanged],
    answers: {
      200: { text: "The value.", content: { "application/octet-stream": binary } },
      304: unchanged, 400: badRequest, 404: notFound,
    },
  },
  {
    operation: "putItem", methods: ["PUT"], path: "/kv/{key}", scope: "write",
    summary: "Stores the body's bytes under a key.",
    parameters: [
      keyPath, { name: "ttl", place: "query", text: "Seconds until the key is gone.", schema: ttl },
      ifMatch, ifNoneMatch,
    ],
    body: { kind: "collect", text: "The value, any bytes.", content: { "application/octet-stream": binary } },
    answers: { 204: stored, 400: badRequest, 412: preconditionFailed },
  },
  {
    operation: "deleteItem", methods: ["DELETE"], path: "/kv/{key}", scope: "write", summary: "Deletes a key.",
    parameters: [keyPath, ifMatch],
    answers: { 204: gone, 400: badRequest, 412: preconditionFailed },
  },
  {
    operation: "batchGet", methods: ["POST"], path: "/batch/get", scope: "read",
    summary: "The values of up to 1000 keys, as of one moment.",
    body: {
      kind: "collect", text: "The keys; those that are no text as `keys_base64`.",
      content: { "application/json": { type: "object", properties: { keys: list(text), keys_base64: list(base64) } } },
    },
    answers: {
      200: {
        text: "The items that are there, in the order of the keys.",
        content: { "application/json": { type: "object", properties: { items: list(itemOut) } } },
      },
      400: badRequest,
    },
  },
  {
    operation: "batchDelete", methods: ["POST"], path: "/batch/delete", scope: "write",
    summary: "Deletes many keys, all or none.",
    body: {
      kind: "collect", text: "The keys; those that are no text as `keys_base64`.",
      content: { "application/json": { type: "object", properties: { keys: list(text), keys_base64: list(base64) } } },
    },
    answers: { 200: { text: "None of them is there any more, durably." }, 400: badRequest },
  },
  {
    operation: "scan", methods: ["GET"], path: "/scan", scope: "read",
    summary: "Items in the order of their keys' bytes, page by page.",
    parameters: [
      ...rangeQuery,
      { name: "limit", place: "query", text: "Items, up to 1000 (default 100).", schema: { type: "integer" } },
      { name: "cursor", place: "query", text: "The page before's `cursor`: goes on behind it.", schema: text },
    ],
    answers: {
      200: {
        text: "A page; `cursor` is null where it was the last.",
        content: {
          "application/json": {
            type: "object", properties: { items: list(itemOut), cursor: { type: ["string", "null"] } },
          },
        },
      },
      400: badRequest,
    },
  },
  {
    operation: "exportItems", methods: ["GET"], path: "/export", scope: "read",
    summary: "All items of a range as lines of JSON, in key order, as of the moment of the request.",
    parameters: rangeQuery,
    answers: { 200: { text: "One item per line.", content: { "application/x-ndjson": itemIn } }, 400: badRequest },
  },
  {
    operation: "importItems", methods: ["POST"], path: "/import", scope: "write",
    summary: "Stores items from lines of JSON, group by group, as they come; each group is durable before the next.",
    body: { kind: "stream", text: "One item per line.", content: { "application/x-ndjson": itemIn } },
    answers: {
      200: {
        text: "All are stored, durably.",
        content: { "application/json": { type: "object", properties: { imported: { type: "integer" } } } },
      },
      400: {
        text: "A line is not valid: its number, what is wrong, and how many items before it are stored.",
        content: {
          "application/json": {
            type: "object", properties: { imported: { type: "integer" }, line: { type: "integer" }, error: text },
          },
        },
      },
    },
  },
  {
    operation: "metrics", methods: ["GET"], path: "/metrics", scope: "read",
    summary: "What the store counts: JSON, or Prometheus text where `Accept` asks for text/plain.",
    answers: { 200: { text: "Counts.", content: { "application/json": { type: "object" }, "text/plain": text } } },
  },
  {
    operation: "health", methods: ["GET", "HEAD"], path: "/health", scope: "none", summary: "Whether it serves.",
    answers: { 200: { text: "It does.", content: { "application/json": { type: "object" } } } },
  },
  {
    operation: "openapi", methods: ["GET", "HEAD"], path: "/openapi.json", scope: "none", summary: "This description.",
    answers: { 200: { text: "OpenAPI 3.1.", content: { "application/json": { type: "object" } } } },
  },
  {
    operation: "docs", methods: ["GET", "HEAD"], path: "/docs", scope: "none", summary: "The routes, for people.",
    answers: { 200: { text: "Markdown.", content: { "text/markdown": text } } },
  },
];

/** What any route may answer beside its own. */
export const commonAnswers: Readonly<Record<number, RouteAnswer>> = {
  401: { text: "No token, or none that is valid." },
  403: { text: "The token does not allow this; or a browser's page asks without one." },
  413: { text: "Key, value or body beyond its limit." },
  500: { text: "The store could not answer; its log says why." },
  503: { text: "Too much is waiting; try again later." },
  507: { text: "The disk is full; reads go on." },
};

/**
 * Items as JSON: what requests carry, and what answers say.
 *
 * Text is UTF-8 and goes as it is, escaped by JSON's own rules; bytes that are no UTF-8 go as base64 under a name of
 * their own, so that nothing is replaced on the way. Text that is no Unicode (a lone surrogate) is refused, since it
 * could not come back as it was sent.
 */
import type { KeyValueChange, KeyValueItem } from "../../../concurrency/transaction/key-value-store.ts";
import { Problem } from "./problem.ts";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const ttlSecondsMax = 100 * 366 * 86_400;
const base64Form = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?$/;

/** Errors: Problem 400. */
export function parseJson(body: Uint8Array): unknown {
  let text: string;
  try {
    text = decoder.decode(body);
  } catch {
    throw new Problem(400, "the body is not UTF-8");
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Problem(400, `the body is not JSON (${(error as Error).message.slice(0, 120)})`);
  }
}

/** Errors: Problem 400. */
export function parseObject(value: unknown): Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new Problem(400, "expected a JSON object");
}

/** A change from an object of `itemIn`; unknown fields are ignored. Errors: Problem 400. */
export function changeOf(value: unknown, nowMs: number): KeyValueChange | undefined {
  const item = parseObject(value);
  const key = textOrBytes(item, "key");
  if (key.length === 0) throw new Problem(400, "the key is empty");
  const stored = textOrBytes(item, "value");
  if (item.expires_ms !== undefined) {
    const leftMs = wholeNumber(item.expires_ms, "expires_ms") - nowMs;
    // What has expired meanwhile is as good as deleted.
    return leftMs <= 0 ? { key, value: undefined } : { key, value: stored, ttlMs: leftMs };
  }
  return { key, value: stored, ttlMs: ttlMsOf(item.ttl) };
}

/** Undefined: no expiry. Errors: Problem 400. */
export function ttlMsOf(ttl: unknown): number | undefined {
  if (ttl === undefined || ttl === null) return undefined;
  const seconds = wholeNumber(ttl, "ttl");
  if (seconds > ttlSecondsMax) throw new Problem(400, "ttl is beyond 100 years");
  return seconds <= 0 ? undefined : seconds * 1000;
}

function wholeNumber(value: unknown, name: string): number {
  if (Number.isSafeInteger(value)) return value as number;
  throw new Problem(400, `${name} is no whole number`);
}

function textOrBytes(item: Record<string, unknown>, name: string): string | Uint8Array {
  const text = item[name];
  const encoded = item[`${name}_base64`];
  if (encoded !== undefined && text !== undefined) throw new Problem(400, `give ${name} or ${name}_base64, not both`);
  if (typeof text === "string") return wellFormed(text, name);
  if (encoded !== undefined) return bytesOfBase64(encoded, `${name}_base64`);
  throw new Problem(400, text === undefined ? `Missing ${name}` : `${name} is no string`);
}

export function wellFormed(text: string, name: string): string {
  if (!text.isWellFormed()) throw new Problem(400, `${name} has a lone surrogate, which is no text`);
  return text;
}

export function bytesOfBase64(encoded: unknown, name: string): Uint8Array {
  // Node reads over what is no base64; here it is an error of the sender.
  if (typeof encoded === "string" && base64Form.test(encoded)) return Buffer.from(encoded, "base64");
  throw new Problem(400, `${name} is no base64`);
}

/** Keys of a body with `keys` and `keys_base64`. Errors: Problem 400. */
export function keysOf(value: unknown, keysMax: number): Uint8Array[] {
  const { keys = [], keys_base64: encoded = [] } = parseObject(value);
  if (!Array.isArray(keys) || !Array.isArray(encoded)) throw new Problem(400, "keys is no list");
  if (keys.length + encoded.length > keysMax) throw new Problem(413, `at most ${keysMax} keys at once`);
  const found = [
    ...keys.map((key) => {
      if (typeof key !== "string") throw new Problem(400, "a key is no string");
      return Buffer.from(wellFormed(key, "a key"));
    }),
    ...encoded.map((key) => bytesOfBase64(key, "a key of keys_base64")),
  ];
  if (found.some((key) => key.length === 0)) throw new Problem(400, "a key is empty");
  return found;
}

/** `"name":"text"`, or `"name_base64":"…"` where the bytes are no UTF-8. */
function field(name: string, bytes: Uint8Array): string {
  try {
    return `"${name}":${JSON.stringify(decoder.decode(bytes))}`;
  } catch {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    return `"${name}_base64":"${buffer.toString("base64")}"`;
  }
}

export function etagOf(version: bigint): string {
  return `"${version}"`;
}

/** SNDV-KV's answer of `/get`, whose clients look for `key` and `val`. */
export function itemJson(item: KeyValueItem): string {
  return `{${field("key", item.key)},${field("val", item.value)}}`;
}

export function listedItemJson(item: KeyValueItem): string {
  const expiry = item.expiresAtMs === undefined ? "" : `,"expires_ms":${item.expiresAtMs}`;
  return `{${field("key", item.key)},${field("val", item.value)},"etag":"\\"${item.version}\\""${expiry}}`;
}

/** A line of an export: what an import takes. */
export function exportLine(item: KeyValueItem): string {
  const expiry = item.expiresAtMs === undefined ? "" : `,"expires_ms":${item.expiresAtMs}`;
  return `{${field("key", item.key)},${field("value", item.value)}${expiry}}\n`;
}

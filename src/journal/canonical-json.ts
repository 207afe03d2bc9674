/**
 * Canonical JSON: one value has exactly one text, so that its hash means something; and nothing is lost on
 *   the way.
 *
 * Rules:
 *   1. Keys are sorted by code unit; no white space; strings and finite numbers as JSON.stringify writes
 *      them, and −0 as -0.
 *   2. What JSON has no word for is tagged: {"$bigint":"123"}, {"$number":"NaN"} (also Infinity,
 *   -Infinity).
 *   3. A key that itself begins with $ gets another $ in front, so data can never be mistaken for a tag.
 *   4. Properties that are undefined are left out. Functions, symbols, class instances, undefined in an
 *      array and nesting deeper than 64 are refused: a journal holds plain data.
 * Source: RFC 8785 (JSON Canonicalization Scheme), extended by the tags.
 */
import { LatheError } from "../kit/errors.ts";

const depthMax = 64;

/** Errors: INVALID_ARGUMENT, naming the place of what is not plain data. */
export function encodeCanonical(value: unknown): string {
  return encode(value, "value", 0);
}

/** The members of an object without its braces, for a writer that puts members of its own around them. */
export function encodeCanonicalMembers(value: object): string {
  return encodeObject(value, "value", 0).slice(1, -1);
}

/** Inverse of `encodeCanonical`; also takes JSON that is not canonical. Errors: CORRUPTION. */
export function decodeCanonical(text: string): unknown {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw new LatheError("CORRUPTION", `not JSON: ${(cause as Error).message}`, { cause });
  }
  return decode(parsed, 0);
}

function encode(value: unknown, place: string, depth: number): string {
  if (depth > depthMax) throw notPlain(place, `is nested deeper than ${depthMax}`);
  switch (typeof value) {
    case "string":
    case "boolean":
      return JSON.stringify(value);
    case "bigint":
      return `{"$bigint":"${value}"}`;
    case "number":
      if (!Number.isFinite(value)) return `{"$number":"${value}"}`;
      return Object.is(value, -0) ? "-0" : JSON.stringify(value);
    case "object":
      if (value === null) return "null";
      if (!Array.isArray(value)) return encodeObject(value, place, depth);
      return `[${Array.from(value, (item, i) => encode(item, `${place}[${i}]`, depth + 1)).join(",")}]`;
    default:
      throw notPlain(place, `is of type ${typeof value}`);
  }
}

function encodeObject(value: object, place: string, depth: number): string {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    throw notPlain(place, `is an instance of ${value.constructor?.name ?? "a class"}`);
  }
  const members: string[] = [];
  for (const key of Object.keys(value).sort()) {
    const member = (value as Record<string, unknown>)[key];
    if (member === undefined) continue;
    const name = JSON.stringify(key.startsWith("$") ? `$${key}` : key);
    members.push(`${name}:${encode(member, `${place}.${key}`, depth + 1)}`);
  }
  return `{${members.join(",")}}`;
}

function decode(value: unknown, depth: number): unknown {
  if (depth > depthMax + 1) throw new LatheError("CORRUPTION", `nested deeper than ${depthMax}`);
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => decode(item, depth + 1));
  const members = Object.entries(value);
  const [key, member] = members[0] ?? [];
  if (members.length === 1 && typeof member === "string") {
    if (key === "$bigint" && /^-?\d+$/.test(member)) return BigInt(member);
    if (key === "$number" && /^(NaN|-?Infinity)$/.test(member)) return Number(member);
  }
  const decoded = members.map(([name, item]) => {
    if (!name.startsWith("$")) return [name, decode(item, depth + 1)] as const;
    if (!name.startsWith("$$")) throw new LatheError("CORRUPTION", `unknown tag ${name}`);
    return [name.slice(1), decode(item, depth + 1)] as const;
  });
  // fromEntries defines properties, so that a key "__proto__" is data like any other.
  return Object.fromEntries(decoded);
}

function notPlain(place: string, what: string): LatheError {
  return new LatheError("INVALID_ARGUMENT", `${place} ${what}; a journal holds plain data only`);
}

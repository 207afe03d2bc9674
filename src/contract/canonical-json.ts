/**
 * Canonical JSON: one text per value, whatever the order in which its keys were written; for hashes.
 *
 * Keys are sorted, there is no white space, undefined fields are left out, and a bigint is its digits (exact, unlike a
 * double). Source: RFC 8785 (JSON Canonicalization Scheme), without its number formatting beyond JavaScript's own.
 */
import { createHash } from "node:crypto";

export function canonicalJson(value: unknown): string {
  if (typeof value === "bigint") return value.toString();
  if (Array.isArray(value)) return `[${value.map((inner) => canonicalJson(inner ?? null)).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  const fields = Object.entries(value).filter(([, inner]) => inner !== undefined);
  fields.sort(([one], [other]) => (one < other ? -1 : one > other ? 1 : 0));
  return `{${fields.map(([key, inner]) => `${JSON.stringify(key)}:${canonicalJson(inner)}`).join(",")}}`;
}

/** SHA-256 of the canonical text, in hex. */
export function canonicalHash(value: unknown): string {
  return createHash("sha256").update(canonicalJson(value)).digest("hex");
}

/**
 * `If-Match` and `If-None-Match` as conditions on versions. An ETag is the version of a row in quotes.
 * Source: RFC 9110, sections 8.8.3 and 13.
 */
import type { WriteCondition } from "../../../concurrency/transaction/key-value-store.ts";
import { Problem } from "./problem.ts";

const listForm = /^(?:W\/)?"[^"]*"(?:[ \t]*,[ \t]*(?:W\/)?"[^"]*")*$/;

type Header = (name: string) => string | undefined;

/** Of a write. Errors: Problem 400. */
export function writeConditionOf(header: Header): WriteCondition | undefined {
  const match = header("if-match");
  const noneMatch = header("if-none-match");
  if (match !== undefined && noneMatch !== undefined) {
    throw new Problem(400, "give If-Match or If-None-Match, not both");
  }
  if (noneMatch !== undefined) {
    if (noneMatch.trim() !== "*") throw new Problem(400, "If-None-Match of a write is `*`");
    return "absent";
  }
  if (match === undefined) return undefined;
  if (match.trim() === "*") return "present";
  // A weak ETag never matches where strong ones are compared; none of ours is weak.
  return etagsOf(match).filter((tag) => !tag.weak).map((tag) => tag.version).filter((version) => version !== undefined);
}

/** Whether a read is answered with 304. Errors: Problem 400. */
export function isUnchanged(header: Header, version: bigint): boolean {
  const noneMatch = header("if-none-match");
  if (noneMatch === undefined) return false;
  return noneMatch.trim() === "*" || etagsOf(noneMatch).some((tag) => tag.version === version);
}

/** ETags of another form than ours are nobody's here, and match nothing. */
function etagsOf(list: string): { weak: boolean; version: bigint | undefined }[] {
  if (!listForm.test(list)) throw new Problem(400, "an ETag stands in quotes");
  return [...list.matchAll(/(W\/)?"([^"]*)"/g)].slice(0, 64).map(([, weak, tag]) => ({
    weak: weak !== undefined,
    version: /^-?\d{1,19}$/.test(tag) ? BigInt(tag) : undefined,
  }));
}

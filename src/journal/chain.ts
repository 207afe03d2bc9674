/**
 * One line of a journal: an entry in its envelope, chained to the line before by a SHA-256.
 *
 * Layout of a line (UTF-8, ended by one newline, which occurs nowhere else):
 *
 *   {"seq":N,"previous":"<64 hex>","time":"<ISO>","kind":"<kind>",<canonical members>,"hash":"<64 hex>"}
 *
 *   | part      | bytes                                                                      |
 *   | body      | everything before `,"hash":"`; begins with `{"seq":`                       |
 *   | suffix    | `,"hash":"` 64 lower-case hexadecimal digits `"}`; 75 bytes                |
 *   | hash      | SHA-256 of the body. As the body holds `previous`, a hash covers all lines above |
 *
 * Invariants: changing, removing, inserting or exchanging any byte or line breaks a hash or a `previous`.
 *   Removing whole lines from the end does not, as in every hash chain: whoever needs that keeps the head
 *   hash elsewhere (reports print it).
 * Anyone can verify without Lathe: cut the suffix of each line and compare `sha256sum`.
 */
import { createHash } from "node:crypto";
import { LatheError } from "../kit/errors.ts";
import { decodeCanonical, encodeCanonicalMembers } from "./canonical-json.ts";
import type { Entry, JournalEntry } from "./entry.ts";
import { entrySchema } from "./entry.ts";

export interface ChainHead {
  /** The seq of the last line; −1 before the first. */
  readonly seq: number;
  readonly hash: string;
}

export const chainStart: ChainHead = { seq: -1, hash: "0".repeat(64) };
export const lineBytesMax = 64 << 20;

const suffixBytes = 75;
const suffixPattern = /^,"hash":"([0-9a-f]{64})"\}$/;
const reserved = ["seq", "previous", "hash", "time"] as const;

export interface EncodedLine {
  /** Without its newline. */
  readonly line: Buffer;
  readonly entry: JournalEntry;
}

/** The line that follows `head`. Errors: INVALID_ARGUMENT, LIMIT_EXCEEDED. */
export function encodeLine(head: ChainHead, timeMs: number, entry: Entry): EncodedLine {
  requireEntry(entry);
  const { kind, ...members } = entry;
  const time = new Date(timeMs).toISOString();
  const seq = head.seq + 1;
  const rest = encodeCanonicalMembers(members);
  const opening = `{"seq":${seq},"previous":"${head.hash}","time":"${time}","kind":${JSON.stringify(kind)}`;
  const body = rest === "" ? opening : `${opening},${rest}`;
  const hash = sha256(Buffer.from(body));
  const line = Buffer.from(`${body},"hash":"${hash}"}`);
  if (line.length > lineBytesMax) {
    const message = `an entry of ${line.length} bytes is above the limit of ${lineBytesMax}`;
    throw new LatheError("LIMIT_EXCEEDED", message);
  }
  return { line, entry: decodeEntry(line.toString()) };
}

/** Errors: CORRUPTION where `line` is not the one that follows `head`; FORMAT_UNKNOWN for unknown kinds. */
export function decodeLine(head: ChainHead, line: Buffer): JournalEntry {
  const body = line.subarray(0, Math.max(0, line.length - suffixBytes));
  const hash = suffixPattern.exec(line.toString("latin1", body.length))?.[1];
  if (hash === undefined) throw new LatheError("CORRUPTION", "it does not end in a hash");
  if (sha256(body) !== hash) throw new LatheError("CORRUPTION", "its hash is not that of its bytes");
  const expected = `{"seq":${head.seq + 1},"previous":"${head.hash}",`;
  if (line.toString("latin1", 0, expected.length) !== expected) {
    const message = "it does not follow the line before; lines were removed, added or moved";
    throw new LatheError("CORRUPTION", message);
  }
  return decodeEntry(line.toString());
}

function decodeEntry(text: string): JournalEntry {
  const entry = decodeCanonical(text) as JournalEntry;
  const checked = entrySchema.safeParse(entry);
  if (!checked.success) {
    const [first] = checked.error.issues;
    throw new LatheError(
      "FORMAT_UNKNOWN",
      `an entry of kind "${String(entry.kind)}" is not one of this version ` +
        `(${first.path.join(".")}: ${first.message}); the version of Lathe that wrote it can read it`,
    );
  }
  return entry;
}

function requireEntry(entry: Entry): void {
  const taken = reserved.find((name) => Object.hasOwn(entry, name));
  if (taken !== undefined) {
    throw new LatheError("INVALID_ARGUMENT", `an entry may not have a field "${taken}"; the journal sets it`);
  }
  const checked = entrySchema.safeParse(entry);
  if (checked.success) return;
  const [first] = checked.error.issues;
  throw new LatheError(
    "INVALID_ARGUMENT",
    `not a journal entry of kind "${String(entry.kind)}": ${first.path.join(".")}: ${first.message}`,
  );
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

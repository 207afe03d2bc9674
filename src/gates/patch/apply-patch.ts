/**
 * ApplyPatch: puts a unified diff over a copy of a product, exactly or not at all.
 *
 *   1. Every path must be one that patches may touch (`patch-rules.ts`), and below the copy a plain file in plain
 *      directories: no symbolic link is followed.
 *   2. A hunk must stand where it says. Where the lines before it have moved, it may stand elsewhere if its old side is
 *      there exactly once; lines that only resemble (fuzz) never do.
 *   3. All files are worked out before any is written; a refusal leaves the copy as it was.
 * Line ends: a patch that came with CRLF throughout fits files with LF too; what it adds ends as the file does.
 * Errors: INVALID_ARGUMENT with every reason.
 */
import { lstatSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { LatheError } from "../../kit/errors.ts";
import { reasonAgainst } from "./patch-rules.ts";
import { type FilePatch, type Hunk, parseUnifiedDiff } from "./unified-diff.ts";

export interface PatchSummary {
  readonly files: readonly { readonly path: string; readonly kind: FilePatch["kind"] }[];
  readonly linesAdded: number;
  readonly linesRemoved: number;
}

/** A file may grow to so many bytes. */
const fileBytesMax = 2 << 20;

/** Errors: INVALID_ARGUMENT; `details.reasons` holds every reason. Nothing is written then. */
export function applyPatchText(patch: Uint8Array, directory: string): PatchSummary {
  const { files, crlf } = parseUnifiedDiff(patch);
  const reasons: string[] = [];
  const results = new Map<string, string | undefined>();
  for (const file of files) {
    const against = reasonAgainst(file.path) ?? linkOnTheWay(directory, file.path);
    if (against !== undefined) {
      reasons.push(`${file.path}: ${against}`);
      continue;
    }
    try {
      results.set(file.path, patchedText(directory, file, crlf));
    } catch (error) {
      if ((error as { code?: string }).code !== "INVALID_ARGUMENT") throw error;
      reasons.push((error as Error).message);
    }
  }
  if (reasons.length > 0) {
    throw new LatheError("INVALID_ARGUMENT", reasons.join("\n"), { details: { reasons } });
  }
  for (const [path, text] of results) {
    const target = join(directory, path);
    if (text === undefined) rmSync(target);
    else {
      mkdirSync(dirname(target), { recursive: true });
      writeFileSync(target, text);
    }
  }
  const lines = files.flatMap(({ hunks }) => hunks.flatMap((hunk) => hunk.lines));
  return {
    files: files.map(({ path, kind }) => ({ path, kind })),
    linesAdded: lines.filter(({ kind }) => kind === "+").length,
    linesRemoved: lines.filter(({ kind }) => kind === "-").length,
  };
}

/** A link or something else that is no plain directory or file, on the way to a path; or undefined. */
function linkOnTheWay(directory: string, path: string): string | undefined {
  const parts = path.split("/");
  for (let depth = 1; depth <= parts.length; depth++) {
    const found = lstatSync(join(directory, ...parts.slice(0, depth)), { throwIfNoEntry: false });
    if (found === undefined) return undefined;
    const plain = depth < parts.length ? found.isDirectory() : found.isFile();
    if (!plain) return "on the way to it lies a link, or something else that is no plain file";
  }
  return undefined;
}

/** The text that a file has afterwards; undefined where it goes. */
function patchedText(directory: string, { path, kind, hunks }: FilePatch, crlf: boolean): string | undefined {
  const target = join(directory, path);
  const there = lstatSync(target, { throwIfNoEntry: false }) !== undefined;
  if (kind === "create" && there) throw refused(`${path} is there already; the patch would make it`);
  if (kind !== "create" && !there) throw refused(`${path} is not in this product`);
  const before = there ? readFileSync(target, "utf8") : "";
  const after = new TextLines(path, before, crlf).apply(hunks);
  if (after.length > fileBytesMax) throw refused(`${path} would have ${after.length} bytes; at most ${fileBytesMax}`);
  if (kind !== "delete") return after;
  if (after !== "") throw refused(`${path}: the patch removes the file, but not all of its lines`);
  return undefined;
}

class TextLines {
  readonly #path: string;
  /** Lines with what ends them. */
  readonly #lines: readonly string[];
  readonly #crlf: boolean;
  readonly #end: string;

  constructor(path: string, text: string, crlf: boolean) {
    this.#path = path;
    this.#lines = text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
    this.#crlf = crlf;
    this.#end = this.#lines.length > 0 && this.#lines.every((line) => !/[^\r]\n$|^\n$/.test(line)) ? "\r\n" : "\n";
  }

  apply(hunks: readonly Hunk[]): string {
    const result: string[] = [];
    let taken = 0;
    for (const hunk of hunks) {
      const old = hunk.lines.filter(({ kind }) => kind !== "+").map((line) => this.#whole(line));
      // A hunk without old lines stands behind the line that it names.
      const said = old.length === 0 ? hunk.oldStart : hunk.oldStart - 1;
      const start = this.#place(hunk, old, said, taken);
      result.push(...this.#lines.slice(taken, start));
      let at = start;
      for (const line of hunk.lines) {
        if (line.kind === "+") result.push(this.#whole(line));
        else if (line.kind === " ") result.push(this.#lines[at++]);
        else at++;
      }
      taken = at;
    }
    result.push(...this.#lines.slice(taken));
    return result.join("");
  }

  /** A line of the patch as it would stand in the file. */
  #whole({ text, newline }: Hunk["lines"][number]): string {
    if (!newline) return text;
    return this.#crlf ? text + this.#end : `${text}\n`;
  }

  #place(hunk: Hunk, old: readonly string[], said: number, from: number): number {
    if (said >= from && this.#standsAt(old, said)) return said;
    if (old.length === 0) throw refused(`${this.#path}: line ${said} of the file, where a hunk adds, is not there`);
    const places: number[] = [];
    for (let at = from; at + old.length <= this.#lines.length; at++) if (this.#standsAt(old, at)) places.push(at);
    if (places.length === 1) return places[0];
    const where = places.length === 0 ? "nowhere" : `at ${places.length} places, none of them that line`;
    throw refused(
      `${this.#path}: the hunk at line ${hunk.at} of the patch is for line ${hunk.oldStart}; its old lines stand ` +
        `${where}. Make the patch against this product (lathe build writes it); fuzz is not applied`,
    );
  }

  #standsAt(old: readonly string[], at: number): boolean {
    return at + old.length <= this.#lines.length && old.every((line, i) => this.#lines[at + i] === line);
  }
}

function refused(message: string): LatheError {
  return new LatheError("INVALID_ARGUMENT", message);
}

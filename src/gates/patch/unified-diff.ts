/**
 * UnifiedDiff: reads a patch as `git diff` writes it, and nothing looser.
 *
 *   1. The text is UTF-8, at most `patchBytesMax` long, over at most `patchFilesMax` files.
 *   2. Per file a header (`diff --git` with its lines may be missing; then `---` and `+++`) and hunks, whose counts
 *      must hold. `/dev/null` on one side makes or removes the file.
 *   3. A patch whose every line ends in CRLF was written or sent that way: the carriage returns are taken off, and
 *      `crlf` says so.
 * What is no change of text is refused by name: binary contents, symbolic links, submodules, changed modes, renames.
 * Errors: INVALID_ARGUMENT, with the line of the patch.
 * Source: git's diff format (Documentation/diff-format).
 */
import { LatheError } from "../../kit/errors.ts";

export const patchBytesMax = 4 << 20;
export const patchFilesMax = 200;

export interface Hunk {
  /** First line of the old side, from 1; 0 where it has no lines. */
  readonly oldStart: number;
  readonly lines: readonly HunkLine[];
  /** Line of the patch, for messages. */
  readonly at: number;
}

export interface HunkLine {
  readonly kind: " " | "+" | "-";
  readonly text: string;
  /** False for the last line of a file that does not end in a newline. */
  readonly newline: boolean;
}

export interface FilePatch {
  readonly path: string;
  readonly kind: "modify" | "create" | "delete";
  readonly hunks: readonly Hunk[];
}

export interface UnifiedDiff {
  readonly files: readonly FilePatch[];
  readonly crlf: boolean;
}

/** Errors: INVALID_ARGUMENT. */
export function parseUnifiedDiff(bytes: Uint8Array): UnifiedDiff {
  if (bytes.length > patchBytesMax) {
    throw refused(0, `the patch has ${bytes.length} bytes; at most ${patchBytesMax} are looked at`);
  }
  if (bytes.includes(0)) throw refused(0, "the patch holds NUL bytes: it is binary, or in UTF-16");
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new LatheError("INVALID_ARGUMENT", "the patch is not UTF-8", { cause });
  }
  const lines = text.split("\n");
  if (lines[lines.length - 1] === "") lines.pop();
  const crlf = lines.length > 0 && lines.every((line) => line.endsWith("\r"));
  const files = new Reader(crlf ? lines.map((line) => line.slice(0, -1)) : lines).files();
  if (files.length === 0) throw refused(0, "the patch changes no file");
  const twice = files.find(({ path }, at) => files.findIndex((other) => other.path === path) !== at);
  if (twice !== undefined) throw refused(0, `the patch changes ${twice.path} twice`);
  return { files, crlf };
}

class Reader {
  readonly #lines: readonly string[];
  #at = 0;

  constructor(lines: readonly string[]) {
    this.#lines = lines;
  }

  files(): FilePatch[] {
    const files: FilePatch[] = [];
    while (this.#at < this.#lines.length) {
      const line = this.#lines[this.#at];
      if (line.startsWith("diff --git ")) files.push(...this.#gitFile());
      else if (line.startsWith("--- ") && this.#lines[this.#at + 1]?.startsWith("+++ ")) files.push(this.#file());
      else if (line.startsWith("@@ ")) throw this.#bad("a hunk without a file before it");
      // Anything else between files is a letter around the patch.
      else this.#at++;
      if (files.length > patchFilesMax) throw this.#bad(`more than ${patchFilesMax} files`);
    }
    return files;
  }

  /** The extended header, and the change of text if there is one. */
  #gitFile(): FilePatch[] {
    const start = this.#at;
    const said = this.#lines[this.#at++];
    let kind: FilePatch["kind"] = "modify";
    for (; this.#at < this.#lines.length; this.#at++) {
      const line = this.#lines[this.#at];
      if (line.startsWith("--- ")) {
        const file = this.#file();
        if (file.kind !== kind) throw this.#bad(`its header and its "---" and "+++" disagree about ${file.path}`);
        return [file];
      }
      if (line.startsWith("diff --git ") || line.startsWith("@@ ")) break;
      if (/^(GIT binary patch|Binary files )/.test(line)) throw this.#bad(`a binary change (${said.slice(11)})`);
      if (/^(rename|copy|similarity|dissimilarity) /.test(line)) {
        throw this.#bad("a rename or copy; write it as a file that goes and one that comes (git diff --no-renames)");
      }
      if (/^(old|new) mode /.test(line)) throw this.#bad("a change of a file's mode");
      const mode = /^(?:new file|deleted file) mode (\d+)$/.exec(line)?.[1] ?? /^index \S+ (\d+)$/.exec(line)?.[1];
      if (mode === "120000") throw this.#bad("a symbolic link");
      if (mode === "160000") throw this.#bad("a submodule");
      if (mode !== undefined && mode !== "100644") throw this.#bad(`a file of mode ${mode}; only 100644 is taken`);
      if (line.startsWith("new file mode ")) kind = "create";
      else if (line.startsWith("deleted file mode ")) kind = "delete";
      else if (!line.startsWith("index ") && line !== "") throw this.#bad(`a header line that is not known: ${line}`);
    }
    throw new LatheError("INVALID_ARGUMENT", `line ${start + 1} of the patch: ${said} changes no text of its file`);
  }

  #file(): FilePatch {
    const oldPath = this.#path("--- ", "a/");
    const newPath = this.#path("+++ ", "b/");
    if (oldPath === undefined && newPath === undefined) throw this.#bad("both sides are /dev/null");
    if (oldPath !== undefined && newPath !== undefined && oldPath !== newPath) {
      throw this.#bad(`${oldPath} would become ${newPath}: a rename; write it as a file that goes and one that comes`);
    }
    const kind = oldPath === undefined ? "create" : newPath === undefined ? "delete" : "modify";
    const hunks: Hunk[] = [];
    while (this.#lines[this.#at]?.startsWith("@@ ")) hunks.push(this.#hunk());
    if (hunks.length === 0) throw this.#bad("a file without hunks");
    return { path: (newPath ?? oldPath) as string, kind, hunks };
  }

  /** The path of a `---` or `+++` line; undefined for /dev/null. */
  #path(mark: string, side: string): string | undefined {
    const line = this.#lines[this.#at];
    if (line === undefined || !line.startsWith(mark)) throw this.#bad(`"${mark.trim()}" is missing`);
    // diff(1) puts a tab and a time behind the name.
    const name = line.slice(mark.length).split("\t")[0];
    this.#at++;
    if (name === "/dev/null") return undefined;
    if (name.startsWith('"')) throw this.#bad(`a quoted file name (${name}): names are plain letters, digits and ./-_`);
    return name.startsWith(side) ? name.slice(side.length) : name;
  }

  #hunk(): Hunk {
    const at = this.#at + 1;
    const head = /^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/.exec(this.#lines[this.#at]);
    if (head === null) throw this.#bad("a hunk's header that cannot be read");
    this.#at++;
    let oldLeft = Number(head[2] ?? 1);
    let newLeft = Number(head[4] ?? 1);
    const lines: { kind: HunkLine["kind"]; text: string; newline: boolean }[] = [];
    while (oldLeft > 0 || newLeft > 0 || this.#lines[this.#at]?.startsWith("\\ ")) {
      const line = this.#lines[this.#at];
      if (line === undefined) throw this.#bad("the patch ends in the middle of a hunk");
      this.#at++;
      if (line.startsWith("\\ ")) {
        const last = lines[lines.length - 1];
        if (last === undefined) throw this.#bad("a note about a newline without a line before it");
        last.newline = false;
        continue;
      }
      // Editors and mail take the blank off an empty line of context.
      const kind = line === "" ? " " : line[0];
      if (kind !== " " && kind !== "+" && kind !== "-") {
        throw this.#bad("a hunk is shorter than its header says");
      }
      if (kind !== "+") oldLeft--;
      if (kind !== "-") newLeft--;
      lines.push({ kind, text: line.slice(1), newline: true });
    }
    if (oldLeft < 0 || newLeft < 0) throw this.#bad("a hunk is longer than its header says");
    // A signature ("-- ") and the next file ("--- ") may follow; more lines of a hunk may not.
    if (/^(\+|-(?!- $|-- |-$))/.test(this.#lines[this.#at] ?? "")) {
      throw this.#bad("a hunk is longer than its header says");
    }
    if (lines.every(({ kind }) => kind === " ")) throw this.#bad("a hunk that changes nothing");
    return { oldStart: Number(head[1]), lines, at };
  }

  #bad(what: string): LatheError {
    return refused(this.#at + 1, what);
  }
}

function refused(line: number, what: string): LatheError {
  return new LatheError("INVALID_ARGUMENT", line === 0 ? what : `line ${line} of the patch: ${what}`);
}

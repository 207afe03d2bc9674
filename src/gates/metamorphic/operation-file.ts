/**
 * The operation file: a metamorphic program as text, one operation per line, so that a failing one can be read,
 * cut down by hand, kept, and run again.
 *
 *     lathe-operations version=1 seed=42 features=-
 *     write put k01 v1.*400 ; delete k02 ; delete-range k03 k07
 *     get k01 @s1
 *     scan from k01 to k09 reverse limit 10 @s1
 *     # a comment
 *
 * A byte string is a word: letters, digits and `_.-` stand for themselves, any other byte is `%` and two hex
 * digits, `v1.*400` is `v1.` over and over up to 400 bytes, and `''` is the empty string.
 * A version is raised where a line means something else than before; older versions stay readable.
 * Source of the idea: the operation logs of Pebble's metamorphic tests.
 */
import { LatheError } from "../../kit/errors.ts";
import { type Change, type Feature, featureNames } from "./operation.ts";
import type { Operation, OperationFile, Range } from "./operation.ts";

const version = 1;
const magic = "lathe-operations";
/** Longer repetitions are shortened; below this the text itself is as short. */
const repetitionMin = 12;
const unitMax = 12;

export function formatOperationFile(file: OperationFile): string {
  const features = file.features.length === 0 ? "-" : file.features.join(",");
  const lines = file.operations.map(formatOperation);
  return [`${magic} version=${version} seed=${file.seed} features=${features}`, ...lines, ""].join("\n");
}

/** Errors: FORMAT_UNKNOWN for a newer version, INVALID_ARGUMENT with the line. */
export function parseOperationFile(text: string): OperationFile {
  const lines = text.split("\n");
  const header = /^lathe-operations version=(\d+) seed=(\d+) features=(\S+)$/.exec(lines[0]);
  if (header === null) throw invalid(1, `begins with \`${magic} version=${version} seed=N features=…\``);
  if (Number(header[1]) > version) {
    const message = `the operation file is of version ${header[1]}; this Lathe reads up to ${version}`;
    throw new LatheError("FORMAT_UNKNOWN", `${message}: take a newer one`);
  }
  const features = header[3] === "-" ? [] : header[3].split(",");
  const unknown = features.find((name) => !(featureNames as readonly string[]).includes(name));
  if (unknown !== undefined) throw invalid(1, `there is no feature ${unknown}`);
  const operations: Operation[] = [];
  for (const [at, line] of lines.entries()) {
    if (at === 0 || line.trim() === "" || line.startsWith("#")) continue;
    operations.push(parseOperation(new Words(line, at + 1)));
  }
  return { seed: Number(header[2]), features: features as Feature[], operations };
}

export function formatOperation(operation: Operation): string {
  const { kind } = operation;
  switch (kind) {
    case "write": {
      const changes = operation.changes.map(formatChange).join(" ; ");
      return `${operation.sync ? "write" : "write-unsynced"} ${changes}`.trimEnd();
    }
    case "write-apart":
      return `${kind} ${operation.changes.map(formatChange).join(" ; ")}`;
    case "tune":
      return `${kind} ${operation.option} ${operation.value}`;
    case "get":
    case "get-promised":
      return `${kind} ${formatBytes(operation.key)}${atSuffix(operation.at)}`;
    case "get-many":
      return `${kind} ${operation.keys.map(formatBytes).join(" ")}${atSuffix(operation.at)}`;
    case "scan":
      return `scan${formatRange(operation)}${operation.limit === undefined ? "" : ` limit ${operation.limit}`}`;
    case "cursor":
      return `cursor ${operation.name}${formatRange(operation)}`;
    case "next":
      return `next ${operation.name} ${operation.count}`;
    case "turns":
      return `turns ${operation.count}`;
    case "wait":
      return `wait ${operation.ms}`;
    case "close":
    case "snapshot":
    case "release":
    case "checkpoint":
    case "open-checkpoint":
    case "agent":
      return `${kind} ${operation.name}`;
    default:
      return kind;
  }
}

function formatChange(change: Change): string {
  if (change.kind === "delete") return `delete ${formatBytes(change.key)}`;
  if (change.kind === "deleteRange") return `delete-range ${formatBytes(change.from)} ${formatBytes(change.to)}`;
  const ttl = change.ttlMs === undefined ? "" : ` ttl ${change.ttlMs}`;
  return `put ${formatBytes(change.key)} ${formatBytes(change.value)}${ttl}`;
}

function formatRange({ from, to, reverse, at }: Range): string {
  const lower = from === undefined ? "" : ` from ${formatBytes(from)}`;
  const upper = to === undefined ? "" : ` to ${formatBytes(to)}`;
  return `${lower}${upper}${reverse ? " reverse" : ""}${atSuffix(at)}`;
}

function atSuffix(name: string | undefined): string {
  return name === undefined ? "" : ` @${name}`;
}

/** A byte string as a word. */
export function formatBytes(text: string): string {
  if (text === "") return "''";
  if (text.length < repetitionMin) return escape(text);
  let word = words.get(text);
  if (word === undefined) {
    const unit = repeatedUnit(text);
    word = unit === undefined ? escape(text) : `${escape(unit)}*${text.length}`;
    if (words.size >= wordsMax) words.clear();
    words.set(text, word);
  }
  return word;
}

/** Words of long texts, which answers repeat again and again. */
const words = new Map<string, string>();
const wordsMax = 20_000;

/** What a long text repeats from its beginning to its end. */
function repeatedUnit(text: string): string | undefined {
  for (let length = 1; length <= unitMax && length < text.length; length++) {
    // A text repeats itself every `length` characters where it equals itself shifted by that much.
    if (text[0] === text[length] && text.startsWith(text.slice(length))) return text.slice(0, length);
  }
  return undefined;
}

function escape(text: string): string {
  if (/^[A-Za-z0-9_.-]+$/.test(text)) return text;
  return text.replaceAll(/[^A-Za-z0-9_.-]/g, (one) => `%${one.charCodeAt(0).toString(16).padStart(2, "0")}`);
}

function parseOperation(words: Words): Operation {
  const kind = words.next("an operation");
  const operation = parseKind(kind, words);
  words.end();
  return operation;
}

function parseKind(kind: string, words: Words): Operation {
  switch (kind) {
    case "write":
    case "write-unsynced":
      return { kind: "write", sync: kind === "write", changes: parseChanges(words) };
    case "write-apart":
      return { kind, changes: parseChanges(words) };
    case "tune": {
      const option = words.next("an option");
      const value = words.next("a value");
      return { kind, option, value: /^-?\d{1,13}$/.test(value) ? Number(value) : value };
    }
    case "get":
    case "get-promised":
      return { kind, key: words.bytes(), at: words.at() };
    case "get-many":
      return { kind, keys: words.bytesUntilAt(), at: words.at() };
    case "scan":
      return { kind, ...parseRange(words) };
    case "cursor": {
      const name = words.next("a name");
      return { kind, name, ...parseRange(words) };
    }
    case "next":
      return { kind, name: words.next("a name"), count: words.number() };
    case "turns":
      return { kind, count: words.number() };
    case "wait":
      return { kind, ms: words.number() };
    case "close":
    case "snapshot":
    case "release":
    case "checkpoint":
    case "open-checkpoint":
    case "agent":
      return { kind, name: words.next("a name") };
    case "flush":
    case "flush-begin":
    case "compact":
    case "compact-begin":
    case "settle":
    case "reopen":
    case "reopen-now":
    case "repair":
    case "crash":
      return { kind };
    default:
      throw words.refuse(`knows no operation ${kind}`);
  }
}

function parseChanges(words: Words): Change[] {
  const changes: Change[] = [];
  while (words.more()) {
    const kind = words.next("a change");
    if (kind === "put") {
      const change = { kind, key: words.bytes(), value: words.bytes() } as const;
      changes.push(words.take("ttl") ? { ...change, ttlMs: words.number() } : change);
    } else if (kind === "delete") changes.push({ kind, key: words.bytes() });
    else if (kind === "delete-range") changes.push({ kind: "deleteRange", from: words.bytes(), to: words.bytes() });
    else throw words.refuse(`knows no change ${kind}`);
    if (words.more() && !words.take(";")) throw words.refuse("has changes apart by ;");
  }
  return changes;
}

function parseRange(words: Words): Range & { limit?: number | undefined } {
  const from = words.take("from") ? words.bytes() : undefined;
  const to = words.take("to") ? words.bytes() : undefined;
  const reverse = words.take("reverse");
  const at = words.at();
  const limit = words.take("limit") ? words.number() : undefined;
  return { from, to, reverse, at, ...(limit === undefined ? {} : { limit }) };
}

/** The words of one line, read from left to right. */
class Words {
  readonly #words: readonly string[];
  readonly #line: number;
  #position = 0;

  constructor(text: string, line: number) {
    this.#words = text.trim().split(/\s+/);
    this.#line = line;
  }

  more(): boolean {
    return this.#position < this.#words.length;
  }

  next(what: string): string {
    if (!this.more()) throw this.refuse(`lacks ${what} at its end`);
    return this.#words[this.#position++];
  }

  take(word: string): boolean {
    if (this.#words[this.#position] !== word) return false;
    this.#position++;
    return true;
  }

  number(): number {
    const word = this.next("a number");
    if (!/^\d{1,12}$/.test(word)) throw this.refuse(`has ${word} where a number is due`);
    return Number(word);
  }

  bytes(): string {
    const word = this.next("a byte string");
    if (word === "''") return "";
    const match = /^((?:[A-Za-z0-9_.-]|%[0-9a-f]{2})+)(?:\*(\d{1,9}))?$/.exec(word);
    if (match === null) throw this.refuse(`has ${word} where a byte string is due`);
    const unit = match[1].replaceAll(/%(..)/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
    if (match[2] === undefined) return unit;
    const length = Number(match[2]);
    return unit.repeat(Math.ceil(length / unit.length)).slice(0, length);
  }

  bytesUntilAt(): string[] {
    const found: string[] = [];
    while (this.more() && !this.#words[this.#position].startsWith("@")) found.push(this.bytes());
    return found;
  }

  at(): string | undefined {
    return this.#words[this.#position]?.startsWith("@") ? this.next("a snapshot").slice(1) : undefined;
  }

  end(): void {
    if (this.more()) throw this.refuse(`has ${this.#words[this.#position]} after its end`);
  }

  refuse(what: string): LatheError {
    return invalid(this.#line, what);
  }
}

function invalid(line: number, what: string): LatheError {
  return new LatheError("INVALID_ARGUMENT", `operation file, line ${line}: it ${what}`, { details: { line } });
}

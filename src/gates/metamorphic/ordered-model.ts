/**
 * OrderedModel: what a store has to answer to a metamorphic program, from a plain map.
 *
 * It knows no files, threads, caches or crashes: everything written is there, in every snapshot, cursor and
 * checkpoint as of the moment it was taken. Snapshots and cursors end with the process that took them. What
 * names something that is not there answers `none`, so that shortened programs stay programs.
 * Time is the program's own: an entry with a time to live is gone once that much time has passed.
 */
import { formatBytes } from "./operation-file.ts";
import type { Change, Operation, Range } from "./operation.ts";

interface ModelEntry {
  readonly value: string;
  readonly expiresAtMs: number;
}

type Contents = ReadonlyMap<string, ModelEntry>;

interface ModelCursor {
  readonly entries: readonly (readonly [string, ModelEntry])[];
  position: number;
}

export const noneAnswer = "none";

export class OrderedModel {
  #contents = new Map<string, ModelEntry>();
  #nowMs = 0;
  readonly #snapshots = new Map<string, Contents>();
  readonly #cursors = new Map<string, ModelCursor>();
  readonly #checkpoints = new Map<string, Contents>();

  /** The answer due to an operation. */
  answer(operation: Operation): string {
    switch (operation.kind) {
      case "write":
      case "write-apart":
        for (const change of operation.changes) this.#apply(change);
        return "ok";
      case "get":
      case "get-promised":
        return this.#reading(operation.at, (contents) => this.#valueOf(contents, operation.key));
      case "get-many":
        return this.#reading(operation.at, (contents) =>
          operation.keys.map((key) => this.#valueOf(contents, key)).join(" "),
        );
      case "scan":
        return this.#reading(operation.at, (contents) =>
          formatEntries(this.#present(this.#range(contents, operation)).slice(0, operation.limit ?? Infinity)),
        );
      case "cursor":
        return this.#reading(operation.at, (contents) => {
          if (this.#cursors.has(operation.name)) return noneAnswer;
          this.#cursors.set(operation.name, { entries: this.#range(contents, operation), position: 0 });
          return "ok";
        });
      case "next":
        return this.#next(operation.name, operation.count);
      case "close":
        return this.#cursors.delete(operation.name) ? "ok" : noneAnswer;
      default:
        return this.#answerOther(operation);
    }
  }

  #answerOther(operation: Operation): string {
    switch (operation.kind) {
      case "snapshot":
        if (this.#snapshots.has(operation.name)) return noneAnswer;
        this.#snapshots.set(operation.name, new Map(this.#contents));
        return "ok";
      case "release":
        return this.#snapshots.delete(operation.name) ? "ok" : noneAnswer;
      case "checkpoint":
        if (this.#checkpoints.has(operation.name)) return noneAnswer;
        this.#checkpoints.set(operation.name, new Map(this.#contents));
        return "ok";
      case "open-checkpoint": {
        const contents = this.#checkpoints.get(operation.name);
        if (contents === undefined) return noneAnswer;
        return formatEntries(this.#present(this.#range(contents, { reverse: false })));
      }
      case "reopen":
      case "reopen-now":
      case "crash":
        this.#forgetReaders();
        return "ok";
      case "repair":
        this.#forgetReaders();
        return formatEntries(this.#present(this.#range(this.#contents, { reverse: false })));
      case "wait":
        this.#nowMs += operation.ms;
        return "ok";
      default:
        return "ok";
    }
  }

  #forgetReaders(): void {
    this.#snapshots.clear();
    this.#cursors.clear();
  }

  #apply(change: Change): void {
    if (change.kind === "delete") this.#contents.delete(change.key);
    else if (change.kind === "deleteRange") {
      for (const key of this.#contents.keys()) {
        if (key >= change.from && key < change.to) this.#contents.delete(key);
      }
    } else {
      const expiresAtMs = change.ttlMs === undefined ? Infinity : this.#nowMs + change.ttlMs;
      this.#contents.set(change.key, { value: change.value, expiresAtMs });
    }
  }

  #reading(at: string | undefined, read: (contents: Contents) => string): string {
    const contents = at === undefined ? this.#contents : this.#snapshots.get(at);
    return contents === undefined ? noneAnswer : read(contents);
  }

  #valueOf(contents: Contents, key: string): string {
    const entry = contents.get(key);
    return formatValue(entry === undefined || this.#isPast(entry) ? undefined : entry.value);
  }

  #range(contents: Contents, { from, to, reverse }: Range): [string, ModelEntry][] {
    const inside = ([key]: [string, ModelEntry]) =>
      (from === undefined || key >= from) && (to === undefined || key < to);
    const found = [...contents].filter(inside).sort(([a], [b]) => (a < b ? -1 : 1));
    return reverse ? found.reverse() : found;
  }

  #present(entries: readonly (readonly [string, ModelEntry])[]): [string, string][] {
    return entries.filter(([, entry]) => !this.#isPast(entry)).map(([key, { value }]) => [key, value]);
  }

  #isPast({ expiresAtMs }: ModelEntry): boolean {
    return expiresAtMs <= this.#nowMs;
  }

  /** A cursor sees what was there when it was made, without what has expired when it comes there. */
  #next(name: string, count: number): string {
    const cursor = this.#cursors.get(name);
    if (cursor === undefined) return noneAnswer;
    const shown: [string, string][] = [];
    while (shown.length < count && cursor.position < cursor.entries.length) {
      shown.push(...this.#present([cursor.entries[cursor.position++]]));
    }
    return formatEntries(shown) + (shown.length < count ? endMark : "");
  }
}

/** Follows the entries of a cursor that has come to its end. */
export const endMark = " end";

export function formatValue(value: string | undefined): string {
  return value === undefined ? "-" : formatBytes(value);
}

export function formatEntries(entries: readonly (readonly [string, string])[]): string {
  return `${entries.length}:${entries.map(([key, value]) => ` ${formatBytes(key)}=${formatBytes(value)}`).join("")}`;
}

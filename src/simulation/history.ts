/**
 * History: the model that a store is compared with. The writes in the order of the log, and the contents after any of
 * them. Entries that expire stay in the contents, with their time; `content-match.ts` knows what that means for a read.
 *
 *   1. A write enters when it gets its index; until it is acknowledged a crash may lose it, with all after it.
 *   2. After a recovery the store says how far it reaches; what lies behind that is forgotten, and may not be anything
 *   that was acknowledged.
 */
import { valueOf } from "./store-operation.ts";
import type { Entry, Write } from "./store-subject.ts";

interface Kept {
  readonly value: Uint8Array;
  readonly expiresAtMs: number | undefined;
}

type Contents = Map<number, Kept>;

export class History {
  /** Highest index that must survive every crash from now on. */
  promised = 0;
  readonly #writes = new Map<number, Write>();
  #last = 0;
  #contents: Contents = new Map();
  #contentsIndex = 0;

  get lastIndex(): number {
    return this.#last;
  }

  /** The result undoes it. */
  appended(index: number, write: Write): () => void {
    // Where a log gave an index up with a truncation, the newer write counts.
    const before = this.#writes.get(index);
    const last = this.#last;
    this.#place(index, write);
    this.#last = Math.max(last, index);
    return () => {
      this.#place(index, before);
      this.#last = last;
    };
  }

  /** Forgets what a crash took. */
  cutTo(index: number): void {
    for (let gone = index + 1; gone <= this.#last; gone++) this.#writes.delete(gone);
    this.#last = Math.min(this.#last, index);
    if (this.#contentsIndex > index) this.#restart();
  }

  /** Contents after the write at an index. Do not change or keep. */
  contentsAt(index: number): ReadonlyMap<number, Kept> {
    if (index < this.#contentsIndex) this.#restart();
    while (this.#contentsIndex < index) {
      const write = this.#writes.get(++this.#contentsIndex);
      if (write !== undefined) applyWrite(this.#contents, write);
    }
    return this.#contents;
  }

  /** Whether the write at an index is refused, given what was there before. */
  refusesAt(index: number): boolean {
    const write = this.#writes.get(index);
    return write !== undefined && isRefused(this.contentsAt(index - 1), write);
  }

  entriesAt(index: number, from: number, to: number): Entry[] {
    const entries: Entry[] = [];
    for (const [key, kept] of this.contentsAt(index)) if (key >= from && key < to) entries.push({ key, ...kept });
    return entries.sort((a, b) => a.key - b.key);
  }

  /** Values that a key had after any write from one index to another, both included. */
  valuesBetween(key: number, first: number, last: number): (Kept | undefined)[] {
    const values: (Kept | undefined)[] = [];
    for (let index = first; index <= last; index++) values.push(this.contentsAt(index).get(key));
    return values;
  }

  /** Whether any write from one index to another, both included, deletes a range. */
  deletesRangeBetween(first: number, last: number): boolean {
    for (let index = first; index <= last; index++) {
      if (this.#writes.get(index)?.changes.some((change) => change.kind === "deleteRange") === true) return true;
    }
    return false;
  }

  #place(index: number, write: Write | undefined): void {
    if (write === undefined) this.#writes.delete(index);
    else this.#writes.set(index, write);
    if (index <= this.#contentsIndex) this.#restart();
  }

  #restart(): void {
    this.#contents = new Map();
    this.#contentsIndex = 0;
  }
}

function isRefused(contents: ReadonlyMap<number, unknown>, { changes }: Write): boolean {
  // The changes of one write see each other.
  if (!changes.some((change) => change.kind === "insert")) return false;
  const there = new Map<number, boolean>();
  const has = (key: number) => there.get(key) ?? contents.has(key);
  for (const change of changes) {
    if (change.kind === "insert" && has(change.key)) return true;
    if (change.kind === "deleteRange") for (let key = change.from; key < change.to; key++) there.set(key, false);
    else there.set(change.key, change.kind !== "delete");
  }
  return false;
}

function applyWrite(contents: Contents, write: Write): void {
  if (isRefused(contents, write)) return;
  for (const [place, change] of write.changes.entries()) {
    if (change.kind === "delete") contents.delete(change.key);
    else if (change.kind === "deleteRange") for (let key = change.from; key < change.to; key++) contents.delete(key);
    else {
      const lifetimeMs = change.kind === "put" ? change.lifetimeMs : undefined;
      const expiresAtMs = lifetimeMs === undefined ? undefined : write.timeMs + lifetimeMs;
      contents.set(change.key, { value: valueOf(write.id, place, change.bytes), expiresAtMs });
    }
  }
}

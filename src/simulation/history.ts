/**
 * History: the model that a store is compared with. The writes in the order of the log, and the contents after any of
 * them.
 *
 *   1. A write enters when it gets its index; until it is acknowledged a crash may lose it, with all after it.
 *   2. After a recovery the store says how far it reaches; what lies behind that is forgotten, and may not be anything
 *   that was acknowledged.
 */
import { valueOf } from "./store-operation.ts";
import type { Entry, Write } from "./store-subject.ts";

type Contents = Map<number, Uint8Array>;

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

  appended(index: number, write: Write): void {
    // Where a log gave an index up with a truncation, the newer write counts.
    this.#writes.set(index, write);
    this.#last = Math.max(this.#last, index);
    if (index <= this.#contentsIndex) this.#restart();
  }

  /** Forgets what a crash took. */
  cutTo(index: number): void {
    for (let gone = index + 1; gone <= this.#last; gone++) this.#writes.delete(gone);
    this.#last = Math.min(this.#last, index);
    if (this.#contentsIndex > index) this.#restart();
  }

  /** Contents after the write at an index. Do not change or keep. */
  contentsAt(index: number): ReadonlyMap<number, Uint8Array> {
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
    for (const [key, value] of this.contentsAt(index)) if (key >= from && key < to) entries.push({ key, value });
    return entries.sort((a, b) => a.key - b.key);
  }

  /** Values that a key had after any write from one index to another, both included. */
  valuesBetween(key: number, first: number, last: number): (Uint8Array | undefined)[] {
    const values: (Uint8Array | undefined)[] = [];
    for (let index = first; index <= last; index++) values.push(this.contentsAt(index).get(key));
    return values;
  }

  #restart(): void {
    this.#contents = new Map();
    this.#contentsIndex = 0;
  }
}

function isRefused(contents: ReadonlyMap<number, Uint8Array>, { changes }: Write): boolean {
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
    else contents.set(change.key, valueOf(write.id, place, change.bytes));
  }
}

/** What differs first between what was found and what should be there, or undefined. */
export function difference(found: readonly Entry[], expected: readonly Entry[]): string | undefined {
  for (let at = 0; at < Math.max(found.length, expected.length); at++) {
    const [one, other] = [found[at], expected[at]];
    if (one === undefined) return `key ${other.key} is missing (${shown(other.value)})`;
    if (other === undefined) return `key ${one.key} should not be there (${shown(one.value)})`;
    if (one.key < other.key) return `key ${one.key} should not be there (${shown(one.value)})`;
    if (one.key > other.key) return `key ${other.key} is missing (${shown(other.value)})`;
    if (!sameValue(one.value, other.value)) return `key ${one.key} is ${shown(one.value)}, not ${shown(other.value)}`;
  }
  return undefined;
}

export function sameValue(one: Uint8Array | undefined, other: Uint8Array | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  return Buffer.compare(one, other) === 0;
}

export function shown(value: Uint8Array | undefined): string {
  if (value === undefined) return "absent";
  return `"${Buffer.from(value).toString("latin1", 0, 24)}" of ${value.length} bytes`;
}

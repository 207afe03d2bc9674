/**
 * History: the model that a store is compared with. The writes in the order of the log, and the contents after any of
 * them. Entries that expire stay in the contents, with their time; `content-match.ts` knows what that means for a read.
 *
 *   1. A write enters when it gets its index; until it is acknowledged a crash may lose it, with all after it.
 *   2. After a recovery the store says how far it reaches; what lies behind that is forgotten, and may not be anything
 *   that was acknowledged.
 *   3. Where a device lied, what lies behind is hidden, not forgotten: the read that left it out may have lied. Its
 *   indexes are given away again, and the next recovery may show either: the writes that came later, those that were
 *   hidden, or later ones with hidden ones behind them. Which of these lines is there, the contents tell (`recall`).
 */
import { valueOf } from "./store-operation.ts";
import type { Entry, Write } from "./store-subject.ts";

interface Kept {
  readonly value: Uint8Array;
  readonly expiresAtMs: number | undefined;
}

type Contents = Map<number, Kept>;

/** Writes by their index, without gaps. */
type Line = ReadonlyMap<number, Write>;

/** Of how many pieces of lines a recovery may make its own, and how many such ways are looked at. */
const piecesMax = 3;
const waysMax = 20_000;

export class History {
  /** Highest index that must survive every crash from now on. */
  promised = 0;
  readonly #writes = new Map<number, Write>();
  #last = 0;
  /** What recoveries on a lying device left out, or found in the place of something else. */
  readonly #hidden: Line[] = [];
  #contents: Contents = new Map();
  #contentsIndex = 0;

  get lastIndex(): number {
    return this.#last;
  }

  /** The highest index that a recovery may show. */
  get reach(): number {
    return Math.max(this.#last, ...this.#hidden.flatMap((line) => [...line.keys()]));
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

  /**
   * Finds out which writes a recovery up to an index shows, where it may show hidden ones: the first line whose
   * contents fit is the one in force from now on, and what lies behind it is hidden. Without one that fits all stays as
   * it is, up to the index. Returns whether hidden writes are in force again.
   */
  recall(index: number, fits: (contents: readonly Entry[]) => boolean): boolean {
    const before = new Map(this.#writes);
    const first = Math.min(...this.#hidden.flatMap((line) => [...line.keys()]));
    if (first <= index && !(this.#last >= index && fits(this.#entriesOf(index)))) {
      const way = this.#ways(first, index).find((writes) => {
        this.#put(first, writes);
        return fits(this.#entriesOf(index));
      });
      if (way === undefined) this.#put(first, [...before].filter(([at]) => at >= first).map(([, write]) => write));
    }
    const isGone = ([at, write]: readonly [number, Write]) => at > index || this.#writes.get(at) !== write;
    const from = Math.min(...[...before].filter(isGone).map(([at]) => at));
    const gone = new Map([...before].filter(([at]) => at >= from));
    if (gone.size > 0) this.#hidden.push(gone);
    this.cutTo(index);
    return [...this.#writes].some(([at, write]) => before.get(at) !== write);
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

  #entriesOf(index: number): Entry[] {
    return this.entriesAt(index, 0, Infinity);
  }

  /** Lines from one index to another that a lying device may show, the likeliest first. */
  *#ways(first: number, last: number): Generator<Write[]> {
    const lines = [this.#writes, ...this.#hidden].map((line) => new Map(line));
    let ways = 0;
    for (let pieces = 1; pieces <= piecesMax; pieces++) {
      for (const way of weave(lines, first, last, pieces)) {
        if (++ways > waysMax) return;
        yield way;
      }
    }
  }

  /** Puts writes in the place of all from an index on. */
  #put(first: number, writes: readonly Write[]): void {
    for (let gone = first; gone <= this.#last; gone++) this.#writes.delete(gone);
    for (const [at, write] of writes.entries()) this.#writes.set(first + at, write);
    this.#last = first + writes.length - 1;
    if (first <= this.#contentsIndex) this.#restart();
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

/** What so many pieces of the lines make, each piece of another line than the one before. */
function* weave(
  lines: readonly Line[], first: number, last: number, pieces: number, before?: Line,
): Generator<Write[]> {
  for (const line of lines) {
    if (line === before) continue;
    const piece: Write[] = [];
    for (let index = first; index <= last; index++) {
      const write = line.get(index);
      if (write === undefined) break;
      piece.push(write);
      if (pieces === 1 && index === last) yield piece;
      if (pieces === 1) continue;
      for (const rest of weave(lines, index + 1, last, pieces - 1, line)) yield [...piece, ...rest];
    }
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

/**
 * Sorted entries for the tests of runs: an arbitrary, an iterator over a plain array, and what iterators show.
 */
import fc from "fast-check";
import { compareBytes } from "../../../../../../kit/compare.ts";
import { type EntryIterator, kindDelete, kindPut, noBytes, type ShownEntry } from "./entry-iterator.ts";

export interface Entry {
  readonly key: Uint8Array;
  readonly index: number;
  readonly kind: number;
  readonly value: Uint8Array;
}

/** Keys that share prefixes, of few distinct bytes, some long. */
export const keyArbitrary: fc.Arbitrary<Uint8Array> = fc
  .tuple(
    fc.constantFrom("", "a", "user/", "user/0000000000000000"),
    fc.array(fc.constantFrom(0, 1, 97, 128, 255), { minLength: 1, maxLength: 5 }),
    fc.constantFrom(0, 0, 0, 200),
  )
  .map(([prefix, rest, zeros]) =>
    Uint8Array.from([...new TextEncoder().encode(prefix), ...rest, ...new Uint8Array(zeros)]),
  );

/** Distinct (key, index) in order: key ascending, index descending. */
export const entriesArbitrary: fc.Arbitrary<Entry[]> = fc
  .uniqueArray(
    fc.record({
      key: keyArbitrary,
      index: fc.oneof(fc.nat(20), fc.constantFrom(2 ** 32 + 1, 2 ** 48, Number.MAX_SAFE_INTEGER)),
      kind: fc.constantFrom(kindPut, kindPut, kindPut, kindDelete),
      value: fc.uint8Array({ maxLength: 300 }),
    }),
    { maxLength: 80, selector: ({ key, index }) => `${Buffer.from(key).toString("hex")}@${index}` },
  )
  .map((entries) =>
    entries
      .map((entry) => (entry.kind === kindDelete ? { ...entry, value: noBytes } : entry))
      .sort((a, b) => compareBytes(a.key, b.key) || b.index - a.index),
  );

export function describeEntry({ key, index, kind, value }: Entry): string {
  return `${Buffer.from(key).toString("hex")}@${index}:${kind}=${Buffer.from(value).toString("hex")}`;
}

export function currentOf(iterator: ShownEntry): Entry {
  return {
    key: iterator.keyBytes.slice(iterator.keyStart, iterator.keyEnd),
    index: iterator.index,
    kind: iterator.kind,
    value: iterator.valueBytes.slice(iterator.valueStart, iterator.valueEnd),
  };
}

/** Walks to the end in one direction from where the iterator stands. */
export function restOf(iterator: EntryIterator, reverse = false): string[] {
  const found: string[] = [];
  while (iterator.valid) {
    found.push(describeEntry(currentOf(iterator)));
    if (reverse) iterator.previous();
    else iterator.next();
  }
  return found;
}

/** Compares every way to move an iterator with the array that it should walk. */
export function checkIterator(
  iterator: EntryIterator,
  entries: readonly Entry[],
  targets: readonly Uint8Array[],
  equal: (actual: unknown, expected: unknown) => void,
): void {
  const all = entries.map(describeEntry);
  iterator.seekFirst();
  equal(restOf(iterator), all);
  iterator.seekLast();
  equal(restOf(iterator, true), [...all].reverse());
  for (const target of targets) {
    const at = entries.filter((entry) => compareBytes(entry.key, target) < 0).length;
    iterator.seek(target);
    equal(restOf(iterator), all.slice(at));
    iterator.seekBefore(target);
    equal(restOf(iterator, true), all.slice(0, at).reverse());
  }
}

/** An iterator over an array: the plain one that others are compared with. */
export class ArrayIterator implements EntryIterator {
  valid = false;
  keyBytes: Uint8Array = noBytes;
  keyStart = 0;
  keyEnd = 0;
  index = 0;
  kind = 0;
  valueBytes: Uint8Array = noBytes;
  valueStart = 0;
  valueEnd = 0;
  readonly #entries: readonly Entry[];
  #position = -1;

  constructor(entries: readonly Entry[]) {
    this.#entries = entries;
  }

  seekFirst(): void {
    this.#to(0);
  }

  seekLast(): void {
    this.#to(this.#entries.length - 1);
  }

  seek(target: Uint8Array): void {
    this.#to(this.#entries.filter((entry) => compareBytes(entry.key, target) < 0).length);
  }

  seekBefore(target: Uint8Array): void {
    this.#to(this.#entries.filter((entry) => compareBytes(entry.key, target) < 0).length - 1);
  }

  next(): void {
    this.#to(this.#position + 1);
  }

  previous(): void {
    this.#to(this.#position - 1);
  }

  close(): void {
    this.valid = false;
  }

  #to(position: number): void {
    this.#position = position;
    const entry = this.#entries[position];
    this.valid = entry !== undefined;
    if (entry === undefined) return;
    this.keyBytes = entry.key;
    this.keyEnd = entry.key.length;
    this.index = entry.index;
    this.kind = entry.kind;
    this.valueBytes = entry.value;
    this.valueEnd = entry.value.length;
  }
}

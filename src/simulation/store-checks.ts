/**
 * StoreChecks: compares what a store answers with the model.
 *
 * Time: entries expire by the store's clock (`content-match.ts`). What was once seen to have expired has to stay gone
 * for the rest of the life, and after an orderly close for good, whatever the machine's clock does.
 */
import { type TimeWindow, difference, matches, shown } from "./content-match.ts";
import type { Coverage } from "./coverage.ts";
import type { History } from "./history.ts";
import type { SimulatedEnv } from "./simulated-env.ts";
import type { Entry, OpenStore } from "./store-subject.ts";

/** What a scenario shows to be wrong with the store. */
export class Offence extends Error {}

export const keysMax = 1 << 20;

export class StoreChecks {
  readonly #history: History;
  readonly #coverage: Coverage;
  readonly #next: () => number;
  #env: SimulatedEnv | undefined;
  /** The highest time of any clock in earlier lives. */
  #highMs = 0;
  /** What expires by this time has been seen gone, in this life or before a close that wrote it down. */
  #goneMs = 0;
  #keptMs = 0;
  /** Whether the store could not write its time down. */
  timeLost = false;

  constructor(history: History, coverage: Coverage, next: () => number) {
    this.#history = history;
    this.#coverage = coverage;
    this.#next = next;
  }

  beginLife(env: SimulatedEnv): void {
    this.#env = env;
    this.#goneMs = this.#keptMs;
    this.timeLost = false;
  }

  /** `orderly`: the store was closed, and nothing that it keeps may be missing from now on. */
  endLife(orderly: boolean, honest: boolean): void {
    this.#highMs = Math.max(this.#highMs, this.#env?.highestMs ?? 0);
    if (orderly && !this.timeLost) this.#keptMs = this.#goneMs;
    if (!honest) this.#keptMs = 0;
  }

  /** To be asked before a read: what had expired by then must not be in it. */
  lowMs(): number {
    return Math.max(this.#nowMs(), this.#goneMs);
  }

  compare(found: readonly Entry[], expected: readonly Entry[], what: string, lowMs: number): void {
    const wrong = difference(found, expected, this.#window(lowMs));
    if (wrong !== undefined) throw new Offence(`${what}: ${wrong}`);
    if (found.length < expected.length) this.#noteGone(found, expected);
  }

  agrees(found: readonly Entry[], expected: readonly Entry[], lowMs: number): boolean {
    return difference(found, expected, this.#window(lowMs)) === undefined;
  }

  /** A copy that has a clock of its own has to hold one of the contents; told is how it differs from the first. */
  compareCopy(found: readonly Entry[], contents: readonly (readonly Entry[])[], what: string, lowMs: number): void {
    const wrong = contents.map((expected) => difference(found, expected, this.#window(lowMs)));
    if (!wrong.includes(undefined)) throw new Offence(`${what}: ${wrong[0]}`);
  }

  async get(store: OpenStore, key: number, pooled: boolean): Promise<void> {
    const first = store.appliedIndex;
    const lowMs = this.lowMs();
    const found = pooled ? await store.get(key) : store.getSync(key);
    const candidates = this.#history.valuesBetween(key, first, store.appliedIndex);
    const time = this.#window(lowMs);
    if (candidates.some((one) => matches(found, one, time))) return;
    throw new Offence(`key ${key} is ${shown(found)}, not ${shown(candidates[0]?.value)} (index ${first})`);
  }

  /** Everything that is there, by scan and some of it by get. */
  contents(store: OpenStore, index: number): void {
    const expected = this.#history.entriesAt(index, 0, keysMax);
    const lowMs = this.lowMs();
    this.compare(store.scan(0, keysMax, false), expected, "after recovery, a scan", lowMs);
    if (this.#next() < 0.3) {
      this.compare(store.scan(0, keysMax, true), expected, "after recovery, a backward scan", lowMs);
    }
    for (let count = 0; count < 8; count++) {
      const key = Math.floor(this.#next() * 160);
      const found = store.getSync(key);
      const value = this.#history.contentsAt(index).get(key);
      if (matches(found, value, this.#window(lowMs))) continue;
      throw new Offence(`after recovery, key ${key} is ${shown(found)}, not ${shown(value?.value)}`);
    }
  }

  #noteGone(found: readonly Entry[], expected: readonly Entry[]): void {
    const there = new Set(found.map(({ key }) => key));
    for (const { key, expiresAtMs } of expected) {
      if (expiresAtMs !== undefined && !there.has(key)) this.#goneMs = Math.max(this.#goneMs, expiresAtMs);
    }
    this.#coverage.note("expired_entry_gone");
  }

  #window(lowMs: number): TimeWindow {
    return { lowMs, highMs: Math.max(this.#highMs, this.#env?.highestMs ?? 0) };
  }

  #nowMs(): number {
    return this.#env?.clock.nowMs() ?? 0;
  }
}

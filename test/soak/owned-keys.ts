/**
 * OwnedKeys: what one writer knows of its keys. No one else writes them, so every answer about them can be judged while
 * hundreds of other writes are under way.
 *
 *   1. A write is noted before it begins (`begin`) and settled when it was acknowledged (`settle`).
 *   2. Meanwhile each of its keys may read as before or as after.
 *   3. A write whose end nobody knows, because the store was closed, is decided when the store is open again
 *      (`decide`): all of its keys must read as before, or all as after.
 */
import assert from "node:assert/strict";
import { versionIn } from "./self-verifying.ts";

/** Version of what a key holds; 0: nothing. */
type State = ReadonlyMap<string, number>;
type Read = (key: string) => Uint8Array | undefined;

export class OwnedKeys {
  readonly keys: readonly string[];
  readonly #settled = new Map<string, number>();
  #pending: State | undefined = undefined;
  #version = 0;
  acknowledged = 0;

  constructor(prefix: string, count: number) {
    this.keys = Array.from({ length: count }, (_, at) => `${prefix}-${String(at).padStart(4, "0")}`);
  }

  nextVersion(): number {
    return ++this.#version;
  }

  begin(after: State): void {
    assert.equal(this.#pending, undefined, "a writer has one write under way");
    this.#pending = after;
  }

  settle(): void {
    for (const [key, version] of this.#pending ?? []) this.#settled.set(key, version);
    this.#pending = undefined;
    this.acknowledged++;
  }

  /** The write was refused, or its end is not known. */
  get isUndecided(): boolean {
    return this.#pending !== undefined;
  }

  /** What may be read of a key now: a read that began now and ends later may also see what comes meanwhile. */
  possible(key: string): ReadonlySet<number> {
    const before = this.#settled.get(key) ?? 0;
    return new Set([before, this.#pending?.get(key) ?? before]);
  }

  check(key: string, value: Uint8Array | undefined, possible = this.possible(key)): void {
    const version = value === undefined ? 0 : versionIn(key, value);
    assert.ok(possible.has(version), `${key} reads version ${version}, due is ${[...possible].join(" or ")}`);
  }

  decide(read: Read): void {
    if (this.#pending !== undefined) {
      const versions = [...this.#pending.keys()].map((key) => {
        const value = read(key);
        return [key, value === undefined ? 0 : versionIn(key, value)] as const;
      });
      const isAfter = versions.every(([key, version]) => this.#pending?.get(key) === version);
      const isBefore = versions.every(([key, version]) => (this.#settled.get(key) ?? 0) === version);
      const shown = versions.map(([key, version]) => `${key}=${version}`).join(" ");
      assert.ok(isAfter || isBefore, `a batch is half there: ${shown}`);
      if (isAfter) for (const [key, version] of this.#pending) this.#settled.set(key, version);
      this.#pending = undefined;
    }
    for (const key of this.keys) this.check(key, read(key));
  }
}

/**
 * The model test of the StorageEngine port: random programs on an engine and on a plain map, compared.
 *
 * Programs write, delete, delete ranges, let entries expire, move the clock (also backwards), take and release
 * snapshots, flush, compact and reopen. The record of batches stands for the caller's log. What an engine does not
 * claim in its capabilities is left out of the programs as they run. Of the time the model knows only the highest that
 * the engine has been asked something at, which is what the port promises.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import type { Snapshot, StorageEngine } from "./engine.ts";
import { bytesOf, type EngineHarness, read, textOf, walk } from "./engine-harness.conformance.ts";
import { WriteBatch } from "./write-batch.ts";

type Operation =
  | { readonly kind: "put"; readonly id: number; readonly value: string; readonly lifeMs: number | undefined }
  | { readonly kind: "delete"; readonly id: number }
  | { readonly kind: "deleteRange"; readonly from: number; readonly to: number };

type Step =
  | { readonly kind: "write"; readonly operations: readonly Operation[] }
  | {
      readonly kind: "scan";
      readonly from?: number | undefined;
      readonly to?: number | undefined;
      readonly reverse: boolean;
    }
  | { readonly kind: "clock"; readonly deltaMs: number }
  | { readonly kind: "take" | "release" | "flush" | "compact" | "settle" | "reopen" };

const keySpace = 60;
const keyOf = (id: number): string => `k${String(id * id).padStart(5, "0")}${"x".repeat(id % 7)}`;
/** Below all other keys; put with an expiry to make the engine look at the clock. */
const clockKey = "c";

const idArbitrary = fc.nat(keySpace - 1);
const operationArbitrary: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant("put" as const),
      id: idArbitrary,
      value: fc.string({ maxLength: 40 }),
      lifeMs: fc.option(fc.integer({ min: -5, max: 40 }), { nil: undefined, freq: 2 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("delete" as const), id: idArbitrary }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("deleteRange" as const), from: idArbitrary, to: fc.nat(keySpace) }),
  },
);

const stepArbitrary: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      kind: fc.constant("write" as const),
      operations: fc.array(operationArbitrary, { maxLength: 12 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("scan" as const),
      from: fc.option(fc.nat(keySpace), { nil: undefined }),
      to: fc.option(fc.nat(keySpace), { nil: undefined }),
      reverse: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("clock" as const), deltaMs: fc.integer({ min: -20, max: 25 }) }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        "take" as const,
        "take" as const,
        "release" as const,
        "release" as const,
        "flush" as const,
        "compact" as const,
        "settle" as const,
        "reopen" as const,
      ),
    }),
  },
);

interface Entry {
  readonly value: string;
  readonly expiresAtMs: number;
}

type Contents = ReadonlyMap<string, Entry>;

/** Runs a program on the engine and on a map, and compares. */
class ModelRun {
  readonly #harness: EngineHarness;
  readonly #directory: string;
  #engine: StorageEngine | undefined = undefined;
  #contents = new Map<string, Entry>();
  #batches: { index: number; batch: WriteBatch }[] = [];
  #snapshots: { snapshot: Snapshot; contents: Contents }[] = [];
  #highMs: number;

  constructor(harness: EngineHarness) {
    this.#harness = harness;
    this.#directory = harness.newDirectory();
    this.#highMs = harness.clock?.nowMs ?? 0;
  }

  async run(steps: readonly Step[]): Promise<void> {
    try {
      this.#engine = await this.#harness.open(this.#directory);
      await this.#moveClock(0);
      for (const step of steps) await this.#step(step);
      for (const { snapshot, contents } of this.#snapshots) this.#compare(contents, snapshot);
      this.#compare(this.#contents);
    } finally {
      await this.#engine?.close();
    }
  }

  async #step(step: Step): Promise<void> {
    const engine = this.#open();
    const { capabilities } = this.#harness;
    if (step.kind === "write") return this.#write(step.operations);
    if (step.kind === "scan") return this.#scan(step);
    if (step.kind === "clock") return this.#moveClock(step.deltaMs);
    if (step.kind === "flush") return engine.flush();
    if (step.kind === "compact") return engine.compactAll();
    if (step.kind === "settle") return engine.settle();
    if (step.kind === "take" && capabilities.snapshots && this.#snapshots.length < 4) {
      this.#snapshots.push({ snapshot: engine.snapshot(), contents: new Map(this.#contents) });
    }
    if (step.kind === "release") {
      const taken = this.#snapshots.shift();
      if (taken === undefined) return;
      this.#compare(taken.contents, taken.snapshot);
      taken.snapshot.release();
    }
    if (step.kind === "reopen" && capabilities.durable) await this.#reopen();
  }

  async #write(operations: readonly Operation[]): Promise<void> {
    const { capabilities, clock } = this.#harness;
    const batch = new WriteBatch();
    for (const operation of operations) {
      if (operation.kind === "deleteRange") {
        if (capabilities.rangeDelete) this.#deleteRange(batch, operation.from, operation.to);
        continue;
      }
      const key = keyOf(operation.id);
      if (operation.kind === "delete") {
        batch.delete(bytesOf(key));
        this.#contents.delete(key);
        continue;
      }
      const value = bytesOf(operation.value);
      const mayExpire = capabilities.ttl && clock !== undefined && operation.lifeMs !== undefined;
      const expiresAtMs = mayExpire ? clock.nowMs + (operation.lifeMs ?? 0) : undefined;
      batch.put(bytesOf(key), value, { expiresAtMs });
      this.#contents.set(key, { value: textOf(value) as string, expiresAtMs: expiresAtMs ?? Infinity });
    }
    await this.#apply(batch);
    for (const operation of operations) {
      if (operation.kind !== "deleteRange") this.#compareKey(keyOf(operation.id), this.#contents);
    }
  }

  #deleteRange(batch: WriteBatch, from: number, to: number): void {
    batch.deleteRange(bytesOf(keyOf(from)), bytesOf(keyOf(to)));
    for (const key of this.#contents.keys()) {
      if (key >= keyOf(from) && key < keyOf(to)) this.#contents.delete(key);
    }
  }

  async #apply(batch: WriteBatch): Promise<void> {
    const engine = this.#open();
    for (let wait = engine.backpressure(); wait !== undefined; wait = engine.backpressure()) await wait;
    const index = engine.appliedIndex + 1;
    engine.applySync(batch, index);
    this.#batches.push({ index, batch });
  }

  /** Sets the clock and makes the engine see it. */
  async #moveClock(deltaMs: number): Promise<void> {
    const { clock, capabilities } = this.#harness;
    if (clock === undefined || !capabilities.ttl) return;
    clock.nowMs += deltaMs;
    this.#highMs = Math.max(this.#highMs, clock.nowMs);
    await this.#apply(new WriteBatch().put(bytesOf(clockKey), bytesOf(""), { expiresAtMs: 1 }));
    assert.equal(read(this.#open(), clockKey), undefined);
  }

  #scan({ from, to, reverse }: Extract<Step, { kind: "scan" }>): void {
    if (reverse && !this.#harness.capabilities.reverseScan) return;
    const gte = from === undefined ? undefined : keyOf(from);
    const lt = to === undefined ? undefined : keyOf(to);
    const expected = this.#live(this.#contents).filter(
      ([key]) => (gte === undefined || key >= gte) && (lt === undefined || key < lt),
    );
    if (reverse) expected.reverse();
    const range = {
      gte: gte === undefined ? undefined : bytesOf(gte),
      lt: lt === undefined ? undefined : bytesOf(lt),
      reverse,
    };
    assert.deepEqual(
      walk(this.#open(), range),
      expected.map(([key, value]) => `${key}=${value}`),
    );
  }

  #compare(contents: Contents, snapshot?: Snapshot): void {
    const range = snapshot === undefined ? {} : { snapshot };
    assert.deepEqual(
      walk(this.#open(), range),
      this.#live(contents).map(([key, value]) => `${key}=${value}`),
    );
    for (let id = 0; id < keySpace; id++) this.#compareKey(keyOf(id), contents, snapshot);
  }

  #compareKey(key: string, contents: Contents, snapshot?: Snapshot): void {
    const entry = contents.get(key);
    const expected = entry !== undefined && entry.expiresAtMs > this.#highMs ? entry.value : undefined;
    assert.equal(read(this.#open(), key, snapshot), expected);
  }

  /** What a reader sees, in key order. */
  #live(contents: Contents): [string, string][] {
    return [...contents]
      .filter(([, { expiresAtMs }]) => expiresAtMs > this.#highMs)
      .map(([key, { value }]): [string, string] => [key, value])
      .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  }

  /** Closes without a flush and opens again; then the caller's log brings back what the files lack. */
  async #reopen(): Promise<void> {
    for (const { snapshot } of this.#snapshots.splice(0)) snapshot.release();
    await this.#open().close();
    this.#engine = await this.#harness.open(this.#directory);
    for (const { index, batch } of this.#batches) {
      if (index > this.#engine.appliedIndex) this.#engine.applySync(batch, index);
      for (let wait = this.#engine.backpressure(); wait !== undefined; wait = this.#engine.backpressure())
        await wait;
    }
    this.#compare(this.#contents);
  }

  #open(): StorageEngine {
    assert.ok(this.#engine !== undefined);
    return this.#engine;
  }
}

/**
 * Runs random programs on the engine and on a sorted map. Rejects with the smallest program found that
 * differs, or with the first one where `endOnFailure` is set.
 */
export function checkAgainstModel(
  harness: EngineHarness,
  parameters: { numRuns: number; seed?: number; endOnFailure?: boolean },
): Promise<void> {
  const programs = fc.array(stepArbitrary, { minLength: 10, maxLength: 80 });
  return fc.assert(
    fc.asyncProperty(programs, (steps) => new ModelRun(harness).run(steps)),
    parameters,
  );
}

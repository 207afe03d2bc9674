/**
 * Bugs planted inside the engine, in what keeps expiry and range deletes right: the model test must find every one.
 * The engines run in a simulated world, because there jobs run on this thread and so with the bug.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createSimulatedEnv } from "../../../../../../simulation/simulated-env.ts";
import { SimulatedDisk } from "../../../../../../simulation/simulated-disk.ts";
import type { StorageEngine } from "../../../../engine.ts";
import type { EngineHarness } from "../../../../engine-harness.conformance.ts";
import { checkAgainstModel } from "../../../../engine-model.conformance.ts";
import { Blackboard } from "./blackboard.ts";
import { blackboardCapabilities, openBlackboardEngine } from "./blackboard-engine.ts";
import { type EntryIterator, kindDelete, kindPutExpiring } from "./entry-iterator.ts";
import { ExpiryClock } from "../../../../expiry-clock.ts";
import { MemtableRanges } from "./memtable-ranges.ts";
import { RangeMask } from "./range-mask.ts";
import { RangeTombstones } from "./range-tombstones.ts";
import { Retention } from "./retention.ts";
import { withSettableClock } from "../../../../settable-clock.fixture.ts";
import { VersionSet } from "./version-set.ts";

type Method<This> = (this: This, ...values: never[]) => unknown;

/** Puts another method in the place of a class's own; returns how to undo it. */
function replace<This>(prototype: This, name: string, make: (original: Method<This>) => Method<This>): () => void {
  const before = Object.getOwnPropertyDescriptor(prototype, name);
  assert.ok(before !== undefined, `${name} is there to be replaced`);
  const original = (before.value ?? before.get) as Method<This>;
  const place = before.get === undefined ? "value" : "get";
  Object.defineProperty(prototype, name, { ...before, [place]: make(original) });
  return () => Object.defineProperty(prototype, name, before);
}

const bugs: Readonly<Record<string, () => () => void>> = {
  "an expired entry is dropped where it should hide older versions": () =>
    replace(Retention.prototype, "keeps", (original) => function (entry: EntryIterator) {
      const mayExpire = entry.kind === kindPutExpiring;
      const kept = original.call(this, entry as never);
      return kept === true && !(mayExpire && entry.kind === kindDelete);
    }),
  "time goes back with the clock": () => {
    let answers = 0;
    return replace(ExpiryClock.prototype, "nowMs", (original) => function () {
      // Every other answer is that of a clock set back.
      const highMs = original.call(this) as number;
      return answers++ % 2 === 0 ? highMs : highMs - 10;
    });
  },
  "the time is forgotten at a restart": () => replace(VersionSet.prototype, "expiryTimeMs", () => () => 0),
  "range tombstones are dropped above the bottom": () =>
    replace(RangeTombstones.prototype, "retained", (original) => function (snapshots: readonly number[]) {
      return original.call(this, snapshots as never, true as never);
    }),
  "snapshots do not keep range tombstones": () =>
    replace(RangeTombstones.prototype, "retained", (original) => function (_snapshots: unknown, bottom: boolean) {
      return original.call(this, [] as never, bottom as never);
    }),
  "covered files are dropped though a snapshot sees them": () =>
    replace(RangeTombstones.prototype, "coversAll", (original) => function (bounds: unknown, indexes: unknown) {
      return original.call(this, bounds as never, indexes as never, [] as never);
    }),
  "point reads pass over the range tombstones of files": () =>
    replace(Blackboard.prototype, "coverIndex", () => function (key: Uint8Array, indexMax: number) {
      return this.memtable.ranges.coverIndex(key, indexMax);
    }),
  "snapshots see range tombstones of later": () =>
    replace(MemtableRanges.prototype, "coverIndex", (original) => function (key: Uint8Array) {
      return original.call(this, key as never, Infinity as never);
    }),
  "scans see what range tombstones hide": () => replace(RangeMask.prototype, "hides", () => () => false),
  "range tombstones include their upper bound": () =>
    replace(MemtableRanges.prototype, "add", (original) => function (...values: readonly unknown[]) {
      const [source, start, middle, end, index] = values as [Uint8Array, number, number, number, number];
      const longer = Uint8Array.from([...source.subarray(start, end), 0]);
      const changed = [longer, 0, middle - start, longer.length, index] as never[];
      return original.apply(this, changed);
    }),
};

function createHarness(): EngineHarness {
  const sim = createSimulatedEnv({ seed: 7, disk: new SimulatedDisk() });
  const { env, clock } = withSettableClock(sim);
  let directories = 0;
  const sizes = { memtableBytes: 4096, blockBytes: 128, targetFileBytes: 1024, levelBaseBytes: 4096 };
  const options = { ...sizes, l0CompactionTrigger: 2 };
  return {
    capabilities: blackboardCapabilities,
    clock,
    newDirectory: () => `/store-${directories++}`,
    open: async (directory) => driven(await sim.run(openBlackboardEngine(env, { directory, ...options })), sim),
    dispose: async () => {},
  };
}

/** The world only moves while it is run, so every promise of the engine is run to its end. */
function driven(engine: StorageEngine, sim: ReturnType<typeof createSimulatedEnv>): StorageEngine {
  return new Proxy(engine, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== "function") return value;
      return (...values: unknown[]) => {
        const result: unknown = Reflect.apply(value, target, values);
        return result instanceof Promise ? sim.run(result) : result;
      };
    },
  });
}

test("without a bug the model test passes", () => checkAgainstModel(createHarness(), { numRuns: 100 }));

for (const [name, plant] of Object.entries(bugs)) {
  test(`planted bug: ${name}`, async () => {
    const restore = plant();
    try {
      // Of a seed, so that what is found once is found again.
      const check = checkAgainstModel(createHarness(), { seed: 11, numRuns: 2000, endOnFailure: true });
      await assert.rejects(check, (error: Error) => {
        assert.match(error.message, /Property failed/);
        // The model must have seen another answer; a store that merely broke would prove nothing.
        assert.equal((error.cause as { code?: string }).code, "ERR_ASSERTION", String(error.cause));
        return true;
      });
    } finally {
      restore();
    }
  });
}

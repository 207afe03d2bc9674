/**
 * Knob sets for metamorphic runs of the engine that keeps all data in memory: how often it writes a snapshot of them,
 * and how much room it has. It keeps no log, so the caller is its log in every set.
 */
import type { KnobSet, KnobSets } from "./store-under-test.ts";

/** More than a program writes: what does not fit is refused, which is no answer of a map. */
const bytesMax = 1 << 24;

const set = (name: string, world: KnobSet["world"], snapshotBytesMin: number): KnobSet => ({
  name, world, log: "caller", options: { bytesMax, snapshotBytesMin },
});

const standard: readonly KnobSet[] = [
  { name: "defaults", world: "simulated", log: "caller", options: {} },
  set("snapshots all the time", "simulated", 1024),
  set("snapshots now and then", "simulated", 16_384),
  set("snapshots when asked for", "simulated", 2 ** 40),
  set("snapshots all the time, jobs side by side", "concurrent", 1024),
  set("snapshots now and then, jobs side by side", "concurrent", 16_384),
  set("threads, snapshots all the time", "real", 1024),
  set("threads, snapshots now and then", "real", 16_384),
];

const sizes = [1024, 1024, 2000, 5000, 20_000, 100_000, 2 ** 30];

export const memoryKnobSets: KnobSets = {
  standard,
  draw: (name, next) => {
    const snapshotBytesMin = sizes[Math.floor(next() * sizes.length)];
    const luck = next();
    return set(name, luck < 1 / 12 ? "real" : luck < 0.5 ? "concurrent" : "simulated", snapshotBytesMin);
  },
};

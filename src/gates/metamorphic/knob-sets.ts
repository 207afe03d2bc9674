/**
 * Knob sets for metamorphic runs of a log-structured merge tree (of the engine in memory: memory-knob-sets.ts): the
 * standard ones, each of which brings a corner of the engine into play, and random ones. Bounds are the engine's own,
 * far beyond what the knob catalog would set.
 *
 * Options that an engine does not know are ignored by it, so that older products run under newer sets.
 */
import type { KnobSet, KnobSets } from "./store-under-test.ts";

type Options = KnobSet["options"];

/** Everything small: a few hundred keys make several levels. */
const tiny: Options = {
  memtableBytes: 4096, blockBytes: 128, restartInterval: 3, blockCacheBytes: 2048, levelBaseBytes: 4096,
  levelMultiplier: 2, targetFileBytes: 2048, l0CompactionTrigger: 2, l0SlowdownTrigger: 4, l0StallTrigger: 6,
  slowdownBytesPerSecond: 1 << 28, readMode: "pool",
};

const simulated = (name: string, options: Options): KnobSet => ({
  name, world: "simulated", log: "caller", options: { ...tiny, ...options },
});

/** Jobs side by side; the others do one job after the other, whatever `compactionsMax` says. */
const concurrent = (name: string, options: Options): KnobSet => ({
  ...simulated(name, { memtableBytes: 8192, compactionsMax: 4, subcompactionsMax: 4, ...options }), world: "concurrent",
});

export const standardKnobSets: readonly KnobSet[] = [
  { name: "defaults", world: "simulated", log: "caller", options: {} },
  simulated("tiny", {}),
  simulated("blocks of 64 bytes", { blockBytes: 64 }),
  simulated("blocks of 4 MiB", { blockBytes: 1 << 22 }),
  simulated("every key whole", { restartInterval: 1 }),
  simulated("one whole key per block", { restartInterval: 1024 }),
  simulated("no filter", { bloomBitsPerKey: 0 }),
  simulated("filter of 1 bit", { bloomBitsPerKey: 1 }),
  simulated("filter of 32 bits", { bloomBitsPerKey: 32 }),
  simulated("no block cache", { blockCacheBytes: 0 }),
  simulated("no block cache, blocking", { blockCacheBytes: 0, readMode: "sync" }),
  simulated("large block cache", { blockCacheBytes: 1 << 26 }),
  simulated("compact at one file", { l0CompactionTrigger: 1, l0SlowdownTrigger: 1, l0StallTrigger: 1 }),
  simulated("never compact", { l0CompactionTrigger: 256, l0SlowdownTrigger: 1024, l0StallTrigger: 1024 }),
  simulated("read blocking", { readMode: "sync" }),
  simulated("read adaptive", { readMode: "adaptive" }),
  simulated("one frozen memtable", { immutableMemtablesMax: 1 }),
  simulated("16 frozen memtables", { immutableMemtablesMax: 16, memtableBytes: 8192 }),
  simulated("files of 1 KiB", { targetFileBytes: 1024, levelBaseBytes: 8192 }),
  simulated("files without end", { targetFileBytes: 2 ** 31 }),
  simulated("wide levels", { levelBaseBytes: 1 << 20, levelMultiplier: 100 }),
  simulated("large memtable", { memtableBytes: 1 << 20 }),
  simulated("slow writers", { slowdownBytesPerSecond: 1024, l0SlowdownTrigger: 2, l0StallTrigger: 3 }),
  simulated("zlib", { compression: "zlib" }),
  simulated("brotli at the bottom", { compressionBottom: "brotli", blockBytes: 1024 }),
  simulated("zstd, no block cache", { compression: "zstd", compressionBottom: "none", blockCacheBytes: 0 }),
  simulated("prefixes of one byte", { prefixBytes: 1 }),
  simulated("prefixes up to a 0", { prefixSeparator: 48 }),
  simulated("tiered", { compactionStyle: "tiered" }),
  simulated("tiered, little space", { compactionStyle: "tiered", tieredSpacePercent: 1, l0CompactionTrigger: 3 }),
  simulated("tiered, stall at two files", {
    compactionStyle: "tiered", l0CompactionTrigger: 1, l0SlowdownTrigger: 2, l0StallTrigger: 2,
  }),
  simulated("adaptive memory", { adaptiveMemory: "on", memtableBytes: 16_384, blockCacheBytes: 1 << 20 }),
  simulated("dynamic levels", { levelSizing: "dynamic" }),
  simulated("little memory, little debt", { memoryBudgetBytes: (1 << 20) + 3 * 4096, debtSlowdownBytes: 20_000 }),
  simulated("background work held back", { backgroundBytesPerSecond: 1 << 20 }),
  concurrent("many compactions at once", {}),
  concurrent("many compactions at once, tiered", { compactionStyle: "tiered" }),
  concurrent("many compactions at once, dynamic levels", { levelSizing: "dynamic", levelBaseBytes: 8192 }),
  { ...concurrent("many compactions at once, log of its own", {}), log: "engine" },
  { ...simulated("log of its own", {}), log: "engine" },
  { ...simulated("log of its own, small segments", { segmentBytes: 1 << 21, memtableBytes: 16_384 }), log: "engine" },
  { ...simulated("threads", {}), world: "real" },
  { ...simulated("threads, log of its own", {}), world: "real", log: "engine" },
  { ...simulated("threads, many compactions", { compactionsMax: 3, subcompactionsMax: 3 }), world: "real" },
  { ...simulated("threads, tiered, zstd", { compactionStyle: "tiered", compression: "zstd" }), world: "real" },
  { name: "threads, defaults", world: "real", log: "caller", options: {} },
];

type Choices = Readonly<Record<string, readonly (number | string)[]>>;

const choices: Choices = {
  memtableBytes: [4096, 4096, 10_000, 65_536, 1 << 20],
  immutableMemtablesMax: [1, 2, 5],
  blockCacheBytes: [0, 500, 4096, 1 << 16, 1 << 24],
  blockBytes: [64, 100, 256, 1024, 4096, 65_536],
  restartInterval: [1, 2, 5, 16, 100, 1024],
  bloomBitsPerKey: [0, 1, 5, 10, 32],
  l0CompactionTrigger: [1, 2, 3, 4],
  l0SlowdownTrigger: [4, 5, 8, 50],
  l0StallTrigger: [50, 60],
  levelBaseBytes: [4096, 10_000, 100_000],
  levelMultiplier: [2, 3, 10],
  targetFileBytes: [1024, 3000, 20_000, 1 << 22],
  readMode: ["sync", "pool", "adaptive"],
  slowdownBytesPerSecond: [1 << 14, 1 << 28],
  debtSlowdownBytes: [2 ** 30, 2 ** 30, 100_000, 20_000],
  compression: ["none", "none", "zlib", "zstd", "brotli"],
  compressionBottom: ["same", "same", "none", "zlib", "zstd", "brotli"],
  prefixBytes: [0, 0, 1, 2, 5, 255],
  prefixSeparator: [-1, -1, 0, 48, 97, 255],
  compactionStyle: ["leveled", "leveled", "tiered"],
  levelSizing: ["static", "dynamic"],
  tieredSpacePercent: [1, 50, 200, 10_000],
  compactionsMax: [1, 1, 2, 4],
  subcompactionsMax: [1, 1, 2, 4],
  backgroundBytesPerSecond: [0, 0, 1 << 20, 1 << 24],
  adaptiveMemory: ["off", "off", "on"],
};

/** What programs change in a running engine: options with values for them. */
export const liveOptions = Object.entries({ ...choices, memoryBudgetBytes: [0, 1 << 21, 1 << 24] });

/** Draws a knob set; `next` is uniform in [0, 1). Threads and real files are drawn for one of twelve. */
export function drawKnobSet(name: string, next: () => number): KnobSet {
  const pick = <Value>(values: readonly Value[]): Value => values[Math.floor(next() * values.length)];
  const options = Object.fromEntries(Object.entries(choices).map(([option, values]) => [option, pick(values)]));
  // As soon as writers are slowed they may be stopped too; and a budget that leaves the cache just its least.
  if (next() < 0.3) options.l0StallTrigger = options.l0SlowdownTrigger;
  const memtables = (1 + Number(options.immutableMemtablesMax)) * Number(options.memtableBytes);
  const memoryBudgetBytes = next() < 0.3 ? memtables + (1 << 20) + pick([0, 10_000, 1 << 20]) : 0;
  const luck = next();
  const world = luck < 1 / 12 ? "real" : luck < 0.5 ? "concurrent" : "simulated";
  return { name, world, log: next() < 0.25 ? "engine" : "caller", options: { ...options, memoryBudgetBytes } };
}

export const treeKnobSets: KnobSets = { standard: standardKnobSets, draw: drawKnobSet };

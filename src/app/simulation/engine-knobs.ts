/** Options of engine and log so small that a few hundred writes flush, compact, evict, stall and change segments. */
import { type Codec, codecs, hasCodec } from "../../kit/compression.ts";
import type { BlackboardOptions } from "../../parts/storage/storage_model/row/kvlsm/blackboard/options.ts";
import type { ScenarioKnobs } from "../../simulation/store-subject.ts";

const choices = {
  memtableBytes: [4096, 4096, 8192, 32768],
  immutableMemtablesMax: [1, 2, 4],
  blockCacheBytes: [0, 512, 4096, 65536],
  blockBytes: [128, 512, 4096],
  restartInterval: [1, 4, 16],
  bloomBitsPerKey: [0, 2, 10],
  l0CompactionTrigger: [1, 2, 3, 4],
  levelBaseBytes: [4096, 8192, 65536],
  levelMultiplier: [2, 4, 10],
  targetFileBytes: [2048, 8192, 16_384],
  readMode: ["sync", "pool", "adaptive"],
  slowdownBytesPerSecond: [2048, 100_000],
  troubleLimitMs: [200, 5000],
  segmentBytes: [4096, 4096, 8192, 65536],
  recycledSegments: [0, 1, 2],
  groupDelayUs: [0, 0, 300, 3000],
  compression: ["none", "none", "none", "zlib", "zstd", "brotli"],
  compressionBottom: ["same", "same", "same", "none", "zlib"],
  prefixBytes: [0, 0, 5],
  compactionStyle: ["leveled", "leveled", "tiered"],
  levelSizing: ["static", "static", "dynamic"],
  tieredSpacePercent: [50, 200, 1000],
  compactionsMax: [1, 1, 2],
  subcompactionsMax: [1, 1, 3],
  backgroundBytesPerSecond: [0, 0, 0, 200_000],
  debtSlowdownBytes: [2 ** 30, 2 ** 30, 4096],
} as const;

/** What is changed while a store is open; its level 0 triggers stay as they are, since they bound each other. */
const liveNames: readonly (keyof typeof choices)[] = [
  "memtableBytes", "immutableMemtablesMax", "blockCacheBytes", "blockBytes", "bloomBitsPerKey", "compression",
  "compressionBottom", "levelBaseBytes", "levelMultiplier", "targetFileBytes", "compactionStyle", "levelSizing",
  "readMode", "subcompactionsMax", "compactionsMax", "slowdownBytesPerSecond", "backgroundBytesPerSecond",
];

/** The middle of everything: what scenarios use whose knobs are not drawn. */
export const plainEngineKnobs: ScenarioKnobs = {
  memtableBytes: 4096, immutableMemtablesMax: 2, blockCacheBytes: 4096, blockBytes: 128, restartInterval: 4,
  bloomBitsPerKey: 10, l0CompactionTrigger: 2, l0SlowdownTrigger: 4, l0StallTrigger: 6, levelBaseBytes: 4096,
  levelMultiplier: 2, targetFileBytes: 1024, readMode: "sync", slowdownBytesPerSecond: 1 << 20,
  troubleLimitMs: 1000, segmentBytes: 4096, recycledSegments: 1, groupDelayUs: 0,
};

export function drawEngineKnobs(next: () => number): ScenarioKnobs {
  const knobs: Record<string, number | string> = {};
  for (const [name, values] of Object.entries(choices)) knobs[name] = values[Math.floor(next() * values.length)];
  if (!codecs.filter(hasCodec).includes(knobs.compression as Codec)) knobs.compression = "zlib";
  const trigger = knobs.l0CompactionTrigger as number;
  // Where level 0 may grow far, debt is what slows writers.
  knobs.l0SlowdownTrigger = trigger + [0, 1, 2, 3, 20][Math.floor(next() * 5)];
  knobs.l0StallTrigger = Math.max(2, (knobs.l0SlowdownTrigger as number) + Math.floor(next() * 3));
  return knobs;
}

export function drawEngineTuning(next: () => number): ScenarioKnobs {
  const knobs: Record<string, number | string> = {};
  for (const name of liveNames) {
    if (next() < 0.2) knobs[name] = choices[name][Math.floor(next() * choices[name].length)];
  }
  return knobs;
}

const logKnobs = new Set(["segmentBytes", "recycledSegments", "groupDelayUs"]);

export function engineOptionsOf(knobs: ScenarioKnobs): Partial<BlackboardOptions> {
  return Object.fromEntries(Object.entries(knobs).filter(([name]) => !logKnobs.has(name)));
}

export function logOptionsOf(knobs: ScenarioKnobs): Record<string, number> {
  return Object.fromEntries(Object.entries(knobs).filter(([name]) => logKnobs.has(name))) as Record<string, number>;
}

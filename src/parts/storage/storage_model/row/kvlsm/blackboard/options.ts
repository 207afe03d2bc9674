/**
 * Options of the blackboard engine, their defaults, and the knobs that set them (`catalog/knobs/lsm.yaml`).
 *
 * The defaults are for some 300 MB of data in a process of about 200 MiB: 32 MiB of blocks, one memtable of
 * 16 MiB being filled while up to two wait for their flush.
 */
import { LatheError } from "../../../../../../kit/errors.ts";
import { noSelectionHash } from "../../../../../../kit/file-header.ts";
import type { KnobValues } from "../../../../../../kit/product.ts";
import type { DurableLog } from "../../../../../core/durable-log.ts";

/** How `get` and `getMany` read a block that is not in memory; `getSync` always blocks. */
export type ReadMode = "sync" | "pool" | "adaptive";

export interface Tuning {
  /** A memtable is frozen and flushed beyond this. Up to `1 + immutableMemtablesMax` of them are in memory. */
  readonly memtableBytes: number;
  /** Frozen memtables that may wait for their flush before writers stall. */
  readonly immutableMemtablesMax: number;
  /** Data blocks kept in memory. */
  readonly blockCacheBytes: number;
  /** A data block is closed beyond this. */
  readonly blockBytes: number;
  /** Entries between two whole keys in a block. */
  readonly restartInterval: number;
  /** Bits of the bloom filter per key; 0: no filter. */
  readonly bloomBitsPerKey: number;
  /** Files in level 0 that make a compaction due. */
  readonly l0CompactionTrigger: number;
  /** Files in level 0 beyond which writers are slowed down. */
  readonly l0SlowdownTrigger: number;
  /** Files in level 0 beyond which writers wait. */
  readonly l0StallTrigger: number;
  /** Size that level 1 may have before it is due for compaction. */
  readonly levelBaseBytes: number;
  /** How many times larger every further level may be. */
  readonly levelMultiplier: number;
  /** A compaction starts a new file beyond this. */
  readonly targetFileBytes: number;
  readonly readMode: ReadMode;
  /** Writers are let through at this rate while slowed down. */
  readonly slowdownBytesPerSecond: number;
  /** How long background work may fail (a full disk) before waiting writers get its error. */
  readonly troubleLimitMs: number;
}

export interface BlackboardOptions extends Partial<Tuning> {
  /** Where the files are; created where missing. */
  readonly directory: string;
  /**
   * With a log the engine has `write` and replays what the log holds beyond its files when it opens. It does
   * not close it.
   */
  readonly log?: DurableLog | undefined;
  /** At least 32 hex digits that name the product's selection; a store of another selection is refused. */
  readonly selectionHash?: string | undefined;
}

export const defaultTuning: Tuning = {
  memtableBytes: 16 << 20,
  immutableMemtablesMax: 2,
  blockCacheBytes: 32 << 20,
  blockBytes: 4096,
  restartInterval: 16,
  bloomBitsPerKey: 10,
  l0CompactionTrigger: 4,
  l0SlowdownTrigger: 12,
  l0StallTrigger: 20,
  levelBaseBytes: 64 << 20,
  levelMultiplier: 10,
  targetFileBytes: 8 << 20,
  readMode: "adaptive",
  slowdownBytesPerSecond: 16 << 20,
  troubleLimitMs: 10_000,
};

/** Which option a knob sets. */
export const optionOfKnob: Readonly<Record<string, keyof Tuning>> = {
  "lsm.memtable_bytes": "memtableBytes",
  "lsm.immutable_memtables_max": "immutableMemtablesMax",
  "lsm.block_cache_bytes": "blockCacheBytes",
  "lsm.block_bytes": "blockBytes",
  "lsm.restart_interval": "restartInterval",
  "lsm.bloom_bits_per_key": "bloomBitsPerKey",
  "lsm.l0_compaction_trigger": "l0CompactionTrigger",
  "lsm.l0_slowdown_trigger": "l0SlowdownTrigger",
  "lsm.l0_stall_trigger": "l0StallTrigger",
  "lsm.level_base_bytes": "levelBaseBytes",
  "lsm.level_multiplier": "levelMultiplier",
  "lsm.target_file_bytes": "targetFileBytes",
  "lsm.read_mode": "readMode",
};

/** The options that a product's knobs ask for; knobs of other parts are passed over. */
export function tuningOf(knobs: KnobValues): Partial<Tuning> {
  const tuning: Record<string, number | string | boolean> = {};
  for (const [name, option] of Object.entries(optionOfKnob)) {
    if (knobs[name] !== undefined) tuning[option] = knobs[name];
  }
  return tuning as Partial<Tuning>;
}

/** Bounds within which the engine works at all; those of the knobs are narrower. */
const bounds: Readonly<Record<Exclude<keyof Tuning, "readMode">, readonly [number, number]>> = {
  memtableBytes: [4096, 2 ** 30],
  immutableMemtablesMax: [1, 16],
  blockCacheBytes: [0, 2 ** 40],
  blockBytes: [64, 2 ** 22],
  restartInterval: [1, 1024],
  bloomBitsPerKey: [0, 32],
  l0CompactionTrigger: [1, 256],
  l0SlowdownTrigger: [1, 1024],
  l0StallTrigger: [1, 1024],
  levelBaseBytes: [4096, 2 ** 40],
  levelMultiplier: [2, 100],
  targetFileBytes: [1024, 2 ** 31],
  slowdownBytesPerSecond: [1024, 2 ** 40],
  troubleLimitMs: [1, 86_400_000],
};

/** Defaults overlaid with the options given. Errors: INVALID_ARGUMENT, naming the option. */
export function resolveTuning(options: Partial<Tuning>): Tuning {
  const given = Object.entries(options).filter(
    ([name, value]) => name in defaultTuning && value !== undefined,
  );
  const tuning: Tuning = { ...defaultTuning, ...Object.fromEntries(given) };
  for (const [name, [min, max]] of Object.entries(bounds)) {
    const value = tuning[name as keyof typeof bounds];
    if (!Number.isInteger(value) || value < min || value > max) {
      throw new LatheError(
        "INVALID_ARGUMENT",
        `${name} is ${value}; it must be an integer from ${min} to ${max}`,
      );
    }
  }
  if (!["sync", "pool", "adaptive"].includes(tuning.readMode)) {
    throw new LatheError(
      "INVALID_ARGUMENT",
      `readMode is ${tuning.readMode}; it must be sync, pool or adaptive`,
    );
  }
  const { l0CompactionTrigger, l0SlowdownTrigger, l0StallTrigger } = tuning;
  if (l0CompactionTrigger > l0SlowdownTrigger || l0SlowdownTrigger > l0StallTrigger) {
    throw new LatheError(
      "INVALID_ARGUMENT",
      `level 0 must be compacted before writers are slowed, and slowed before they stall; the triggers are ` +
        `${l0CompactionTrigger}, ${l0SlowdownTrigger}, ${l0StallTrigger}`,
    );
  }
  return tuning;
}

export function selectionHashOf(options: BlackboardOptions): string {
  return options.selectionHash ?? noSelectionHash;
}

/**
 * Options of the blackboard engine, their defaults, and the knobs that set them (`catalog/knobs/lsm.yaml`).
 *
 * The defaults are for some 300 MB of data in a process of about 200 MiB: 32 MiB of blocks, one memtable of
 * 16 MiB being filled while up to two wait for their flush.
 */
import { type Codec, codecs, hasCodec } from "../../../../../../kit/compression.ts";
import { LatheError } from "../../../../../../kit/errors.ts";
import { noSelectionHash } from "../../../../../../kit/file-header.ts";
import type { KnobValues } from "../../../../../../kit/knob-values.ts";
import type { DurableLog } from "../../../../../core/durable-log.ts";
import { cacheBytesMin } from "./memory-budget.ts";
import type { ExpiryTime } from "../../../../expiry-clock.ts";

/** How `get` and `getMany` read a block that is not in memory; `getSync` always blocks. */
export type ReadMode = "sync" | "pool" | "adaptive";

export type CompactionStyle = "leveled" | "tiered";

/** How large levels may be: see level-shape.ts. */
export type LevelSizing = "static" | "dynamic";

export interface Tuning {
  /** A memtable is frozen and flushed beyond this. Up to `1 + immutableMemtablesMax` of them are in memory. */
  readonly memtableBytes: number;
  /** Frozen memtables that may wait for their flush; writers stall once another one is full. */
  readonly immutableMemtablesMax: number;
  /** Data blocks kept in memory, and pages of filters and block indexes; small ones are kept whole, beside it. */
  readonly blockCacheBytes: number;
  /** Memtables, filters, indexes and block cache together: the cache gets what the others leave; 0: no budget. */
  readonly memoryBudgetBytes: number;
  /** Whether an agent moves memory between memtables and block cache; see adaptive-memory.ts. */
  readonly adaptiveMemory: "off" | "on";
  /** A data block is closed beyond this. */
  readonly blockBytes: number;
  /** Entries between two whole keys in a block. */
  readonly restartInterval: number;
  /** Bits of the bloom filter per key; 0: no filter. */
  readonly bloomBitsPerKey: number;
  /** How data blocks are stored. */
  readonly compression: Codec;
  /** The same for files of the bottom level, where most of the data is. */
  readonly compressionBottom: Codec | "same";
  /** Length of the prefixes in the prefix filter; 0: by `prefixSeparator`. */
  readonly prefixBytes: number;
  /** The byte that ends the prefixes in the prefix filter, where `prefixBytes` is 0; -1: no prefix filter. */
  readonly prefixSeparator: number;
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
  readonly compactionStyle: CompactionStyle;
  readonly levelSizing: LevelSizing;
  /** Tiered: how much larger than the oldest run all newer ones may be together, in percent of it. */
  readonly tieredSpacePercent: number;
  /** Compactions at once; never more than there are threads beside the one for flushes. */
  readonly compactionsMax: number;
  /** Jobs that one compaction is split into. */
  readonly subcompactionsMax: number;
  /** What flushes and compactions together may read and write; 0: no limit. */
  readonly backgroundBytesPerSecond: number;
  readonly readMode: ReadMode;
  /** Bytes due for compaction beyond which writers are slowed down; at four times as many they wait. */
  readonly debtSlowdownBytes: number;
  /** The middle of the rates that slowed writers are let through at; see write-pressure.ts. */
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
  /**
   * Without a log of its own: where its caller's log may be behind what is applied, resolves when the device has the
   * log up to an index, or is undefined where it has. Files come into force only then, so that the log never ends
   * before the state. Default: the log is never behind.
   */
  readonly logDurable?: ((index: number) => Promise<void> | undefined) | undefined;
  /**
   * By what time entries expire: the machine's clock (default), or that of the log entries applied, as replicas
   * need it (see expiry-clock.ts).
   */
  readonly expiryTime?: ExpiryTime | undefined;
  /** At least 32 hex digits that name the parts whose bytes are on disk; a store of others is refused. */
  readonly selectionHash?: string | undefined;
}

export const defaultTuning: Tuning = {
  memtableBytes: 16 << 20,
  immutableMemtablesMax: 2,
  blockCacheBytes: 32 << 20,
  memoryBudgetBytes: 0,
  adaptiveMemory: "off",
  blockBytes: 4096,
  restartInterval: 16,
  bloomBitsPerKey: 10,
  compression: "none",
  compressionBottom: "same",
  prefixBytes: 0,
  prefixSeparator: -1,
  l0CompactionTrigger: 4,
  l0SlowdownTrigger: 12,
  l0StallTrigger: 20,
  levelBaseBytes: 64 << 20,
  levelMultiplier: 10,
  targetFileBytes: 8 << 20,
  compactionStyle: "leveled",
  levelSizing: "static",
  tieredSpacePercent: 200,
  compactionsMax: 1,
  subcompactionsMax: 1,
  backgroundBytesPerSecond: 0,
  readMode: "adaptive",
  debtSlowdownBytes: 2 ** 30,
  slowdownBytesPerSecond: 16 << 20,
  troubleLimitMs: 10_000,
};

/** Which option a knob sets. */
export const optionOfKnob: Readonly<Record<string, keyof Tuning>> = {
  "lsm.memtable_bytes": "memtableBytes",
  "lsm.immutable_memtables_max": "immutableMemtablesMax",
  "lsm.block_cache_bytes": "blockCacheBytes",
  "lsm.memory_budget_bytes": "memoryBudgetBytes",
  "lsm.adaptive_memory": "adaptiveMemory",
  "lsm.block_bytes": "blockBytes",
  "lsm.restart_interval": "restartInterval",
  "lsm.bloom_bits_per_key": "bloomBitsPerKey",
  "lsm.compression": "compression",
  "lsm.compression_bottom": "compressionBottom",
  "lsm.prefix_bytes": "prefixBytes",
  "lsm.prefix_separator": "prefixSeparator",
  "lsm.l0_compaction_trigger": "l0CompactionTrigger",
  "lsm.l0_slowdown_trigger": "l0SlowdownTrigger",
  "lsm.l0_stall_trigger": "l0StallTrigger",
  "lsm.debt_slowdown_bytes": "debtSlowdownBytes",
  "lsm.slowdown_bytes_per_second": "slowdownBytesPerSecond",
  "lsm.level_base_bytes": "levelBaseBytes",
  "lsm.level_multiplier": "levelMultiplier",
  "lsm.target_file_bytes": "targetFileBytes",
  "lsm.compaction_style": "compactionStyle",
  "lsm.level_sizing": "levelSizing",
  "lsm.tiered_space_percent": "tieredSpacePercent",
  "lsm.compactions_max": "compactionsMax",
  "lsm.subcompactions_max": "subcompactionsMax",
  "lsm.background_bytes_per_second": "backgroundBytesPerSecond",
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

type CodecOption = "compression" | "compressionBottom";

const choices = {
  adaptiveMemory: ["off", "on"],
  compactionStyle: ["leveled", "tiered"],
  levelSizing: ["static", "dynamic"],
  readMode: ["sync", "pool", "adaptive"],
} as const satisfies Partial<Record<keyof Tuning, readonly string[]>>;

/** Bounds within which the engine works at all; those of the knobs are narrower. */
const bounds: Readonly<Record<Exclude<keyof Tuning, keyof typeof choices | CodecOption>, readonly [number, number]>> = {
  memtableBytes: [4096, 2 ** 30],
  immutableMemtablesMax: [1, 16],
  blockCacheBytes: [0, 2 ** 40],
  memoryBudgetBytes: [0, 2 ** 42],
  blockBytes: [64, 2 ** 22],
  restartInterval: [1, 1024],
  bloomBitsPerKey: [0, 32],
  prefixBytes: [0, 255],
  prefixSeparator: [-1, 255],
  l0CompactionTrigger: [1, 256],
  l0SlowdownTrigger: [1, 1024],
  l0StallTrigger: [1, 1024],
  levelBaseBytes: [4096, 2 ** 40],
  levelMultiplier: [2, 100],
  targetFileBytes: [1024, 2 ** 31],
  tieredSpacePercent: [1, 10_000],
  compactionsMax: [1, 64],
  subcompactionsMax: [1, 64],
  backgroundBytesPerSecond: [0, 2 ** 40],
  debtSlowdownBytes: [4096, 2 ** 42],
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
  for (const [name, allowed] of Object.entries(choices)) {
    const value = tuning[name as keyof typeof choices];
    if ((allowed as readonly string[]).includes(value)) continue;
    throw new LatheError("INVALID_ARGUMENT", `${name} is ${value}; it must be one of ${allowed.join(", ")}`);
  }
  refuseMissingCodec("compression", tuning.compression);
  if (tuning.compressionBottom !== "same") refuseMissingCodec("compressionBottom", tuning.compressionBottom);
  refuseSmallBudget(tuning);
  const { l0CompactionTrigger, l0SlowdownTrigger, l0StallTrigger } = tuning;
  if (l0CompactionTrigger > l0SlowdownTrigger || l0SlowdownTrigger > l0StallTrigger) {
    throw new LatheError(
      "INVALID_ARGUMENT",
      `level 0 must be compacted before writers are slowed, and slowed before they stall; the triggers are ` +
        `${l0CompactionTrigger}, ${l0SlowdownTrigger}, ${l0StallTrigger}`,
    );
  }
  if (tuning.compactionStyle === "tiered" && l0StallTrigger < 2) {
    throw new LatheError(
      "INVALID_ARGUMENT",
      "l0StallTrigger is 1; with tiered compaction it must be at least 2, because the newest run may stay in level 0 " +
        "and writers would wait for ever",
    );
  }
  return tuning;
}

/** A budget that memtables alone may exceed would be none. */
function refuseSmallBudget({ memoryBudgetBytes, memtableBytes, immutableMemtablesMax }: Tuning): void {
  const least = (1 + immutableMemtablesMax) * memtableBytes + cacheBytesMin;
  if (memoryBudgetBytes === 0 || memoryBudgetBytes >= least) return;
  throw new LatheError(
    "INVALID_ARGUMENT",
    `memoryBudgetBytes is ${memoryBudgetBytes}; ${1 + immutableMemtablesMax} memtables of ${memtableBytes} and the ` +
      `least cache take ${least}: raise it, or make memtables smaller or fewer`,
  );
}

function refuseMissingCodec(option: string, codec: Codec): void {
  const present = codecs.filter(hasCodec);
  if (present.includes(codec)) return;
  const known = (codecs as readonly string[]).includes(codec);
  throw new LatheError(
    known ? "UNAVAILABLE" : "INVALID_ARGUMENT",
    known
      ? `${option} is ${codec}, which this Node lacks; choose of ${present.join(", ")}, or run a Node that has it`
      : `${option} is ${codec}; it must be one of ${present.join(", ")}`,
  );
}

/**
 * Options in force overlaid with changes while the store is open.
 * Errors: INVALID_ARGUMENT, naming what is wrong or cannot be changed then.
 */
export function changedTuning(tuning: Tuning, changes: Partial<Tuning>): Tuning {
  const fixed = Object.keys(changes).filter((name) => !(name in defaultTuning));
  if (fixed.length > 0) {
    const live = Object.keys(defaultTuning).join(", ");
    throw new LatheError(
      "INVALID_ARGUMENT",
      `${fixed.join(", ")} cannot be changed while the store is open; what can: ${live}`,
      { details: { fixed } },
    );
  }
  const given = Object.entries(changes).filter(([, value]) => value !== undefined);
  return resolveTuning({ ...tuning, ...Object.fromEntries(given) });
}

export function selectionHashOf(options: BlackboardOptions): string {
  return options.selectionHash ?? noSelectionHash;
}

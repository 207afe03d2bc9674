/**
 * AdaptiveMemory: shows the blackboard to the adaptive cache agent once per second and puts its changes in force.
 *
 *   1. Off (the default): options in force are those configured; no timer runs and the cache keeps no ghosts.
 *   2. On: every interval the agent sees what was counted since the last one. What it wants is overlaid on the options
 *      configured, logged and counted by direction.
 *   3. A change of the options that divide memory puts the new ones in force and the agent starts anew from them.
 * Invariants: memtables and cache together never exceed what the options configured allow (or the memory budget, where
 * that is less); a memtable stays within a quarter and four times of the one configured; the cache keeps an eighth.
 */
import type { Env, Timer } from "../../../../../../kit/env/env.ts";
import {
  AdaptiveCacheAgent, type MemoryAgent, type MemoryChange, type MemoryDirection,
} from "./adaptive-cache-agent.ts";
import type { Blackboard } from "./blackboard.ts";
import { cacheBytesMin } from "./memory-budget.ts";
import type { Tuning } from "./options.ts";

const intervalMs = 1000;
const memtableFactor = 4;
const cacheShareMin = 1 / 8;
const memtableBytesMin = 4096;
const memtableBytesMax = 2 ** 30;
const dividing = ["memtableBytes", "immutableMemtablesMax", "blockCacheBytes", "memoryBudgetBytes"] as const;

type Gains = Pick<MemoryChange, "cacheGain" | "memtableGain">;
type Share = Pick<Tuning, "memtableBytes" | "blockCacheBytes">;

interface Counts {
  readonly atUs: number;
  readonly ghostHits: number;
  readonly appliedBytes: number;
}

export interface AdaptiveMemoryOptions {
  readonly env: Env;
  readonly board: Blackboard;
  readonly pressure: () => number;
  /** Called after a change, with the options that were in force: waiters may go on. */
  readonly changed: (before: Tuning) => void;
  readonly makeAgent?: () => MemoryAgent;
}

export class AdaptiveMemory {
  readonly #options: AdaptiveMemoryOptions;
  readonly #board: Blackboard;
  #configured: Tuning;
  #agent: MemoryAgent | undefined = undefined;
  #timer: Timer | undefined = undefined;
  #before: Counts | undefined = undefined;
  #closed = false;

  constructor(options: AdaptiveMemoryOptions) {
    this.#options = options;
    this.#board = options.board;
    this.#configured = options.board.tuning;
    if (this.#configured.adaptiveMemory === "on") this.#start();
  }

  /** The options as they were asked for. */
  get configured(): Tuning {
    return this.#configured;
  }

  /** Puts other options in force. */
  configure(tuning: Tuning): void {
    const before = this.#configured;
    const { memtableBytes, blockCacheBytes, adaptiveMemory } = this.#board.tuning;
    this.#configured = tuning;
    const kept = dividing.every((name) => tuning[name] === before[name]);
    const goesOn = adaptiveMemory === "on" && tuning.adaptiveMemory === "on" && kept;
    if (!goesOn) this.#stop();
    this.#board.retune(goesOn ? { ...tuning, memtableBytes, blockCacheBytes } : tuning);
    if (!goesOn && tuning.adaptiveMemory === "on") this.#start();
  }

  close(): void {
    this.#closed = true;
    this.#stop();
  }

  #start(): void {
    this.#agent = this.#options.makeAgent?.() ?? new AdaptiveCacheAgent();
    this.#board.cache.keepGhosts(true);
    this.#before = this.#counts();
    this.#setTimer();
  }

  #stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#agent = undefined;
    this.#board.cache.keepGhosts(false);
  }

  #setTimer(): void {
    if (this.#closed) return;
    this.#timer = this.#options.env.clock.setTimer(intervalMs, () => {
      this.#look();
      if (this.#agent !== undefined) this.#setTimer();
    });
  }

  #counts(): Counts {
    const { cache, work } = this.#board;
    const atUs = this.#options.env.clock.monotonicUs();
    return { atUs, ghostHits: cache.ghostHits, appliedBytes: work.appliedBytes };
  }

  #look(): void {
    const before = this.#before as Counts;
    const now = this.#counts();
    const seconds = (now.atUs - before.atUs) / 1e6;
    if (this.#agent === undefined || seconds <= 0) return;
    this.#before = now;
    const { tuning, cache, work } = this.#board;
    const { memoryBudgetBytes, ...configured } = this.#configured;
    const memtables = 1 + tuning.immutableMemtablesMax;
    const present = tuning.blockCacheBytes + memtables * tuning.memtableBytes;
    const spare = memoryBudgetBytes === 0 ? 0 : Math.max(0, present - memoryBudgetBytes);
    const change = this.#agent.step({
      seconds,
      memtableBytes: tuning.memtableBytes,
      blockCacheBytes: tuning.blockCacheBytes - spare,
      memtables,
      memtableBytesMin: Math.max(memtableBytesMin, configured.memtableBytes / memtableFactor),
      memtableBytesMax: Math.min(memtableBytesMax, configured.memtableBytes * memtableFactor),
      cacheBytesMin: Math.max(cacheBytesMin, configured.blockCacheBytes * cacheShareMin),
      ghostHits: now.ghostHits - before.ghostHits,
      appliedBytes: now.appliedBytes - before.appliedBytes,
      ghostBytes: cache.ghostBytes,
      pressure: this.#options.pressure(),
      levelBaseBytes: tuning.levelBaseBytes,
      l0CompactionTrigger: tuning.l0CompactionTrigger,
    });
    if (change === undefined) return;
    const { memtableBytes, blockCacheBytes, direction } = change;
    work.memoryMoves[direction]++;
    this.#log(direction, { memtableBytes, blockCacheBytes }, change);
    this.#board.retune({ ...tuning, memtableBytes, blockCacheBytes });
    this.#options.changed(tuning);
  }

  #log(direction: MemoryDirection, to: Share, gains: Gains): void {
    const { memtableBytes, blockCacheBytes } = this.#board.tuning;
    this.#options.env.log.info("lsm_memory_adapted", {
      agent: this.#agent?.name,
      direction,
      from: { memtableBytes, blockCacheBytes },
      to,
      cacheGain: Math.round(gains.cacheGain),
      memtableGain: Math.round(gains.memtableGain),
    });
  }
}

/**
 * A store as the regression tests for SNDV-KV's defects need it, and two that stand behind it: Lathe's engine with its
 * log on a simulated disk, and a model of SNDV-KV with one of its defects.
 *
 * Work that has a beginning and an end is cut in two (`begin…` and what it returns), because several defects live
 * between them. The model has just what a defect needs: a map, a log, tables, a cache.
 */
import { compareBytes } from "../../../src/kit/compare.ts";
import { noSelectionHash } from "../../../src/kit/file-header.ts";
import type { DurableLog } from "../../../src/parts/core/durable-log.ts";
import { openWal } from "../../../src/parts/core/wal/wal.ts";
import {
  type BlackboardEngine, openBlackboardEngine,
} from "../../../src/parts/storage/storage_model/row/kvlsm/blackboard/blackboard-engine.ts";
import { WriteBatch } from "../../../src/parts/storage/write-batch.ts";
import { SimulatedDisk } from "../../../src/simulation/simulated-disk.ts";
import { createSimulatedEnv, seededNumbers, type SimulatedEnv } from "../../../src/simulation/simulated-env.ts";

export interface Item {
  readonly key: string;
  /** Undefined: delete it. */
  readonly value: string | undefined;
  readonly ttlMs?: number;
}

export interface Store {
  /** Resolves when the items are acknowledged; rejects where they are not. */
  write(items: readonly Item[]): Promise<void>;
  /** Hands items to the log and is not answered. */
  writeInFlight(items: readonly Item[]): void;
  get(key: string): string | undefined;
  /** Begins to write the memtable out; the result lets it end. */
  beginFlush(): () => Promise<void>;
  /** Begins a compaction; `step` lets it go on and says whether it is done. */
  beginCompaction(): { step(): Promise<boolean> };
  /** Lets work that was begun make a step. */
  turn(): Promise<void>;
  /** The log's device fails from now on. */
  breakLog(): void;
  wait(ms: number): void;
  /** Power is lost; `fate` says what became of what was in flight. */
  crash(fate: number): Promise<Store>;
  close(): Promise<void>;
}

const bytesOf = (text: string) => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array | undefined) => (bytes === undefined ? undefined : new TextDecoder().decode(bytes));

const tuning = {
  directory: "/store", memtableBytes: 8192, blockBytes: 128, targetFileBytes: 2048, levelBaseBytes: 4096,
  levelMultiplier: 2, l0CompactionTrigger: 2, readMode: "sync",
} as const;

export function openLatheStore(disk = new SimulatedDisk()): Promise<Store> {
  const env = createSimulatedEnv({ seed: 1, disk });
  let passedMs = 0;
  const clock = { ...env.clock, nowMs: () => env.clock.nowMs() + passedMs };
  const open = async () => {
    const log = await openWal(env, { directory: "/log", segmentBytes: 1 << 16, selectionHash: noSelectionHash });
    const engine = await openBlackboardEngine({ ...env, clock }, { ...tuning, log });
    return new LatheStore(env, disk, log, engine, (ms) => (passedMs += ms), () => clock.nowMs());
  };
  return env.run(open());
}

class LatheStore implements Store {
  readonly #env: SimulatedEnv;
  readonly #disk: SimulatedDisk;
  readonly #log: DurableLog;
  readonly #engine: BlackboardEngine;
  readonly #pass: (ms: number) => void;
  readonly #nowMs: () => number;

  constructor(
    env: SimulatedEnv,
    disk: SimulatedDisk,
    log: DurableLog,
    engine: BlackboardEngine,
    pass: (ms: number) => void,
    nowMs: () => number,
  ) {
    this.#env = env;
    this.#disk = disk;
    this.#log = log;
    this.#engine = engine;
    this.#pass = pass;
    this.#nowMs = nowMs;
  }

  async write(items: readonly Item[]): Promise<void> {
    await this.#env.run(this.#engine.write(this.#batch(items)));
  }

  writeInFlight(items: readonly Item[]): void {
    // Written out and not flushed: a loss of power may leave any part of it.
    void this.#engine.write(this.#batch(items), { sync: false }).catch(() => undefined);
    void this.#log.sync().catch(() => undefined);
  }

  get(key: string): string | undefined {
    return textOf(this.#engine.getSync(bytesOf(key)));
  }

  beginFlush(): () => Promise<void> {
    const flushed = this.#engine.flush();
    return () => this.#env.run(flushed);
  }

  beginCompaction(): { step(): Promise<boolean> } {
    let done = false;
    const work = this.#engine.compactAll().finally(() => (done = true));
    return {
      step: async () => {
        await this.turn();
        if (done) await work;
        return done;
      },
    };
  }

  turn(): Promise<void> {
    return this.#env.run(new Promise<void>((resolve) => this.#env.clock.defer(resolve)));
  }

  breakLog(): void {
    this.#disk.fault = { call: this.#disk.calls + 1, code: "IO_ERROR", persistent: true };
  }

  wait(ms: number): void {
    this.#pass(ms);
  }

  crash(fate: number): Promise<Store> {
    return openLatheStore(this.#disk.crash(seededNumbers(fate)));
  }

  async close(): Promise<void> {
    await this.#env.run(this.#engine.close());
    await this.#env.run(this.#log.close());
  }

  #batch(items: readonly Item[]): WriteBatch {
    const batch = new WriteBatch();
    for (const { key, value, ttlMs } of items) {
      if (value === undefined) batch.delete(bytesOf(key));
      else if (ttlMs === undefined) batch.put(bytesOf(key), bytesOf(value));
      else batch.put(bytesOf(key), bytesOf(value), { expiresAtMs: this.#nowMs() + ttlMs });
    }
    return batch;
  }
}

export type Defect =
  | "log holds zeros"
  | "tables are not opened again"
  | "a torn log is refused"
  | "errors of a batch are swallowed"
  | "the cache knows no expiry"
  | "writes go to a memtable that was dumped"
  | "inputs leave before outputs come"
  | "a merge takes any version";

interface Entry {
  readonly value: string | undefined;
  readonly expiresAtMs: number;
}

type Table = Map<string, Entry>;

/** What outlives the process of a model. */
interface Files {
  log: Item[];
  torn: boolean;
  tables: Table[];
}

/** SNDV-KV in little, with one of its defects and none of the others. */
export class DefectiveStore implements Store {
  readonly #defect: Defect;
  readonly #files: Files;
  #memtable: Table = new Map();
  #frozen: Table[] = [];
  readonly #cache = new Map<string, string | undefined>();
  #nowMs = 0;
  #broken = false;

  constructor(defect: Defect, files: Files = { log: [], torn: false, tables: [] }) {
    this.#defect = defect;
    this.#files = files;
    if (defect === "a torn log is refused" && files.torn) throw new Error("unexpected EOF");
    for (const item of files.log) this.#put(item);
    if (defect === "tables are not opened again") files.tables = [];
  }

  async write(items: readonly Item[]): Promise<void> {
    const swallowed = this.#defect === "errors of a batch are swallowed" && items.length > 1;
    if (this.#broken && !swallowed) throw new Error("input/output error");
    if (!this.#broken) this.#log(items);
    for (const item of items) this.#put(item);
  }

  writeInFlight(): void {
    this.#files.torn = true;
  }

  get(key: string): string | undefined {
    if (this.#defect === "the cache knows no expiry" && this.#cache.has(key)) return this.#cache.get(key);
    for (const table of [this.#memtable, ...this.#frozen, ...this.#files.tables]) {
      const entry = table.get(key);
      if (entry === undefined) continue;
      const value = entry.expiresAtMs <= this.#nowMs ? undefined : entry.value;
      this.#cache.set(key, value);
      return value;
    }
    return undefined;
  }

  beginFlush(): () => Promise<void> {
    const dumped = new Map(this.#memtable);
    const late = this.#defect === "writes go to a memtable that was dumped";
    if (!late) {
      this.#frozen = [this.#memtable];
      this.#memtable = new Map();
    }
    return async () => {
      this.#files.tables.unshift(dumped);
      this.#frozen = [];
      if (late) this.#memtable = new Map();
      this.#files.log = late ? [] : this.#files.log.filter(({ key }) => this.#memtable.has(key));
    };
  }

  beginCompaction(): { step(): Promise<boolean> } {
    const inputs = this.#files.tables;
    if (this.#defect === "inputs leave before outputs come") this.#files.tables = [];
    let step = 0;
    return {
      step: async () => {
        if (++step < 3) return false;
        // Entries of older tables first, so that newer ones take their place; without that order, the other way.
        const ordered = this.#defect === "a merge takes any version" ? inputs : inputs.toReversed();
        this.#files.tables = [new Map(ordered.flatMap((table) => [...table]).sort(byKey))];
        return true;
      },
    };
  }

  async turn(): Promise<void> {}

  breakLog(): void {
    this.#broken = true;
  }

  wait(ms: number): void {
    this.#nowMs += ms;
  }

  async crash(_fate: number): Promise<Store> {
    return new DefectiveStore(this.#defect, this.#files);
  }

  async close(): Promise<void> {}

  #log(items: readonly Item[]): void {
    const zeros = this.#defect === "log holds zeros";
    const logged = items.map((item) =>
      zeros && item.value !== undefined ? { ...item, value: "\u0000".repeat(item.value.length) } : item,
    );
    this.#files.log.push(...logged);
  }

  #put({ key, value, ttlMs }: Item): void {
    this.#memtable.set(key, { value, expiresAtMs: ttlMs === undefined ? Infinity : this.#nowMs + ttlMs });
    if (this.#defect !== "the cache knows no expiry") this.#cache.delete(key);
  }
}

function byKey([a]: readonly [string, Entry], [b]: readonly [string, Entry]): number {
  return compareBytes(bytesOf(a), bytesOf(b));
}

/**
 * SoakRun: the engine on real files and threads under everything at once.
 *
 *   1. Writers, each with keys of its own (owned-keys.ts): puts, deletes and range deletes, in batches, all synced.
 *   2. Readers of every kind; scans in both directions that rest between entries while files are compacted and removed
 *      beneath them, and are repeated as of the same snapshot.
 *   3. Maintenance: flushes, merges of everything, checkpoints that are opened, options changed, agents swapped.
 *   4. After some time the store is closed in the middle of it all, opened again and compared with what was
 *      acknowledged; and so on, round after round.
 * Whatever ends because of the close must say CLOSED. What was drawn comes from the seed; how threads and disk
 * interleave does not, so a failure may take several runs of its seed to come again.
 */
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import type { Env } from "../../src/kit/env/env.ts";
import { errorCodeOf } from "../../src/kit/errors.ts";
import { type DurableLog } from "../../src/parts/core/durable-log.ts";
import { openWal } from "../../src/parts/core/wal/wal.ts";
import type { Snapshot } from "../../src/parts/storage/engine.ts";
import {
  type BlackboardEngine, openBlackboardEngine,
} from "../../src/parts/storage/storage_model/row/kvlsm/blackboard/blackboard-engine.ts";
import type { Tuning } from "../../src/parts/storage/storage_model/row/kvlsm/blackboard/options.ts";
import { WriteBatch } from "../../src/parts/storage/write-batch.ts";
import { seededNumbers } from "../../src/simulation/seeded-numbers.ts";
import { OwnedKeys } from "./owned-keys.ts";
import { bytesOf, textOf, valueOf, versionIn } from "./self-verifying.ts";

export interface SoakOptions {
  readonly directory: string;
  readonly seed: number;
  readonly writers: number;
  readonly keysPerWriter: number;
  readonly rounds: number;
  readonly roundMs: number;
}

export interface SoakCounts {
  acknowledged: number;
  reads: number;
  scans: number;
  scanned: number;
  maintenance: number;
  reopenings: number;
  undecided: number;
}

const selectionHash = "7".repeat(64);

const tuning: Partial<Tuning> = {
  memtableBytes: 32_768, blockBytes: 512, blockCacheBytes: 65_536, targetFileBytes: 16_384, levelBaseBytes: 65_536,
  levelMultiplier: 3, l0CompactionTrigger: 2, compactionsMax: 3, subcompactionsMax: 3, readMode: "pool",
};

const liveChanges: readonly Partial<Tuning>[] = [
  { compactionStyle: "tiered" }, { compactionStyle: "leveled" }, { levelSizing: "dynamic" }, { levelSizing: "static" },
  { memtableBytes: 8192 }, { memtableBytes: 32_768 }, { compression: "zlib" }, { compression: "none" },
  { blockCacheBytes: 0 }, { blockCacheBytes: 65_536 }, { readMode: "sync" }, { readMode: "pool" },
  { compactionsMax: 1 }, { compactionsMax: 3 }, { backgroundBytesPerSecond: 4 << 20 }, { backgroundBytesPerSecond: 0 },
];

interface OpenStore {
  readonly engine: BlackboardEngine;
  readonly log: DurableLog;
}

export class SoakRun {
  readonly counts: SoakCounts = {
    acknowledged: 0, reads: 0, scans: 0, scanned: 0, maintenance: 0, reopenings: 0, undecided: 0,
  };
  readonly #env: Env;
  readonly #options: SoakOptions;
  readonly #next: () => number;
  readonly #writers: readonly OwnedKeys[];
  readonly #ownerOf = new Map<string, OwnedKeys>();
  #copies = 0;

  constructor(env: Env, options: SoakOptions) {
    this.#env = env;
    this.#options = options;
    this.#next = seededNumbers(options.seed);
    const prefix = (at: number) => `w${String(at).padStart(3, "0")}`;
    const { writers, keysPerWriter } = options;
    this.#writers = Array.from({ length: writers }, (_, at) => new OwnedKeys(prefix(at), keysPerWriter));
    for (const owner of this.#writers) for (const key of owner.keys) this.#ownerOf.set(key, owner);
  }

  async run(): Promise<SoakCounts> {
    for (let round = 0; round < this.#options.rounds; round++) await this.#round();
    const { engine, log } = await this.#open();
    this.#compareAll(engine);
    await engine.settle();
    await engine.compactAll();
    this.#compareAll(engine);
    await engine.close();
    await log.close();
    return this.counts;
  }

  async #round(): Promise<void> {
    const store = await this.#open();
    this.#compareAll(store.engine);
    const endMs = performance.now() + this.#options.roundMs * (0.5 + this.#next());
    let open = true;
    const untilClose = async (work: () => Promise<void>) => {
      while (open) {
        try {
          await work();
          // Reads that are answered from memory would leave nobody else a turn.
          await new Promise(setImmediate);
        } catch (error) {
          if (!open && errorCodeOf(error) === "CLOSED") return;
          throw error;
        }
      }
    };
    const { engine } = store;
    const work = [
      ...this.#writers.map((owner) => untilClose(() => this.#write(engine, owner))),
      ...Array.from({ length: 8 }, () => untilClose(() => this.#read(engine))),
      ...Array.from({ length: 4 }, () => untilClose(() => this.#scan(engine))),
      untilClose(() => this.#maintain(engine)),
    ];
    const all = Promise.all(work);
    all.catch(() => undefined);
    await Promise.race([all, new Promise((resolve) => setTimeout(resolve, endMs - performance.now()))]);
    open = false;
    await engine.close();
    await store.log.close();
    await all;
    this.counts.reopenings++;
    this.counts.undecided += this.#writers.filter((owner) => owner.isUndecided).length;
  }

  async #open(): Promise<OpenStore> {
    const { directory } = this.#options;
    const log = await openWal(this.#env, { directory: join(directory, "log"), segmentBytes: 1 << 20, selectionHash });
    const options = { ...tuning, directory: join(directory, "store"), selectionHash, log };
    return { engine: await openBlackboardEngine(this.#env, options), log };
  }

  #compareAll(engine: BlackboardEngine): void {
    for (const owner of this.#writers) owner.decide((key) => engine.getSync(bytesOf(key)));
    let found = 0;
    const cursor = engine.scan({});
    while (cursor.next()) {
      const key = textOf(cursor.key);
      this.#ownerOf.get(key)?.check(key, cursor.value);
      found++;
    }
    cursor.close();
    const due = [...this.#ownerOf].filter(([key, owner]) => !owner.possible(key).has(0)).length;
    assert.equal(found, due, "a scan finds what point reads find");
  }

  async #write(engine: BlackboardEngine, owner: OwnedKeys): Promise<void> {
    const batch = new WriteBatch();
    const after = new Map<string, number>();
    const count = 1 + this.#below(6);
    for (let i = 0; i < count; i++) {
      const at = this.#below(owner.keys.length);
      const luck = this.#next();
      if (luck < 0.04) {
        const end = Math.min(owner.keys.length - 1, at + 1 + this.#below(40));
        batch.deleteRange(bytesOf(owner.keys[at]), bytesOf(`${owner.keys[end]}!`));
        for (const key of owner.keys.slice(at, end + 1)) after.set(key, 0);
      } else if (luck < 0.2) {
        batch.delete(bytesOf(owner.keys[at]));
        after.set(owner.keys[at], 0);
      } else {
        const version = owner.nextVersion();
        const key = owner.keys[at];
        batch.put(bytesOf(key), valueOf(key, version, this.#below(luck > 0.98 ? 9000 : 300)));
        after.set(key, version);
      }
    }
    owner.begin(after);
    await engine.write(batch);
    owner.settle();
    this.counts.acknowledged++;
  }

  /** What a promised read may see is what its owner thinks possible at its beginning, or wrote since. */
  async #read(engine: BlackboardEngine): Promise<void> {
    const owner = this.#writers[this.#below(this.#writers.length)];
    const key = owner.keys[this.#below(owner.keys.length)];
    owner.check(key, engine.getSync(bytesOf(key)));
    const snapshot = engine.snapshot();
    try {
      const first = engine.getSync(bytesOf(key), snapshot)?.slice();
      const again = await engine.get(bytesOf(key), snapshot);
      assert.deepEqual(again, first, `${key} as of one snapshot`);
      const keys = Array.from({ length: 5 }, () => owner.keys[this.#below(owner.keys.length)]);
      const values = await engine.getMany(keys.map(bytesOf), snapshot);
      for (const [at, value] of values.entries()) if (value !== undefined) versionIn(keys[at], value);
      this.counts.reads += 3 + keys.length;
    } finally {
      snapshot.release();
    }
  }

  /** Twice the same range as of one snapshot, with rests; both find the same. */
  async #scan(engine: BlackboardEngine): Promise<void> {
    const snapshot = engine.snapshot();
    try {
      const reverse = this.#next() < 0.4;
      const owner = this.#writers[this.#below(this.#writers.length)];
      const [lowest] = owner.keys;
      const own = { gte: bytesOf(lowest), lt: bytesOf(`${lowest.slice(0, 5)}~`) };
      const range = this.#next() < 0.5 ? {} : own;
      const first = await this.#walk(engine, { ...range, reverse, snapshot });
      const second = await this.#walk(engine, { ...range, reverse: !reverse, snapshot });
      assert.deepEqual(second.reverse(), first, "both directions as of one snapshot");
      this.counts.scans += 2;
    } finally {
      snapshot.release();
    }
  }

  async #walk(
    engine: BlackboardEngine,
    range: { gte?: Uint8Array; lt?: Uint8Array; reverse: boolean; snapshot: Snapshot },
  ): Promise<string[]> {
    const found: string[] = [];
    const restAfter = 20 + this.#below(400);
    const cursor = engine.scan(range);
    try {
      while (cursor.next()) {
        const key = textOf(cursor.key);
        const before = found[found.length - 1]?.split("=")[0];
        assert.ok(before === undefined || (range.reverse ? key < before : key > before), `${key} after ${before}`);
        found.push(`${key}=${versionIn(key, cursor.value)}`);
        if (found.length % restAfter === 0) await new Promise((resolve) => setTimeout(resolve, this.#below(8)));
      }
    } finally {
      cursor.close();
    }
    this.counts.scanned += found.length;
    return found;
  }

  async #maintain(engine: BlackboardEngine): Promise<void> {
    const luck = this.#next();
    if (luck < 0.3) await engine.flush();
    else if (luck < 0.5) await engine.compactAll();
    else if (luck < 0.9) engine.setTuning(liveChanges[this.#below(liveChanges.length)]);
    else await this.#copy(engine);
    this.counts.maintenance++;
    await new Promise((resolve) => setTimeout(resolve, this.#below(60)));
  }

  async #copy(engine: BlackboardEngine): Promise<void> {
    const directory = join(this.#options.directory, `copy-${this.#copies++}`);
    try {
      await engine.checkpoint(directory);
      const copy = await openBlackboardEngine(this.#env, { directory, selectionHash });
      const cursor = copy.scan({});
      while (cursor.next()) versionIn(textOf(cursor.key), cursor.value);
      cursor.close();
      await copy.close();
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  }

  #below(bound: number): number {
    return Math.floor(this.#next() * bound);
  }
}

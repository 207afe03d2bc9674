/**
 * TaoEdges: the edges that TAOBench loads, as a function of a seed, and the pool from which accesses are
 * drawn.
 *
 * Algorithm:
 *   1. One loader makes edge after edge: home shard uniform over 50, far shard and type by weight. A clock
 *      that advances by 2–4 µs per edge stands in for TAOBench's nanosecond clock, and a counter that
 *      starts at random for its sequence.
 *   2. A draw picks a shard by weight and then an edge uniformly inside it; load is uniform and access is
 *      not, so 2 % of the edges get 58 % of the accesses.
 * Key layout (63 bits, never negative):
 *   | bits  | field | meaning                              |
 *   | 57–62 | shard | 0–49                                 |
 *   | 40–56 | seq   | counter, modulo 2^17                 |
 *   | 0–39  | time  | nanoseconds, modulo 2^40 (18 min)    |
 * Invariants: times of the load are distinct and lie in [0, 2^39); fresh keys of clients have times from
 * 2^39 on, so they never meet a loaded key. Timestamps of loaded rows are `timestampBase + time` of the
 * edge; both its objects share it. Memory: 21 bytes per edge in typed arrays, none of it on the heap of
 * the garbage collector.
 * Source: TAOBench, src/workload.cc and src/constants.h.
 */
import { LatheError } from "../../kit/errors.ts";
import { AliasTable } from "../alias-table.ts";
import { RandomStream } from "../random-stream.ts";
import type { EdgeType } from "../workload.ts";
import type { TaoMix } from "./workload-file.ts";

export const shardCount = 50;
const sequenceMask = 0x1ffffn;
const timeMask = 0xff_ffff_ffffn;
/** A multiple of 2^40, 19 digits long, as nanoseconds since the epoch are these years. */
export const timestampBase = 1_600_000n << 40n;
/** Where the clocks of clients start, after any load. */
export const clientTimeStart = 1n << 39n;
/** The load's clock must not reach the clients': 2^39 ns at 4 µs an edge. */
export const edgesMax = 134_000_000;
const loadLabel = 0x10ad;

/** The number that stands for an edge type in the column `type`. */
export const edgeTypeNumber: Readonly<Record<EdgeType, bigint>> = {
  unique: 0n,
  bidirectional: 1n,
  unique_and_bidirectional: 2n,
  other: 3n,
};

export function keyOf(shard: number, sequence: bigint, time: bigint): bigint {
  return (BigInt(shard) << 57n) | ((sequence & sequenceMask) << 40n) | (time & timeMask);
}

/** The timestamp that the load gave to the row of a primary key. */
export function loadTimestampOf(primaryKey: bigint): bigint {
  return timestampBase + (primaryKey & timeMask);
}

export class TaoEdges {
  readonly count: number;
  readonly primary: BigInt64Array;
  readonly remote: BigInt64Array;
  readonly type: Uint8Array;
  /** Edge numbers ordered by shard; those of shard s are at [offset[s], offset[s + 1]). */
  readonly #byShard: Uint32Array;
  readonly #offset = new Uint32Array(shardCount + 1);

  constructor(count: number, mix: TaoMix, seed: number) {
    if (!Number.isInteger(count) || count < 1 || count > edgesMax) {
      throw new LatheError("INVALID_ARGUMENT", `TAOBench needs 1 to ${edgesMax} edges, not ${count}`);
    }
    this.count = count;
    this.primary = new BigInt64Array(count);
    this.remote = new BigInt64Array(count);
    this.type = new Uint8Array(count);
    this.#byShard = new Uint32Array(count);
    const shards = this.#generate(mix, new RandomStream(seed, loadLabel));
    for (let shard = 0; shard < shardCount; shard++) this.#offset[shard + 1] += this.#offset[shard];
    const next = this.#offset.slice(0, shardCount);
    for (let edge = 0; edge < count; edge++) this.#byShard[next[shards[edge]]++] = edge;
  }

  /** Fills the columns; counts the edges of shard s in `offset[s + 1]`. Returns the home shard per edge. */
  #generate(mix: TaoMix, random: RandomStream): Uint8Array {
    const remoteShards = new AliasTable(mix.remoteShards);
    const types = new AliasTable(mix.edgeTypes.map(({ weight }) => weight));
    const typeNumbers = mix.edgeTypes.map(({ value }) => Number(edgeTypeNumber[value]));
    const shards = new Uint8Array(this.count);
    let sequence = random.u32() % 0x20000;
    // The clock is a plain number (below 2^39) until it becomes part of a key.
    let time = random.below(1_000_000);
    for (let edge = 0; edge < this.count; edge++) {
      const shard = random.below(shardCount);
      time += 2000 + (random.u32() & 2047);
      this.primary[edge] = keyOf(shard, BigInt(sequence), BigInt(time));
      this.remote[edge] = keyOf(remoteShards.next(random), BigInt(sequence + 1), BigInt(time + 100));
      this.type[edge] = typeNumbers[types.next(random)];
      sequence = (sequence + 2) % 0x20000;
      shards[edge] = shard;
      this.#offset[shard + 1]++;
    }
    return shards;
  }

  /** An edge uniformly drawn inside a shard, or −1 where the shard has none. */
  drawFrom(shard: number, random: RandomStream): number {
    const start = this.#offset[shard];
    const size = this.#offset[shard + 1] - start;
    return size === 0 ? -1 : this.#byShard[start + random.below(size)];
  }

  edgesIn(shard: number): number {
    return this.#offset[shard + 1] - this.#offset[shard];
  }
}

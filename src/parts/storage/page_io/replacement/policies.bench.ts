/**
 * The policies of the row cache side by side. Run:
 * `node src/parts/storage/page_io/replacement/policies.bench.ts [cost|hits]`
 *
 *   cost   what a call takes, in turns within one process: nanoseconds (median of the rounds, least, greatest) and the
 *          ratio of W-TinyLFU to LRU, per round. Keys of 12 bytes, values of 161, read in random order, so that the
 *          machine's caches miss as in service.
 *   hits   hit ratios on the key stream of TAOBench's Workload O (and A) at 500,000 edges, writes applied in order,
 *          around the default capacity.
 */
import { performance } from "node:perf_hooks";
import { TaoWorkload } from "../../../../workload/taobench/tao-workload.ts";
import type { OperationStep } from "../../../../workload/workload.ts";
import type { Cache } from "../cache.ts";
import { uniform } from "./access-traces.fixture.ts";
import { createLruCache } from "./lru/lru-cache.ts";
import { type CreateCache, metricOf } from "./trace-replay.fixture.ts";
import { createWTinyLfuCache } from "./w_tinylfu/w-tinylfu-cache.ts";

const policies: readonly { name: string; create: CreateCache }[] = [
  { name: "lru", create: createLruCache },
  { name: "w_tinylfu", create: createWTinyLfuCache },
];
const defaultBytes = 32 << 20;
const value = new Uint8Array(161);

/** As the row layout makes it: table number and 64-bit columns. */
function keyOf(table: string, columns: readonly unknown[]): Uint8Array {
  const bytes = new Uint8Array(4 + 8 * columns.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, table === "objects" ? 1 : 2);
  columns.forEach((column, at) => view.setBigInt64(4 + 8 * at, column as bigint));
  return bytes;
}

function measureCost(): void {
  const rounds = 9;
  const calls = 400_000;
  const entries = 100_000;
  const random = uniform(1);
  const keys = Array.from({ length: 4 * entries }, (_, number) => keyOf("objects", [BigInt(number) << 40n]));
  const order = Uint32Array.from({ length: calls }, () => Math.floor(random() * entries));
  const caches = policies.map(({ create }) => {
    const cache = create({ capacityBytes: defaultBytes });
    // Twice, so that W-TinyLFU counts.
    for (let number = 0; number < 2 * entries; number++) readThrough(cache, keys[number % entries]);
    return cache;
  });
  let found = 0;
  const operations: readonly [string, (cache: Cache, at: number) => void][] = [
    ["get, hit", (cache, at) => (found += cache.get(keys[at])?.length ?? 0)],
    ["get, miss", (cache, at) => (found += cache.get(keys[entries + at])?.length ?? 0)],
    ["update", (cache, at) => cache.update(keys[at], value)],
    ["fill, full cache", (cache, at) => cache.fill(keys[entries + ((at * 31) % (3 * entries))], value, cache.epoch())],
  ];
  for (const [what, operation] of operations) {
    const times = policies.map((): number[] => []);
    for (let round = 0; round < rounds; round++) {
      for (let turn = 0; turn < policies.length; turn++) {
        const which = (turn + round) % policies.length;
        const start = performance.now();
        for (let at = 0; at < calls; at++) operation(caches[which], order[at]);
        times[which].push(((performance.now() - start) / calls) * 1e6);
      }
    }
    // The first round compiles.
    const [lru, tinyLfu] = times.map((one) => one.slice(1));
    const ratios = tinyLfu.map((time, round) => time / lru[round]);
    console.log(`${what}: lru ${spread(lru)} ns, w_tinylfu ${spread(tinyLfu)} ns, ratio ${spread(ratios, 2)}`);
  }
}

function spread(figures: readonly number[], digits = 0): string {
  const sorted = [...figures].sort((a, b) => a - b);
  const [median, least, greatest] = [sorted[sorted.length >> 1], sorted[0], sorted[sorted.length - 1]];
  return `${median.toFixed(digits)} (${least.toFixed(digits)} to ${greatest.toFixed(digits)})`;
}

function readThrough(cache: Cache, key: Uint8Array): boolean {
  if (cache.get(key) !== undefined) return true;
  cache.fill(key, value, cache.epoch());
  return false;
}

function apply(cache: Cache, step: OperationStep, key: Uint8Array): boolean | undefined {
  if (step.kind === "read") return readThrough(cache, key);
  if (step.kind === "update") cache.update(key, value);
  else if (step.kind === "delete") cache.invalidate(key);
  return undefined;
}

function measureHits(profile: string, capacityBytes: number): void {
  const clients = 8;
  const statements = 4_000_000;
  const workload = new TaoWorkload(profile, 500_000, 1);
  const streams = Array.from({ length: clients }, (_, client) => workload.client(2, client, clients));
  const caches = policies.map(({ create }) => create({ capacityBytes }));
  const hits = policies.map(() => 0);
  let reads = 0;
  let done = 0;
  while (done < statements) {
    for (const step of streams[done % clients].next().steps) {
      done++;
      if (step.kind !== "read" && step.kind !== "update" && step.kind !== "delete") continue;
      const key = keyOf(step.table, step.key);
      const found = caches.map((cache) => apply(cache, step, key));
      // The first half warms up.
      if (step.kind !== "read" || done < statements / 2) continue;
      reads++;
      found.forEach((hit, which) => (hits[which] += hit === true ? 1 : 0));
    }
  }
  const [lru, tinyLfu] = hits.map((count) => (100 * count) / reads);
  const misses = (100 - tinyLfu) / (100 - lru);
  const mebibytes = capacityBytes / 2 ** 20;
  console.log(
    `taobench-${profile}, ${mebibytes} MiB: lru ${lru.toFixed(2)} %, w_tinylfu ${tinyLfu.toFixed(2)} %, ` +
      `misses ${misses.toFixed(3)} as many; window ${metricOf(caches[1], "row_cache_window_ratio").toFixed(3)}`,
  );
}

const wanted = process.argv[2];
if (wanted !== "hits") measureCost();
if (wanted !== "cost") {
  for (const capacityBytes of [8 << 20, defaultBytes, 128 << 20]) measureHits("o", capacityBytes);
  measureHits("a", defaultBytes);
}

/**
 * What one call of the row cache costs. Run: `node
 * src/parts/storage/page_io/replacement/lru/lru-cache.bench.ts`. Keys of 20 bytes, values of 150; reads
 * in random order, so that the machine's caches miss as in service.
 */
import { performance } from "node:perf_hooks";
import { createLruCache } from "./lru-cache.ts";

const rounds = 5;
const reads = 500_000;

function keyOf(number: number): Uint8Array {
  return new TextEncoder().encode(`object:${String(number).padStart(13, "0")}`);
}

for (const entries of [1000, 100_000]) {
  const cache = createLruCache({ capacityBytes: entries * 320 });
  const value = new Uint8Array(150);
  const keys = Array.from({ length: 2 * entries }, (_, number) => keyOf(number));
  for (let number = 0; number < entries; number++) cache.fill(keys[number], value, cache.epoch());
  const order = Uint32Array.from({ length: reads }, () => Math.floor(Math.random() * entries));
  const report = (what: string, operation: (at: number) => void) => {
    const times: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const start = performance.now();
      for (let at = 0; at < reads; at++) operation(order[at]);
      times.push(((performance.now() - start) / reads) * 1e6);
    }
    console.log(`${entries} entries, ${what}: ${times.sort((a, b) => a - b)[rounds >> 1].toFixed(0)} ns`);
  };
  let found = 0;
  report("get, hit", (at) => (found += cache.get(keys[at])?.length ?? 0));
  report("get, miss", (at) => (found += cache.get(keys[entries + at])?.length ?? 0));
  report("update", (at) => cache.update(keys[at], value));
  report("fill with eviction", (at) => cache.fill(keys[(at * 2) % keys.length], value, cache.epoch()));
}

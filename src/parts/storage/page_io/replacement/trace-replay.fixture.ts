/** Replays a trace against a cache as a reader does: get, and on a miss fill. */
import type { Cache } from "../cache.ts";
import type { Trace } from "./access-traces.fixture.ts";

export type CreateCache = (options: { capacityBytes: number; seed?: number }) => Cache;

const keyBytes = new Uint8Array(8);
const keyView = new DataView(keyBytes.buffer);
/** With its key a row of four cells, like those of TAOBench: the tables of the policies are sized for such. */
const value = new Uint8Array(200);

export function replay(cache: Cache, trace: Trace): { hits: number; ratio: number } {
  let hits = 0;
  for (const key of trace) {
    const bytes = keyOf(key);
    if (cache.get(bytes) !== undefined) hits++;
    else cache.fill(bytes, value, cache.epoch());
  }
  return { hits, ratio: hits / trace.length };
}

export function keyOf(key: number): Uint8Array {
  keyView.setUint32(4, key);
  return keyBytes;
}

export function metricOf(cache: Cache, name: string): number {
  const metric = cache.metrics().find((one) => one.name === name);
  if (metric === undefined || metric.kind === "histogram") throw new Error(`no metric ${name}`);
  return metric.value;
}

/** The least capacity that holds so many entries, found by filling caches. */
export function capacityBytesFor(create: CreateCache, entries: number): number {
  const held = (capacityBytes: number) => {
    const cache = create({ capacityBytes });
    for (let key = 0; key < entries + 10; key++) cache.fill(keyOf(key), value, cache.epoch());
    return metricOf(cache, "row_cache_entries");
  };
  let [low, high] = [0, entries * 350 + 20_000];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (held(middle) >= entries) high = middle;
    else low = middle + 1;
  }
  if (held(low) !== entries) throw new Error(`no capacity holds ${entries} entries, ${low} bytes hold ${held(low)}`);
  return low;
}

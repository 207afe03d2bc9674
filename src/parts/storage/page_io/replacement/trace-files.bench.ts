/**
 * Hit ratios on published traces. Run: `node src/parts/storage/page_io/replacement/trace-files.bench.ts FILE…`
 *
 * Files hold one key per line, gzipped or not, as those of LIRS do (a line `*` is a mark of theirs and no key). They
 * are found in the resources of Caffeine's simulator and are not kept here. Capacities are a tenth, a quarter and a half of
 * the keys of a trace.
 */
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { gunzipSync } from "node:zlib";
import type { Trace } from "./access-traces.fixture.ts";
import { optimalHits } from "./belady.fixture.ts";
import { createLruCache } from "./lru/lru-cache.ts";
import { capacityBytesFor, replay } from "./trace-replay.fixture.ts";
import { createWTinyLfuCache } from "./w_tinylfu/w-tinylfu-cache.ts";

function readTrace(file: string): { trace: Trace; keys: number } {
  const bytes = readFileSync(file);
  const text = (file.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("latin1");
  const numbers = new Map<string, number>();
  const trace: number[] = [];
  for (const line of text.split("\n")) {
    const key = line.trim();
    if (key === "" || key === "*") continue;
    if (!numbers.has(key)) numbers.set(key, numbers.size);
    trace.push(numbers.get(key) as number);
  }
  return { trace: Uint32Array.from(trace), keys: numbers.size };
}

const files = process.argv.slice(2);
if (files.length === 0) throw new Error("name at least one trace file");
console.log("trace, accesses, entries: LRU, W-TinyLFU (three seeds), optimum, in per cent");
for (const file of files) {
  const { trace, keys } = readTrace(file);
  for (const share of [0.1, 0.25, 0.5]) {
    const entries = Math.max(50, Math.round(keys * share));
    const percent = (hits: number) => ((100 * hits) / trace.length).toFixed(2);
    const lru = replay(createLruCache({ capacityBytes: capacityBytesFor(createLruCache, entries) }), trace).hits;
    const capacityBytes = capacityBytesFor(createWTinyLfuCache, entries);
    const seeds = [1, 2, 3].map((seed) => percent(replay(createWTinyLfuCache({ capacityBytes, seed }), trace).hits));
    const best = optimalHits(trace, entries);
    const figures = [percent(lru), seeds.join(" "), percent(best)].join(", ");
    console.log(`${basename(file)}, ${trace.length}, ${entries}: ${figures}`);
  }
}

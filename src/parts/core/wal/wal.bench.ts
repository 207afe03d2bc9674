/**
 * What a durable commit costs: appends of 200 bytes with a sync each, by 1, 8 and 64 writers.
 * Run: `node src/parts/core/wal/wal.bench.ts [DIRECTORY]`; the directory's file system decides the figures.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createNodeEnv } from "../../../kit/env/node-env.ts";
import { noSelectionHash } from "../../../kit/file-header.ts";
import { Histogram } from "../../../kit/histogram.ts";
import { openWal } from "./wal.ts";

const seconds = 2;
const directory = mkdtempSync(join(process.argv[2] ?? tmpdir(), "lathe-wal-bench-"));
const env = createNodeEnv();
const entry = new Uint8Array(200);

for (const writers of [1, 8, 64]) {
  const log = await openWal(env, { directory: join(directory, String(writers)), selectionHash: noSelectionHash });
  const latency = new Histogram();
  const endUs = env.clock.monotonicUs() + seconds * 1e6;
  const write = async () => {
    while (env.clock.monotonicUs() < endUs) {
      const startUs = env.clock.monotonicUs();
      const index = log.append(entry);
      await log.sync();
      latency.record(env.clock.monotonicUs() - startUs);
      if (index % 1000 === 0) log.truncatePrefix(index - 1);
    }
  };
  await Promise.all(Array.from({ length: writers }, write));
  const [p50, p99] = [latency.percentile(50), latency.percentile(99)].map(Math.round);
  console.log(`${writers} writers: ${Math.round(latency.count / seconds)} commits/s, p50 ${p50} µs, p99 ${p99} µs`);
  await log.close();
}
await env.threads.close();
rmSync(directory, { recursive: true });

/**
 * What a durable commit costs: appends of 200 bytes with a sync each, by 1, 8 and 64 writers, with and without the
 * batch agent, which take turns.
 * Run: `node src/parts/core/wal/wal.bench.ts [DIRECTORY]`; the directory's file system decides the figures.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createNodeEnv } from "../../../kit/env/node-env.ts";
import { noSelectionHash } from "../../../kit/file-header.ts";
import { Histogram } from "../../../kit/histogram.ts";
import type { DurableLog } from "../durable-log.ts";
import { openWal } from "./wal.ts";

const turns = 4;
const turnSeconds = 0.5;
const directory = mkdtempSync(join(process.argv[2] ?? tmpdir(), "lathe-wal-bench-"));
const env = createNodeEnv({ logLevel: "warn" });
const entry = new Uint8Array(200);

async function run(log: DurableLog, writers: number, latency: Histogram): Promise<void> {
  const endUs = env.clock.monotonicUs() + turnSeconds * 1e6;
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
}

// Timers of the log keep no process alive.
const alive = setInterval(() => undefined, 2 ** 30);
for (const writers of [1, 8, 64]) {
  const sides = [];
  for (const adaptiveBatch of ["off", "on"] as const) {
    const path = join(directory, `${adaptiveBatch}-${writers}`);
    const log = await openWal(env, { directory: path, selectionHash: noSelectionHash, adaptiveBatch });
    await run(log, writers, new Histogram());
    sides.push({ adaptiveBatch, log, latency: new Histogram() });
  }
  for (let turn = 0; turn < turns; turn++) {
    for (const { log, latency } of turn % 2 === 0 ? sides : sides.toReversed()) await run(log, writers, latency);
  }
  for (const { adaptiveBatch, log, latency } of sides) {
    const [p50, p99] = [latency.percentile(50), latency.percentile(99)].map(Math.round);
    const rate = Math.round(latency.count / (turns * turnSeconds));
    console.log(`${writers} writers, adaptive batch ${adaptiveBatch}: ${rate} commits/s, p50 ${p50} µs, p99 ${p99} µs`);
    await log.close();
  }
}
clearInterval(alive);
await env.threads.close();
rmSync(directory, { recursive: true });

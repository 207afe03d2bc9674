/** While the log is replayed two memtables are written side by side; their tables come into force in order. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Env, JobReference } from "../../../../../../kit/env/env.ts";
import { LatheError } from "../../../../../../kit/errors.ts";
import { noSelectionHash } from "../../../../../../kit/file-header.ts";
import { SimulatedDisk } from "../../../../../../simulation/simulated-disk.ts";
import { createSimulatedEnv } from "../../../../../../simulation/simulated-env.ts";
import { openWal } from "../../../../../core/wal/wal.ts";
import { WriteBatch } from "../../../../write-batch.ts";
import { type BlackboardEngine, openBlackboardEngine } from "./blackboard-engine.ts";
import { tableName } from "./file-names.ts";
import type { JobOutput } from "./flush-job.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);
const entries = 600;
const keys = 40;
const runs = Number(process.env.LATHE_TEST_RUNS ?? 20);

async function open(env: Env, memtableBytes: number) {
  const log = await openWal(env, { directory: "/wal", segmentBytes: 1 << 20, selectionHash: noSelectionHash });
  const options = { directory: "/store", log, memtableBytes, blockBytes: 256, l0CompactionTrigger: 4 };
  return { log, engine: await openBlackboardEngine(env, options) };
}

/** A disk with a log of `entries` entries, none of which is in a table. */
async function diskWithLog(): Promise<SimulatedDisk> {
  const disk = new SimulatedDisk();
  const env = createSimulatedEnv({ seed: 1, disk });
  await env.run(
    (async () => {
      const { log, engine } = await open(env, 1 << 20);
      for (let i = 1; i <= entries; i++) {
        const batch = new WriteBatch().put(bytesOf(`k${i % keys}`), bytesOf(`${i}.${"v".repeat(60)}`));
        await engine.write(batch, { sync: i % 50 === 0 });
      }
      await engine.close();
      await log.close();
    })(),
  );
  return disk;
}

/** The environment, in which flushes are counted, and `fails` says which of them (from 1) come to nothing. */
function watched(env: Env, fails: (flush: number) => boolean) {
  const seen = { flushes: 0, running: 0, most: 0 };
  const run = async <Input, Output>(job: JobReference, input: Input): Promise<Output> => {
    if (job.exportName !== "flushJob") return env.threads.run<Input, Output>(job, input);
    const number = ++seen.flushes;
    seen.most = Math.max(seen.most, ++seen.running);
    try {
      const output = await env.threads.run<Input, Output>(job, input);
      if (!fails(number)) return output;
      for (const meta of (output as JobOutput).files) env.disk.unlink(`/store/${tableName(meta.number)}`);
      throw new LatheError("DISK_FULL", "this flush was to fail");
    } finally {
      seen.running--;
    }
  };
  const threads = { concurrency: 2, run, close: () => env.threads.close() };
  return { seen, world: { ...env, clock: env.clock, disk: env.disk, threads } as Env };
}

function check(engine: BlackboardEngine): void {
  assert.equal(engine.appliedIndex, entries);
  for (let key = 0; key < keys; key++) {
    const last = entries - ((entries - key) % keys);
    assert.match(Buffer.from(engine.getSync(bytesOf(`k${key}`)) ?? []).toString(), new RegExp(`^${last}\\.`));
  }
}

test("two at a time, never more; whichever fails, nothing is lost, comes too early or is left behind", async () => {
  const made = await diskWithLog();
  let sideBySide = 0;
  for (let seed = 1; seed <= runs; seed++) {
    const disk = made.crash(() => 1);
    const env = createSimulatedEnv({ seed, disk });
    const failing = seed % 5;
    const { seen, world } = watched(env, (flush) => failing > 0 && flush % 5 === failing);
    await env.run(
      (async () => {
        const { log, engine } = await open(world, 6144);
        check(engine);
        await engine.flush();
        await engine.settle();
        check(engine);
        assert.equal(engine.durableIndex, entries);
        const live = engine.metrics().reduce(
          (total, one) => total + (one.name === "lsm_level_files" && one.kind !== "histogram" ? one.value : 0), 0,
        );
        assert.equal(disk.list("/store").filter((name) => name.endsWith(".sst")).length, live, `seed ${seed}: orphans`);
        await engine.close();
        await log.close();
      })(),
    );
    assert.ok(seen.most <= 2, `seed ${seed}: ${seen.most} at once`);
    if (seen.most === 2) sideBySide++;
  }
  assert.ok(sideBySide > runs / 2, `${sideBySide} of ${runs}`);
});

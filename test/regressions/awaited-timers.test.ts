/**
 * A process that awaits the engine lives until the engine has answered, also while nothing but a timer is to come: a
 * slowed writer, a flush that is tried again, a commit group that is gathered. Nothing else may run, so each case is a process of its own.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

const urlOf = (path: string) => JSON.stringify(new URL(`../../src/${path}`, import.meta.url).href);

/** Runs a program with `env`, `directory`, `open` and `put(engine, index)`; returns what it printed and how it ended. */
function runAlone(program: string): { readonly printed: string; readonly status: number | null } {
  const directory = mkdtempSync(join(tmpdir(), "lathe-awaited-timers-"));
  const source = `
    import { createNodeEnv } from ${urlOf("kit/env/node-env.ts")};
    import { WriteBatch } from ${urlOf("parts/storage/write-batch.ts")};
    import { openBlackboardEngine as open } from ${urlOf("parts/storage/storage_model/row/kvlsm/blackboard/blackboard-engine.ts")};
    const directory = ${JSON.stringify(directory)};
    const env = createNodeEnv({ logLevel: "error" });
    const put = (engine, index, bytes = 100) =>
      engine.applySync(new WriteBatch().put(Uint8Array.of(index), new Uint8Array(bytes)), index);
    ${program}`;
  try {
    const { status, stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", source]);
    return { printed: `${stdout}${stderr}`, status };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

test("a writer that is slowed down comes back, though nothing else keeps the process alive", () => {
  // A file in level 0 slows writers here, and none of the compactions that would remove it is due.
  const ended = runAlone(`
    const limits = { l0CompactionTrigger: 1, l0SlowdownTrigger: 1, l0StallTrigger: 9, slowdownBytesPerSecond: 1024 };
    const engine = await open(env, { directory, ...limits, compactionStyle: "tiered" });
    put(engine, 1);
    await engine.flush();
    // At the rate of slowed writers a minute's worth, so that a process that stands still for a moment is slowed, too.
    put(engine, 2, 60_000);
    const slowed = engine.backpressure();
    console.log(slowed === undefined ? "not slowed" : "slowed");
    await slowed;
    console.log("came back");
    await engine.close();
    await env.threads.close();`);
  assert.deepEqual(ended, { printed: "slowed\ncame back\n", status: 0 });
});

for (const when of ["before", "while"]) {
  test(`a flush asked for ${when} a retry is pending ends, though nothing else keeps the process alive`, () => {
    const ended = runAlone(`
      let failures = 1;
      const failed = Promise.withResolvers();
      const run = (job, input) => {
        if (failures-- <= 0) return env.threads.run(job, input);
        setImmediate(() => setImmediate(failed.resolve));
        return Promise.reject(Object.assign(new Error("no room"), { code: "DISK_FULL" }));
      };
      const threads = { run, concurrency: env.threads.concurrency, close: () => env.threads.close() };
      const engine = await open({ ...env, threads }, { directory, memtableBytes: 65536 });
      if (${JSON.stringify(when)} === "before") put(engine, 1);
      else {
        engine.applySync(new WriteBatch().put(Uint8Array.of(1), new Uint8Array(65536)), 1);
        await failed.promise;
      }
      await engine.flush();
      console.log("failures left", failures < 0 ? "none" : failures, "durable", engine.durableIndex);
      await engine.close();
      await threads.close();`);
    assert.deepEqual(ended, { printed: "failures left none durable 1\n", status: 0 });
  });
}

test("a group that is gathered is flushed, though nothing but its timer keeps the process alive", () => {
  const source = `
    import { createNodeEnv } from ${urlOf("kit/env/node-env.ts")};
    import { GroupCommit } from ${urlOf("parts/core/wal/group-commit.ts")};
    const flush = async () => console.log("flushed");
    await new GroupCommit({ clock: createNodeEnv().clock, delayUs: 20_000, flush }).request();`;
  const { status, stdout } = spawnSync(process.execPath, ["--input-type=module", "-e", source]);
  assert.deepEqual({ status, printed: String(stdout) }, { status: 0, printed: "flushed\n" });
});

import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { Env } from "../../../../kit/env/env.ts";
import { createNodeEnv } from "../../../../kit/env/node-env.ts";
import { withSettableClock } from "../../settable-clock.fixture.ts";
import { WriteBatch } from "../../write-batch.ts";
import { openMemoryEngine } from "./memory-engine.ts";

const env = createNodeEnv({ logLevel: "error" });
const root = mkdtempSync(join(tmpdir(), "lathe-memory-limits-"));
after(async () => {
  await env.threads.close();
  rmSync(root, { recursive: true });
});

const key = (n: number) => Buffer.from(`key ${String(n).padStart(6, "0")}`);

test("puts beyond the limit are refused as whole batches; reads, deletes and what then fits go on", async () => {
  const engine = await openMemoryEngine(env, { directory: join(root, "limit"), bytesMax: 1 << 24 });
  const value = new Uint8Array(1 << 16);
  let index = 0;
  let refused: unknown;
  while (refused === undefined && index < 1000) {
    const batch = new WriteBatch().put(key(2 * index), value).put(key(2 * index + 1), value);
    try {
      assert.ok(engine.room.admit(batch, 0));
      engine.applySync(batch, index + 1);
      index++;
    } catch (error) {
      refused = error;
    }
  }
  assert.equal((refused as { code?: string }).code, "LIMIT_EXCEEDED");
  assert.match((refused as Error).message, /bytes/);
  assert.ok(index > 50, `${index} batches fit`);
  assert.equal(engine.appliedIndex, index);
  for (const n of [2 * index, 2 * index + 1]) assert.equal(engine.getSync(key(n)), undefined, "half a batch");
  assert.equal(engine.getSync(key(1))?.length, value.length);
  engine.applySync(new WriteBatch().delete(key(0)).delete(key(1)), index + 1);
  engine.applySync(new WriteBatch().put(key(0), value), index + 2);
  assert.equal(engine.getSync(key(0))?.length, value.length);
  await engine.close();
});

test("a changed byte in CURRENT or the snapshot is refused by name when the store is opened", async () => {
  const directory = join(root, "damage");
  const open = () => openMemoryEngine(env, { directory });
  const engine = await open();
  const batch = new WriteBatch();
  for (let n = 0; n < 50; n++) batch.put(key(n), Buffer.from(`value ${n}`));
  engine.applySync(batch, 1);
  await engine.flush();
  await engine.close();
  const files = readdirSync(directory).filter((name) => readFileSync(join(directory, name)).length > 32);
  assert.equal(files.length, 2, files.join(", "));
  for (const name of files) {
    const whole = readFileSync(join(directory, name));
    for (let at = 0; at < whole.length; at += 31) {
      const changed = Buffer.from(whole);
      changed[at] ^= 0x10;
      writeFileSync(join(directory, name), changed);
      await assert.rejects(open(), (error: { code?: string; message: string }) => {
        assert.ok(["CORRUPTION", "FORMAT_UNKNOWN"].includes(error.code ?? ""), `${name} at ${at}: ${error.message}`);
        assert.ok(error.message.includes(name), `${name} at ${at}: ${error.message}`);
        return true;
      });
    }
    writeFileSync(join(directory, name), whole);
  }
  const again = await open();
  assert.equal(again.durableIndex, 1);
  await again.close();
});

test("what has expired makes room before a put is refused, also while the hash table grows", async () => {
  const { env: settable, clock } = withSettableClock(env);
  const value = new Uint8Array(40);
  // The table of 16,384 slots begins to grow at 12,288 keys; the limit is met soon behind that.
  for (const keys of [12_200, 12_300, 12_500]) {
    const directory = join(root, `expired-${keys}`);
    const engine = await openMemoryEngine(settable, { directory, bytesMax: keys * 108 });
    const expiresAtMs = settable.clock.nowMs() + 1000;
    const apply = (batch: WriteBatch) => {
      assert.ok(engine.room.admit(batch, 0));
      engine.applySync(batch, engine.appliedIndex + 1);
    };
    const put = (n: number) => apply(new WriteBatch().put(key(n), value, { expiresAtMs }));
    assert.throws(() => {
      for (let n = 0; n < 2 * keys; n++) put(n);
    }, { code: "LIMIT_EXCEEDED" });
    const filled = engine.appliedIndex;
    assert.ok(Math.abs(filled - keys) < 60, `${filled} keys fit, ${keys} were to`);
    clock.nowMs += 2000;
    const later = new WriteBatch().put(key(0), value).put(key(9_999_999), value);
    apply(later);
    await engine.close();
  }
});

test("writers wait for a snapshot whose old versions fill the memory, and are not refused", async () => {
  const { promise: held, resolve: letGo } = Promise.withResolvers<void>();
  const threads: Env["threads"] = {
    concurrency: env.threads.concurrency,
    run: async (reference, input) => {
      await held;
      return env.threads.run(reference, input);
    },
    close: () => env.threads.close(),
  };
  const directory = join(root, "slow-snapshot");
  const engine = await openMemoryEngine({ ...env, threads }, { directory, bytesMax: 1 << 25 });
  const value = new Uint8Array(4000);
  const room = async () => {
    for (let wait = engine.backpressure(); wait !== undefined; wait = engine.backpressure()) {
      letGo();
      await wait;
    }
  };
  // Beyond 64 MiB a snapshot is under way, which sees all that is overwritten from then on: as much as there are data.
  for (let n = 0; n < 30_000; n++) {
    const batch = new WriteBatch().put(key(n % 8000), value);
    do await room();
    while (engine.room.admit(batch, 0) === undefined);
    engine.applySync(batch, n + 1);
  }
  assert.equal(engine.getSync(key(7999))?.length, value.length);
  letGo();
  await engine.close();
});

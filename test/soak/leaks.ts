/** What opening and closing leaves behind: file descriptors, files and memory, of cursors and of whole stores. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { Env } from "../../src/kit/env/env.ts";
import {
  type BlackboardEngine, openBlackboardEngine,
} from "../../src/parts/storage/storage_model/row/kvlsm/blackboard/blackboard-engine.ts";
import { WriteBatch } from "../../src/parts/storage/write-batch.ts";
import { bytesOf } from "./self-verifying.ts";

export interface Growth {
  readonly descriptors: number;
  /** Of array buffers and the heap, after a collection where the process allows one. */
  readonly bytes: number;
}

const options = { memtableBytes: 16_384, blockBytes: 512, blockCacheBytes: 65_536, l0CompactionTrigger: 2 } as const;

function presentUse(): Growth {
  (globalThis as { gc?: () => void }).gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return { descriptors: readdirSync("/proc/self/fd").length, bytes: heapUsed + arrayBuffers };
}

async function growthOf(warmUp: () => Promise<void>, work: () => Promise<void>): Promise<Growth> {
  await warmUp();
  const before = presentUse();
  await work();
  const after = presentUse();
  return { descriptors: after.descriptors - before.descriptors, bytes: after.bytes - before.bytes };
}

async function fill(engine: BlackboardEngine, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    for (let wait = engine.backpressure(); wait !== undefined; wait = engine.backpressure()) await wait;
    const key = bytesOf(`key${String((i * 7919) % count).padStart(6, "0")}`);
    engine.applySync(new WriteBatch().put(key, new Uint8Array(64)), engine.appliedIndex + 1);
  }
}

/** Opens, moves and closes cursors while files come and go; every tenth with a snapshot. */
export async function growthByCursors(env: Env, directory: string, count: number): Promise<Growth> {
  const engine = await openBlackboardEngine(env, { ...options, directory });
  await fill(engine, 2000);
  const work = async (cursors: number) => {
    for (let i = 0; i < cursors; i++) {
      const snapshot = i % 10 === 0 ? engine.snapshot() : undefined;
      const range = { gte: bytesOf(`key${String(i % 2000).padStart(6, "0")}`), reverse: i % 3 === 0 };
      const cursor = engine.scan(snapshot === undefined ? range : { ...range, snapshot });
      for (let steps = i % 4; steps > 0 && cursor.next(); steps--);
      cursor.close();
      snapshot?.release();
      if (i % 2000 === 0) {
        await fill(engine, 400);
        await engine.compactAll();
      }
    }
    await engine.compactAll();
  };
  const growth = await growthOf(() => work(Math.min(4000, count)), () => work(count));
  await engine.close();
  return growth;
}

/** Opens a store, writes, reads, begins work, and closes it at once; every third with a cursor left open till after. */
export async function growthByStores(env: Env, directory: string, count: number): Promise<Growth & { files: number }> {
  const store = join(directory, "store");
  const work = async (times: number) => {
    for (let i = 0; i < times; i++) {
      const engine = await openBlackboardEngine(env, { ...options, directory: store });
      await fill(engine, 100);
      const cursor = engine.scan({});
      cursor.next();
      const begun = [engine.flush(), engine.compactAll()].map((one) => one.catch(() => undefined));
      if (i % 2 === 0) await begun[0];
      if (i % 3 !== 0) cursor.close();
      await engine.close();
      cursor.close();
      await Promise.all(begun);
    }
  };
  const growth = await growthOf(() => work(Math.min(20, count)), () => work(count));
  const last = await openBlackboardEngine(env, { ...options, directory: store });
  await last.compactAll();
  await last.close();
  const again = await openBlackboardEngine(env, { ...options, directory: store });
  const files = readdirSync(store).length;
  await again.close();
  return { ...growth, files };
}

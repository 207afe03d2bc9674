/** Engines with a planted bug: the model test of the conformance suite must find every one. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createNodeEnv } from "../../../../../../kit/env/node-env.ts";
import type { Cursor, ScanRange, Snapshot, StorageEngine } from "../../../../engine.ts";
import { checkAgainstModel } from "../../../../engine-model.conformance.ts";
import {
  batchKindDelete,
  batchKindDeleteRange,
  batchKindPut,
  batchKindPutExpiring,
  expiryBytes,
  expiryOf,
  WriteBatch,
} from "../../../../write-batch.ts";
import { blackboardCapabilities, openBlackboardEngine } from "./blackboard-engine.ts";
import { withSettableClock } from "../../../../settable-clock.fixture.ts";

const seed = Number(process.env.LATHE_TEST_SEED ?? 1);

/** Methods that take the place of the engine's own. */
type Bug = (engine: StorageEngine) => Partial<StorageEngine>;

const bugs: Readonly<Record<string, Bug>> = {
  "deletes are dropped": (engine) => ({
    applySync(batch: WriteBatch, index: number) {
      const rest = rewritten(batch, (kept, kind, key, value) => {
        if (kind !== batchKindDelete) copyOperation(kept, kind, key, value);
      });
      engine.applySync(rest, index);
    },
  }),
  "snapshots see what came later": (engine) => ({
    getSync: (key: Uint8Array) => engine.getSync(key),
    scan: ({ gte, lt, reverse }: ScanRange) => engine.scan({ gte, lt, reverse: reverse === true }),
  }),
  "a released snapshot takes the others with it": (engine) => {
    const taken: Snapshot[] = [];
    return {
      snapshot() {
        const snapshot = engine.snapshot();
        taken.push(snapshot);
        return { index: snapshot.index, release: () => taken.splice(0).forEach((one) => one.release()) };
      },
    };
  },
  "scans include the upper bound": (engine) => ({
    scan: ({ lt, ...range }: ScanRange) => engine.scan({ ...range, lt: lt && Uint8Array.from([...lt, 0]) }),
  }),
  "backward scans lose their first entry": (engine) => ({
    scan(range: ScanRange): Cursor {
      const cursor = engine.scan(range);
      if (range.reverse === true) cursor.next();
      return cursor;
    },
  }),
  "expiries are ignored": (engine) => ({
    applySync: (batch: WriteBatch, index: number) =>
      engine.applySync(
        rewritten(batch, (rest, kind, key, value) => {
          if (kind === batchKindPutExpiring) rest.put(key, value.subarray(expiryBytes));
          else copyOperation(rest, kind, key, value);
        }),
        index,
      ),
  }),
  "what expires is never written, so it hides nothing": (engine) => ({
    applySync: (batch: WriteBatch, index: number) =>
      engine.applySync(
        rewritten(batch, (rest, kind, key, value) => {
          const isDead = kind === batchKindPutExpiring && expiryOf(value, 0) <= 1_700_000_000_000;
          if (!isDead) copyOperation(rest, kind, key, value);
        }),
        index,
      ),
  }),
  "range deletes are dropped": (engine) => ({
    applySync: (batch: WriteBatch, index: number) =>
      engine.applySync(
        rewritten(batch, (rest, kind, key, value) => {
          if (kind !== batchKindDeleteRange) copyOperation(rest, kind, key, value);
        }),
        index,
      ),
  }),
  "range deletes come after the rest of their batch": (engine) => ({
    applySync(batch: WriteBatch, index: number) {
      const last = new WriteBatch();
      const first = rewritten(batch, (rest, kind, key, value) =>
        copyOperation(kind === batchKindDeleteRange ? last : rest, kind, key, value),
      );
      rewritten(last, (_rest, kind, key, value) => copyOperation(first, kind, key, value));
      engine.applySync(first, index);
    },
  }),
  "the durable index runs ahead": (engine) => {
    const floor = engine.durableIndex;
    return {
      get appliedIndex() {
        return Math.max(engine.appliedIndex, floor === 0 ? 0 : floor + 1);
      },
    };
  },
};

for (const [name, bug] of Object.entries(bugs)) {
  test(`planted bug: ${name}`, async () => {
    const root = mkdtempSync(join(tmpdir(), "lathe-lsm-bugs-"));
    const { env, clock } = withSettableClock(createNodeEnv({ logLevel: "error" }));
    let directories = 0;
    const harness = {
      capabilities: blackboardCapabilities,
      clock,
      newDirectory: () => join(root, String(directories++)),
      open: async (directory: string) => {
        const engine = await openBlackboardEngine(env, { directory, memtableBytes: 8192, blockBytes: 128 });
        return withBug(engine, bug(engine));
      },
      dispose: async () => {},
    };
    try {
      await assert.rejects(
        checkAgainstModel(harness, { seed, numRuns: 3000, endOnFailure: true }),
        /Property failed/,
      );
    } finally {
      await env.threads.close();
      rmSync(root, { recursive: true });
    }
  });
}

type Copy = (rest: WriteBatch, kind: number, key: Uint8Array, value: Uint8Array) => void;

function rewritten(batch: WriteBatch, copy: Copy): WriteBatch {
  const rest = new WriteBatch();
  batch.forEach((kind, bytes, keyStart, keyEnd, valueEnd) => {
    copy(rest, kind, bytes.subarray(keyStart, keyEnd), bytes.subarray(keyEnd, valueEnd));
  });
  return rest;
}

function copyOperation(rest: WriteBatch, kind: number, key: Uint8Array, value: Uint8Array): void {
  if (kind === batchKindDelete) rest.delete(key);
  else if (kind === batchKindDeleteRange) rest.deleteRange(key, value);
  else if (kind === batchKindPut) rest.put(key, value);
  else rest.put(key, value.subarray(expiryBytes), { expiresAtMs: expiryOf(value, 0) });
}

function withBug(engine: StorageEngine, bug: Partial<StorageEngine>): StorageEngine {
  return new Proxy(engine, {
    get(target, name) {
      if (name in bug) return Reflect.get(bug, name);
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

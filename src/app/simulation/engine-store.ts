/**
 * Any storage engine as a store of the simulation: reads, views, flushes and checkpoints are those of the port; how it
 * is written to, and what can be changed or given up while it is open, is the subject's own.
 */
import type { ScanRange, StorageEngine } from "../../parts/storage/engine.ts";
import { WriteBatch } from "../../parts/storage/write-batch.ts";
import { valueOf } from "../../simulation/store-operation.ts";
import type { Entry, OpenStore, ScenarioKnobs, Tap, Write } from "../../simulation/store-subject.ts";

/** What engines do in ways of their own. */
interface OwnWays extends Pick<OpenStore, "write" | "metrics" | "close"> {
  tune?(knobs: ScenarioKnobs): void;
}

export function openStoreOf(engine: StorageEngine, own: OwnWays): OpenStore {
  return {
    tune: () => undefined,
    ...own,
    get appliedIndex() {
      return engine.appliedIndex;
    },
    get durableIndex() {
      return engine.durableIndex;
    },
    getSync: (key) => engine.getSync(keyOf(key)),
    get: (key) => engine.get(keyOf(key)),
    scan: (from, to, reverse) => entriesOf(engine, { gte: keyOf(from), lt: keyOf(to), reverse }),
    view: () => {
      const snapshot = engine.snapshot();
      return {
        scan: (from, to) => entriesOf(engine, { gte: keyOf(from), lt: keyOf(to), snapshot }),
        release: () => snapshot.release(),
      };
    },
    flush: () => engine.flush(),
    compactAll: () => engine.compactAll(),
    settle: () => engine.settle(),
    truncateFrom: () => Promise.reject(new Error("an engine's log, where it has one, is not truncated from its end")),
    checkpoint: async (path) => {
      await engine.flush();
      const index = engine.durableIndex;
      await engine.checkpoint(path);
      // What was written meanwhile may be in it too.
      if (engine.durableIndex !== index) throw new Error("a scenario writes nothing during a checkpoint");
      return index;
    },
  };
}

/** An engine without a log: the caller numbers the batches, and what was not flushed is lost with the process. */
export function openBareStore(engine: StorageEngine, tap: Tap, tune?: (knobs: ScenarioKnobs) => void): OpenStore {
  return openStoreOf(engine, {
    ...(tune === undefined ? {} : { tune }),
    write: async (write) => {
      for (let wait = engine.backpressure(); wait !== undefined; wait = engine.backpressure()) await wait;
      const index = engine.appliedIndex + 1;
      tap.appended(index, write);
      engine.applySync(batchOf(write), index);
      return { index, refused: false };
    },
    metrics: () => engine.metrics(),
    close: () => engine.close(),
  });
}

/** All that an engine holds, which is closed then. */
export async function contentsOf(engine: StorageEngine): Promise<Entry[]> {
  try {
    return entriesOf(engine, {});
  } finally {
    await engine.close();
  }
}

/** Ascending, whichever way the cursor went. */
export function entriesOf(engine: StorageEngine, range: ScanRange): Entry[] {
  const entries: Entry[] = [];
  const cursor = engine.scan(range);
  try {
    while (cursor.next()) entries.push({ key: numberOf(cursor.key), value: cursor.value.slice() });
  } finally {
    cursor.close();
  }
  return range.reverse === true ? entries.reverse() : entries;
}

export function batchOf({ id, changes: list, timeMs }: Write): WriteBatch {
  const batch = new WriteBatch();
  for (const [place, change] of list.entries()) {
    if (change.kind === "delete") batch.delete(keyOf(change.key));
    else if (change.kind === "deleteRange") batch.deleteRange(keyOf(change.from), keyOf(change.to));
    else {
      const lifetimeMs = change.kind === "put" ? change.lifetimeMs : undefined;
      const options = lifetimeMs === undefined ? undefined : { expiresAtMs: timeMs + lifetimeMs };
      batch.put(keyOf(change.key), valueOf(id, place, change.bytes), options);
    }
  }
  return batch;
}

export function keyOf(key: number): Uint8Array {
  return Buffer.from(`key${String(key).padStart(7, "0")}`, "latin1");
}

function numberOf(key: Uint8Array): number {
  return Number(Buffer.from(key).toString("latin1", 3));
}

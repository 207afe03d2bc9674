/** The engine as a subject of the simulation: with a log of its own, or without one. */
import { noSelectionHash } from "../../kit/file-header.ts";
import { openWal } from "../../parts/core/wal/wal.ts";
import type { ScanRange, StorageEngine } from "../../parts/storage/engine.ts";
import {
  blackboardCapabilities, type BlackboardEngine, openBlackboardEngine,
} from "../../parts/storage/storage_model/row/kvlsm/blackboard/blackboard-engine.ts";
import { repairStore } from "../../parts/storage/storage_model/row/kvlsm/blackboard/repair.ts";
import { WriteBatch } from "../../parts/storage/write-batch.ts";
import { valueOf } from "../../simulation/store-operation.ts";
import type { Entry, OpenStore, StoreSubject, Write } from "../../simulation/store-subject.ts";
import { callEvent, callPlace, enginePlaces, jobEvents, logPlaces } from "./coverage-events.ts";
import { drawEngineKnobs, drawEngineTuning, engineOptionsOf, logOptionsOf } from "./engine-knobs.ts";
import { TappedLog } from "./tapped-log.ts";

const directory = "/data/store";
const logDirectory = "/data/log";
const repairDirectory = "/data/repaired";
const changes = blackboardCapabilities.rangeDelete
  ? (["put", "delete", "deleteRange"] as const)
  : (["put", "delete"] as const);

const traits = {
  changes,
  checkpoints: true,
  lifetimes: blackboardCapabilities.ttl,
  truncations: false,
  drawTuning: drawEngineTuning,
  drawKnobs: drawEngineKnobs,
  callEvent,
  callPlace,
  jobEvents,
  readCheckpoint: async (env, knobs, path) => {
    const engine = await openBlackboardEngine(env, { ...engineOptionsOf(knobs), directory: path });
    try {
      return entriesOf(engine, {});
    } finally {
      await engine.close();
    }
  },
  repair: async (env, knobs) => {
    const options = { directory, target: repairDirectory, selectionHash: noSelectionHash, dryRun: false };
    const work = repairStore({ disk: env.disk, clock: env.clock }, options);
    while (work.next().done !== true) void 0;
    const engine = await openBlackboardEngine(env, { ...engineOptionsOf(knobs), directory: repairDirectory });
    try {
      return entriesOf(engine, {});
    } finally {
      await engine.close();
    }
  },
} satisfies Partial<StoreSubject>;

/** Writes go through `write`: appended to the log, synced, applied. */
export const engineSubject: StoreSubject = {
  ...traits,
  name: "engine",
  places: [...enginePlaces, ...logPlaces],
  unsyncedWrites: true,
  hasLog: true,
  open: async (env, knobs, tap) => {
    const wal = await openWal(env, { directory: logDirectory, selectionHash: noSelectionHash, ...logOptionsOf(knobs) });
    const log = new TappedLog(wal, tap, 0);
    const engine = await openBlackboardEngine(env, { ...engineOptionsOf(knobs), directory, log });
    return openStoreOf(engine, {
      write: async (write, sync) => {
        const batch = batchOf(write);
        log.expect(batch.encode(), write);
        return { index: await engine.write(batch, { sync }), refused: false };
      },
      metrics: () => [...engine.metrics(), ...log.metrics()],
      close: async () => {
        await engine.close();
        await log.close();
      },
    });
  },
};

/** The caller numbers the batches; what was not flushed is lost with the process. */
export const bareEngineSubject: StoreSubject = {
  ...traits,
  name: "bare-engine",
  places: enginePlaces,
  unsyncedWrites: false,
  hasLog: false,
  open: async (env, knobs, tap) => {
    const engine = await openBlackboardEngine(env, { ...engineOptionsOf(knobs), directory });
    return openStoreOf(engine, {
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
  },
};

function openStoreOf(engine: BlackboardEngine, own: Pick<OpenStore, "write" | "metrics" | "close">): OpenStore {
  return {
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
    tune: (knobs) => void engine.setTuning(engineOptionsOf(knobs)),
    truncateFrom: () => Promise.reject(new Error("the log of an engine is not truncated from its end")),
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

/** The memory engine as a subject of the simulation, without a log: what no snapshot holds is lost with the process. */
import {
  type MemoryEngine, memoryCapabilities, openMemoryEngine,
} from "../../parts/storage/storage_model/memory/memory-engine.ts";
import type { OpenStore, StoreSubject } from "../../simulation/store-subject.ts";
import { callEvent, callPlace, jobEvents } from "./coverage-events.ts";
import { batchOf, entriesOf, keyOf } from "./engine-subject.ts";
import { drawMemoryKnobs, memoryOptionsOf, memoryPlaces } from "./memory-knobs.ts";

const directory = "/data/store";

export const memorySubject: StoreSubject = {
  name: "memory",
  changes: ["put", "delete", "deleteRange"],
  unsyncedWrites: false,
  hasLog: false,
  checkpoints: memoryCapabilities.checkpoint,
  lifetimes: memoryCapabilities.ttl,
  truncations: false,
  drawTuning: undefined,
  repair: undefined,
  drawKnobs: drawMemoryKnobs,
  callEvent,
  callPlace,
  jobEvents,
  places: memoryPlaces,
  readCheckpoint: async (env, knobs, path) => {
    const engine = await openMemoryEngine(env, { ...memoryOptionsOf(knobs), directory: path });
    try {
      return entriesOf(engine, {});
    } finally {
      await engine.close();
    }
  },
  open: async (env, knobs, tap) => {
    const engine = await openMemoryEngine(env, { ...memoryOptionsOf(knobs), directory });
    return openStoreOf(engine, async (write) => {
      for (let wait = engine.backpressure(); wait !== undefined; wait = engine.backpressure()) await wait;
      const index = engine.appliedIndex + 1;
      tap.appended(index, write);
      engine.applySync(batchOf(write), index);
      return { index, refused: false };
    });
  },
};

function openStoreOf(engine: MemoryEngine, write: OpenStore["write"]): OpenStore {
  return {
    write,
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
    tune: () => undefined,
    truncateFrom: () => Promise.reject(new Error("an engine without a log has no end of it to give up")),
    checkpoint: async (path) => {
      await engine.flush();
      const index = engine.durableIndex;
      await engine.checkpoint(path);
      // What was written meanwhile may be in it too.
      if (engine.durableIndex !== index) throw new Error("a scenario writes nothing during a checkpoint");
      return index;
    },
    metrics: () => engine.metrics(),
    close: () => engine.close(),
  };
}

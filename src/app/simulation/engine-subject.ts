/** The engine as a subject of the simulation: with a log of its own, or without one. */
import { noSelectionHash } from "../../kit/file-header.ts";
import { openWal } from "../../parts/core/wal/wal.ts";
import {
  blackboardCapabilities, openBlackboardEngine,
} from "../../parts/storage/storage_model/row/kvlsm/blackboard/blackboard-engine.ts";
import { repairStore } from "../../parts/storage/storage_model/row/kvlsm/blackboard/repair.ts";
import type { StoreSubject } from "../../simulation/store-subject.ts";
import { callEvent, callPlace, enginePlaces, jobEvents, logPlaces } from "./coverage-events.ts";
import { drawEngineKnobs, drawEngineTuning, engineOptionsOf, logOptionsOf } from "./engine-knobs.ts";
import { batchOf, contentsOf, openBareStore, openStoreOf } from "./engine-store.ts";
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
    return contentsOf(await openBlackboardEngine(env, { ...engineOptionsOf(knobs), directory: path }));
  },
  repair: async (env, knobs) => {
    const options = { directory, target: repairDirectory, selectionHash: noSelectionHash, dryRun: false };
    const work = repairStore({ disk: env.disk, clock: env.clock }, options);
    while (work.next().done !== true) void 0;
    return contentsOf(await openBlackboardEngine(env, { ...engineOptionsOf(knobs), directory: repairDirectory }));
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
      tune: (tuned) => void engine.setTuning(engineOptionsOf(tuned)),
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
    return openBareStore(engine, tap, (tuned) => void engine.setTuning(engineOptionsOf(tuned)));
  },
};

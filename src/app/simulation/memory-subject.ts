/** The memory engine as a subject of the simulation, without a log: what no snapshot holds is lost with the process. */
import { memoryCapabilities, openMemoryEngine } from "../../parts/storage/storage_model/memory/memory-engine.ts";
import type { StoreSubject } from "../../simulation/store-subject.ts";
import { callEvent, callPlace, jobEvents } from "./coverage-events.ts";
import { contentsOf, openBareStore } from "./engine-store.ts";
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
    return contentsOf(await openMemoryEngine(env, { ...memoryOptionsOf(knobs), directory: path }));
  },
  open: async (env, knobs, tap) => {
    return openBareStore(await openMemoryEngine(env, { ...memoryOptionsOf(knobs), directory }), tap);
  },
};

/** The stores that can be simulated, by name. Some remember things beside the disk, so every run gets a new one. */
import { LatheError } from "../../kit/errors.ts";
import type { StoreSubject } from "../../simulation/store-subject.ts";
import { bareEngineSubject, engineSubject } from "./engine-subject.ts";
import { createLogSubject } from "./log-subject.ts";
import { memorySubject } from "./memory-subject.ts";
import { memoryNodeSubject, nodeSubject, relaxedNodeSubject } from "./node-subject.ts";

const makers: Readonly<Record<string, () => StoreSubject>> = {
  engine: () => engineSubject,
  "bare-engine": () => bareEngineSubject,
  log: createLogSubject,
  node: () => nodeSubject,
  "relaxed-node": () => relaxedNodeSubject,
  memory: () => memorySubject,
  "memory-node": () => memoryNodeSubject,
};

export const subjectNames: readonly string[] = Object.keys(makers);

/** Errors: INVALID_ARGUMENT. */
export function makeSubject(name: string): StoreSubject {
  const make = makers[name];
  if (make === undefined) {
    throw new LatheError("INVALID_ARGUMENT", `there is no scenario ${name}; there are ${subjectNames.join(", ")}`);
  }
  return make();
}

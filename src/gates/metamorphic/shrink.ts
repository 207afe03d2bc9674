/**
 * Shrinking: makes a failing program and its knob set as small as they can be while they still fail.
 *
 *   1. Operations: delta debugging (remove halves, then quarters, … then single ones).
 *   2. Within operations: fewer changes and keys per operation, shorter values, no snapshot, no bounds.
 *   3. Keys: one short name for each, in their order.
 *   4. Knobs: those that are not needed are left out; a world of threads becomes simulated, a log of the engine's
 *      the caller's.
 *   5. Again from 1, until nothing changes or the attempts are used up.
 * `fails` may take any failure for the same one: what is found smaller is still a failure.
 * Source: Zeller and Hildebrandt, Simplifying and Isolating Failure-Inducing Input, 2002.
 */
import type { Change, Operation } from "./operation.ts";
import type { KnobSet } from "./store-under-test.ts";

export interface Failing {
  readonly operations: readonly Operation[];
  readonly knobs: KnobSet;
}

export async function shrink(
  failing: Failing,
  fails: (candidate: Failing) => Promise<boolean>,
  attemptsMax: number,
): Promise<Failing> {
  let best = failing;
  let attempts = 0;
  const accept = async (candidate: Failing): Promise<boolean> => {
    if (attempts >= attemptsMax) return false;
    attempts++;
    if (!(await fails(candidate))) return false;
    best = candidate;
    return true;
  };
  for (;;) {
    const before = best;
    await removeOperations(() => best, accept);
    for (let at = 0; at < best.operations.length; at++) await simplifyAt(() => best, at, accept);
    await accept({ ...best, operations: renameKeys(best.operations) });
    await simplifyKnobs(() => best, accept);
    if (attempts >= attemptsMax || sizeOf(best) >= sizeOf(before)) return best;
  }
}

type Accept = (candidate: Failing) => Promise<boolean>;

function sizeOf({ operations, knobs }: Failing): number {
  return JSON.stringify(operations).length + JSON.stringify(knobs).length;
}

async function removeOperations(best: () => Failing, accept: Accept): Promise<void> {
  let size = best().operations.length >> 1;
  while (size >= 1) {
    let removed = false;
    // From the end: what comes after the failure goes first.
    for (let end = best().operations.length; end > 0; end -= size) {
      const { operations } = best();
      const from = Math.max(0, end - size);
      const rest = [...operations.slice(0, from), ...operations.slice(end)];
      if (rest.length < operations.length && (await accept({ ...best(), operations: rest }))) removed = true;
    }
    if (size > 1 || !removed) size >>= 1;
  }
}

/** Replaces one operation by simpler ones for as long as that fails too. */
async function simplifyAt(best: () => Failing, at: number, accept: Accept): Promise<void> {
  for (let again = true; again; ) {
    again = false;
    for (const simpler of simplerOperations(best().operations[at])) {
      const operations = best().operations.with(at, simpler);
      if (await accept({ ...best(), operations })) {
        again = true;
        break;
      }
    }
  }
}

function* simplerOperations(operation: Operation): Generator<Operation> {
  if (operation.kind === "write" || operation.kind === "write-apart") {
    const { changes } = operation;
    if (changes.length > 1) {
      yield { ...operation, changes: changes.slice(0, changes.length >> 1) };
      yield { ...operation, changes: changes.slice(changes.length >> 1) };
      for (let at = 0; at < changes.length; at++) yield { ...operation, changes: changes.toSpliced(at, 1) };
    }
    for (const [at, change] of changes.entries()) {
      for (const simpler of simplerChanges(change)) yield { ...operation, changes: changes.with(at, simpler) };
    }
    if (operation.kind === "write-apart") yield { ...operation, kind: "write", sync: true };
    else if (!operation.sync) yield { ...operation, sync: true };
  }
  if (operation.kind === "get-many") {
    const { keys } = operation;
    for (let at = 0; keys.length > 1 && at < keys.length; at++) yield { ...operation, keys: keys.toSpliced(at, 1) };
  }
  if (operation.kind === "get-promised") yield { ...operation, kind: "get" };
  if (operation.kind === "scan" && operation.limit !== undefined) yield { ...operation, limit: undefined };
  if (operation.kind === "scan" || operation.kind === "cursor") {
    if (operation.reverse) yield { ...operation, reverse: false };
    if (operation.from !== undefined) yield { ...operation, from: undefined };
    if (operation.to !== undefined) yield { ...operation, to: undefined };
  }
  if ("at" in operation && operation.at !== undefined) yield { ...operation, at: undefined };
  if ((operation.kind === "next" || operation.kind === "turns") && operation.count > 1) {
    yield { ...operation, count: operation.count >> 1 };
  }
}

function* simplerChanges(change: Change): Generator<Change> {
  if (change.kind !== "put") return;
  if (change.ttlMs !== undefined) yield { kind: "put", key: change.key, value: change.value };
  if (change.value.length > 8) {
    yield { ...change, value: change.value.slice(0, 8) };
    yield { ...change, value: change.value.slice(0, change.value.length >> 1) };
  }
}

/** Gives every key a short name; their order stays. */
function renameKeys(operations: readonly Operation[]): Operation[] {
  const keys = new Set<string>();
  const note = (text: string): string => {
    keys.add(text);
    return text;
  };
  for (const operation of operations) mapKeys(operation, note);
  const sorted = [...keys].sort((a, b) => (a < b ? -1 : 1));
  const digits = String(sorted.length).length;
  const names = new Map(sorted.map((key, at) => [key, `k${String(at + 1).padStart(digits, "0")}`]));
  return operations.map((operation) => mapKeys(operation, (key) => names.get(key) ?? key));
}

function mapKeys(operation: Operation, map: (key: string) => string): Operation {
  switch (operation.kind) {
    case "write":
    case "write-apart":
      return { ...operation, changes: operation.changes.map((change) => mapChange(change, map)) };
    case "get":
    case "get-promised":
      return { ...operation, key: map(operation.key) };
    case "get-many":
      return { ...operation, keys: operation.keys.map(map) };
    case "scan":
    case "cursor": {
      const { from, to } = operation;
      return { ...operation, from: from === undefined ? from : map(from), to: to === undefined ? to : map(to) };
    }
    default:
      return operation;
  }
}

function mapChange(change: Change, map: (key: string) => string): Change {
  return change.kind === "deleteRange"
    ? { ...change, from: map(change.from), to: map(change.to) }
    : { ...change, key: map(change.key) };
}

async function simplifyKnobs(best: () => Failing, accept: Accept): Promise<void> {
  const { knobs } = best();
  if (knobs.world !== "simulated") await accept({ ...best(), knobs: { ...knobs, world: "simulated" } });
  if (knobs.log === "engine") await accept({ ...best(), knobs: { ...best().knobs, log: "caller" } });
  for (const option of Object.keys(best().knobs.options)) {
    const { [option]: _dropped, ...options } = best().knobs.options;
    await accept({ ...best(), knobs: { ...best().knobs, options } });
  }
}

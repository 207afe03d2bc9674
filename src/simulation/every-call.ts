/**
 * SQLite's loop: a fixed scenario in which the n-th I/O call fails, for n = 1, 2, … until it completes without meeting
 * the fault; once for every kind of fault, striking once or for good. A second fault may strike the life after it,
 * which is mostly its recovery.
 *
 * Or power goes a few calls after the fault, while what it left is not mended yet.
 *
 * A point is written as text, so that it can be run alone: `crash:17`, `ioError:5:persistent`, `crash:17+syncError:2`,
 * `ioError:5,crash:3:after`.
 * Source: SQLite's I/O error, out-of-disk and crash tests, with their compound anomalies.
 */
import { LatheError } from "../kit/errors.ts";
import { type Fault, type FaultKind, faultKinds } from "./fault-plan.ts";
import type { Scenario } from "./scenario.ts";
import type { StoreOperation } from "./store-operation.ts";
import type { ScenarioKnobs, StoreSubject } from "./store-subject.ts";

/** Faults that strike for good: nothing changes for those that end the life, and a device that lies always is none. */
const persistentKinds: ReadonlySet<FaultKind> = new Set(["ioError", "diskFull", "syncError"]);

/** Every way in which a call can fail. */
export const faultModes: readonly { readonly kind: FaultKind; readonly persistent: boolean }[] = faultKinds.flatMap(
  (kind) =>
    [false, true]
      .filter((persistent) => !persistent || persistentKinds.has(kind))
      .map((persistent) => ({ kind, persistent })),
);

/** What the second fault is, where there is one: a recovery that fails, or is itself interrupted. */
export const recoveryFaults: readonly FaultKind[] = ["crash", "torn", "ioError", "syncError", "diskFull"];

/** Calls from a fault to the loss of power, and the modes (`faultModes`) that it follows. */
export const crashesAfter: readonly number[] = [1, 2, 4, 8];
export const modesBeforeCrash = [...faultModes.keys()].filter((mode) => {
  const { kind, persistent } = faultModes[mode];
  return !persistent && ["ioError", "diskFull", "syncError"].includes(kind);
});

/**
 * One scenario that does everything a few times: flushes by size and by hand, compactions, moves, changes of segments,
 * overwrites, deletes, entries that expire, snapshots across compactions, a checkpoint, a reopening, a kill, and work
 * after them; where a log can be truncated from its end, that too.
 */
export function fixedScenario(subject: StoreSubject, knobs: ScenarioKnobs, faults: Scenario["faults"]): Scenario {
  const operations: StoreOperation[] = [];
  let id = 0;
  const write = (keys: readonly number[], bytes: number, wait = true) => {
    const changes = keys.map((key) =>
      key < 0 ? ({ kind: "delete", key: -key } as const) : ({ kind: "put", key, bytes } as const),
    );
    operations.push({ kind: "write", id: ++id, changes, sync: true, wait });
  };
  for (let round = 0; round < 10; round++) write([round * 3, round * 3 + 1, (round * 7) % 20], 110);
  operations.push({ kind: "flush" }, { kind: "snapshot" });
  for (let round = 0; round < 8; round++) write([round * 2, -(round * 3)], 90, round % 3 !== 0);
  operations.push({ kind: "drain" }, { kind: "flush" }, { kind: "readSnapshot", which: 0, from: 0, to: 100 });
  if (subject.changes.includes("deleteRange")) {
    const changes = [{ kind: "deleteRange", from: 4, to: 9 }] as const;
    operations.push({ kind: "write", id: ++id, changes, sync: true, wait: true });
  }
  if (subject.lifetimes) {
    const put = (key: number, lifetimeMs: number) => ({ kind: "put", key, bytes: 40, lifetimeMs }) as const;
    const changes = [put(70, 3000), put(71, 200)];
    operations.push({ kind: "write", id: ++id, changes, sync: true, wait: true }, { kind: "pause", ms: 500 });
  }
  if (subject.checkpoints) operations.push({ kind: "checkpoint" });
  operations.push({ kind: "compactAll" }, { kind: "release", which: 0 }, { kind: "reopen" });
  for (let round = 0; round < 14; round++) write([40 + round, round, 60 - round], 130, round % 4 !== 1);
  operations.push({ kind: "drain" }, { kind: "settle" }, { kind: "get", key: 44, pooled: true });
  if (subject.truncations) {
    operations.push({ kind: "truncate", entries: 3 });
    write([5, 6], 70);
    operations.push({ kind: "truncate", entries: 1 });
  }
  operations.push({ kind: "kill" });
  for (let round = 0; round < 4; round++) write([round, 50 + round], 60);
  operations.push({ kind: "scan", from: 0, to: 100, reverse: true });
  return { subject: subject.name, seed: 1, knobs, schedule: undefined, operations, faults, capacityBytes: undefined };
}

export function pointText(faults: Scenario["faults"]): string {
  const one = ({ kind, call, persistent, after = false }: Fault) =>
    `${kind}:${call}${persistent ? ":persistent" : ""}${after ? ":after" : ""}`;
  return faults.map((list) => list.map(one).join(",")).join("+");
}

/** Errors: INVALID_ARGUMENT. */
export function parsePoint(text: string): Scenario["faults"] {
  return text.split("+").map((life) => life.split(",").filter((one) => one !== "").map(parseFault));
}

function parseFault(text: string): Fault {
  const [kind, call, ...flags] = text.split(":");
  const known = (faultKinds as readonly string[]).includes(kind);
  if (!known || !/^[1-9]\d*$/.test(call ?? "") || flags.some((flag) => flag !== "persistent" && flag !== "after")) {
    const form = `write KIND:CALL, KIND:CALL:persistent or KIND:CALL:after (${faultKinds.join(", ")})`;
    throw new LatheError("INVALID_ARGUMENT", `${text} is no fault; ${form}`);
  }
  const fault = { kind: kind as FaultKind, call: Number(call), persistent: flags.includes("persistent") };
  return flags.includes("after") ? { ...fault, after: true } : fault;
}

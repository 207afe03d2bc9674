import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { Env } from "../../../kit/env/env.ts";
import { createNodeEnv } from "../../../kit/env/node-env.ts";
import { LatheError } from "../../../kit/errors.ts";
import { noSelectionHash } from "../../../kit/file-header.ts";
import { openWal } from "../../core/wal/wal.ts";
import { commandOf, HashingStateMachine, replicatedLogConformance } from "../replicated-log.conformance.ts";
import type { InFlight, LogEntry, ReplicatedLog, StateMachine } from "../replicated-log.ts";
import { openSingleNodeLog } from "./single-node-log.ts";

const env = createNodeEnv({ threads: 1, logLevel: "silent" });
const base = mkdtempSync(join(tmpdir(), "lathe-log-"));
let places = 0;

after(async () => {
  await env.threads.close();
  rmSync(base, { recursive: true });
});

async function open(world: Env, directory: string, stateMachine: StateMachine): Promise<ReplicatedLog> {
  const log = await openWal(world, { directory, segmentBytes: 16384, selectionHash: noSelectionHash });
  return openSingleNodeLog(world, { log, stateMachine });
}

async function makePlace() {
  const directory = join(base, String(places++));
  return {
    open: (stateMachine: StateMachine) => open(env, directory, stateMachine),
    remove: async () => rmSync(directory, { recursive: true, force: true }),
  };
}

replicatedLogConformance("single node", makePlace);

test("entry times never go backwards, whatever the clock does, also across a restart", async () => {
  let nowMs = 5000;
  const world = { ...env, clock: { ...env.clock, nowMs: () => nowMs } };
  const directory = join(base, "clock");
  const machine = new HashingStateMachine();
  const log = await open(world, directory, machine);
  await log.recover();
  for (const now of [5000, 7000, 6000, 1, 8000, 3000]) {
    nowMs = now;
    await log.propose(commandOf("tick"));
  }
  assert.deepEqual(machine.applied.map(({ timestampMs }) => timestampMs), [5000, 7000, 7000, 7000, 8000, 8000]);
  await log.close();
  const restarted = new HashingStateMachine(machine.appliedIndex);
  const again = await open(world, directory, restarted);
  await again.recover();
  await again.propose(commandOf("tick"));
  assert.equal(restarted.applied[0].timestampMs, 8000);
  await again.close();
});

test("commands of one turn share a flush; a command alone waits for no timer", async () => {
  const machine = new HashingStateMachine();
  const wal = await openWal(env, { directory: join(base, "turn"), segmentBytes: 16384, selectionHash: noSelectionHash });
  const log = openSingleNodeLog(env, { log: wal, stateMachine: machine });
  await log.recover();
  const syncs = () => wal.metrics().find(({ name }) => name === "wal_syncs_total") as { value: number };
  const before = syncs().value;
  await Promise.all(Array.from({ length: 50 }, (_, at) => log.propose(commandOf(`${at}`))));
  assert.equal(syncs().value - before, 1);
  await log.propose(commandOf("alone"));
  assert.equal(syncs().value - before, 2);
  await log.close();
});

test("what is not admitted is not in the log; what can only be told alone waits until it is, and all keep their order", async () => {
  class Choosy extends HashingStateMachine {
    readonly alone: string[] = [];
    admit({ command }: LogEntry, inFlight: InFlight) {
      const text = new TextDecoder().decode(command);
      if (text.startsWith("never")) throw new LatheError("LIMIT_EXCEEDED", "no room");
      if (text.startsWith("alone") && inFlight.commands > 0) return undefined;
      if (text.startsWith("alone")) this.alone.push(`${text} behind ${this.applied.length}`);
      return { puts: 1, entries: 1, bytes: command.length };
    }
  }
  const texts = ["a", "b", "alone 1", "c", "never 1", "alone 2", "alone 3", "never 2"];
  const directory = join(base, "admission");
  const machine = new Choosy();
  const log = await open(env, directory, machine);
  await log.recover();
  const settled = await Promise.allSettled(texts.map((text) => log.propose(commandOf(text))));
  const admitted = texts.filter((text) => !text.startsWith("never"));
  assert.deepEqual(settled.map(({ status }) => status === "fulfilled"), texts.map((text) => admitted.includes(text)));
  assert.deepEqual(machine.applied.map(({ text }) => text), admitted);
  assert.deepEqual(machine.alone, ["alone 1 behind 2", "alone 2 behind 4", "alone 3 behind 5"]);
  await log.close();
  const restarted = new HashingStateMachine();
  const again = await open(env, directory, restarted);
  assert.equal((await again.recover()).replayedEntries, admitted.length);
  assert.equal(restarted.hash, machine.hash);
  await again.close();
});

test("room that does not come back rejects the commands that wait for it, and nothing else", async () => {
  const unhandled: unknown[] = [];
  const note = (reason: unknown) => unhandled.push(reason);
  process.on("unhandledRejection", note);
  try {
    const machine = new HashingStateMachine();
    const log = await open(env, join(base, "no-room"), machine);
    await log.recover();
    await log.propose(commandOf("kept"));
    const before = machine.backpressure;
    machine.backpressure = () => Promise.reject(new LatheError("DISK_FULL", "no room"));
    await assert.rejects(log.propose(commandOf("waits")), { code: "DISK_FULL" });
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(unhandled, []);
    machine.backpressure = before;
    await log.propose(commandOf("there is room again"));
    assert.deepEqual(machine.applied.map(({ text }) => text), ["kept", "there is room again"]);
    await log.close();
  } finally {
    process.off("unhandledRejection", note);
  }
});

test("what is logged when the room runs out is applied when there is room again, and in its place", async () => {
  const machine = new HashingStateMachine();
  const log = await open(env, join(base, "room-again"), machine);
  await log.recover();
  const before = machine.backpressure;
  const apply = machine.apply.bind(machine);
  // The first of a group that was logged together fills the disk.
  machine.apply = (index, entry) => {
    machine.backpressure = () => Promise.reject(new LatheError("DISK_FULL", "no room"));
    machine.apply = apply;
    return apply(index, entry);
  };
  const together = ["a", "b", "c"].map((text) => log.propose(commandOf(text)));
  await together[0];
  await assert.rejects(log.propose(commandOf("refused")), { code: "DISK_FULL" });
  machine.backpressure = before;
  await Promise.all(together);
  await log.propose(commandOf("d"));
  assert.deepEqual(machine.applied.map(({ text }) => text), ["a", "b", "c", "d"]);
  await log.close();
});

test("a state machine that stalls on a device that fails, not on a full one, ends the log", async () => {
  const machine = new HashingStateMachine();
  const log = await open(env, join(base, "device-fails"), machine);
  await log.recover();
  const apply = machine.apply.bind(machine);
  machine.apply = (index, entry) => {
    machine.backpressure = () => Promise.reject(new LatheError("CORRUPTION", "what was written is not there"));
    return apply(index, entry);
  };
  const [first, second] = ["a", "b"].map((text) => log.propose(commandOf(text)));
  await first;
  // It is in the log, and is applied at the next start; its client must not wait for a device to heal.
  await assert.rejects(second, { code: "CORRUPTION" });
  await assert.rejects(log.propose(commandOf("later")), { code: "CORRUPTION" });
  await log.close();
  const next = new HashingStateMachine();
  const again = await open(env, join(base, "device-fails"), next);
  await again.recover();
  assert.deepEqual(next.applied.map(({ text }) => text), ["a", "b"]);
  await again.close();
});

test("a command that waits for room is refused when the log has failed, since that will never make any", async () => {
  const machine = new HashingStateMachine();
  const wal = await openWal(env, { directory: join(base, "policy"), segmentBytes: 16384, selectionHash: noSelectionHash });
  const failed = new LatheError("DISK_FULL", "a flush of the log failed");
  const policy = {
    lossWindowMs: 10, unsyncedBytes: 0, failure: undefined as unknown,
    answerable: () => undefined, due: () => undefined, durable: () => undefined, metrics: () => [], close: () => {},
  };
  const log = openSingleNodeLog(env, { log: wal, stateMachine: machine, syncPolicy: policy });
  await log.recover();
  const apply = machine.apply.bind(machine);
  machine.apply = (index, entry) => {
    policy.failure = failed;
    machine.backpressure = () => Promise.reject(new LatheError("DISK_FULL", "tables wait for the log"));
    return apply(index, entry);
  };
  const [first, second] = ["a", "b"].map((text) => log.propose(commandOf(text)));
  await first;
  await assert.rejects(second, { message: "a flush of the log failed" });
  await assert.rejects(log.propose(commandOf("later")), { message: "a flush of the log failed" });
  await log.close();
});

test("what comes while there is no room is refused, also between two looks whether there is some", async () => {
  const machine = new HashingStateMachine();
  const log = await open(env, join(base, "between-looks"), machine);
  await log.recover();
  const before = machine.backpressure;
  machine.backpressure = () => Promise.reject(new LatheError("DISK_FULL", "no room"));
  await assert.rejects(log.propose(commandOf("first")), { code: "DISK_FULL" });
  await assert.rejects(log.propose(commandOf("comes before the next look")), { code: "DISK_FULL" });
  machine.backpressure = before;
  await log.propose(commandOf("there is room again"));
  assert.deepEqual(machine.applied.map(({ text }) => text), ["there is room again"]);
  await log.close();
});

test("a log that is closed while there is no room ends, and what it holds is applied at the next start", async () => {
  const machine = new HashingStateMachine();
  const log = await open(env, join(base, "closed-full"), machine);
  await log.recover();
  const apply = machine.apply.bind(machine);
  machine.apply = (index, entry) => {
    machine.backpressure = () => Promise.reject(new LatheError("DISK_FULL", "no room"));
    return apply(index, entry);
  };
  const [first, second] = ["a", "b"].map((text) => log.propose(commandOf(text)));
  await first;
  const refused = assert.rejects(second, { code: "DISK_FULL" });
  await log.close();
  await refused;
  const next = new HashingStateMachine();
  const again = await open(env, join(base, "closed-full"), next);
  await again.recover();
  assert.deepEqual(next.applied.map(({ text }) => text), ["a", "b"]);
  await again.close();
});

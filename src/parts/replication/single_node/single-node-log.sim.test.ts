/** The log on a simulated disk: flushes that fail, and power that goes at any call. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Env } from "../../../kit/env/env.ts";
import { noSelectionHash } from "../../../kit/file-header.ts";
import { SimulatedDisk } from "../../../simulation/simulated-disk.ts";
import { createSimulatedEnv, seededNumbers } from "../../../simulation/simulated-env.ts";
import { openWal } from "../../core/wal/wal.ts";
import { commandOf, HashingStateMachine } from "../replicated-log.conformance.ts";
import type { ReplicatedLog, StateMachine } from "../replicated-log.ts";
import { openSingleNodeLog } from "./single-node-log.ts";

async function open(world: Env, directory: string, stateMachine: StateMachine): Promise<ReplicatedLog> {
  const log = await openWal(world, { directory, segmentBytes: 16384, selectionHash: noSelectionHash });
  return openSingleNodeLog(world, { log, stateMachine });
}

test("a failed flush rejects its commands, applies none of them, and stops the log", async () => {
  const disk = new SimulatedDisk();
  const world = createSimulatedEnv({ seed: 1, disk });
  const machine = new HashingStateMachine();
  const log = await world.run(open(world, "/log", machine));
  await world.run(log.recover());
  await world.run(log.propose(commandOf("kept")));
  // The next call that changes the disk writes the group, the one after flushes it.
  disk.fault = { call: disk.calls + 2, code: "IO_ERROR", persistent: false };
  const lost = log.propose(commandOf("lost"));
  await assert.rejects(world.run(lost), { code: "IO_ERROR" });
  await assert.rejects(world.run(log.propose(commandOf("later"))), { code: "IO_ERROR" });
  assert.deepEqual(machine.applied.map(({ text }) => text), ["kept"]);
  await world.run(log.close());
});

/** Commands until the power goes; returns what was acknowledged and the disk afterwards. */
async function runUntilCrash(seed: number, acknowledgeEarly: boolean) {
  const disk = new SimulatedDisk();
  const world = createSimulatedEnv({ seed, disk });
  const next = seededNumbers(seed);
  const machine = new HashingStateMachine();
  const log = await world.run(open(world, "/log", machine));
  await world.run(log.recover());
  disk.fault = { call: disk.calls + 1 + Math.floor(next() * 60), code: "CRASH", persistent: true };
  const acknowledged: string[] = [];
  for (let at = 0; at < 200 && !disk.crashed; at++) {
    const text = `command ${at} ${"x".repeat(Math.floor(next() * 1500))}`;
    const proposal = log.propose(commandOf(text)).then(() => acknowledged.push(text), () => {});
    if (acknowledgeEarly) acknowledged.push(text);
    if (next() < 0.5) await world.run(proposal).catch(() => {});
    if (next() < 0.3) machine.durableIndex = Math.max(0, machine.appliedIndex - 5);
  }
  return { acknowledged, disk: disk.crash(next), durableIndex: machine.durableIndex, applied: machine.applied };
}

async function lostAfterCrash(seed: number, acknowledgeEarly: boolean): Promise<number> {
  const { acknowledged, disk, durableIndex, applied } = await runUntilCrash(seed, acknowledgeEarly);
  const world = createSimulatedEnv({ seed: seed + 1, disk });
  // The state survives up to its durable index, as an engine's would.
  const machine = new HashingStateMachine(durableIndex);
  const log = await world.run(open(world, "/log", machine));
  await world.run(log.recover());
  const kept = applied.filter(({ index }) => index <= durableIndex);
  const texts = new Set([...kept, ...machine.applied].map(({ text }) => text));
  await world.run(log.close());
  return acknowledged.filter((text) => !texts.has(text)).length;
}

test("nothing acknowledged is lost in a power failure, at any call; acknowledging early is found", async () => {
  const seeds = Array.from({ length: Number(process.env.LATHE_TEST_SEEDS ?? 60) }, (_, seed) => seed);
  let planted = 0;
  for (const seed of seeds) {
    assert.equal(await lostAfterCrash(seed, false), 0, `seed ${seed}`);
    planted += await lostAfterCrash(seed, true);
  }
  assert.ok(planted > 0, "the planted bug was not found");
});

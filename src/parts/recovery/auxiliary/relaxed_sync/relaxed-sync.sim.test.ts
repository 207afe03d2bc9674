/** The rule of the window on a simulated disk, with a real log: what a loss of power takes, and what it does not. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { noSelectionHash } from "../../../../kit/file-header.ts";
import { SimulatedDisk } from "../../../../simulation/simulated-disk.ts";
import { createSimulatedEnv, seededNumbers, type SimulatedEnv } from "../../../../simulation/simulated-env.ts";
import type { DurableLog } from "../../../core/durable-log.ts";
import { openWal } from "../../../core/wal/wal.ts";
import { commandOf, HashingStateMachine } from "../../../replication/replicated-log.conformance.ts";
import type { ReplicatedLog } from "../../../replication/replicated-log.ts";
import { openSingleNodeLog } from "../../../replication/single_node/single-node-log.ts";
import type { SyncPolicy } from "../../sync-policy.ts";
import { createRelaxedSync, durabilityFacts, durabilityHealth } from "./relaxed-sync.ts";

const windowMs = 100;

interface Node {
  readonly env: SimulatedEnv;
  readonly disk: SimulatedDisk;
  readonly wal: DurableLog;
  readonly policy: SyncPolicy;
  readonly log: ReplicatedLog;
  readonly machine: HashingStateMachine;
}

/** Each flush of the device takes `flushMs`; `failing` is the number of the one that fails. */
async function openNode(flushMs: number, options: { failing?: number; unsyncedBytesMax?: number } = {}): Promise<Node> {
  const disk = new SimulatedDisk();
  const env = createSimulatedEnv({ seed: 1, disk });
  const { world } = disk;
  assert.ok(world !== undefined);
  const wal = await env.run(openWal(env, { directory: "/log", segmentBytes: 16_384, selectionHash: noSelectionHash }));
  const slow = { spend: world.spend.bind(world), later: () => sleep(env, flushMs) };
  disk.world = slow;
  let flushes = 0;
  disk.nemesis = ({ kind }) => {
    if (kind !== "sync" || ++flushes !== options.failing) return undefined;
    return { kind: "error", code: "IO_ERROR" };
  };
  const policy = createRelaxedSync(env, { log: wal, lossWindowMs: windowMs, ...options });
  const machine = new HashingStateMachine();
  const log = openSingleNodeLog(env, { log: wal, stateMachine: machine, syncPolicy: policy });
  await env.run(log.recover());
  return { env, disk, wal, policy, log, machine };
}

function sleep({ clock }: SimulatedEnv, delayMs: number): Promise<void> {
  return new Promise((resolve) => void clock.setTimer(delayMs, resolve));
}

const nowMs = ({ env }: Node) => env.clock.monotonicUs() / 1000;

async function proposeTimed(node: Node, text: string): Promise<number> {
  const startMs = nowMs(node);
  await node.env.run(node.log.propose(commandOf(text)));
  return nowMs(node) - startMs;
}

test("answers come before the flush, which comes by itself at half of the window", async () => {
  const node = await openNode(5);
  assert.equal(await proposeTimed(node, "a"), 0);
  assert.equal(node.wal.syncedIndex, 0);
  assert.ok(node.policy.unsyncedBytes > 0);
  await node.env.run(sleep(node.env, windowMs / 2 + 6));
  assert.equal(node.wal.syncedIndex, 1);
  assert.equal(node.policy.unsyncedBytes, 0);
});

test("what was answered outlives the process at once", async () => {
  const node = await openNode(5);
  await proposeTimed(node, "kept");
  const after = createSimulatedEnv({ seed: 2, disk: node.disk.restart() });
  const wal = await after.run(openWal(after, { directory: "/log", selectionHash: noSelectionHash }));
  assert.equal(wal.lastIndex, 1);
});

test("on a device slower than the window answers wait: unsynced ones lie within the window", async () => {
  const node = await openNode(3 * windowMs);
  const answers: { index: number; atMs: number }[] = [];
  for (let count = 0; count < 60; count++) {
    const { index } = await node.env.run(node.log.propose(commandOf(`${count}`)));
    answers.push({ index, atMs: nowMs(node) });
    const oldest = answers.find((one) => one.index > node.wal.syncedIndex);
    if (oldest !== undefined) assert.ok(nowMs(node) - oldest.atMs <= windowMs, `answer ${count}`);
    await node.env.run(sleep(node.env, 7));
  }
  assert.ok(answers.some(({ atMs }, at) => at > 0 && atMs - answers[at - 1].atMs > windowMs), "no answer waited");
});

test("beyond the bound of unsynced bytes answers wait for the flush", async () => {
  const node = await openNode(20, { unsyncedBytesMax: 10_000 });
  const waits: number[] = [];
  for (let count = 0; count < 6; count++) waits.push(await proposeTimed(node, "x".repeat(3000)));
  assert.deepEqual(waits.slice(0, 2), [0, 0]);
  assert.ok(waits.some((wait) => wait >= 10), `${waits}`);
});

test("after a failed flush nothing is answered, and it says so", async () => {
  const node = await openNode(0, { failing: 1 });
  await proposeTimed(node, "answered within the window");
  assert.equal(durabilityHealth(node.policy).status, "ok");
  await node.env.run(sleep(node.env, windowMs));
  await assert.rejects(node.env.run(node.log.propose(commandOf("refused"))), { code: "IO_ERROR" });
  assert.deepEqual(node.machine.applied.map(({ text }) => text), ["answered within the window"]);
  const health = durabilityHealth(node.policy);
  assert.equal(health.status, "failed");
  assert.match(health.reason ?? "", /no write is answered: .*restart/);
  assert.deepEqual(durabilityFacts(node.policy).status()[0], ["Lathe_sync_state", "failed"]);
  await assert.rejects(Promise.resolve(node.policy.durable(1)), { code: "IO_ERROR" });
});

test("a log that is closed has flushed all; files come into force only behind the log", async () => {
  const node = await openNode(5);
  await proposeTimed(node, "a");
  await node.env.run(Promise.resolve(node.policy.durable(1)));
  assert.equal(node.wal.syncedIndex, 1);
  assert.equal(node.policy.durable(1), undefined);
  await proposeTimed(node, "b");
  await node.env.run(node.log.close());
  const after = createSimulatedEnv({ seed: 2, disk: node.disk.crash(seededNumbers(3)) });
  const wal = await after.run(openWal(after, { directory: "/log", selectionHash: noSelectionHash }));
  assert.equal(wal.lastIndex, 2);
});

test("whoever asks for it waits until all that was answered is on the device, also behind a flush under way", async () => {
  const node = await openNode(40);
  await proposeTimed(node, "first");
  const first = Promise.resolve(node.policy.durable(1));
  await node.env.run(sleep(node.env, 10));
  await proposeTimed(node, "second");
  const beganMs = nowMs(node);
  await node.env.run(Promise.all([first, node.policy.durable(2)]));
  assert.ok(nowMs(node) - beganMs >= 40, "it waits for a flush that covers it");
  assert.equal(node.policy.unsyncedBytes, 0);
  const after = createSimulatedEnv({ seed: 2, disk: node.disk.crash(seededNumbers(3)) });
  const wal = await after.run(openWal(after, { directory: "/log", selectionHash: noSelectionHash }));
  assert.equal(wal.lastIndex, 2, "power was lost the moment after");
});

test("who waits for the device is told when it fails", async () => {
  const node = await openNode(5, { failing: 1 });
  await proposeTimed(node, "answered within the window");
  await assert.rejects(node.env.run(Promise.resolve(node.policy.durable(1))), { code: "IO_ERROR" });
  await assert.rejects(node.env.run(Promise.resolve(node.policy.durable(1))), { code: "IO_ERROR" });
});

test("a window below a millisecond is refused; a product told to be safe says so", () => {
  const env = createSimulatedEnv({ seed: 1, disk: new SimulatedDisk() });
  const log = { lastIndex: 0, syncedIndex: 0, sync: async () => {}, writeOut: () => {} };
  assert.throws(() => createRelaxedSync(env, { log, lossWindowMs: 0 }), { code: "INVALID_ARGUMENT" });
  assert.deepEqual(durabilityHealth(undefined), { status: "ok", profile: "safe", loss_window_ms: 0 });
  assert.deepEqual([...durabilityFacts(undefined).variables()].map(([, value]) => value), [1n, 0n, "safe"]);
});

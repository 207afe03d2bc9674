/** The batch agent in a group commit whose writers, flushes and time are simulated. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Clock, Timer } from "../../../kit/env/env.ts";
import { AdaptiveBatchAgent, type BatchAgent, type BatchPlan, type BatchView, noBatchPlan } from "./batch-agent.ts";
import { GroupCommit } from "./group-commit.ts";

/** Time passes from event to event; a turn of the event loop takes 5 µs. */
class VirtualClock implements Clock {
  #nowUs = 0;
  #order = 0;
  #events: { readonly atUs: number; readonly order: number; readonly callback: () => void }[] = [];

  nowMs = () => this.#nowUs / 1000;
  monotonicUs = () => this.#nowUs;

  at(delayUs: number, callback: () => void): void {
    this.#events.push({ atUs: this.#nowUs + delayUs, order: this.#order++, callback });
  }

  defer(callback: () => void): void {
    this.at(5, callback);
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    let cancelled = false;
    this.at(delayMs * 1000, () => cancelled || callback());
    return { cancel: () => void (cancelled = true), keepAlive: () => undefined };
  }

  async run(seconds: number): Promise<void> {
    const endUs = this.#nowUs + seconds * 1e6;
    while (this.#events.length > 0) {
      const next = this.#events.reduce((a, b) => (b.atUs < a.atUs || (b.atUs === a.atUs && b.order < a.order) ? b : a));
      if (next.atUs > endUs) break;
      this.#events.splice(this.#events.indexOf(next), 1);
      this.#nowUs = next.atUs;
      next.callback();
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.#nowUs = endUs;
  }
}

interface World {
  readonly clock: VirtualClock;
  readonly group: GroupCommit;
  commits: number;
  latencyUs: number;
}

function worldOf(agent: BatchAgent | undefined, flushUs: number): World {
  const clock = new VirtualClock();
  const flush = () => new Promise<void>((resolve) => clock.at(flushUs, resolve));
  return { clock, group: new GroupCommit({ clock, delayUs: 0, flush, agent }), commits: 0, latencyUs: 0 };
}

/** Commits, thinks, commits again, while it may. */
async function closedLoop(world: World, thinkUs: number, mayGoOn: () => boolean): Promise<void> {
  while (mayGoOn()) {
    await commit(world);
    await new Promise<void>((resolve) => world.clock.at(thinkUs, resolve));
  }
}

async function commit(world: World): Promise<void> {
  const startUs = world.clock.monotonicUs();
  await world.group.request();
  world.commits++;
  world.latencyUs += world.clock.monotonicUs() - startUs;
}

/** Commits that come by themselves, evenly, whatever becomes of those before. */
function openLoop(world: World, gapUs: number): void {
  const arrive = () => {
    void commit(world);
    world.clock.at(gapUs, arrive);
  };
  world.clock.at(gapUs, arrive);
}

test("writers that answer commits: one flush carries them all, so nearly twice as many commits", async () => {
  const counts: number[] = [];
  for (const agent of [undefined, new AdaptiveBatchAgent()]) {
    const world = worldOf(agent, 1000);
    for (let i = 0; i < 32; i++) void closedLoop(world, 60 + i, () => true);
    await world.clock.run(3);
    const before = world.commits;
    await world.clock.run(1);
    counts.push(world.commits - before);
    assert.equal(world.group.plan.commits >= 2, agent !== undefined);
  }
  assert.ok(counts[1] > 1.5 * counts[0], counts.join(" against "));
});

test("a single writer, and flushes faster than a turn is worth, are never held back", async () => {
  for (const [writers, flushUs] of [[1, 1000], [16, 40]]) {
    const world = worldOf(new AdaptiveBatchAgent(), flushUs);
    for (let i = 0; i < writers; i++) void closedLoop(world, 50, () => true);
    await world.clock.run(0.3);
    assert.deepEqual([world.group.plan, world.group.heldUs], [noBatchPlan, 0]);
  }
});

test("commits that come by themselves are late by little on average, and ever more seldom", async () => {
  const means: number[] = [];
  const heldUs: number[] = [];
  for (const agent of [undefined, new AdaptiveBatchAgent()]) {
    const world = worldOf(agent, 1000);
    openLoop(world, 700);
    await world.clock.run(8);
    means.push(world.latencyUs / world.commits);
    heldUs.push(world.group.heldUs);
  }
  assert.ok(means[1] < 1.05 * means[0], means.join(" against "));
  assert.ok(heldUs[1] < 0.05 * 8e6, `${heldUs[1]} µs held`);
});

/** Shows an agent a log whose writers are now many, now few; returns the plans and when they were made. */
function swing(agent: BatchAgent, seconds: number, periodUs: number): { plan: BatchPlan; atUs: number }[] {
  const plans: { plan: BatchPlan; atUs: number }[] = [];
  let plan = noBatchPlan;
  for (let nowUs = 0; nowUs < seconds * 1e6; nowUs += 1200) {
    const writers = Math.floor(nowUs / periodUs) % 2 === 0 ? 64 : 4;
    const commits = plan.commits < 2 ? writers >> 1 : Math.min(writers, plan.commits);
    const filled = plan.commits < 2 ? undefined : writers >= plan.commits;
    const view: BatchView = { nowUs, commits, arrived: writers - commits, flushUs: 1000, filled };
    const next = agent.step(view);
    if (next === undefined) continue;
    plan = next;
    plans.push({ plan, atUs: nowUs });
  }
  return plans;
}

test("writers that swing between many and few do not make the plan swing along", () => {
  for (const periodUs of [20_000, 100_000, 500_000, 2_000_000]) {
    const plans = swing(new AdaptiveBatchAgent(), 120, periodUs);
    const swings = 120e6 / periodUs;
    assert.ok(plans.length <= Math.min(240, 2 * swings + 2), `${plans.length} changes at ${periodUs} µs`);
    for (const [i, { plan, atUs }] of plans.entries()) {
      assert.ok(plan.holdUs <= 500 && plan.commits <= 64);
      // Only stopping may come sooner than a second after the change before.
      if (i > 0 && plan.commits >= 2) assert.ok(atUs - plans[i - 1].atUs >= 1e6 - 1200, `at ${atUs}`);
    }
  }
});

test("a flush that fails ends the hold too: all who wait hear of it", async () => {
  const clock = new VirtualClock();
  const agent: BatchAgent = { name: "always", step: () => ({ commits: 10, holdUs: 300 }) };
  let flushes = 0;
  const flush = () => (++flushes < 3 ? Promise.resolve() : Promise.reject(new Error("the disk is gone")));
  const group = new GroupCommit({ clock, delayUs: 0, flush, agent });
  await group.request();
  const outcomes: Promise<PromiseSettledResult<void>[]>[] = [];
  for (let i = 0; i < 4; i++) {
    outcomes.push(Promise.allSettled([group.request(), group.request()]));
    await clock.run(0.01);
  }
  const states = (await Promise.all(outcomes)).flat().map((one) => one.status);
  assert.deepEqual(states.slice(0, 2), ["fulfilled", "fulfilled"]);
  assert.ok(states.slice(2).every((state) => state === "rejected"));
});

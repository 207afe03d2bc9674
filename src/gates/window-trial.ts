/**
 * How power is lost, and what may be lost, where a contract allows a window of losses.
 *
 * In virtual time, so that it is exact. A trial draws from its number:
 *   device    flushes that take no time, two fifths of the window, or three windows
 *   end       power is lost at an I/O call, at a moment in which nothing happens, or at the end, long after one flush
 *             of the device has failed
 * Judged are the answers that are lost:
 *   1. They are the last ones: what is there is a beginning of what was written.
 *   2. The first and the last of them lie within one window (however slow or broken the device is, since answers must
 *   then wait).
 *   3. Where flushes take less than half of the window and none fails, the first of them was given within the window
 *   before the loss.
 */
import type { DiskCall } from "../simulation/disk-call.ts";
import type { SimulatedDisk } from "../simulation/simulated-disk.ts";
import type { SimulatedEnv } from "../simulation/simulated-env.ts";

/** Timers and the answer itself may be late by this share of the window. */
const slack = 0.1;
const deviceShares = [0, 0.4, 3] as const;
const endings = ["call", "moment", "call", "failedFlush"] as const;

export interface TrialPlan {
  readonly windowMs: number;
  readonly flushMs: number;
  readonly ending: (typeof endings)[number];
  /** How far into the scenario the ending is, from 0 to 1. */
  readonly share: number;
}

export function planTrial(windowMs: number, number: number, share: number): TrialPlan {
  const flushMs = windowMs * deviceShares[Math.floor(number / endings.length) % deviceShares.length];
  return { windowMs, flushMs, ending: endings[number % endings.length], share };
}

/** What a whole run without a loss took. */
export interface WholeRun {
  readonly calls: number;
  readonly flushes: number;
  readonly endUs: number;
}

/** Makes the device slow, and lets it fail as planned. Without `whole` nothing fails: that run finds it out. */
export function arrangeTrial(
  plan: TrialPlan, whole: WholeRun | undefined, disk: SimulatedDisk, env: SimulatedEnv,
): void {
  const { world } = disk;
  if (world !== undefined) {
    disk.world = {
      spend: (call) => world.spend(call),
      later: (call) => (call.kind === "sync" ? pause(env, plan.flushMs) : world.later(call)),
    };
  }
  if (whole === undefined) return;
  if (plan.ending === "call") {
    disk.fault = { call: 1 + Math.floor(plan.share * whole.calls), code: "CRASH", persistent: true };
  } else if (plan.ending === "moment") {
    env.clock.setTimer((plan.share * whole.endUs) / 1000, () => void (disk.crashed = true));
  } else {
    // Not the first few: a store that cannot be made is not what is examined.
    const failing = Math.floor(whole.flushes * (0.3 + plan.share * 0.6));
    let flushes = 0;
    disk.nemesis = (call: DiskCall) => {
      if (call.kind !== "sync" || ++flushes !== failing) return undefined;
      return { kind: "error", code: "IO_ERROR" };
    };
  }
}

/** Of a run up to its loss of power, in virtual time. */
export interface WindowRun {
  /** When each transaction was answered, in order. */
  readonly answeredUs: readonly number[];
  readonly lostUs: number;
}

/** What is wrong where the first `kept` transactions are there, or undefined. */
export function judgeWindow(plan: TrialPlan, run: WindowRun, kept: number): string | undefined {
  const { windowMs, flushMs, ending } = plan;
  const first = run.answeredUs[kept];
  if (first === undefined) return undefined;
  const allowedMs = windowMs * (1 + slack);
  const last = run.answeredUs[run.answeredUs.length - 1];
  const spanMs = (last - first) / 1000;
  const ageMs = (run.lostUs - first) / 1000;
  const device = ending === "failedFlush" ? "on a device of which a flush failed" : `with flushes of ${flushMs} ms`;
  const lost = `${run.answeredUs.length - kept} answered transactions are lost`;
  if (spanMs > allowedMs) {
    return `${lost} that were answered within ${spanMs.toFixed(1)} ms, ${device}; the window is ${windowMs} ms`;
  }
  if (ending === "failedFlush" || flushMs >= windowMs / 2 || ageMs <= allowedMs) return undefined;
  return `${lost}, the first answered ${ageMs.toFixed(1)} ms before, ${device}; the window is ${windowMs} ms`;
}

export function pause({ clock }: SimulatedEnv, delayMs: number): Promise<void> {
  return new Promise((resolve) => void clock.setTimer(delayMs, resolve));
}

/** An environment whose wall clock the test sets; everything else is as it was. */
import type { Clock, Env } from "../../kit/env/env.ts";

export interface SettableClock {
  nowMs: number;
}

export function withSettableClock(env: Env, nowMs = 1_700_000_000_000): { env: Env; clock: SettableClock } {
  const settable: SettableClock = { nowMs };
  const { clock } = env;
  const wall: Clock = {
    nowMs: () => settable.nowMs,
    monotonicUs: () => clock.monotonicUs(),
    setTimer: (delayMs, callback) => clock.setTimer(delayMs, callback),
    defer: (callback) => clock.defer(callback),
  };
  return { env: { ...env, clock: wall }, clock: settable };
}

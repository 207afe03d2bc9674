/**
 * Power-loss gate: the product's own code on a simulated disk that loses power at I/O calls of a short scenario.
 *
 * The scenario (`power-loss-scenario.ts`) runs on a thread (`gate-thread.ts`).
 * Steps:
 *   1. Open the product through its `open`, with a simulated environment. Run the scenario once without faults
 *      and count the disk's calls.
 *   2. For calls spread over the scenario: run it again and lose power at that call. What of the unsynced
 *      writes is left is up to the seed (any subset, torn at sectors): several disks are made of each loss, and
 *      the product is opened on each of them.
 *   3. What was acknowledged must be there; a transaction is whole or absent; the store must open.
 * Where the contract allows a window of losses, power is lost at moments too, devices are slow and flushes fail, and
 * `window-trial.ts` says what may be missing.
 * Limits: only what is durable is examined, on one connection; the timing of real devices and threads is not here.
 * Source: SQLite's crash tests (fail at the n-th call, for every n), FoundationDB's non-durable files.
 */
import type { Gate } from "./gate.ts";
import { examineOnThread } from "./gate-thread.ts";
import { lossWindowOf } from "./loss-window.ts";
import type { PowerLossTask } from "./power-loss-scenario.ts";

const name = "power-loss";

export function powerLossGate(options: { points: number; fates: number }): Gate {
  return {
    name,
    description:
      `power lost at ${options.points} I/O calls of a scenario, ${options.fates} times each; ` +
      "what was acknowledged is there, and whole",
    stage: "product",
    timeoutMs: 120_000 + options.points * 1000,
    run: (subject) => {
      const windowMs = lossWindowOf(subject.productDirectory);
      return examineOnThread<PowerLossTask>(name, { ...options, windowMs }, subject);
    },
  };
}

/**
 * Damage gate: one bit of a stopped product's files is flipped; what it answers then is right or an error.
 *
 * The scenario (`damage-scenario.ts`) runs on a thread (`gate-thread.ts`).
 * Steps:
 *   1. Open the product through its `open` on a simulated disk; write rows so that several SSTables, a manifest and
 *      segments of the log are there; close it.
 *   2. For places spread over all files: flip one bit of a copy of the disk, open the product, and read every row by
 *      its key and all rows by a scan.
 *   3. A store that does not open, or a read that fails, must say CORRUPTION or that the format is unknown. A row that
 *      is read must have the value that was written; a row that is missing, without an error, is a rejection. Damage in
 *      the log may cost its tail, because nothing later speaks of the last group that was flushed.
 * Limits: one bit at a time, at rest; what lying devices do while the product runs is in the simulation gate.
 * Source: SQLite's malformed-database tests, RocksDB's corruption_test.
 */
import type { DamageTask } from "./damage-scenario.ts";
import type { Gate } from "./gate.ts";
import { examineOnThread } from "./gate-thread.ts";

const name = "damage";

export function damageGate(options: { flips: number }): Gate {
  return {
    name,
    description: `${options.flips} times one bit of its files flipped: each answer is right, or says what is damaged`,
    stage: "product",
    timeoutMs: 120_000 + options.flips * 500,
    run: (subject) => examineOnThread<DamageTask>(name, options, subject),
  };
}

/**
 * WritePressure: how close the store is to having no room for more writes, as one number.
 *
 *   0      writers go on.
 *   0…1    writers are slowed down; the rate falls with the pressure (`rateUnder`).
 *   1      writers wait.
 * It is the greatest of three, each of which rises evenly between a soft and a hard limit:
 *   memtables   While `immutableMemtablesMax` are frozen: from half of the present one on, up to its end. It is not
 *               frozen before one of them is flushed (blackboard.ts), so memory stays within one memtable more than
 *               that. A flush that is late slows writers before it stops them, and then has another one to go on with.
 *   level 0     Files from `l0SlowdownTrigger` to `l0StallTrigger`.
 *   debt        Bytes due for compaction, from `debtSlowdownBytes` to four times that.
 * After damage compactions stop for good: then reads get slower instead of writes impossible, and only memtables count.
 * The rate goes from 16 times `slowdownBytesPerSecond` down to a 16th of it, by equal factors: since it only depends on
 * the pressure, it comes to rest where writers are as fast as flushes and compactions.
 * Source: RocksDB's write_controller.cc and RecalculateWriteStallConditions, with a ramp in place of its steps.
 */
import type { Tuning } from "./options.ts";

export interface PressureView {
  readonly immutableCount: number;
  /** Bytes in the memtable that takes writes. */
  readonly memtableBytes: number;
  readonly l0Files: number;
  readonly debtBytes: number;
  readonly halted: boolean;
}

export type PressureCause = "memtables" | "level0" | "debt";

export interface WritePressure {
  readonly pressure: number;
  readonly cause: PressureCause;
}

type Limits = Pick<
  Tuning,
  | "immutableMemtablesMax"
  | "memtableBytes"
  | "l0SlowdownTrigger"
  | "l0StallTrigger"
  | "debtSlowdownBytes"
  | "slowdownBytesPerSecond"
>;

export const pressureCauses: readonly PressureCause[] = ["memtables", "level0", "debt"];
const debtStallFactor = 4;
const rateSpan = 16;

export function writePressure(view: PressureView, limits: Limits): WritePressure {
  const memtables = memtablePressure(view, limits);
  const level0 = view.halted ? 0 : level0Pressure(view.l0Files, limits);
  const { debtSlowdownBytes: soft } = limits;
  const debt = view.halted ? 0 : (view.debtBytes - soft) / (soft * (debtStallFactor - 1));
  const pressure = Math.min(1, Math.max(0, memtables, level0, debt));
  const cause = memtables >= pressure ? "memtables" : level0 >= pressure ? "level0" : "debt";
  return { pressure, cause };
}

/** Bytes per second that writers are let through at under a pressure below 1. */
export function rateUnder(pressure: number, { slowdownBytesPerSecond }: Limits): number {
  return slowdownBytesPerSecond * rateSpan ** (1 - 2 * pressure);
}

function memtablePressure({ immutableCount, memtableBytes }: PressureView, limits: Limits): number {
  const { immutableMemtablesMax } = limits;
  if (immutableCount !== immutableMemtablesMax) return immutableCount > immutableMemtablesMax ? 1 : 0;
  return Math.min(1, (2 * memtableBytes) / limits.memtableBytes - 1);
}

function level0Pressure(files: number, { l0SlowdownTrigger: soft, l0StallTrigger: hard }: Limits): number {
  if (files < soft) return 0;
  return files >= hard ? 1 : (files - soft + 1) / (hard - soft + 1);
}

/**
 * SimulationRecord: what has been simulated so far, in a file that grows from run to run, and the same as a page.
 *
 *   1. A round is a stretch of seeds (or all points of one subject) that was simulated whole by one state of the
 *   sources, which the record names by their hash. The next run goes on behind the last seed.
 *   2. Rounds of one state of the sources are added up. Coverage is added up over everything.
 */
import { describeMachine, type Machine, machineText } from "../../kit/machine.ts";
import { Coverage, type CoverageCounts } from "../../simulation/coverage.ts";
import { faultKinds } from "../../simulation/fault-plan.ts";
import type { SimulationFailure } from "../../simulation/task.ts";
import { readRecordFile, writeRecordFile } from "../record-file.ts";
import { expectedEvents } from "./expected-events.ts";

export interface RecordedTotals {
  readonly seeds: number;
  readonly points: number;
  /** Seeds and points in which power was lost or the process killed at least once. */
  readonly crashed: number;
  readonly lives: number;
  readonly events: number;
  /** Of worker processes, added up. */
  readonly workerSeconds: number;
}

export interface RecordedSources extends RecordedTotals {
  readonly sourceHash: string;
  readonly firstSeed: number | undefined;
  readonly lastSeed: number | undefined;
  readonly failures: readonly { readonly replay: string; readonly message: string }[];
}

export interface SimulationRecord {
  readonly version: 1;
  readonly command: string;
  readonly machine: Machine;
  readonly nextSeed: number;
  readonly bySources: readonly RecordedSources[];
  readonly coverage: CoverageCounts;
}

export type Round = Omit<RecordedSources, "sourceHash" | "failures"> & {
  readonly failures: readonly (SimulationFailure & { readonly replay: string })[];
  readonly coverage: CoverageCounts;
};

/** The record in a file, or a new one. Errors: INVALID_ARGUMENT. */
export function readRecord(file: string): SimulationRecord {
  const isKept = ({ version, bySources }: Partial<SimulationRecord>) => version === 1 && Array.isArray(bySources);
  return (
    readRecordFile<SimulationRecord>(file, isKept, "simulations") ??
    { version: 1, command: "", machine: describeMachine(), nextSeed: 1, bySources: [], coverage: {} }
  );
}

export function addRound(
  record: SimulationRecord, round: Round, sourceHash: string, command: string,
): SimulationRecord {
  const coverage = new Coverage();
  coverage.add(record.coverage);
  coverage.add(round.coverage);
  const found = record.bySources.findIndex((one) => one.sourceHash === sourceHash);
  const before = found < 0 ? emptySources(sourceHash) : record.bySources[found];
  const failures = round.failures.map(({ replay, message }) => ({ replay, message: message.split("\n")[0] }));
  const after: RecordedSources = {
    sourceHash,
    seeds: before.seeds + round.seeds,
    points: before.points + round.points,
    crashed: before.crashed + round.crashed,
    lives: before.lives + round.lives,
    events: before.events + round.events,
    workerSeconds: before.workerSeconds + round.workerSeconds,
    firstSeed: before.firstSeed ?? round.firstSeed,
    lastSeed: round.lastSeed ?? before.lastSeed,
    failures: [...before.failures, ...failures],
  };
  const bySources = found < 0 ? [...record.bySources, after] : record.bySources.with(found, after);
  const nextSeed = Math.max(record.nextSeed, (round.lastSeed ?? 0) + 1);
  const sorted = Object.entries(coverage.counts).sort(([one], [other]) => (one < other ? -1 : 1));
  return { version: 1, command, machine: describeMachine(), nextSeed, bySources, coverage: Object.fromEntries(sorted) };
}

export function writeRecord(file: string, record: SimulationRecord): void {
  writeRecordFile(file, record, recordPage(record));
}

function emptySources(sourceHash: string): RecordedSources {
  const none = { seeds: 0, points: 0, crashed: 0, lives: 0, events: 0, workerSeconds: 0 };
  return { ...none, sourceHash, firstSeed: undefined, lastSeed: undefined, failures: [] };
}

const shown = new Intl.NumberFormat("en-GB");

/** What a newcomer wants to know of a record, as Markdown. */
export function recordPage({ command, machine, bySources, coverage }: SimulationRecord): string {
  const sum = (pick: (one: RecordedSources) => number) => bySources.reduce((total, one) => total + pick(one), 0);
  const failures = bySources.flatMap((one) => one.failures.map((failure) => ({ ...failure, by: one.sourceHash })));
  const rows = bySources.map((one) => {
    const runs = one.seeds + one.points;
    const range = one.firstSeed === undefined ? "–" : `${one.firstSeed}–${one.lastSeed}`;
    const numbers = [one.seeds, one.points, one.crashed, one.lives, one.failures.length].map((n) => shown.format(n));
    const rate = one.workerSeconds === 0 ? "–" : (runs / one.workerSeconds).toFixed(1);
    return `| \`${one.sourceHash}\` | ${range} | ${numbers.join(" | ")} | ${rate} |`;
  });
  const kinds = faultKinds.map((kind) => `| ${kind} | ${shown.format(coverage[`fault:${kind}`] ?? 0)} |`);
  const named = Object.entries(expectedEvents).filter(([event]) => !event.startsWith("fault:"));
  const missed = named.filter(([event]) => coverage[event] === undefined).map(([event]) => event);
  return `${[
    "# Simulated crashes and faults", "",
    `Made by \`${command}\` on ${machineText(machine)}; run it again to add to it. Do not edit.`, "",
    `**${shown.format(sum((one) => one.seeds))} seeds** and **${shown.format(sum((one) => one.points))} points**, in ` +
      `${shown.format(sum((one) => one.crashed))} of them power was lost or the process killed at least once; ` +
      `${shown.format(sum((one) => one.lives))} lives of a store, ${shown.format(sum((one) => one.events))} events. ` +
      `Failures: **${failures.length}**.`, "",
    "A seed draws knobs, a schedule, 25 to 130 operations and up to two faults per life; a point is a fixed scenario",
    "in which the n-th I/O call fails. After every life the store is opened and compared with a model: what was",
    "acknowledged is there, no write is half there.", "",
    "| sources | seeds | number | points | with a crash | lives | failures | runs per second and worker |",
    "|---|---|--:|--:|--:|--:|--:|--:|",
    ...rows, "",
    "## Failures", "",
    ...(failures.length === 0 ? ["None."] : []),
    ...failures.map((one) => `- \`${one.by}\` \`${one.replay}\`: ${one.message}`), "",
    "## Lives that a fault struck, by kind", "", "| fault | lives |", "|---|--:|", ...kinds, "",
    "## What has to happen sometimes", "",
    missed.length === 0 ? "All of it has happened." : `Never happened: ${missed.join(", ")}.`, "",
    "| event | what it is | times |", "|---|---|--:|",
    ...named.map(([event, what]) => `| ${event} | ${what} | ${shown.format(coverage[event] ?? 0)} |`), "",
  ].join("\n")}`;
}

/**
 * SimulationRecord: what has been simulated so far, in a file that grows from run to run, and the same as a page.
 *
 *   1. A round is a stretch of seeds (or all points of one subject) that was simulated whole by one state of the
 *   sources, which the record names by their hash. The next run goes on behind the last seed.
 *   2. Rounds of one state of the sources are added up. Coverage is added up over everything.
 *   3. The file is written beside its place and renamed over it, so that a run that is stopped leaves the one before.
 */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, totalmem } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { LatheError } from "../../kit/errors.ts";
import { Coverage, type CoverageCounts } from "../../simulation/coverage.ts";
import { faultKinds } from "../../simulation/fault-plan.ts";
import { expectedEvents } from "./expected-events.ts";
import type { SimulationFailure } from "../../simulation/task.ts";

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
  readonly machine: { readonly processors: string; readonly memoryBytes: number; readonly node: string };
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
  if (!existsSync(file)) {
    return { version: 1, command: "", machine: machineNow(), nextSeed: 1, bySources: [], coverage: {} };
  }
  try {
    const record = JSON.parse(readFileSync(file, "utf8")) as SimulationRecord;
    if (record.version === 1 && Array.isArray(record.bySources)) return record;
  } catch {
    // Said below.
  }
  throw new LatheError("INVALID_ARGUMENT", `${file} is no record of simulations; name another file for --record`);
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
  return { version: 1, command, machine: machineNow(), nextSeed, bySources, coverage: Object.fromEntries(sorted) };
}

/** Writes the record, and beside it the page for people (`.md`). */
export function writeRecord(file: string, record: SimulationRecord): void {
  replaceFile(file, `${JSON.stringify(record, undefined, 2)}\n`);
  replaceFile(file.replace(/(\.json)?$/, ".md"), recordPage(record));
}

function replaceFile(path: string, text: string): void {
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
}

function emptySources(sourceHash: string): RecordedSources {
  const none = { seeds: 0, points: 0, crashed: 0, lives: 0, events: 0, workerSeconds: 0 };
  return { ...none, sourceHash, firstSeed: undefined, lastSeed: undefined, failures: [] };
}

function machineNow(): SimulationRecord["machine"] {
  const model = cpus()[0]?.model.trim() ?? "unknown";
  return {
    processors: `${availableParallelism()} × ${model}`, memoryBytes: totalmem(), node: process.versions.node,
  };
}

/** Names the state of what is simulated and of what simulates, tests left out. */
export function hashOfSources(): string {
  const source = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
  const hash = createHash("sha256");
  for (const room of ["kit", "parts", "simulation", "app/simulation"]) {
    const names = readdirSync(join(source, room), { recursive: true, encoding: "utf8" }).sort();
    for (const name of names) {
      if (!/\.[jt]s$/.test(name) || /\.(test|bench|fuzz|fixture|conformance)\.[jt]s$/.test(name)) continue;
      hash.update(`${room}/${name}\n`).update(readFileSync(join(source, room, name)));
    }
  }
  return hash.digest("hex").slice(0, 16);
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
    `Made by \`${command}\` on ${machine.processors}, ${(machine.memoryBytes / 2 ** 30).toFixed(0)} GiB, Node ` +
      `${machine.node}; run it again to add to it. Do not edit.`, "",
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

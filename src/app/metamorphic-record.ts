/**
 * MetamorphicRecord: which programs have been run so far, in a file that grows from run to run, and the same as a page.
 *
 *   1. A round is a stretch of seeds whose programs all ran under all of their knob sets, on one state of the sources,
 *   which the record names by its hash. The next run goes on behind the last seed.
 *   2. Rounds of one state of the sources are added up. A program that differs is a failure, and ends its round.
 */
import { describeMachine, type Machine, machineText } from "../kit/machine.ts";
import { readRecordFile, writeRecordFile } from "./record-file.ts";

export interface RecordedPrograms {
  readonly programs: number;
  /** Programs times knob sets. */
  readonly runs: number;
  readonly operations: number;
  readonly seconds: number;
  readonly firstSeed: number;
  readonly lastSeed: number;
  readonly failures: readonly RecordedDifference[];
}

export interface RecordedDifference {
  readonly seed: number;
  readonly knobs: string;
  readonly operation: string;
  readonly expected: string;
  readonly got: string;
}

type BySources = RecordedPrograms & { readonly sourceHash: string };

export interface MetamorphicRecord {
  readonly version: 1;
  readonly command: string;
  readonly machine: Machine;
  /** Of the generator: another one makes other programs of the same seeds. */
  readonly generatorVersion: number;
  readonly nextSeed: number;
  readonly bySources: readonly BySources[];
}

/** Undefined where there is none yet. Errors: INVALID_ARGUMENT. */
export function readMetamorphicRecord(file: string): MetamorphicRecord | undefined {
  const isKept = ({ version, bySources }: Partial<MetamorphicRecord>) => version === 1 && Array.isArray(bySources);
  return readRecordFile<MetamorphicRecord>(file, isKept, "metamorphic programs");
}

export function addPrograms(
  record: MetamorphicRecord | undefined,
  round: RecordedPrograms,
  { sourceHash, command, generatorVersion }: Pick<BySources, "sourceHash"> &
    Pick<MetamorphicRecord, "command" | "generatorVersion">,
): MetamorphicRecord {
  const kept = record?.bySources ?? [];
  const at = kept.findIndex((one) => one.sourceHash === sourceHash);
  const after = { sourceHash, ...(at < 0 ? round : sumOf(kept[at], round)) };
  return {
    version: 1,
    command,
    machine: describeMachine(),
    generatorVersion,
    nextSeed: Math.max(record?.nextSeed ?? 1, round.lastSeed + 1),
    bySources: at < 0 ? [...kept, after] : kept.with(at, after),
  };
}

function sumOf(one: RecordedPrograms, other: RecordedPrograms): RecordedPrograms {
  return {
    programs: one.programs + other.programs,
    runs: one.runs + other.runs,
    operations: one.operations + other.operations,
    seconds: one.seconds + other.seconds,
    firstSeed: Math.min(one.firstSeed, other.firstSeed),
    lastSeed: Math.max(one.lastSeed, other.lastSeed),
    failures: [...one.failures, ...other.failures],
  };
}

export function writeMetamorphicRecord(file: string, record: MetamorphicRecord): void {
  writeRecordFile(file, record, metamorphicPage(record));
}

const shown = new Intl.NumberFormat("en-GB");

/** The record as a page. */
export function metamorphicPage({ command, machine, generatorVersion, bySources }: MetamorphicRecord): string {
  const sum = (pick: (one: BySources) => number) => shown.format(bySources.reduce((all, one) => all + pick(one), 0));
  const rows = bySources.map(({ sourceHash, firstSeed, lastSeed, programs, runs, operations, seconds, failures }) => {
    const counts = [programs, runs, operations, failures.length].map((count) => shown.format(count));
    const rate = seconds === 0 ? "–" : (programs / seconds).toFixed(1);
    return `| \`${sourceHash}\` | ${firstSeed}–${lastSeed} | ${counts.join(" | ")} | ${rate} |`;
  });
  const failures = bySources.flatMap((one) => one.failures.map((failure) => ({ ...failure, by: one.sourceHash })));
  return `${[
    "# Metamorphic programs", "",
    `Made by \`${command}\` on ${machineText(machine)}; run it again to add to it. Do not edit.`, "",
    `**${sum((one) => one.programs)} random programs**, each under many knob sets: ${sum((one) => one.runs)} runs, ` +
      `${sum((one) => one.operations)} operations, every answer compared with a map's. ` +
      `Differences: **${failures.length}**.`, "",
    "A program writes, reads, scans, holds cursors and snapshots, flushes, compacts, copies, closes, loses power and",
    `changes options and agents; one seed makes one program (generator ${generatorVersion}).`, "",
    "| sources | seeds | programs | runs | operations | differences | programs per second |",
    "|---|---|--:|--:|--:|--:|--:|",
    ...rows, "",
    "## Differences", "",
    ...(failures.length === 0 ? ["None."] : []),
    ...failures.map(({ by, seed, knobs, operation, expected, got }) => {
      return `- \`${by}\` seed ${seed} under "${knobs}": \`${operation}\` gave ${got} where ${expected} was due`;
    }), "",
  ].join("\n")}`;
}

/**
 * The table of a report: throughput and latency per operation, for the defaults, the winner, and
 * whatever else was measured.
 *
 * Figures of one table come from one kind of measurement: solo runs where the defaults have one,
 * else the launches in which defaults and winner took turns (re-measurement, or calibration where
 * nothing was kept). Every figure is a median over launches.
 */
import type { LaunchSample, OperationStatistics, SideSample } from "../bench/measurement.ts";
import { median } from "../bench/statistics/summary.ts";
import type { StudyRecord } from "./study-record.ts";

export interface OperationTable {
  readonly columns: readonly SubjectColumn[];
  /** Names of the operations, the most frequent first. */
  readonly operations: readonly string[];
  /** How it was measured; one sentence. */
  readonly source: string;
}

export interface SubjectColumn {
  readonly subject: string;
  readonly label: string;
  readonly total: SubjectTotal;
  readonly operations: Readonly<Record<string, OperationRow>>;
  readonly driverBound: boolean;
  readonly configuration: Readonly<Record<string, unknown>> | undefined;
}

export interface SubjectTotal {
  readonly opsPerSecond: number;
  readonly meanUs: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly memoryMiB: number;
  readonly serverCpuUsPerOp: number;
}

export interface OperationRow {
  readonly opsPerSecond: number;
  readonly meanUs: number;
  readonly p50Us: number;
  readonly p99Us: number;
}

/** Undefined where nothing was measured. */
export function operationTable(record: StudyRecord): OperationTable | undefined {
  const columns = record.solos.some(({ subject }) => subject === "default")
    ? soloColumns(record)
    : pairedColumns(record);
  if (columns.length === 0) return undefined;
  const frequency = columns[0].operations;
  const operations = [...new Set(columns.flatMap((column) => Object.keys(column.operations)))].sort(
    (a, b) => (frequency[b]?.opsPerSecond ?? 0) - (frequency[a]?.opsPerSecond ?? 0),
  );
  return { columns, operations, source: sourceOf(record) };
}

function soloColumns(record: StudyRecord): SubjectColumn[] {
  return record.solos.map(({ subject, label, sample, driverBound, configuration }) => ({
    ...summarise([sample]),
    subject,
    label,
    driverBound,
    configuration,
  }));
}

function pairedColumns(record: StudyRecord): SubjectColumn[] {
  const column = (
    subject: string,
    label: string,
    sides: readonly SideSample[],
    launches: readonly LaunchSample[],
  ) => ({
    ...summarise(sides),
    subject,
    label,
    driverBound: 2 * launches.filter(({ driver }) => driver.driverBound).length > launches.length,
    configuration: undefined,
  });
  const final = record.remeasurements.find(({ against }) => against === "baseline");
  const others = record.solos.map((solo) => ({
    ...summarise([solo.sample]),
    subject: solo.subject,
    label: solo.label,
    driverBound: solo.driverBound,
    configuration: solo.configuration,
  }));
  if (final !== undefined) {
    const { launches } = final;
    return [
      column(
        "default",
        "Default",
        launches.map(({ incumbent }) => incumbent),
        launches,
      ),
      column(
        "tuned",
        "Tuned",
        launches.map(({ candidate }) => candidate),
        launches,
      ),
      ...others,
    ];
  }
  const launches = record.calibrationLaunches;
  if (launches.length === 0) return others;
  return [
    column(
      "default",
      "Default",
      launches.flatMap(({ incumbent, candidate }) => [incumbent, candidate]),
      launches,
    ),
    ...others,
  ];
}

function summarise(sides: readonly SideSample[]): Pick<SubjectColumn, "total" | "operations"> {
  const middle = (of: (side: SideSample) => number) => median(sides.map(of));
  const names = [...new Set(sides.flatMap((side) => Object.keys(side.operations)))];
  return {
    total: {
      opsPerSecond: middle((side) => side.opsPerSecond),
      meanUs: middle(meanLatency),
      p50Us: middle((side) => side.p50Us),
      p99Us: middle((side) => side.p99Us),
      memoryMiB: middle((side) => side.memoryMiB),
      serverCpuUsPerOp: middle((side) => side.serverCpuUsPerOp),
    },
    operations: Object.fromEntries(names.map((name) => [name, operationRow(name, sides)])),
  };
}

function operationRow(name: string, sides: readonly SideSample[]): OperationRow {
  const seen = sides.filter((side) => (side.operations[name]?.count ?? 0) > 0);
  if (seen.length === 0) return { opsPerSecond: 0, meanUs: NaN, p50Us: NaN, p99Us: NaN };
  const middle = (of: (statistics: OperationStatistics) => number) =>
    median(seen.map((side) => of(side.operations[name])));
  return {
    opsPerSecond: median(sides.map((side) => side.opsPerSecond * shareOf(name, side))),
    meanUs: middle(({ meanUs }) => meanUs),
    p50Us: middle(({ p50Us }) => p50Us),
    p99Us: middle(({ p99Us }) => p99Us),
  };
}

function meanLatency(side: SideSample): number {
  const all = Object.values(side.operations);
  const count = all.reduce((sum, one) => sum + one.count, 0);
  return count === 0 ? 0 : all.reduce((sum, one) => sum + one.count * one.meanUs, 0) / count;
}

function shareOf(name: string, side: SideSample): number {
  const all = Object.values(side.operations).reduce((sum, { count }) => sum + count, 0);
  return all === 0 ? 0 : (side.operations[name]?.count ?? 0) / all;
}

function sourceOf(record: StudyRecord): string {
  if (record.solos.some(({ subject }) => subject === "default"))
    return "Each system was driven alone, with the same client.";
  const final = record.remeasurements.find(({ against }) => against === "baseline");
  const calibrations = record.calibrationLaunches.length;
  const own =
    final !== undefined
      ? `Medians over the ${final.launches.length} launches of the re-measurement, in which both sides take turns. `
      : calibrations > 0
        ? `Medians over ${calibrations} calibration launches. `
        : "";
  const alone =
    record.solos.length > 0 ? "Other systems were driven alone, with the same client." : "";
  return (own + alone).trim();
}

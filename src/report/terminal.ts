/**
 * The report for a terminal: the result first, within 80 columns; colours only where the caller
 * says so (a TTY).
 */
import { styleText } from "node:util";
import {
  describeChanges,
  formatChange,
  formatDuration,
  formatLatency,
  formatMiB,
  formatRate,
  knobChanges,
} from "./format.ts";
import { type OperationTable, operationTable, type SubjectColumn } from "./operation-table.ts";
import type { StudyRecord } from "./study-record.ts";
import { type EffectSummary, gainOf } from "./summary.ts";
import { formatInterval, type Verdict, verdictOf } from "./verdict.ts";
import { baselineCandidate } from "../search/candidate.ts";

export interface TerminalOptions {
  readonly colours: boolean;
  readonly reportPath?: string | undefined;
}

type Style = (format: Parameters<typeof styleText>[0], text: string) => string;

const columns = 80;
const trialsShown = 12;

export function renderTerminal(record: StudyRecord, options: TerminalOptions): string {
  const style: Style = (format, text) =>
    options.colours ? styleText(format, text, { validateStream: false }) : text;
  const verdict = verdictOf(record);
  const blocks = [
    headline(verdict, style),
    gainLines(record, style),
    operationLines(record, style),
    changeLines(record, style),
    trialLines(record, style),
    evidenceLines(record, style, options.reportPath),
  ];
  return `${blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n")}\n`;
}

function headline(verdict: Verdict, style: Style): string[] {
  const colour = verdict.tone === "gain" ? "green" : verdict.tone === "refused" ? "red" : "yellow";
  return [style(["bold", colour], verdict.headline), ...wrap(verdict.detail, columns)];
}

function gainLines(record: StudyRecord, style: Style): string[] {
  const gain = gainOf(record);
  if (gain === null) return [];
  const row = (name: string, effect: EffectSummary) =>
    `  ${name.padEnd(22)} ${formatChange(effect.ratio).padStart(9)}   ` +
    `${style("dim", formatInterval(effect))}`;
  const { score } = gain;
  return [
    row("throughput", gain.throughput),
    row("median latency", gain.p50),
    row("p99 latency", gain.p99),
    row("memory", gain.memory),
    row("ops per CPU second", gain.cost),
    `  ${"score".padEnd(22)} ${score.winner.toFixed(2).padStart(9)}   ` +
      `${style("dim", `${score.baseline.toFixed(2)} before`)}`,
  ];
}

function operationLines(record: StudyRecord, style: Style): string[] {
  const table = operationTable(record);
  if (table === undefined) return [];
  return table.columns.length <= 2 ? wideTable(table, style) : stackedTable(table, style);
}

/** Two subjects side by side: 80 columns hold eight figures. */
function wideTable({ columns: subjects, operations }: OperationTable, style: Style): string[] {
  const name = (text: string) => text.slice(0, 17).padEnd(17);
  const heads = subjects.map(({ label }) => label.padStart(30)).join("");
  const under = subjects.map(() => cellsOf(["ops/s", "mean", "p50", "p99"])).join("");
  const rows = operations.map(
    (operation) =>
      name(operation) + subjects.map((one) => cellsOf(figures(one, operation))).join(""),
  );
  const total = name("all") + subjects.map((one) => cellsOf(totals(one))).join("");
  return [style("dim", name("") + heads), style("dim", name("operation") + under), total, ...rows];
}

/** More subjects: one line per operation and subject. */
function stackedTable({ columns: subjects, operations }: OperationTable, style: Style): string[] {
  const name = (text: string) => text.slice(0, 19).padEnd(20);
  const who = (text: string) => text.slice(0, 12).padEnd(13);
  const lines = [
    style("dim", name("operation") + who("") + cellsOf(["ops/s", "mean", "p50", "p99"], 10)),
  ];
  const group = (title: string, of: (subject: SubjectColumn) => string[]) =>
    subjects.forEach((subject, index) => {
      const text = name(index === 0 ? title : "") + who(subject.label) + cellsOf(of(subject), 10);
      lines.push(subject.subject === "tuned" ? style("bold", text) : text);
    });
  group("all", totals);
  for (const operation of operations) group(operation, (subject) => figures(subject, operation));
  return lines;
}

function figures(subject: SubjectColumn, operation: string): string[] {
  const row = subject.operations[operation];
  if (row === undefined) return ["–", "–", "–", "–"];
  return [
    formatRate(row.opsPerSecond),
    formatLatency(row.meanUs),
    formatLatency(row.p50Us),
    formatLatency(row.p99Us),
  ];
}

function totals({ total }: SubjectColumn): string[] {
  return [
    formatRate(total.opsPerSecond),
    formatLatency(total.meanUs),
    formatLatency(total.p50Us),
    formatLatency(total.p99Us),
  ];
}

function cellsOf(texts: readonly string[], width = 7): string {
  return texts
    .map((text, index) =>
      text
        .replace(" ms", "ms")
        .replace(" µs", "µs")
        .padStart(index === 0 ? width + 2 : width),
    )
    .join("");
}

function changeLines(record: StudyRecord, style: Style): string[] {
  if (record.winner === undefined) return [];
  const changes = knobChanges(record.winner, baselineCandidate(), record.definition.space.table);
  return [
    style("dim", "changed knobs"),
    ...changes.map(({ name, from, to }) => `  ${name.padEnd(34)} ${from} → ${style("bold", to)}`),
  ];
}

function trialLines(record: StudyRecord, style: Style): string[] {
  if (record.trials.length === 0) return [];
  const shown = record.trials.slice(-trialsShown);
  const left = record.trials.length - shown.length;
  const lines = shown.map(({ number, candidate, incumbent, ended, screeningDecision }) => {
    const outcome = ended?.outcome ?? "unfinished";
    const estimate =
      screeningDecision === undefined ? "" : formatChange(Math.exp(screeningDecision.estimate));
    const changes = describeChanges(
      knobChanges(candidate, incumbent, record.definition.space.table),
    );
    const text =
      `${String(number).padStart(4)}  ${outcome.padEnd(10)} ${estimate.padStart(8)}  ` +
      `${changes}`;
    const cut = text.length > columns ? `${text.slice(0, columns - 1)}…` : text;
    return outcome === "kept"
      ? style("green", cut)
      : outcome === "dropped"
        ? style("dim", cut)
        : style("red", cut);
  });
  const more = left > 0 ? [style("dim", `      and ${left} before, in the report`)] : [];
  return [
    style("dim", "trials: outcome, what screening saw, change against the incumbent"),
    ...more,
    ...lines,
  ];
}

function evidenceLines(
  record: StudyRecord,
  style: Style,
  reportPath: string | undefined,
): string[] {
  const admitted = record.productGates.filter(({ verdict }) => verdict === "admit").length;
  const names = record.productGates
    .map(({ gate, verdict }) => (verdict === "admit" ? gate : `${gate} (${verdict})`))
    .join(", ");
  const gates =
    record.productGates.length === 0
      ? []
      : [`gates   ${admitted} of ${record.productGates.length} admit: ${names}`];
  const noise = record.calibration === undefined ? [] : [`noise   ${record.calibration.sentence}`];
  const subjects = operationTable(record)?.columns ?? [];
  const resources = subjects.map(
    ({ label, total, driverBound }) =>
      `${label} ${formatMiB(total.memoryMiB)}, ${total.serverCpuUsPerOp.toFixed(1)} µs ` +
      `CPU/op${driverBound ? " (driver-bound)" : ""}`,
  );
  const cost = resources.length === 0 ? [] : [`cost    ${resources.join("; ")}`];
  const spent = [`spent   ${record.launches} launches in ${formatDuration(record.elapsedSeconds)}`];
  const lines = [...gates, ...noise, ...cost, ...spent].flatMap((text) =>
    wrap(text, columns, "        "),
  );
  return reportPath === undefined ? lines : [...lines, `report  ${style("underline", reportPath)}`];
}

/** Breaks at spaces; lines after the first are indented. */
function wrap(text: string, width: number, indent = ""): string[] {
  const lines: string[] = [];
  let current = "";
  for (const word of text.split(" ")) {
    const longer = current === "" ? word : `${current} ${word}`;
    if (longer.length <= width) current = longer;
    else {
      lines.push(current);
      current = indent + word;
    }
  }
  return [...lines, current];
}

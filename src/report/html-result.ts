/** What came out: headline, key figures, the table per operation, and the knobs of the winner. */
import { latencyFigure } from "./latency-figure.ts";
import {
  formatChange,
  formatCount,
  formatLatency,
  formatMiB,
  formatRate,
  knobChanges,
} from "./format.ts";
import { formatBudget } from "./format-budget.ts";
import { type Cell, escape, figureBlock, markup, section, table, text } from "./html-text.ts";
import { operationTable, type SubjectColumn } from "./operation-table.ts";
import type { StudyRecord } from "./study-record.ts";
import { type EffectSummary, gainOf } from "./summary.ts";
import { formatInterval, statisticNames, type Verdict } from "./verdict.ts";
import { baselineCandidate } from "../search/candidate.ts";

export function headerBlock(record: StudyRecord, verdict: Verdict): string {
  const { contract, proposer } = record.header;
  const date = record.startedAt.slice(0, 10);
  const facts = [
    "Lathe",
    contract.name,
    date,
    `${record.trials.length} candidates by ${proposer} search`,
    `${record.launches} launches`,
    `budget ${formatBudget(record).words}`,
  ];
  return (
    `<header><p class="over">${facts.map(escape).join(" · ")}</p>` +
    `<h1 class="${verdict.tone}">${escape(verdict.headline)}</h1>` +
    `<p class="detail">${escape(verdict.detail)}</p></header>`
  );
}

/** The re-measured figures; where there are none, those of the defaults. */
export function factsBlock(record: StudyRecord): string {
  const gain = gainOf(record);
  if (gain === null) return baselineFacts(record);
  const fact = (name: string, effect: EffectSummary) =>
    factHtml(name, formatChange(effect.ratio), formatInterval(effect));
  const { score } = gain;
  const signed = (value: number) => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(2)}`;
  return `<dl class="facts">${[
    fact("Throughput", gain.throughput),
    fact("Median latency", gain.p50),
    fact("p99 latency", gain.p99),
    fact("Memory", gain.memory),
    fact("Per CPU second", gain.cost),
    factHtml(
      "Score",
      signed(score.difference),
      `${score.baseline.toFixed(2)} → ${score.winner.toFixed(2)}`,
    ),
  ].join("")}</dl>`;
}

function baselineFacts(record: StudyRecord): string {
  const column = operationTable(record)?.columns.find(({ subject }) => subject === "default");
  if (column === undefined) return "";
  const { opsPerSecond, p50Us, p99Us, memoryMiB, serverCpuUsPerOp } = column.total;
  return `<dl class="facts">${[
    factHtml("Throughput of the defaults", formatCount(opsPerSecond), "operations per second"),
    factHtml("Median latency", formatLatency(p50Us), ""),
    factHtml("p99 latency", formatLatency(p99Us), ""),
    factHtml("Memory", formatMiB(memoryMiB), "resident"),
    factHtml("Server CPU", formatLatency(serverCpuUsPerOp), "per operation"),
  ].join("")}</dl>`;
}

function factHtml(name: string, value: string, range: string): string {
  return (
    `<div><dt>${escape(name)}</dt><dd><span class="value">${escape(value)}</span>` +
    `<span class="range">${escape(range)}</span></dd></div>`
  );
}

export function operationSection(record: StudyRecord): string {
  const found = operationTable(record);
  if (found === undefined) return "";
  const { columns, operations, source } = found;
  const names = ["ops/s", "mean", "p50", "p99"];
  const groups: Cell[] = [
    text("Operation"),
    ...columns.map(({ label }) => ({ ...text(label, "group first"), span: names.length })),
  ];
  const heads: Cell[] = [
    text(""),
    ...columns.flatMap(() =>
      names.map((name, index) => text(name, `number${index === 0 ? " first" : ""}`)),
    ),
  ];
  const row = (name: string) => ({
    cells: [
      { ...text(name, "name"), header: true },
      ...columns.flatMap((column) => operationCells(column, name)),
    ],
  });
  const total = {
    className: "total",
    cells: [{ ...text("All", "name"), header: true }, ...columns.flatMap(totalCells)],
  };
  const resources = columns.map(
    ({ label, total: { memoryMiB, serverCpuUsPerOp }, driverBound }) => {
      const bound = driverBound ? ", bound by the driver: compare CPU, not throughput" : "";
      return (
        `${label}: ${formatMiB(memoryMiB)} resident, ${serverCpuUsPerOp.toFixed(1)} µs of ` +
        `server CPU per operation${bound}`
      );
    },
  );
  const chart = latencyFigure(found);
  const body =
    table(
      [{ cells: groups }, { cells: heads }],
      [total, ...operations.map(row)],
      "Throughput and latency per operation",
      true,
    ) +
    `<p class="key">${resources.map((one) => `${escape(one)}.`).join("<br>")}</p>` +
    (chart === undefined
      ? ""
      : `<p class="key">From median (dot) to p99 (end of the line):</p>${figureBlock(chart)}`);
  return section(
    "Per operation",
    `${source} Latency counts from the intended start of an operation.`,
    body,
  );
}

function operationCells(column: SubjectColumn, name: string): Cell[] {
  const row = column.operations[name];
  const emphasis = column.subject === "tuned" ? " tuned" : "";
  const values =
    row === undefined
      ? ["–", "–", "–", "–"]
      : [
          formatRate(row.opsPerSecond),
          formatLatency(row.meanUs),
          formatLatency(row.p50Us),
          formatLatency(row.p99Us),
        ];
  return values.map((value, index) =>
    text(value, `number${index === 0 ? ` first${emphasis}` : ""}`),
  );
}

function totalCells(column: SubjectColumn): Cell[] {
  const { opsPerSecond, meanUs, p50Us, p99Us } = column.total;
  const emphasis = column.subject === "tuned" ? " tuned" : "";
  return [
    text(formatRate(opsPerSecond), `number first${emphasis}`),
    text(formatLatency(meanUs), "number"),
    text(formatLatency(p50Us), "number"),
    text(formatLatency(p99Us), "number"),
  ];
}

/** The winner's knobs, and how it compares with an expert's. */
export function changeSection(record: StudyRecord): string {
  if (record.winner === undefined) return "";
  const knobTable = record.definition.space.table;
  const rows = knobChanges(record.winner, baselineCandidate(), knobTable).map(
    ({ name, from, to }) => ({
      cells: [
        markup(`<code>${escape(name)}</code>`, "name"),
        text(from, "number"),
        text(to, "number tuned"),
        text(knobTable.find((knob) => knob.name === name)?.description ?? "", "soft"),
      ],
    }),
  );
  const heads = [
    {
      cells: [
        text("Knob"),
        text("Default", "number"),
        text("Tuned", "number"),
        text("What it does"),
      ],
    },
  ];
  const expert = expertSentence(record);
  return section("What was changed", "", table(heads, rows, "Knobs of the winner") + expert);
}

function expertSentence(record: StudyRecord): string {
  const { expert } = record.definition.settings;
  const found = record.remeasurements.find(({ against }) => against === "expert")?.result;
  if (expert === undefined || found === undefined) return "";
  const statistic = record.calibration?.statistic ?? "throughput";
  const { estimate, low, high } = found.intervals[statistic];
  const effect = { ratio: Math.exp(estimate), interval: [Math.exp(low), Math.exp(high)] as const };
  const knobs = Object.entries(expert.knobs)
    .map(([name, value]) => `${name}: ${value}`)
    .join(", ");
  return (
    `<p>Against an expert’s configuration (${escape(expert.source)}), the winner reaches ` +
    `<strong>${escape(formatChange(effect.ratio))}</strong> ${escape(statisticNames[statistic])} ` +
    `(${escape(formatInterval(effect))}, ${found.launches} launches).</p>` +
    `<details><summary>The expert’s configuration</summary><pre>${escape(knobs)}</pre></details>`
  );
}

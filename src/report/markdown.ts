/** The result for a README: a sentence, the table per operation, and a figure that stands alone. */
import { forestFigure } from "./forest-figure.ts";
import { standalone } from "./figure-style.ts";
import { formatLatency, formatMiB, formatRate, knobChanges } from "./format.ts";
import { operationTable } from "./operation-table.ts";
import type { StudyRecord } from "./study-record.ts";
import { verdictOf } from "./verdict.ts";
import { baselineCandidate } from "../search/candidate.ts";

export function renderMarkdown(record: StudyRecord): string {
  const verdict = verdictOf(record);
  return (
    `**${verdict.headline}.** ` +
    `${verdict.detail}\n\n${operationMarkdown(record)}${changeMarkdown(record)}`
  );
}

function operationMarkdown(record: StudyRecord): string {
  const table = operationTable(record);
  if (table === undefined) return "";
  const figures = ["ops/s", "mean", "p99"];
  const heads = [
    "Operation",
    ...table.columns.flatMap(({ label }) => figures.map((figure) => `${escape(label)} ${figure}`)),
  ];
  const rows = table.operations.map((name) => [
    escape(name),
    ...table.columns.flatMap(({ operations }) => {
      const row = operations[name];
      return row === undefined
        ? ["–", "–", "–"]
        : [formatRate(row.opsPerSecond), formatLatency(row.meanUs), formatLatency(row.p99Us)];
    }),
  ]);
  const all = [
    "**All**",
    ...table.columns.flatMap(({ total }) => [
      formatRate(total.opsPerSecond),
      formatLatency(total.meanUs),
      formatLatency(total.p99Us),
    ]),
  ];
  const cost = [
    "Memory, CPU per op",
    ...table.columns.flatMap(({ total }) => [
      formatMiB(total.memoryMiB),
      "",
      `${total.serverCpuUsPerOp.toFixed(1)} µs`,
    ]),
  ];
  const align = ["---", ...heads.slice(1).map(() => "---:")];
  const lines = [heads, align, all, ...rows, cost].map((cells) => `| ${cells.join(" | ")} |`);
  return `${lines.join("\n")}\n\n${table.source}\n`;
}

function changeMarkdown(record: StudyRecord): string {
  if (record.winner === undefined) return "";
  const changes = knobChanges(record.winner, baselineCandidate(), record.definition.space.table);
  return (
    `\nChanged: ` +
    `${changes.map(({ name, from, to }) => `\`${name}\` ${escape(from)} → ${escape(to)}`).join(", ")}.\n`
  );
}

/**
 * The forest plot as a file of its own, light and dark by itself. Undefined where there is nothing
 * to draw.
 */
export function renderSvg(record: StudyRecord): string | undefined {
  const svg = forestFigure(record);
  return svg === undefined ? undefined : standalone(svg);
}

function escape(text: string): string {
  return text.replace(/[|\\`*_<>[\]]/g, "\\$&");
}

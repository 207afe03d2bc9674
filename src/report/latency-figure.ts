/**
 * Latency per operation, from median to p99, of every system that was measured; on a logarithmic
 * axis.
 */
import { formatLatency } from "./format.ts";
import { subjectClass } from "./figure-style.ts";
import type { OperationTable } from "./operation-table.ts";
import { element, figure, hint, label, line, logScale, logTicks } from "./svg.ts";

const width = 920;
const left = 160;
const right = 905;
const headHeight = 52;
const lineHeight = 11;

export function latencyFigure(table: OperationTable): string | undefined {
  const rows = table.operations.map((name) => ({
    name,
    subjects: table.columns.flatMap((column) => {
      const row = column.operations[name];
      return row !== undefined && row.p50Us > 0 && row.p99Us > 0 ? [{ column, row }] : [];
    }),
  }));
  const latencies = rows.flatMap(({ subjects }) =>
    subjects.flatMap(({ row }) => [row.p50Us, row.p99Us]),
  );
  if (latencies.length === 0) return undefined;
  const rowHeight = table.columns.length * lineHeight + 14;
  const height = headHeight + rows.length * rowHeight + 4;
  const x = logScale([Math.min(...latencies) / 1.25, Math.max(...latencies) * 1.25], [left, right]);
  const marks = logTicks(x.domain).map((mark) => {
    const text = label(x(mark), headHeight - 14, markText(mark), {
      class: "tick",
      "text-anchor": "middle",
    });
    return text + line(x(mark), headHeight - 6, x(mark), height - 4, "grid");
  });
  let legendAt = left;
  const legend = table.columns.map(({ subject, label: name }) => {
    const at = legendAt;
    legendAt += 34 + name.length * 6.6;
    return (
      line(at, 10, at + 16, 10, `span ${subjectClass(subject)}`) +
      label(at + 22, 14, name, { class: "soft" })
    );
  });
  const body = rows.map(({ name, subjects }, index) => {
    const top = headHeight + index * rowHeight;
    const text = label(0, top + rowHeight / 2 + 4, name);
    const spans = subjects.map(({ column, row }) => {
      const y = top + 7 + table.columns.indexOf(column) * lineHeight + lineHeight / 2;
      const className = subjectClass(column.subject);
      const told =
        `${column.label} ${name}: p50 ${formatLatency(row.p50Us)}, mean ` +
        `${formatLatency(row.meanUs)}, p99 ${formatLatency(row.p99Us)}`;
      return element(
        "g",
        { class: className },
        hint(told) +
          line(x(row.p50Us), y, x(row.p99Us), y, `span ${className}`) +
          element("circle", { cx: x(row.p50Us), cy: y, r: 4, class: className }),
      );
    });
    return text + spans.join("") + line(0, top, width, top, "rule");
  });
  const described = rows.map(({ name, subjects }) => {
    const spans = subjects.map(
      ({ column, row }) =>
        `${column.label} ${formatLatency(row.p50Us)} to ${formatLatency(row.p99Us)}`,
    );
    return `${name}: ${spans.join(", ")}`;
  });
  const description = described.join(". ");
  return figure(
    { width, height, title: "Latency per operation, median to p99", description },
    [...legend, ...marks, ...body].join(""),
  );
}

/** A round value, without the digits that a measured one has. */
function markText(microseconds: number): string {
  if (microseconds < 1000) return `${microseconds} µs`;
  return microseconds < 1e6 ? `${microseconds / 1000} ms` : `${microseconds / 1e6} s`;
}

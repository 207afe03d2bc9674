/**
 * Renders metrics in Prometheus' text exposition format 0.0.4.
 *
 * Metrics of one name (they differ in labels) form one group with one HELP and one TYPE line, as the
 * format demands, wherever they stand in the list. Source:
 * prometheus.io/docs/instrumenting/exposition_formats.
 */
import { assert } from "./assert.ts";
import type { HistogramMetric, Metric } from "./metric.ts";

export const prometheusContentType = "text/plain; version=0.0.4; charset=utf-8";

const namePattern = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const labelPattern = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

export function renderPrometheus(metrics: readonly Metric[]): string {
  const lines: string[] = [];
  for (const [name, group] of Map.groupBy(metrics, (metric) => metric.name)) {
    assert(namePattern.test(name), `${name} is a metric name`);
    const [{ kind, help }] = group;
    assert(group.every((metric) => metric.kind === kind), `all metrics named ${name} are of one kind`);
    lines.push(`# HELP ${name} ${escape(help)}`, `# TYPE ${name} ${kind}`);
    for (const metric of group) {
      if (metric.kind === "histogram") pushHistogram(lines, metric);
      else lines.push(`${name}${renderLabels(metric.labels)} ${renderNumber(metric.value)}`);
    }
  }
  return lines.length === 0 ? "" : `${lines.join("\n")}\n`;
}

function pushHistogram(lines: string[], { name, buckets, count, sum, labels }: HistogramMetric): void {
  for (const { upperBound, cumulativeCount } of buckets) {
    const bound = renderLabels({ ...labels, le: renderNumber(upperBound) });
    lines.push(`${name}_bucket${bound} ${renderNumber(cumulativeCount)}`);
  }
  lines.push(
    `${name}_bucket${renderLabels({ ...labels, le: "+Inf" })} ${renderNumber(count)}`,
    `${name}_sum${renderLabels(labels)} ${renderNumber(sum)}`,
    `${name}_count${renderLabels(labels)} ${renderNumber(count)}`,
  );
}

function renderLabels(labels: Readonly<Record<string, string>> | undefined): string {
  const pairs = Object.entries(labels ?? {}).map(([name, value]) => {
    assert(labelPattern.test(name), `${name} is a label name`);
    return `${name}="${escape(value).replaceAll('"', '\\"')}"`;
  });
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escape(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}

function renderNumber(value: number): string {
  if (value === Infinity) return "+Inf";
  if (value === -Infinity) return "-Inf";
  return String(value);
}

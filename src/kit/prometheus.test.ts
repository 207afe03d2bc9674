import assert from "node:assert/strict";
import { test } from "node:test";
import { renderPrometheus } from "./prometheus.ts";

test("renders counters, gauges and histograms; one group per name", () => {
  const text = renderPrometheus([
    { kind: "counter", name: "reads_total", help: "Reads.", value: 3, labels: { kind: "point" } },
    { kind: "gauge", name: "free_bytes", help: "Free.", value: 1.5e21 },
    { kind: "counter", name: "reads_total", help: "Reads.", value: 4, labels: { kind: "scan" } },
    {
      kind: "histogram", name: "sync_seconds", help: "Syncs.", count: 3, sum: 0.25,
      buckets: [{ upperBound: 0.001, cumulativeCount: 1 }, { upperBound: 0.1, cumulativeCount: 2 }],
    },
  ]);
  assert.equal(
    text,
    `# HELP reads_total Reads.
# TYPE reads_total counter
reads_total{kind="point"} 3
reads_total{kind="scan"} 4
# HELP free_bytes Free.
# TYPE free_bytes gauge
free_bytes 1.5e+21
# HELP sync_seconds Syncs.
# TYPE sync_seconds histogram
sync_seconds_bucket{le="0.001"} 1
sync_seconds_bucket{le="0.1"} 2
sync_seconds_bucket{le="+Inf"} 3
sync_seconds_sum 0.25
sync_seconds_count 3
`,
  );
});

test("escapes help and labels, writes what is not finite, and refuses bad names", () => {
  const gauge = { kind: "gauge" as const, name: "x", help: "a\\b\nc", value: Infinity };
  assert.equal(renderPrometheus([]), "");
  assert.equal(
    renderPrometheus([{ ...gauge, labels: { path: 'C:\\"x"\n' } }]),
    '# HELP x a\\\\b\\nc\n# TYPE x gauge\nx{path="C:\\\\\\"x\\"\\n"} +Inf\n',
  );
  assert.match(renderPrometheus([{ ...gauge, value: Number.NaN }]), /x NaN/);
  assert.throws(() => renderPrometheus([{ ...gauge, name: "a-b" }]), /assertion failed/);
  assert.throws(() => renderPrometheus([{ ...gauge, labels: { "a-b": "" } }]), /assertion failed/);
});

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { test } from "node:test";
import { renderPrometheus } from "../kit/prometheus.ts";
import { drainServer, hasWorkLeft, parseSignals } from "./server-signals.ts";

const gauge = (name: string, value: number, labels?: Record<string, string>) =>
  ({ kind: "gauge", name, help: "x", value, ...(labels === undefined ? {} : { labels }) }) as const;

test("signals are what our own exposition format says, without buckets", () => {
  const buckets = [{ upperBound: 1, cumulativeCount: 2 }];
  const histogram = { kind: "histogram", name: "h_seconds", help: "x", buckets, count: 2, sum: 0.5 } as const;
  const text = renderPrometheus([gauge("a_bytes", 5), gauge("level_files", 3, { level: "0" }), histogram]);
  assert.deepEqual(parseSignals(text), { a_bytes: 5, 'level_files{level="0"}': 3, h_seconds_sum: 0.5, h_seconds_count: 2 });
});

test("a drain waits until the metrics name no work left", async () => {
  let debt = 3;
  const endpoint = createServer((_, response) => {
    response.end(renderPrometheus([gauge("lsm_compaction_debt_bytes", debt--)]));
  });
  await new Promise<void>((resolve) => endpoint.listen(0, "127.0.0.1", resolve));
  const metricsPort = (endpoint.address() as { port: number }).port;
  const server = { cpuUs: () => 0, metricsPort };
  const drained = await drainServer(server, 10_000);
  assert.deepEqual([drained.settled, drained.signals.lsm_compaction_debt_bytes], [true, 0]);
  debt = 1e9;
  assert.equal((await drainServer(server, 50)).settled, false, "a debt that stays is not waited for without end");
  endpoint.close();
  assert.ok(hasWorkLeft({ 'lsm_immutable_memtables{shard="1"}': 1 }) && !hasWorkLeft({ lsm_l0_files: 4 }));
});

test("without metrics the CPU alone decides", async () => {
  let busyReadings = 3;
  let cpu = 0;
  const cpuUs = () => (busyReadings-- > 0 ? (cpu += 1e6) : cpu);
  const drained = await drainServer({ cpuUs, metricsPort: undefined }, 10_000);
  assert.ok(drained.settled && busyReadings < 0);
});

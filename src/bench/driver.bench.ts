/**
 * What the driver itself costs: operations per second and CPU per operation against a server of fixed rows.
 *
 *   node src/bench/driver.bench.ts [taobench|ycsb] [profile] [connections]
 */
import type { WorkloadSpec } from "../contract/contract.ts";
import { measureCeiling } from "./ceiling.ts";
import { Driver } from "./driver.ts";

const [benchmark = "taobench", profile = "o", connections = "8"] = process.argv.slice(2);
const clients = Number(connections);
const workload = { benchmark, profile, scale: 20_000, clients, loop: "closed" } as WorkloadSpec;
const driver = await Driver.start(workload, 1);
try {
  for (let round = 1; round <= 5; round++) {
    const { operationsPerSecond, driverCpuUsPerOp } = await measureCeiling(driver, { connections: clients, durationMs: 1500 });
    console.log(`${Math.round(operationsPerSecond)} operations/s, ${driverCpuUsPerOp.toFixed(2)} µs of driver CPU per operation`);
  }
} finally {
  await driver.close();
}

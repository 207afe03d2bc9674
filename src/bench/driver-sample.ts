/** Whether the driver, and not the server, set the pace. */
import { utilisationMax } from "./ceiling.ts";
import type { DriverSample } from "./measurement.ts";

const eventLoopDelayMaxMs = 1;

export function driverSample(
  ceilingOpsPerSecond: number,
  opsPerSecond: number,
  blockDelaysP99Ms: readonly number[],
  neighbourCores: number | undefined,
): DriverSample {
  const utilisation = opsPerSecond / ceilingOpsPerSecond;
  // The median over blocks: one hiccup of the machine does not make a driver slow.
  const sorted = blockDelaysP99Ms.toSorted((a, b) => a - b);
  const eventLoopDelayP99Ms = sorted[sorted.length >> 1] ?? 0;
  return {
    ceilingOpsPerSecond,
    utilisation,
    eventLoopDelayP99Ms,
    neighbourCores,
    driverBound: utilisation > utilisationMax || eventLoopDelayP99Ms > eventLoopDelayMaxMs,
  };
}

/**
 * The driver's ceiling: what it reaches on this machine, with this workload and these connections, against
 * a server that answers fixed rows (over HTTP: fixed answers). A result near the ceiling measures the driver,
 * not the server.
 */
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { startScriptServer } from "../fleet/script-server.ts";
import type { Driver } from "./driver.ts";

export interface Ceiling {
  readonly operationsPerSecond: number;
  readonly driverCpuUsPerOp: number;
}

export interface CeilingOptions {
  readonly connections: number;
  readonly warmUpMs?: number | undefined;
  readonly durationMs?: number | undefined;
}

/** The server of fixed answers for each surface. */
const programs = { mysql: "fixed-row-server", http: "fixed-answer-server" } as const;

/** What marks a result as driver-bound is decided in `driver-sample.ts`; this is the limit that it uses. */
export const utilisationMax = 0.7;

/**
 * A ceiling for a result of `opsPerSecond`: the known one, or, where the result comes too near to it, the
 * better of that and a second measurement. Neighbours on the machine may have held the first one down, and
 * never hold one up.
 */
export async function ceilingFor(
  driver: Driver,
  opsPerSecond: number,
  known: number,
  connections: number,
): Promise<number> {
  if (opsPerSecond <= known * utilisationMax) return known;
  return Math.max(known, (await measureCeiling(driver, { connections })).operationsPerSecond);
}

/**
 * The best of three stretches after a warm-up: a ceiling is what the driver can do, not what it does on
 * average.
 */
export async function measureCeiling(driver: Driver, options: CeilingOptions): Promise<Ceiling> {
  const { surface } = driver;
  const program = new URL(`./${programs[surface]}${extname(import.meta.url)}`, import.meta.url);
  const server = await startScriptServer(programs[surface], fileURLToPath(program), surface);
  try {
    const { endpoint } = server;
    await driver.connect("ceiling", { endpoint, connections: options.connections, seed: 1, verify: false });
    await driver.run("ceiling", { durationMs: options.warmUpMs ?? 500 });
    const durationMs = (options.durationMs ?? 600) / 3;
    let best: Ceiling = { operationsPerSecond: 0, driverCpuUsPerOp: 0 };
    for (let stretch = 0; stretch < 3; stretch++) {
      const { operations, seconds, driverCpuUs } = await driver.run("ceiling", { durationMs });
      const operationsPerSecond = operations / seconds;
      if (operationsPerSecond <= best.operationsPerSecond) continue;
      best = { operationsPerSecond, driverCpuUsPerOp: driverCpuUs / operations };
    }
    await driver.disconnect("ceiling");
    return best;
  } finally {
    await server.stop();
  }
}

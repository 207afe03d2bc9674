/**
 * Measures one server alone: the per-operation table of a product, of MariaDB, or of whatever stands
 * behind a URL.
 *
 * Not a comparison: what it gives is not interleaved with anything (see `launch.ts`). Same clients, same
 * verification, same ceiling of the driver.
 */
import type { WorkloadSpec } from "../contract/contract.ts";
import type { Endpoint } from "../fleet/server.ts";
import { LatheError } from "../kit/errors.ts";
import { ceilingFor, measureCeiling } from "./ceiling.ts";
import { Driver } from "./driver.ts";
import type { BlockOptions, LoadResult } from "./driver-protocol.ts";
import { driverSample } from "./driver-sample.ts";
import { machineBusyUs, NeighbourLoad } from "./machine-load.ts";
import type { DriverSample, SideSample } from "./measurement.ts";
import { type Drained, drainServer } from "./server-signals.ts";
import { SideRecord } from "./side-record.ts";

/** A `RunningServer`, or as much of one as is known of a server that is not ours. */
export interface SoloSubject {
  readonly endpoint: Endpoint;
  readonly metricsPort?: number | undefined;
  cpuUs?(): number;
  memory?(): { residentBytes: number };
}

export interface SoloOptions {
  readonly workload: WorkloadSpec;
  readonly dataSeed: number;
  readonly seed: number;
  /** Whether to create and fill the tables first. */
  readonly load: boolean;
  readonly warmUpMs: number;
  readonly durationMs: number;
  readonly ceilingOpsPerSecond?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly progress?: ((line: string) => void) | undefined;
}

export interface SoloSample {
  readonly server: SideSample;
  /** False where CPU and memory of the server could not be looked at; they are 0 then. */
  readonly accounted: boolean;
  readonly driver: DriverSample;
  readonly loaded: LoadResult | undefined;
  /** Whether it was stopped on request; what was measured until then is there. */
  readonly cancelled: boolean;
}

const blockMs = 500;
const drainTimeoutMs = 60_000;

/** Errors: what connecting and loading can fail with; CLOSED where the server died. */
export async function runSolo(subject: SoloSubject, options: SoloOptions): Promise<SoloSample> {
  const { workload, signal, progress } = options;
  const driver = await Driver.start(workload, options.dataSeed);
  try {
    const { clients: connections } = workload;
    const measure = async () => (await measureCeiling(driver, { connections })).operationsPerSecond;
    const known = options.ceilingOpsPerSecond ?? (await measure());
    progress?.(`driver's ceiling: ${Math.round(known)} operations per second`);
    throwIfAborted(signal);
    const loaded = options.load ? await load(subject, driver, progress) : undefined;
    throwIfAborted(signal);
    const { seed, load: fresh } = options;
    await driver.connect("solo", { endpoint: subject.endpoint, connections, seed, verify: true, fresh });
    await driver.run("solo", { durationMs: options.warmUpMs });
    const record = new SideRecord();
    const delays: number[] = [];
    const neighbours = new NeighbourLoad();
    const cpuBeforeUs = subject.cpuUs?.() ?? 0;
    for (let leftMs = options.durationMs; leftMs > 0 && signal?.aborted !== true; leftMs -= blockMs) {
      const busyBeforeUs = machineBusyUs();
      const cpuBlockUs = subject.cpuUs?.() ?? 0;
      const block = await driver.run("solo", blockOf(workload, Math.min(blockMs, leftMs)));
      const ownUs = block.driverCpuUs + (subject.cpuUs?.() ?? 0) - cpuBlockUs;
      neighbours.add(busyBeforeUs, machineBusyUs(), ownUs, block.seconds);
      if (block.connectionsLost > 0) {
        throw new LatheError("CLOSED", `the server closed connections: ${block.complaints[0]}`);
      }
      record.add(block);
      delays.push(block.eventLoopDelayP99Ms);
    }
    const drained = await drain(subject);
    const serverCpuUs = (subject.cpuUs?.() ?? 0) - cpuBeforeUs;
    const ceiling = await ceilingFor(driver, record.operationsPerSecond, known, connections);
    const residentBytes = subject.memory?.().residentBytes ?? 0;
    return {
      server: record.sample({ serverCpuUs, residentBytes, drained }),
      accounted: subject.cpuUs !== undefined,
      // An unknown server's own time cannot be told from that of its neighbours.
      driver: driverSample(
        ceiling,
        record.operationsPerSecond,
        delays,
        subject.cpuUs === undefined ? undefined : neighbours.cores,
      ),
      loaded,
      cancelled: signal?.aborted === true,
    };
  } finally {
    await driver.close();
  }
}

async function load(subject: SoloSubject, driver: Driver, progress: SoloOptions["progress"]): Promise<LoadResult> {
  const loaded = await driver.load(subject.endpoint);
  progress?.(`loaded ${loaded.rows} rows in ${loaded.seconds.toFixed(1)} s`);
  await drain(subject);
  return loaded;
}

async function drain(subject: SoloSubject): Promise<Drained> {
  const { cpuUs, metricsPort } = subject;
  if (cpuUs === undefined) return { seconds: 0, settled: true, signals: {} };
  return drainServer({ cpuUs: () => cpuUs.call(subject), metricsPort }, drainTimeoutMs);
}

function blockOf(workload: WorkloadSpec, durationMs: number): BlockOptions {
  if (workload.loop === "closed") return { durationMs };
  return { durationMs, operationsPerSecond: workload.operationsPerSecond ?? 1000, schedule: "poisson" };
}

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw new LatheError("CANCELLED", "the benchmark was stopped on request");
}

/**
 * Use case: drive a product, MariaDB, or any server that speaks MySQL, with a contract's workload; a product with an
 * HTTP surface over HTTP, where its contract names `key_value`.
 *
 * The figures describe one server; whether one is better than another is decided by launches
 * (`bench/launch.ts`), not by comparing two of these.
 */
import { join } from "node:path";
import { type BulkPhases, runBulkPhases } from "../bench/bulk-phases.ts";
import { type HttpPhase, runHttpLoad } from "../bench/http-load.ts";
import type { OperationStatistics } from "../bench/measurement.ts";
import { runSolo, type SoloSample, type SoloSubject } from "../bench/solo.ts";
import { surfaceOf } from "../contract/benchmarks.ts";
import type { WorkloadSpec } from "../contract/contract.ts";
import { parseEndpointUrl } from "../fleet/endpoint-url.ts";
import { startMariadb } from "../fleet/mariadb-server.ts";
import { ProcessAccounting, processExists } from "../fleet/process-accounting.ts";
import { startProduct } from "../fleet/product-server.ts";
import { createWorkDirectory } from "../fleet/work-directory.ts";
import { LatheError } from "../kit/errors.ts";
import type { KnobValues } from "../kit/product.ts";
import { buildFromContract } from "./build.ts";
import { loadDrivenContract } from "./contract.ts";
import type { UseCaseContext } from "./use-case.ts";

export interface BenchRequest {
  readonly contractFile: string;
  /** `mysql://user:password@host:port/database`; undefined: a product built for the contract. */
  readonly url: string | undefined;
  /** With `url`: the server's process on this machine, so that its CPU and memory can be told. */
  readonly processId?: number | undefined;
  /** Without `url`: a product that is there already. */
  readonly productDirectory?: string | undefined;
  readonly knobs?: KnobValues | undefined;
  readonly seconds: number;
  readonly warmupSeconds: number;
  /** Undefined: as the contract says. */
  readonly clients: number | undefined;
  readonly scale: number | undefined;
  readonly seed: number;
  /** Whether the tables are created and loaded first. */
  readonly load: boolean;
}

/** `bench --json`. */
export interface BenchResult {
  readonly opsPerSecond: number;
  readonly operations: Readonly<Record<string, OperationStatistics>>;
  /** Null where the server's process is not known. */
  readonly serverCpuUsPerOp: number | null;
  /** The driver, not the server, set the pace: compare CPU per operation, not throughput. */
  readonly driverBound: boolean;
  readonly memoryMiB: number | null;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly errors: number;
  /** Reads whose value was not what had been written. */
  readonly verificationFailures: number;
  /** The first few errors and wrong answers. */
  readonly complaints: readonly string[];
  readonly loadSeconds: number | null;
  readonly driverCeilingOpsPerSecond: number;
  /** Over HTTP: items per second of each operation; a batch counts its items. */
  readonly itemsPerSecond?: Readonly<Record<string, number>>;
  /** Bulk ingest through a product of ours: its phases, an order of magnitude of records at a time. */
  readonly phases?: readonly BulkPhases[];
  /** The server's metrics at the end, where it has any. */
  readonly signals: Readonly<Record<string, number>>;
  /** Whether it was stopped before its time. */
  readonly cancelled: boolean;
}

/**
 * Errors: those of the contract and of `build`; INVALID_ARGUMENT (url), IO_ERROR, PERMISSION, CLOSED,
 * CANCELLED.
 */
export async function runBench(request: BenchRequest, context: UseCaseContext): Promise<BenchResult> {
  const workload = workloadOf(request);
  if (request.url === undefined) return benchProduct(request, workload, context);
  const endpoint = parseEndpointUrl(request.url);
  return measure({ endpoint, ...accountingOf(request.processId) }, request, workload, context);
}

/** MariaDB of this machine with the same workload: a pool that holds the data, every commit flushed. */
export async function benchMariadb(
  request: BenchRequest & { readonly poolMiB?: number | undefined },
  context: UseCaseContext,
): Promise<BenchResult & { readonly version: string; readonly options: readonly string[] }> {
  const workload = workloadOf(request);
  const work = createWorkDirectory("mariadb");
  try {
    const server = await startMariadb({ dataDirectory: work.path, poolMiB: request.poolMiB });
    try {
      context.progress(`MariaDB ${server.version} ${server.options.join(" ")}`);
      const result = await measure(server, { ...request, load: true }, workload, context);
      return { ...result, version: server.version, options: server.options };
    } finally {
      await server.kill();
    }
  } finally {
    work.remove();
  }
}

function workloadOf(request: BenchRequest): WorkloadSpec {
  const { workload } = loadDrivenContract(request.contractFile).contract;
  return { ...workload, clients: request.clients ?? workload.clients, scale: request.scale ?? workload.scale };
}

async function benchProduct(
  request: BenchRequest,
  workload: WorkloadSpec,
  context: UseCaseContext,
): Promise<BenchResult> {
  if (!request.load) {
    const message = "a product that is started for the benchmark has no data: load it, or give --url";
    throw new LatheError("INVALID_ARGUMENT", message);
  }
  const surface = surfaceOf(workload);
  // SNDV-KV's own benchmark has phases; other mixes are driven as those over MySQL are.
  if (surface === "http" && workload.profile === "sndv") return benchHttp(request, workload, context);
  const work = createWorkDirectory("bench");
  try {
    let productDirectory = request.productDirectory;
    if (productDirectory === undefined) {
      productDirectory = join(work.path, "product");
      const built = buildFromContract({ contractFile: request.contractFile, directory: productDirectory });
      context.progress(`built ${built.product}`);
    }
    const { knobs } = request;
    const { signal } = context;
    const phases = workload.benchmark !== "bulk_ingest" ? undefined : await runBulkPhases({
      product: { productDirectory, knobs }, directory: work.path, workload, dataSeed: request.seed, signal,
      progress: (line) => context.progress(line),
    });
    const server = await startProduct({ productDirectory, knobs, dataDirectory: join(work.path, "data"), surface });
    try {
      const result = await measure(server, request, workload, context);
      return phases === undefined ? result : { ...result, phases };
    } finally {
      await server.kill();
    }
  } finally {
    work.remove();
  }
}

/** Puts, batches and gets, one after another, each for a third of the time. */
async function benchHttp(
  request: BenchRequest,
  workload: WorkloadSpec,
  context: UseCaseContext,
): Promise<BenchResult> {
  const work = createWorkDirectory("bench");
  try {
    const productDirectory = request.productDirectory ?? join(work.path, "product");
    if (request.productDirectory === undefined) {
      buildFromContract({ contractFile: request.contractFile, directory: productDirectory });
    }
    const { knobs } = request;
    const dataDirectory = join(work.path, "data");
    const server = await startProduct({ productDirectory, knobs, dataDirectory, surface: "http" });
    try {
      const durationMs = Math.max(300, (request.seconds * 1000) / 3);
      const phases = await runHttpLoad({
        endpoint: server.endpoint, scale: workload.scale, seed: request.seed, connections: workload.clients,
        batchConnections: Math.min(16, workload.clients), batchItems: 100, valueBytes: 64,
        warmUpMs: (request.warmupSeconds * 1000) / 3, durationMs, serverCpuUs: () => server.cpuUs(),
        signal: context.signal,
      });
      return httpResultOf(phases, server.memory().residentBytes, context.signal?.aborted === true);
    } finally {
      await server.kill();
    }
  } finally {
    work.remove();
  }
}

function httpResultOf(phases: readonly HttpPhase[], residentBytes: number, cancelled: boolean): BenchResult {
  const sum = (of: (phase: HttpPhase) => number) => phases.reduce((total, phase) => total + of(phase), 0);
  const requests = sum((phase) => phase.count);
  const items = sum((phase) => phase.itemsPerSecond * phase.seconds);
  const serverUs = sum((phase) => phase.serverCpuUsPerItem * phase.itemsPerSecond * phase.seconds);
  return {
    opsPerSecond: items / sum((phase) => phase.seconds),
    operations: Object.fromEntries(phases.map((phase) => [phase.name, phase])),
    itemsPerSecond: Object.fromEntries(phases.map((phase) => [phase.name, phase.itemsPerSecond])),
    serverCpuUsPerOp: serverUs / items,
    // The driver shares the machine; beyond this it, not the server, sets the pace.
    driverBound: phases.some((phase) => phase.driverCores > 0.9),
    memoryMiB: residentBytes / (1 << 20),
    p50Us: sum((phase) => phase.p50Us * phase.count) / requests,
    p99Us: Math.max(...phases.map((phase) => phase.p99Us)),
    errors: 0,
    verificationFailures: sum((phase) => phase.wrong),
    complaints: phases.flatMap((phase) => phase.complaints),
    loadSeconds: null,
    driverCeilingOpsPerSecond: 0,
    signals: {},
    cancelled,
  };
}

async function measure(
  subject: SoloSubject,
  request: BenchRequest,
  workload: WorkloadSpec,
  context: UseCaseContext,
): Promise<BenchResult> {
  const sample = await runSolo(subject, {
    workload,
    dataSeed: request.seed,
    seed: request.seed + 1,
    load: request.load,
    warmUpMs: request.warmupSeconds * 1000,
    durationMs: request.seconds * 1000,
    signal: context.signal,
    progress: (line) => context.progress(line),
  });
  return resultOf(sample);
}

function resultOf({ server, driver, accounted, loaded, cancelled }: SoloSample): BenchResult {
  const { opsPerSecond, operations, p50Us, p99Us, errors, verificationFailures, complaints = [], signals } = server;
  return {
    opsPerSecond,
    operations,
    serverCpuUsPerOp: accounted ? server.serverCpuUsPerOp : null,
    driverBound: driver.driverBound,
    memoryMiB: accounted ? server.memoryMiB : null,
    p50Us,
    p99Us,
    errors,
    verificationFailures,
    complaints,
    loadSeconds: loaded?.seconds ?? null,
    driverCeilingOpsPerSecond: driver.ceilingOpsPerSecond,
    signals,
    cancelled,
  };
}

function accountingOf(processId: number | undefined): Pick<SoloSubject, "cpuUs" | "memory"> {
  if (processId === undefined) return {};
  if (!processExists(processId)) throw new LatheError("NOT_FOUND", `there is no process ${processId} on this machine`);
  const accounting = new ProcessAccounting(processId);
  return { cpuUs: () => accounting.cpuUs(), memory: () => accounting.memory() };
}

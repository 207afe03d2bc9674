/**
 * What the driver's process is told and what it answers, over the IPC channel between it and the workshop.
 */
import type { WorkloadSpec } from "../contract/contract.ts";
import type { Endpoint } from "../fleet/server.ts";
import type { HistogramSnapshot } from "../kit/histogram.ts";

export type DriverCommand =
  /** Which operations all that follows is about. */
  | { readonly kind: "workload"; readonly spec: WorkloadSpec; readonly dataSeed: number }
  /** Creates the tables and inserts their first content. */
  | { readonly kind: "load"; readonly endpoint: Endpoint; readonly connections: number }
  /** Opens the connections of a target; its streams and its verifier start afresh. */
  | { readonly kind: "connect"; readonly target: string; readonly options: ConnectOptions }
  | { readonly kind: "run"; readonly target: string; readonly block: BlockOptions }
  | { readonly kind: "disconnect"; readonly target: string };

export interface ConnectOptions {
  readonly endpoint: Endpoint;
  readonly connections: number;
  /** Of the clients' streams. */
  readonly seed: number;
  /** Whether rows are looked at; false only for a server that answers fixed rows. */
  readonly verify: boolean;
  /** Whether nobody but these clients has written since the load; true by default. */
  readonly fresh?: boolean | undefined;
}

/** One stretch of load on one target. It ends after `durationMs` or `operations`, whichever is given. */
export type BlockOptions = { readonly durationMs: number } | { readonly operations: number } | OpenLoopBlock;

/**
 * Open loop: operations start when the schedule says so, whether or not earlier ones are done. Where all
 * connections are busy they wait, and the wait is part of their latency.
 */
export interface OpenLoopBlock {
  readonly durationMs: number;
  readonly operationsPerSecond: number;
  readonly schedule: "poisson" | "fixed";
}

export interface BlockResult {
  /** Operations that succeeded. */
  readonly operations: number;
  readonly errors: number;
  /** How often transactions were begun again because of a conflict; those that then succeeded are no errors. */
  readonly conflicts: number;
  readonly verificationFailures: number;
  /** From the block's start to its last completion. */
  readonly seconds: number;
  /** Latency in nanoseconds from the intended start, by operation; successes only. */
  readonly latencies: Readonly<Record<string, HistogramSnapshot>>;
  readonly errorsByOperation: Readonly<Record<string, number>>;
  /** The first few errors and wrong answers, for messages. */
  readonly complaints: readonly string[];
  /** Connections that are gone; the block ends early when all are. */
  readonly connectionsLost: number;
  /**
   * 99th percentile of how long the driver's event loop was busy with one turn: how late it may have seen
   * an answer.
   */
  readonly eventLoopDelayP99Ms: number;
  readonly driverCpuUs: number;
}

export interface LoadResult {
  readonly rows: number;
  readonly seconds: number;
}

export interface DriverRequest {
  readonly id: number;
  readonly command: DriverCommand;
}

export interface DriverResponse {
  readonly id: number;
  readonly value?: BlockResult | LoadResult | undefined;
  readonly error?: { readonly code: string | undefined; readonly message: string } | undefined;
}

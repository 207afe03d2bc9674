/**
 * What a measurement is, from one block to one launch. Plain data: everything here goes into the journal
 * as it is.
 *
 * Words: a *block* is a short stretch (100–250 ms) in which one side is driven; a *side* is `incumbent` or
 * `candidate`; a *launch* starts both sides from one checkpoint, interleaves blocks, and ends with a timed
 * drain. The unit of replication is the launch: decisions test launch estimates (DESIGN: measurement law).
 */
export type Side = "incumbent" | "candidate";

export interface Block {
  readonly side: Side;
  /** Position in the launch, from 0. */
  readonly position: number;
  readonly operations: number;
  readonly errors: number;
  readonly seconds: number;
  readonly serverCpuUs: number;
}

export interface OperationStatistics {
  readonly count: number;
  readonly errors: number;
  readonly meanUs: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly maxUs: number;
}

/** One side over one launch. Latency is from the intended start of an operation. */
export interface SideSample {
  /** Successful operations over the time of the blocks and of the drain. */
  readonly opsPerSecond: number;
  readonly operations: Readonly<Record<string, OperationStatistics>>;
  readonly p50Us: number;
  readonly p99Us: number;
  /** Server CPU (all threads, the drain's included) per operation, in microseconds. */
  readonly serverCpuUsPerOp: number;
  /** Resident memory of the operating system at the end of the launch, in MiB. */
  readonly memoryMiB: number;
  /** Seconds from the last block until the server's background work is done. */
  readonly drainSeconds: number;
  readonly errors: number;
  /** Reads whose value was not what had been written. Any makes the launch invalid. */
  readonly verificationFailures: number;
  /** Metrics of the server at the end (cache hit rate, read amplification, compaction debt), by name. */
  readonly signals: Readonly<Record<string, number>>;
  /** The first few errors and wrong answers, in words. */
  readonly complaints?: readonly string[];
}

export interface DriverSample {
  /** Operations per second that this driver reached on a server that answers fixed rows. */
  readonly ceilingOpsPerSecond: number;
  /** The larger side's throughput over the ceiling. */
  readonly utilisation: number;
  readonly eventLoopDelayP99Ms: number;
  /**
   * Utilisation above 0.7 or event-loop delay above 1 ms: throughput decides nothing, CPU per operation
   * does.
   */
  readonly driverBound: boolean;
  /** Processors that other processes of the machine kept busy meanwhile, where the system says. */
  readonly neighbourCores?: number | undefined;
}

export interface LaunchSample {
  readonly seed: number;
  /** Which side the coin put first (its port, directory, start order and first block). */
  readonly first: Side;
  readonly blocks: readonly Block[];
  readonly incumbent: SideSample;
  readonly candidate: SideSample;
  readonly driver: DriverSample;
  /** Natural logarithms of candidate over incumbent, per statistic. */
  readonly logRatios: Readonly<Record<Statistic, number>>;
  readonly startedAtMs: number;
  readonly wallSeconds: number;
}

/** `cost` is server CPU per operation, inverted so that more is better, as for throughput. */
export type Statistic = "throughput" | "cost" | "p50" | "p99" | "memory";

/** PromptKV's score of one side against the baseline: T/Tb − λL·L/Lb − λM·max(0, exp(M/M0 − 1) − 1). */
export interface ScoreOptions {
  readonly latencyWeight: number;
  readonly memoryWeight: number;
  readonly memoryBaselineMiB: number;
}

/**
 * Use case: drive a product, or any server that speaks MySQL, with a contract's workload.
 */
import { LatheError } from "../kit/errors.ts";
import type { UseCaseContext } from "./use-case.ts";

export interface BenchRequest {
  readonly contractFile: string;
  /** `mysql://user:password@host:port/database`; undefined: a product built for the contract. */
  readonly url: string | undefined;
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
  readonly operations: Readonly<
    Record<string, { readonly count: number; readonly errors: number; readonly meanUs: number; readonly p50Us: number;
      readonly p99Us: number; readonly maxUs: number }>
  >;
  readonly serverCpuUsPerOp: number | undefined;
  readonly driverBound: boolean;
  readonly memoryMiB: number | undefined;
}

/** Errors: UNAVAILABLE, IO_ERROR, CANCELLED. */
export async function runBench(request: BenchRequest, context: UseCaseContext): Promise<BenchResult> {
  void context;
  throw new LatheError("UNAVAILABLE", `the driver is not wired to the command line yet (${request.contractFile})`);
}

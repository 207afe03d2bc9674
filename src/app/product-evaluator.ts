/**
 * ProductEvaluator: what a study asks of a real product: gates over its process, launches against
 * checkpoints.
 */
import { mkdirSync, mkdtempSync, rmSync, statfsSync } from "node:fs";
import { join } from "node:path";
import { measureCeiling } from "../bench/ceiling.ts";
import { Driver } from "../bench/driver.ts";
import { type Contender, productContender } from "../bench/launch-side.ts";
import { type LaunchOptions, runLaunch } from "../bench/launch.ts";
import type { LaunchSample } from "../bench/measurement.ts";
import { surfaceOf } from "../contract/benchmarks.ts";
import type { WorkloadSpec } from "../contract/contract.ts";
import { gatesOf } from "../gates/gate-table.ts";
import type { Gate, GateVerdict } from "../gates/gate.ts";
import { isAdmitted, runGates } from "../gates/run-gates.ts";
import { LatheError } from "../kit/errors.ts";
import type { Knob } from "../knobs/knob.ts";
import type { Candidate } from "../search/candidate.ts";
import type { Evaluator, GateRequest, LaunchRequest, PrepareRequest } from "../study/evaluator.ts";
import { CheckpointStore } from "./checkpoint-store.ts";

export interface ProductEvaluatorOptions {
  readonly productDirectory: string;
  readonly workDirectory: string;
  readonly workload: WorkloadSpec;
  /** What the product speaks; `mysql` by default. */
  readonly protocols?: readonly string[] | undefined;
  readonly table: readonly Knob[];
  readonly progress: (line: string) => void;
  /** Which gates run; the tables of `gates/gate-table.ts` where nothing is said. */
  readonly gates?: { readonly product: readonly Gate[]; readonly candidate: readonly Gate[] } | undefined;
  /** How long a launch is; the defaults of `bench/launch.ts` where nothing is said. */
  readonly launch?: LaunchSize | undefined;
}

/** With less room than this, a failure says nothing of the product: two servers take about half of it. */
const roomMiBMin = 256;

export type LaunchSize = Pick<LaunchOptions, "warmUpMs" | "blockMs" | "blockPairs">;

export class ProductEvaluator implements Evaluator {
  readonly checkpoints: CheckpointStore;
  readonly #options: ProductEvaluatorOptions;
  readonly #scratch: string;
  #ceiling: Promise<number> | undefined;

  constructor(options: ProductEvaluatorOptions) {
    this.#options = options;
    const { productDirectory, workload, table, progress } = options;
    this.checkpoints = new CheckpointStore({
      directory: join(options.workDirectory, "checkpoints"),
      productDirectory,
      workload,
      table,
      progress,
    });
    const scratch = join(options.workDirectory, "scratch");
    // What a killed study left behind.
    rmSync(scratch, { recursive: true, force: true });
    mkdirSync(scratch, { recursive: true });
    this.#scratch = scratch;
  }

  gate(request: GateRequest): Promise<GateVerdict[]> {
    return this.#orFullDisk(this.#gate(request), isAdmitted);
  }

  prepare(request: PrepareRequest): Promise<void> {
    return this.#orFullDisk(this.#prepare(request));
  }

  launch(request: LaunchRequest): Promise<LaunchSample> {
    return this.#orFullDisk(this.#launch(request));
  }

  async #gate(request: GateRequest): Promise<GateVerdict[]> {
    const gates = this.#options.gates?.[request.stage] ?? gatesOf(this.#options.protocols ?? ["mysql"], request.stage);
    const workDirectory = mkdtempSync(join(this.#scratch, "gates-"));
    try {
      return await runGates(
        gates,
        {
          productDirectory: this.#options.productDirectory,
          knobs: request.candidate.knobs,
          seed: request.seed,
          workDirectory,
          signal: request.signal,
        },
        {
          all: request.stage === "product",
          onVerdict: ({ gate, verdict, reason, seconds }) => {
            const mark = verdict === "admit" ? "✓" : "✗";
            this.#options.progress(`  ${mark} ${gate} (${seconds.toFixed(1)} s): ${reason}`);
          },
        },
      );
    } finally {
      rmSync(workDirectory, { recursive: true, force: true, maxRetries: 3 });
    }
  }

  async #prepare(request: PrepareRequest): Promise<void> {
    await this.checkpoints.of(request.candidate, request.workloadSeed, request.signal);
  }

  async #launch(request: LaunchRequest): Promise<LaunchSample> {
    const { workload } = this.#options;
    return runLaunch({
      ...this.#options.launch,
      workload,
      dataSeed: request.workloadSeed,
      seed: request.seed,
      incumbent: await this.#contender(request.incumbent, request),
      candidate: await this.#contender(request.candidate, request),
      workDirectory: join(this.#scratch, "launch"),
      ceilingOpsPerSecond: await this.ceiling(),
      signal: request.signal,
    });
  }

  /** Rejects with DISK_FULL where something went wrong while there was no room. */
  async #orFullDisk<Result>(
    call: Promise<Result>,
    wentWell: (result: Result) => boolean = () => true,
  ): Promise<Result> {
    const ended = await call.then((result) => ({ result }), (error: unknown) => ({ error }));
    if ("result" in ended && wentWell(ended.result)) return ended.result;
    const { bavail, bsize } = statfsSync(this.#options.workDirectory);
    const roomMiB = Math.floor((bavail * bsize) / 2 ** 20);
    if (roomMiB < roomMiBMin) {
      const message =
        `${roomMiB} MiB are left on the disk of ${this.#options.workDirectory}, and a launch needs ` +
        `${roomMiBMin} MiB beside the data; make room and give the same command again`;
      const cause = "error" in ended ? ended.error : undefined;
      throw new LatheError("DISK_FULL", message, { cause, details: { machineFailure: true } });
    }
    if ("error" in ended) throw ended.error;
    return ended.result;
  }

  async close(): Promise<void> {
    rmSync(this.#scratch, { recursive: true, force: true, maxRetries: 3 });
  }

  /** The driver's ceiling on this machine, measured once per study and process. */
  ceiling(): Promise<number> {
    this.#ceiling ??= this.#measureCeiling().catch((error: unknown) => {
      // One that failed is measured again.
      this.#ceiling = undefined;
      throw error;
    });
    return this.#ceiling;
  }

  async #measureCeiling(): Promise<number> {
    const driver = await Driver.start(this.#options.workload, 1);
    try {
      const measured = await measureCeiling(driver, { connections: this.#options.workload.clients });
      const ceiling = Math.round(measured.operationsPerSecond).toLocaleString("en");
      this.#options.progress(`the driver's ceiling is ${ceiling} operations per second`);
      return measured.operationsPerSecond;
    } finally {
      await driver.close();
    }
  }

  async #contender(candidate: Candidate, { workloadSeed, signal }: LaunchRequest): Promise<Contender> {
    return productContender({
      productDirectory: this.#options.productDirectory,
      knobs: candidate.knobs,
      surface: surfaceOf(this.#options.workload),
      checkpointDirectory: await this.checkpoints.of(candidate, workloadSeed, signal),
    });
  }
}

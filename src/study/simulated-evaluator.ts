/**
 * A simulated system under study: the truth about every candidate is known, the noise is drawn from
 * the launch's seed, and time is virtual. Used to test the study itself, thousands of studies at a
 * time, and to show what a report looks like.
 *
 * Model of a launch: each side's process has an effect of its own (it differs between launches of
 * the same code), skewed towards slow; the side that comes first has an advantage; the machine
 * drifts. All of it is symmetric in the sides but for the truth, as the harness's coin makes it on
 * a real machine.
 */
import type {
  Block,
  LaunchSample,
  OperationStatistics,
  Side,
  SideSample,
} from "../bench/measurement.ts";
import { SeededRandom } from "../bench/statistics/seeded-random.ts";
import type { GateVerdict } from "../gates/gate.ts";
import { LatheError } from "../kit/errors.ts";
import type { Candidate } from "../search/candidate.ts";
import type { Evaluator, GateRequest, LaunchRequest, PrepareRequest } from "./evaluator.ts";
import type { VirtualClock } from "./virtual-clock.ts";

/** What is true of a candidate, relative to the defaults. */
export interface Truth {
  /** Natural logarithm of its throughput over that of the defaults. */
  readonly logThroughput?: number | undefined;
  readonly logP99?: number | undefined;
  readonly memoryMiB?: number | undefined;
  readonly behaviour?:
    "rejected" | "unpreparable" | "dies" | "hangs" | "answers wrongly" | undefined;
}

export interface SimulationOptions {
  readonly clock: VirtualClock;
  readonly truthOf: (candidate: Candidate) => Truth;
  /** Standard deviation of the log ratio between launches of the same code. */
  readonly noise: number;
  /** Share of the noise that is one-sided: now and then a process is slow. 0 to 1. */
  readonly skew?: number | undefined;
  /** Log advantage of the side that comes first. */
  readonly firstAdvantage?: number | undefined;
  /** Amplitude of a slow swing of the whole machine, in log throughput. */
  readonly drift?: number | undefined;
  readonly driverBound?: boolean | undefined;
  readonly launchSeconds?: number | undefined;
  /** For a content that is not there; half of it for one that is. */
  readonly prepareSeconds?: number | undefined;
  readonly gateSeconds?: number | undefined;
  readonly baselineOpsPerSecond?: number | undefined;
  readonly baselineMemoryMiB?: number | undefined;
  /** Where given, the product's gates reject the defaults for this reason. */
  readonly productRejection?: string | undefined;
}

/** Names, shares and mean latencies of the operations that a launch reports. */
const operationMix: readonly (readonly [name: string, share: number, meanUs: number])[] = [
  ["READ", 0.967, 340],
  ["READTRANSACTION", 0.028, 1350],
  ["UPDATE", 0.0014, 2900],
  ["WRITE", 0.0023, 2700],
  ["INSERT", 0.0009, 2800],
  ["WRITETRANSACTION", 0.0004, 3900],
];
const driftPeriodSeconds = 600;
const blocksPerLaunch = 8;

export class SimulatedEvaluator implements Evaluator {
  /** Calls so far, by kind; for tests. */
  readonly #contents = new Set<number>();
  readonly calls = { gate: 0, prepare: 0, launch: 0, close: 0 };
  private readonly options: SimulationOptions;

  constructor(options: SimulationOptions) {
    this.options = options;
  }

  async gate(request: GateRequest): Promise<GateVerdict[]> {
    this.calls.gate++;
    const { clock, gateSeconds = 2, productRejection, truthOf } = this.options;
    clock.advance(gateSeconds * 1000);
    const seconds = gateSeconds / 2;
    const fine: GateVerdict = {
      gate: "bounds",
      verdict: "admit",
      reason: "every knob is in range and every constraint holds",
      evidence: {},
      seconds,
    };
    const rejection = request.stage === "product" ? productRejection : undefined;
    const wrong = rejection !== undefined || truthOf(request.candidate).behaviour === "rejected";
    const reason =
      rejection ??
      (wrong
        ? "after 312 operations: a read returned a deleted row"
        : "400 operations agree with the model");
    return [
      fine,
      {
        gate: "differential",
        verdict: wrong ? "reject" : "admit",
        reason,
        evidence: { seed: request.seed },
        seconds,
      },
    ];
  }

  async prepare(request: PrepareRequest): Promise<void> {
    this.calls.prepare++;
    const loadSeconds = this.options.prepareSeconds ?? 3;
    this.options.clock.advance((this.#contents.has(request.workloadSeed) ? loadSeconds / 2 : loadSeconds) * 1000);
    this.#contents.add(request.workloadSeed);
    if (this.options.truthOf(request.candidate).behaviour !== "unpreparable") return;
    throw new LatheError("DISK_FULL", "no space is left for the checkpoint");
  }

  async launch(request: LaunchRequest): Promise<LaunchSample> {
    this.calls.launch++;
    const { clock, launchSeconds = 4, truthOf } = this.options;
    const { behaviour } = truthOf(request.candidate);
    if (behaviour === "hangs") return clock.hang(request.signal);
    const startedAtMs = clock.nowMs();
    clock.advance(launchSeconds * 1000);
    if (behaviour === "dies")
      throw new LatheError("CLOSED", "the server ended with exit code 1 while it was measured");
    return this.sample(request, startedAtMs, launchSeconds);
  }

  async close(): Promise<void> {
    this.calls.close++;
  }

  private sample(request: LaunchRequest, startedAtMs: number, wallSeconds: number): LaunchSample {
    const random = new SeededRandom(request.seed);
    const first: Side = random.coin() ? "incumbent" : "candidate";
    const swing =
      (this.options.drift ?? 0) * Math.sin((2 * Math.PI * startedAtMs) / 1000 / driftPeriodSeconds);
    const sideOf = (side: Side) => this.side(request[side], side === first, swing, random);
    const incumbent = sideOf("incumbent");
    const candidate = sideOf("candidate");
    const log = (of: (side: SideSample) => number) => Math.log(of(candidate) / of(incumbent));
    const driverBound = this.options.driverBound ?? false;
    const ceilingOpsPerSecond = driverBound ? 24_000 : 90_000;
    return {
      seed: request.seed,
      first,
      blocks: blocksOf(incumbent, candidate, first, random),
      incumbent,
      candidate,
      driver: {
        ceilingOpsPerSecond,
        utilisation: Math.max(incumbent.opsPerSecond, candidate.opsPerSecond) / ceilingOpsPerSecond,
        eventLoopDelayP99Ms: 0.4,
        driverBound,
      },
      logRatios: {
        throughput: log((side) => side.opsPerSecond),
        cost: -log((side) => side.serverCpuUsPerOp),
        p50: log((side) => side.p50Us),
        p99: log((side) => side.p99Us),
        memory: log((side) => side.memoryMiB),
      },
      startedAtMs,
      wallSeconds,
    };
  }

  private side(
    candidate: Candidate,
    isFirst: boolean,
    swing: number,
    random: SeededRandom,
  ): SideSample {
    const {
      noise,
      skew = 0,
      firstAdvantage = 0,
      baselineOpsPerSecond = 21_000,
      baselineMemoryMiB = 96,
    } = this.options;
    const truth = this.options.truthOf(candidate);
    // Half of the variance of a log ratio comes from each side.
    const each = noise / Math.SQRT2;
    const slow = skew * each * (1 + Math.log(1 - random.next()));
    const own = Math.sqrt(1 - skew ** 2) * each * random.normal() + slow;
    const effect = (truth.logThroughput ?? 0) + own + swing + (isFirst ? firstAdvantage : 0);
    const opsPerSecond = baselineOpsPerSecond * Math.exp(effect);
    const tail = Math.exp(
      (truth.logP99 ?? -(truth.logThroughput ?? 0)) + 2 * each * random.normal(),
    );
    const stretch = baselineOpsPerSecond / opsPerSecond;
    const operations = Object.fromEntries(
      operationMix.map(([name, share, meanUs]) => [
        name,
        operationOf(share * opsPerSecond * 2, meanUs * stretch, tail / stretch),
      ]),
    );
    return {
      opsPerSecond,
      operations,
      p50Us: 310 * stretch,
      p99Us: 1400 * tail,
      serverCpuUsPerOp: 46 * Math.exp(-(truth.logThroughput ?? 0) - own / 2),
      memoryMiB: (truth.memoryMiB ?? baselineMemoryMiB) * Math.exp(0.004 * random.normal()),
      drainSeconds: 0.2 + 0.1 * random.next(),
      errors: 0,
      verificationFailures: truth.behaviour === "answers wrongly" ? 3 : 0,
      signals: {
        cache_hit_rate: Math.min(0.999, 0.82 + 0.1 * (truth.logThroughput ?? 0)),
        read_amplification: 1.4,
      },
    };
  }
}

function operationOf(count: number, meanUs: number, tail: number): OperationStatistics {
  return {
    count: Math.round(count),
    errors: 0,
    meanUs,
    p50Us: meanUs * 0.92,
    p99Us: meanUs * 4.1 * tail,
    maxUs: meanUs * 19 * tail,
  };
}

function blocksOf(
  incumbent: SideSample,
  candidate: SideSample,
  first: Side,
  random: SeededRandom,
): Block[] {
  const second: Side = first === "incumbent" ? "candidate" : "incumbent";
  return Array.from({ length: blocksPerLaunch }, (_, position) => {
    // ABBA: neighbours swap places, so that a trend within the launch cancels.
    const side = position % 4 === 0 || position % 4 === 3 ? first : second;
    const { opsPerSecond, serverCpuUsPerOp } = side === "incumbent" ? incumbent : candidate;
    const seconds = 0.2;
    const operations = Math.round(opsPerSecond * seconds * Math.exp(0.02 * random.normal()));
    return {
      side,
      position,
      operations,
      errors: 0,
      seconds,
      serverCpuUs: operations * serverCpuUsPerOp,
    };
  });
}

/**
 * The confirmation test: is the candidate better than the incumbent? Decided launch by launch.
 *
 * Purpose: keeps a candidate that is no better with probability at most α, however often one looks,
 *   whatever the noise.
 * Setting: d_i is the log ratio candidate/incumbent of launch i, and the harness drew by coin which side
 *   came first. If both sides are the same, then given the past and |d_i| the sign of d_i is a fair coin,
 *   whatever the drift, skew or autocorrelation of the machine: swapping the sides flips the sign and
 *   nothing else.
 * Algorithm:
 *   1. Before launch i, fix a bet as a function of the magnitude: b_k(|d|) = min(betMax, tanh(λ_k · |d|)),
 *      for three λ_k. tanh(λ|d|) is the best bet on normal noise, where λ = effect / noise² (it is the
 *      likelihood ratio of the sign).
 *   2. After it, wealth_k ×= 1 + b_k(|d_i|) · sign(d_i). A fair coin makes each factor 1 on average, so
 *      each wealth_k, and their mean W, is a nonnegative martingale that starts at 1.
 *   3. Keep when W ≥ 1/α. By Ville's inequality that happens with probability ≤ α under the null, ever. If
 *      the candidate is worse, W is a supermartingale and the probability is smaller.
 *   4. Give up (futile) when W cannot reach 1/α within `launchesMax`, or when even an optimistic estimate
 *      of the effect is below half of `effectMin`. Stopping early for futility can only lower the
 *      false-keep rate.
 * Invariants: noise, effectMin and the λ_k steer power only, never validity. `betMax` < 1 keeps one
 *   outlier from ruining the wealth for good: a lost bet of 0.9 costs 3.3 bits, and a launch wins at most
 *   log2(1.9) = 0.93 bits.
 * Source: Ramdas et al., "Game-theoretic statistics and safe anytime-valid inference" (2023), symmetric
 *   case after de la Peña (1999); Fisher's sign-flip test for the null.
 */
import { LatheError } from "../../kit/errors.ts";
import { requireAlpha } from "./alpha-spending.ts";
import { mean, percentOf, standardDeviation } from "./summary.ts";

export interface SequentialTestOptions {
  /** The probability of a false keep that this confirmation may spend. */
  readonly alpha: number;
  /** Standard deviation of d between A/A launches, from calibration. */
  readonly noise: number;
  /** The smallest effect (difference of logarithms) that is worth confirming. */
  readonly effectMin: number;
  readonly launchesMax: number;
}

export type SequentialDecision = "continue" | "keep" | "futile";

/** Everything that is needed to go on, or to reproduce the decision; plain data for the journal. */
export interface SequentialTestState {
  readonly options: SequentialTestOptions;
  readonly logRatios: readonly number[];
  readonly wealth: number;
  readonly decision: SequentialDecision;
  readonly reason: string;
}

export const betMax = 0.9;
const multiples = [0.5, 1, 2] as const;
const optimism = 1.645;

/** The fewest launches in which a test at `alpha` can keep anything. */
export function launchesToKeep(alpha: number): number {
  return Math.ceil(Math.log(1 / alpha) / Math.log1p(betMax));
}

export function createSequentialTest(options: SequentialTestOptions): SequentialTest {
  return new SequentialTest(options);
}

/** Replays a state. Errors: CORRUPTION where its launches do not lead to its decision and wealth. */
export function resumeSequentialTest(state: SequentialTestState): SequentialTest {
  const test = new SequentialTest(state.options);
  for (const logRatio of state.logRatios) test.observe(logRatio);
  if (test.decision !== state.decision || Math.abs(test.wealth - state.wealth) > 1e-9 * state.wealth) {
    throw new LatheError(
      "CORRUPTION",
      `the recorded confirmation says ${state.decision} at wealth ${state.wealth}, its ` +
        `${test.launches} launches say ${test.decision} at ${test.wealth}`,
    );
  }
  return test;
}

export class SequentialTest {
  decision: SequentialDecision = "continue";
  /** Why the decision stands as it does; one sentence. */
  reason = "no launch yet";
  private readonly options: SequentialTestOptions;
  private readonly lambdas: readonly number[];
  private readonly logWealths: number[];
  private readonly logRatios: number[] = [];

  constructor(options: SequentialTestOptions) {
    requireOptions(options);
    this.options = options;
    this.lambdas = multiples.map((multiple) => (multiple * options.effectMin) / options.noise ** 2);
    this.logWealths = this.lambdas.map(() => 0);
  }

  get launches(): number {
    return this.logRatios.length;
  }

  get wealth(): number {
    return Math.exp(this.logWealth);
  }

  /** Mean log ratio so far; zero before the first launch. Biased once the test has stopped. */
  get estimate(): number {
    return this.logRatios.length === 0 ? 0 : mean(this.logRatios);
  }

  /** Takes the log ratio of the next launch. A decision other than `continue` is final. */
  observe(logRatio: number): SequentialDecision {
    if (this.decision !== "continue") {
      const message = `the confirmation ended with "${this.decision}"; it takes no more launches`;
      throw new LatheError("CLOSED", message);
    }
    if (!Number.isFinite(logRatio)) {
      const message = `the log ratio of a launch is ${logRatio}; it must be finite`;
      throw new LatheError("INVALID_ARGUMENT", message);
    }
    this.logRatios.push(logRatio);
    this.lambdas.forEach((lambda, k) => {
      const bet = Math.min(betMax, Math.tanh(lambda * Math.abs(logRatio)));
      this.logWealths[k] += Math.log1p(bet * Math.sign(logRatio));
    });
    this.decide();
    return this.decision;
  }

  state(): SequentialTestState {
    return {
      options: this.options,
      logRatios: [...this.logRatios],
      wealth: this.wealth,
      decision: this.decision,
      reason: this.reason,
    };
  }

  private get logWealth(): number {
    const largest = Math.max(...this.logWealths);
    const sum = this.logWealths.reduce((total, value) => total + Math.exp(value - largest), 0);
    return largest + Math.log(sum / this.logWealths.length);
  }

  private decide(): void {
    const { alpha, noise, effectMin, launchesMax } = this.options;
    const logBound = -Math.log(alpha);
    const left = launchesMax - this.launches;
    const odds = `evidence ${this.wealth.toPrecision(3)} of ${(1 / alpha).toPrecision(3)} needed`;
    const spread = Math.max(noise, standardDeviation(this.logRatios)) / Math.sqrt(this.launches);
    const optimistic = this.estimate + optimism * spread;
    if (this.logWealth >= logBound) {
      this.decision = "keep";
      this.reason = `better by about ${percentOf(this.estimate)} after ${this.launches} launches (${odds})`;
    } else if (this.logWealth + left * Math.log1p(betMax) < logBound) {
      this.decision = "futile";
      this.reason = `${odds} after ${this.launches} launches, out of reach in the ${left} that are left`;
    } else if (optimistic < effectMin / 2) {
      this.decision = "futile";
      this.reason =
        `even an optimistic estimate, ${percentOf(optimistic)}, is below half of the smallest effect worth ` +
        `confirming, ${percentOf(effectMin)}`;
    } else {
      this.reason = `${odds} after ${this.launches} of at most ${launchesMax} launches`;
    }
  }
}

function requireOptions(options: SequentialTestOptions): void {
  requireAlpha(options.alpha);
  for (const name of ["noise", "effectMin"] as const) {
    if (!(options[name] > 0 && Number.isFinite(options[name]))) {
      const message = `${name} of a confirmation must be positive, not ${options[name]}`;
      throw new LatheError("INVALID_ARGUMENT", message);
    }
  }
  if (!Number.isInteger(options.launchesMax) || options.launchesMax < 1) {
    const message = `launchesMax must be a positive integer, not ${options.launchesMax}`;
    throw new LatheError("INVALID_ARGUMENT", message);
  }
}

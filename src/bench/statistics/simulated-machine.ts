/**
 * Machines that a study can be run on without measuring anything: a model of what real launches do, and a
 * deck of recorded A/A launches. They exist to find out whether the statistics keep their promises.
 *
 * The model: the harness has two places (port, directory, turn), first and second; a launch compares them.
 * What makes two launches of the same code differ, in units of the standard deviation `noise` of their log
 * ratio:
 *   1. each place draws a persistent effect per launch, skewed as timings are (lognormal), the first one
 *      more so: 70 % of the variance;
 *   2. an autocorrelated difference between the places (a noisy neighbour that stays for a while; AR(1),
 *      0.7): 30 %;
 *   3. on top, a drift: the second place grows slower with every launch (heat, fragmentation);
 *   4. now and then an outlier of several times the noise.
 * The coin decides which side gets which place. Without it the drift is credited to one side.
 */
import { LatheError } from "../../kit/errors.ts";
import type { SeededRandom } from "./seeded-random.ts";
import { requireSample } from "./summary.ts";

export interface SimulatedMachine {
  /** Log ratio candidate/incumbent of the next launch, given the true log ratio. */
  launch(effect: number): number;
}

export interface MachineModel {
  /** Standard deviation of the log ratio between launches of the same code, at the start of the study. */
  readonly noise: number;
  /** Difference between the places that each launch adds, in units of `noise`; 0.02 by default. */
  readonly driftPerLaunch?: number | undefined;
  /** Probability of an outlier of four times the noise; 0.02 by default. */
  readonly outlierRate?: number | undefined;
  /** False plants a bug: the candidate always gets the first place. */
  readonly coin?: boolean | undefined;
}

const autocorrelation = 0.7;
const skew = 0.8;

/** A machine as the model describes it. */
export function modelMachine(model: MachineModel, random: SeededRandom): SimulatedMachine {
  const { noise, driftPerLaunch = 0.02, outlierRate = 0.02, coin = true } = model;
  const placeNoise = noise * Math.sqrt(0.7 / 2);
  const neighbourNoise = noise * Math.sqrt(0.3);
  let neighbour = neighbourNoise * random.normal();
  let launches = 0;
  return {
    launch(effect) {
      neighbour =
        autocorrelation * neighbour + Math.sqrt(1 - autocorrelation ** 2) * neighbourNoise * random.normal();
      const first = placeNoise * skewed(random);
      const second = placeNoise * random.normal();
      const outlier = random.next() < outlierRate ? 4 * noise * random.normal() : 0;
      const drift = noise * driftPerLaunch * launches++;
      const placeDifference = first - second + neighbour + outlier + drift;
      return effect + (coin && random.coin() ? -placeDifference : placeDifference);
    },
  };
}

/**
 * A machine that replays recorded A/A log ratios: runs of ten neighbouring launches, so that their
 * drift and autocorrelation stay, with labels drawn anew.
 */
export function recordedMachine(aaLogRatios: readonly number[], random: SeededRandom): SimulatedMachine {
  requireSample(aaLogRatios);
  if (aaLogRatios.length < 2) {
    throw new LatheError("INVALID_ARGUMENT", "resampling needs at least two launches");
  }
  const runLength = Math.min(10, aaLogRatios.length);
  let position = 0;
  let left = 0;
  return {
    launch(effect) {
      if (left === 0) {
        position = random.integer(aaLogRatios.length);
        left = runLength;
      }
      const recorded = aaLogRatios[position];
      position = (position + 1) % aaLogRatios.length;
      left--;
      return effect + (random.coin() ? recorded : -recorded);
    },
  };
}

/** Lognormal with mean 0 and standard deviation 1. */
function skewed(random: SeededRandom): number {
  const variance = Math.expm1(skew ** 2) * Math.exp(skew ** 2);
  return (Math.exp(skew * random.normal()) - Math.exp(skew ** 2 / 2)) / Math.sqrt(variance);
}

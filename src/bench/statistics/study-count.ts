/**
 * Runs many simulated studies and counts how they ended: the evidence behind what the statistics
 * promise.
 */
import { proportionLower, proportionUpper } from "./proportion.ts";
import { SeededRandom } from "./seeded-random.ts";
import type { MachineModel } from "./simulated-machine.ts";
import { modelMachine } from "./simulated-machine.ts";
import type { SimulatedStudy, SimulatedStudyOptions } from "./simulated-study.ts";
import { simulateStudy } from "./simulated-study.ts";

export interface StudyCount {
  readonly studies: number;
  /** Studies that kept at least one candidate that was no better. */
  readonly falseKeep: Rate;
  /** Studies that kept any candidate. */
  readonly anyKeep: Rate;
  /** Studies whose quoted interval covers the truth. */
  readonly covered: Rate;
  readonly launchesMean: number;
  readonly confirmationsMean: number;
}

/** A proportion with one-sided 95 % bounds. */
export interface Rate {
  readonly rate: number;
  readonly lower: number;
  readonly upper: number;
}

/** Study `i` runs on a machine with seed `seed + i`. */
export function countStudies(
  studies: number,
  seed: number,
  model: MachineModel,
  options: SimulatedStudyOptions,
): StudyCount {
  return countOutcomes(studies, (study) => {
    return simulateStudy(modelMachine(model, new SeededRandom(seed + study)), options);
  });
}

export function countOutcomes(studies: number, run: (study: number) => SimulatedStudy): StudyCount {
  let falseKeeps = 0;
  let keeps = 0;
  let covered = 0;
  let launches = 0;
  let confirmations = 0;
  for (let study = 0; study < studies; study++) {
    const outcome = run(study);
    if (outcome.falseKeeps > 0) falseKeeps++;
    if (outcome.kept.length > 0) keeps++;
    if (outcome.interval.low <= outcome.truth && outcome.truth <= outcome.interval.high) covered++;
    launches += outcome.launches;
    confirmations += outcome.confirmations;
  }
  return {
    studies,
    falseKeep: rateOf(falseKeeps, studies),
    anyKeep: rateOf(keeps, studies),
    covered: rateOf(covered, studies),
    launchesMean: launches / studies,
    confirmationsMean: confirmations / studies,
  };
}

export function rateOf(hits: number, trials: number): Rate {
  return {
    rate: hits / trials,
    lower: proportionLower(hits, trials, 0.95),
    upper: proportionUpper(hits, trials, 0.95),
  };
}

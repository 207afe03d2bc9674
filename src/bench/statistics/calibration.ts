/**
 * Calibration: what can this machine, with this budget, tell apart at all?
 *
 * Purpose: A/A launches (both sides the same) give the noise of a launch estimate; from it follow the
 *   smallest effect that the budget confirms with 90 % power and the number of launches that a
 *   confirmation may take. Printed before any search, so that nobody waits for a study that cannot succeed.
 * Algorithm:
 *   1. noise = root mean square of the A/A log ratios (their true mean is zero by the coin; no degree of
 *      freedom is lost).
 *   2. launchesMax = what the budget buys, at most 40.
 *   3. effectMin: bisection for the effect at which a simulated confirmation (the very `SequentialTest`)
 *      keeps in 93 % of the runs. A few launches know the noise only roughly, so each run draws the true
 *      noise from n · noise² / χ²_n.
 *   4. If that is smaller than is worth having (1 %), the effect is raised to 1 % and the launches are cut
 *      to what it needs.
 * The simulation is seeded and scale-free (effects in units of noise), so its results are remembered.
 */
import type { Block } from "../measurement.ts";
import { LatheError } from "../../kit/errors.ts";
import { alphaForConfirmation, requireAlpha } from "./alpha-spending.ts";
import { SeededRandom } from "./seeded-random.ts";
import { createSequentialTest, launchesToKeep } from "./sequential-test.ts";
import { percentOf, rootMeanSquare, standardDeviation } from "./summary.ts";

export interface CalibrationOptions {
  /** Wall time of one launch of both sides. */
  readonly launchSeconds: number;
  /** What one confirmation may cost; what screening and re-measurement need has been taken off. */
  readonly budgetSeconds: number;
  /** The rest of the study's budget: what has been spent, and what screening and re-measurement need; 0 by default. */
  readonly otherSeconds?: number | undefined;
  /** α of the whole study. */
  readonly alpha: number;
  /** Which confirmation of the study this is about (see `alphaForConfirmation`); 1 by default. */
  readonly confirmation?: number | undefined;
  /** Smaller effects are not worth launches; log 1.01 by default. */
  readonly effectFloor?: number | undefined;
  /** A study that can confirm only more than this cannot succeed; log 1.25 by default. */
  readonly effectGoal?: number | undefined;
  /** Standard error within launches (`withinLaunchNoise`), for the sentence. */
  readonly withinLaunchNoise?: number | undefined;
}

export interface Calibration {
  /** Standard deviation of the log ratio between launches of the same code. */
  readonly noise: number;
  /**
   * The smallest log ratio that the budget confirms with 90 % power; infinite where it confirms
   * nothing.
   */
  readonly effectMin: number;
  /** Launches that a confirmation may take. */
  readonly launchesMax: number;
  readonly feasible: boolean;
  readonly sentence: string;
}

/** No clock and no machine is quieter than this; also guards against A/A launches that are all equal. */
const noiseFloor = 0.001;
const launchesCap = 40;
const power = 0.9;
/**
 * What the simulation must reach to state 90 %: it draws normal noise, and real noise drifts and
 * lingers.
 */
const simulatedPowerMin = 0.93;
const simulatedRuns = 1000;

/** Errors: INVALID_ARGUMENT for fewer than two A/A launches or options that are not positive. */
export function calibrate(aaLogRatios: readonly number[], options: CalibrationOptions): Calibration {
  requireOptions(aaLogRatios, options);
  const { launchSeconds, budgetSeconds, confirmation = 1 } = options;
  const alpha = alphaForConfirmation(confirmation, options.alpha);
  const noise = Math.max(noiseFloor, rootMeanSquare(aaLogRatios));
  const affordable = Math.min(launchesCap, Math.floor(budgetSeconds / launchSeconds));
  const needed = launchesToKeep(alpha);
  if (affordable < needed) {
    const sentence =
      `${noiseSentence(noise, options)} A confirmation needs at least ${needed} launches of ` +
      `${seconds(launchSeconds)}; the budget pays for ${affordable}, so this study cannot succeed. ` +
      `Give it ${seconds(Math.ceil((options.otherSeconds ?? 0) + needed * launchSeconds))} or more.`;
    return { noise, effectMin: Infinity, launchesMax: Math.max(1, affordable), feasible: false, sentence };
  }
  const floor = options.effectFloor ?? Math.log(1.01);
  const design = chooseDesign(noise, affordable, alpha, aaLogRatios.length, floor);
  const goal = options.effectGoal ?? Math.log(1.25);
  const feasible = design.effectMin <= goal;
  const verdict = feasible
    ? ""
    : ` That is more than ${percentOf(goal)}: on this machine, with this budget, the study cannot succeed.`;
  const sentence =
    `${noiseSentence(noise, options)} With up to ${design.launchesMax} launches of ` +
    `${seconds(launchSeconds)} a gain of ${percentOf(design.effectMin)} or more is ` +
    `confirmed with ${power * 100} % power.${verdict}`;
  return { noise, ...design, feasible, sentence };
}

/**
 * Standard error of a launch estimate as its own blocks would have it: neighbouring blocks of different
 * sides are paired. It misses what differs between launches, which is why decisions never rest on it.
 * Undefined with fewer than two pairs.
 */
export function withinLaunchNoise(blocks: readonly Block[]): number | undefined {
  const logRatios: number[] = [];
  for (let first = 0; first + 1 < blocks.length; first += 2) {
    const pair = [blocks[first], blocks[first + 1]];
    const candidate = pair.find((block) => block.side === "candidate");
    const incumbent = pair.find((block) => block.side === "incumbent");
    if (candidate === undefined || incumbent === undefined) continue;
    const ratio = candidate.operations / candidate.seconds / (incumbent.operations / incumbent.seconds);
    if (ratio > 0 && Number.isFinite(ratio)) logRatios.push(Math.log(ratio));
  }
  return logRatios.length < 2 ? undefined : standardDeviation(logRatios) / Math.sqrt(logRatios.length);
}

function chooseDesign(
  noise: number,
  affordable: number,
  alpha: number,
  aaLaunches: number,
  effectFloor: number,
): { effectMin: number; launchesMax: number } {
  const smallest = noise * smallestEffect(affordable, alpha, aaLaunches);
  if (smallest >= effectFloor) return { effectMin: smallest, launchesMax: affordable };
  let low = launchesToKeep(alpha);
  let high = affordable;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (noise * smallestEffect(middle, alpha, aaLaunches) <= effectFloor) high = middle;
    else low = middle + 1;
  }
  return { effectMin: effectFloor, launchesMax: low };
}

const remembered = new Map<string, number>();
const rememberedMax = 1000;

/** In units of noise. */
function smallestEffect(launchesMax: number, alpha: number, aaLaunches: number): number {
  const key = `${launchesMax} ${alpha} ${aaLaunches}`;
  const known = remembered.get(key);
  if (known !== undefined) return known;
  let low = 0.05;
  let high = 50;
  while (high / low > 1.02) {
    const middle = Math.sqrt(low * high);
    if (simulatedPower(middle, launchesMax, alpha, aaLaunches) >= simulatedPowerMin) high = middle;
    else low = middle;
  }
  if (remembered.size >= rememberedMax) remembered.clear();
  remembered.set(key, high);
  return high;
}

/** How often a confirmation keeps a candidate whose true effect is `effect` times the estimated noise. */
export function simulatedPower(
  effect: number,
  launchesMax: number,
  alpha: number,
  aaLaunches: number,
): number {
  const random = new SeededRandom(20_230_419);
  let kept = 0;
  for (let run = 0; run < simulatedRuns; run++) {
    const stream = random.fork();
    let squares = 0;
    for (let launch = 0; launch < aaLaunches; launch++) squares += stream.normal() ** 2;
    const noise = Math.sqrt(aaLaunches / squares);
    const test = createSequentialTest({ alpha, noise: 1, effectMin: effect, launchesMax });
    while (test.decision === "continue") test.observe(effect + noise * stream.normal());
    if (test.decision === "keep") kept++;
  }
  return kept / simulatedRuns;
}

function noiseSentence(noise: number, options: CalibrationOptions): string {
  const within = options.withinLaunchNoise;
  const detail =
    within === undefined ? "" : ` (within a launch it looks like ${(within * 100).toFixed(1)} %)`;
  return `Two launches of the same code differ by ${(noise * 100).toFixed(1)} %${detail}.`;
}

function seconds(value: number): string {
  return value < 10 ? `${value.toFixed(1)} s` : `${Math.round(value)} s`;
}

function requireOptions(aaLogRatios: readonly number[], options: CalibrationOptions): void {
  if (aaLogRatios.length < 2) {
    const message = `calibration needs at least two A/A launches, not ${aaLogRatios.length}`;
    throw new LatheError("INVALID_ARGUMENT", message);
  }
  requireAlpha(options.alpha);
  if (!(options.launchSeconds > 0) || !(options.budgetSeconds >= 0)) {
    throw new LatheError(
      "INVALID_ARGUMENT",
      "a launch takes more than 0 s and a budget is not negative; " +
        `got ${options.launchSeconds} s and ${options.budgetSeconds} s`,
    );
  }
}

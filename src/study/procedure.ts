/**
 * The procedure of a study, from gates to outcome.
 *
 * Steps:
 *   1. Gates of the product, on the defaults. Anything but admit: `refused`.
 *   2. Calibration: A/A launches of the baseline; the statistic is declared, the smallest effect
 *      that can be confirmed printed. Launches that do not work, or a budget in which nothing could
 *      be confirmed: `refused`.
 *   3. Search, until the budget less the reserve is used up, the trials are, or the space is: one
 *      trial after another (`trial.ts`).
 *   4. Re-measurement of the final incumbent against the original baseline on fresh launches and a
 *      held-out content.
 *   5. Outcome: `gain` where the re-measured interval lies above zero, else `none`.
 * A person who stops the study gets the outcome of what was measured.
 */
import type { LaunchSample } from "../bench/measurement.ts";
import { alphaForConfirmation } from "../bench/statistics/alpha-spending.ts";
import { launchesToKeep } from "../bench/statistics/sequential-test.ts";
import type { Entry } from "../journal/entry.ts";
import type { Proposer } from "../search/proposer.ts";
import { createRandomStream, deriveSeed } from "../search/random-stream.ts";
import type { Conclusion } from "./conclusion.ts";
import { calibrateStatistics, chooseStatistic } from "./decisions.ts";
import { concludeInterrupted, remeasureWinner } from "./remeasurement.ts";
import { type Script, StudyInterrupted } from "./script.ts";
import { type StudyDefinition, unlimitedSeconds, untimedConfirmationLaunches } from "./settings.ts";
import { failureIn, isFailure, StudyState } from "./study-state.ts";
import { runTrial } from "./trial.ts";

const calibrationFailuresMax = 2;

export function* studyScript(definition: StudyDefinition, proposer: Proposer): Script<Conclusion> {
  const state = new StudyState(definition);
  try {
    const refusal = (yield* passProductGates(state)) ?? (yield* calibrateMachine(state));
    if (refusal !== undefined)
      return yield* conclude({
        outcome: "refused",
        winner: undefined,
        reason: refusal,
        interrupted: false,
      });
    const ended = yield* search(state, proposer);
    yield { state: { kind: "search_ended", reason: ended } };
    return yield* conclude(yield* remeasureWinner(state, ended));
  } catch (error) {
    if (!(error instanceof StudyInterrupted)) throw error;
    return yield* conclude(concludeInterrupted(state));
  }
}

function* conclude(conclusion: Conclusion): Script<Conclusion> {
  const { outcome, winner, reason, interrupted } = conclusion;
  const entry: Entry = { kind: "outcome", outcome, winner: winner?.id ?? null, reason };
  yield { state: interrupted ? { ...entry, interrupted } : entry };
  return conclusion;
}

/** Why the product is refused, or undefined. */
function* passProductGates(state: StudyState): Script<string | undefined> {
  const seed = deriveSeed(state.definition.seed, "product gates");
  const step = { kind: "gate", stage: "product", candidate: state.baseline, seed } as const;
  const answer = yield* state.ask(step, "gates", "running the gates of the product");
  const failure = failureIn(answer);
  if (failure !== undefined) return `the gates could not run: ${failure.message}`;
  for (const entry of answer) {
    if (entry.kind !== "gate_verdict" || entry.verdict.verdict === "admit") continue;
    return `the gate ${entry.verdict.gate} does not admit the product: ${entry.verdict.reason}`;
  }
  return undefined;
}

/** Why no study is possible on this machine with this budget, or undefined. */
function* calibrateMachine(state: StudyState): Script<string | undefined> {
  const { baseline, budget, definition } = state;
  const { calibrationLaunches } = definition.settings;
  budget.start();
  const unprepared = yield* state.prepare(baseline, state.workloadSeed, "calibration");
  if (unprepared !== undefined) return `the baseline could not be loaded: ${unprepared.message}`;
  const launches: LaunchSample[] = [];
  for (let failures = 0; launches.length < calibrationLaunches;) {
    const request = {
      purpose: "calibration",
      incumbent: baseline,
      candidate: baseline,
      workloadSeed: state.workloadSeed,
    } as const;
    const text = `A/A launch ${launches.length + 1} of ${calibrationLaunches}`;
    const launch = yield* state.launch(request, "calibration", text);
    if (!isFailure(launch)) launches.push(launch);
    else if (launch.code.startsWith("WRONG_VALUES") || ++failures > calibrationFailuresMax) {
      return `calibration cannot work: ${launch.message}`;
    }
  }
  const keepLaunches = launchesToKeep(alphaForConfirmation(1, definition.alpha));
  state.reserveWithin(budget.priceOf(1 + keepLaunches));
  const searchSeconds = Math.max(0, budget.secondsLeft - state.reservedSeconds - budget.priceOf(1));
  const half = Math.max(searchSeconds / 2, Math.min(searchSeconds, budget.priceOf(keepLaunches)));
  const timed = definition.budgetSeconds < unlimitedSeconds;
  const launchesMax =
    definition.settings.confirmationLaunchesMax ?? (timed ? Infinity : untimedConfirmationLaunches);
  const confirmationSeconds = Math.min(half, budget.priceOf(launchesMax));
  const input = {
    launchSeconds: budget.priceOf(1),
    budgetSeconds: confirmationSeconds,
    otherSeconds: budget.seconds - searchSeconds,
    alpha: definition.alpha,
  };
  const calibrations = calibrateStatistics(launches, input);
  state.searchStartedAt = budget.elapsedSeconds;
  state.statistic = chooseStatistic(launches, definition.settings.statistic);
  state.calibrations = calibrations;
  const declared = calibrations[state.statistic];
  const entry = {
    kind: "calibration_result",
    ...declared,
    statistic: state.statistic,
    statistics: { ...calibrations },
  } as const;
  yield { state: entry };
  return Number.isFinite(declared.effectMin) ? undefined : declared.sentence;
}

/** Runs trials; says why it ended. */
function* search(state: StudyState, proposer: Proposer): Script<string> {
  const { space, seed } = state.definition;
  for (;;) {
    const end = whyEnd(state);
    if (end !== undefined) return end;
    const stream = createRandomStream(seed, `propose ${state.trials.length + 1}`);
    const candidate = proposer.propose(
      { space, incumbent: state.incumbent, trials: state.trials },
      stream,
    );
    if (candidate === undefined)
      return `every candidate that ${proposer.name} can propose has been tried`;
    yield {
      state: {
        kind: "candidate_proposed",
        candidate,
        proposer: proposer.name,
        incumbent: state.incumbent.id,
      },
    };
    yield* runTrial(state, candidate);
  }
}

function whyEnd(state: StudyState): string | undefined {
  const { budget, trials, definition } = state;
  const { trialsMax, failuresInRowMax } = definition.settings;
  if (trialsMax !== undefined && trials.length >= trialsMax)
    return `${trialsMax} trials were asked for`;
  if (state.failuresInRow >= failuresInRowMax) {
    return `${failuresInRowMax} candidates in a row failed; look at the reasons of the last trials`;
  }
  const keepLaunches = launchesToKeep(
    alphaForConfirmation(state.nextConfirmation, definition.alpha),
  );
  const affordable = budget.affordableLaunches(state.reservedSeconds + budget.setupSeconds);
  if (affordable >= 1 + keepLaunches) return undefined;
  return (
    `the ${Math.max(0, Math.round(budget.secondsLeft))} s left are needed for re-measurement ` +
    `and pay for no further confirmation`
  );
}

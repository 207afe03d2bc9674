/**
 * One trial: gates, screening, confirmation, verdict. Every way in which a candidate can misbehave
 * is an outcome.
 *
 *   rejected   a gate did not admit it, or it answered a read with a value that was never written
 *   failed     it could not be prepared, or a launch of it died, hung or gave no number
 *   dropped    screening or confirmation found no gain, or a guard did not pass
 *   kept       confirmed against the incumbent of its time, guards passed: the new incumbent
 */
import type { LaunchSample } from "../bench/measurement.ts";
import { alphaForConfirmation } from "../bench/statistics/alpha-spending.ts";
import type { Calibration } from "../bench/statistics/calibration.ts";
import type { GuardVerdict } from "../bench/statistics/guard.ts";
import { screen } from "../bench/statistics/screening.ts";
import { createSequentialTest, type SequentialTest } from "../bench/statistics/sequential-test.ts";
import { mean, percentOf } from "../bench/statistics/summary.ts";
import { assert } from "../kit/assert.ts";
import type { Candidate } from "../search/candidate.ts";
import type { TrialView } from "../search/proposer.ts";
import { deriveSeed } from "../search/random-stream.ts";
import {
  guardsSay,
  guardsSentence,
  isDriverBound,
  judgeGuards,
  screeningVeto,
  type TestedStatistic,
  usableRatios,
} from "./decisions.ts";
import type { Script } from "./script.ts";
import { type Failure, failureIn, isFailure, type StudyState } from "./study-state.ts";

interface TrialEnd {
  readonly outcome: TrialView["outcome"];
  readonly reason: string;
  readonly estimate?: number | undefined;
}

export function* runTrial(state: StudyState, candidate: Candidate): Script<void> {
  const incumbent = state.incumbent;
  const { outcome, estimate, reason } = yield* judge(state, candidate);
  yield { state: { kind: "trial_ended", candidate: candidate.id, outcome, estimate, reason } };
  state.trials.push({ candidate, incumbent, outcome, estimate });
  state.failuresInRow = outcome === "failed" ? state.failuresInRow + 1 : 0;
  if (outcome !== "kept") return;
  state.incumbent = candidate;
  yield { state: { kind: "incumbent_changed", from: incumbent.id, to: candidate.id, reason } };
}

function* judge(state: StudyState, candidate: Candidate): Script<TrialEnd> {
  const refused = yield* passGates(state, candidate);
  if (refused !== undefined) return refused;
  const unprepared = yield* state.prepare(candidate, state.workloadSeed, "screening");
  if (unprepared !== undefined) return endOf(unprepared, undefined);
  const screened = yield* screenCandidate(state, candidate);
  if (isFailure(screened)) return endOf(screened, undefined);
  const { estimate, statistic } = screened;
  if (screened.decision === "drop") {
    const why = screened.veto ?? "too little to confirm";
    return {
      outcome: "dropped",
      estimate,
      reason: `screening saw ${percentOf(estimate)} ${statistic}, ${why}`,
    };
  }
  const confirmed = yield* confirmCandidate(state, candidate, statistic);
  if (isFailure(confirmed)) {
    state.confirmations.push(false);
    return endOf(confirmed, estimate);
  }
  state.confirmations.push(confirmed.kept);
  if (confirmed.kept) state.confirmedOn.push(statistic);
  return { outcome: confirmed.kept ? "kept" : "dropped", estimate, reason: confirmed.reason };
}

function* passGates(state: StudyState, candidate: Candidate): Script<TrialEnd | undefined> {
  const seed = deriveSeed(state.definition.seed, `gates of ${candidate.id}`);
  const step = { kind: "gate", stage: "candidate", candidate, seed } as const;
  const answer = yield* state.ask(step, "screening", `running the gates on ${candidate.id}`);
  const failure = failureIn(answer);
  if (failure !== undefined)
    return { outcome: "rejected", reason: `its gates could not run: ${failure.message}` };
  for (const entry of answer) {
    if (entry.kind !== "gate_verdict" || entry.verdict.verdict === "admit") continue;
    return { outcome: "rejected", reason: `${entry.verdict.gate}: ${entry.verdict.reason}` };
  }
  return undefined;
}

interface Screened {
  readonly decision: "confirm" | "drop";
  readonly estimate: number;
  readonly veto?: string | undefined;
  /** What a confirmation tests: cost where screening was bound by its driver. */
  readonly statistic: TestedStatistic;
}

function* screenCandidate(state: StudyState, candidate: Candidate): Script<Screened | Failure> {
  const launches: LaunchSample[] = [];
  const launchesMax = state.definition.settings.screeningLaunchesMax;
  for (;;) {
    const text = `screening ${candidate.id}, launch ${launches.length + 1}`;
    const request = { purpose: "screening", ...sides(state, candidate) } as const;
    const launch = yield* state.launch(request, "screening", text);
    if (isFailure(launch)) return launch;
    launches.push(launch);
    const statistic = isDriverBound(launches) ? "cost" : state.statistic;
    const { noise, effectMin } = calibrationOf(state, statistic);
    const ratios = launches.map(({ logRatios }) => logRatios[statistic]);
    const screened = screen(ratios, { noise, effectMin, launchesMax });
    const estimate = screened.estimate;
    const found =
      screened.decision === "drop"
        ? undefined
        : screeningVeto(launches, state.definition.settings.targets);
    const veto = found === undefined ? undefined : `but ${found}`;
    const decision = veto === undefined ? screened.decision : "drop";
    yield {
      state: {
        kind: "screening_decision",
        candidate: candidate.id,
        decision,
        estimate,
        statistic,
        veto,
      },
    };
    if (decision !== "more") return { decision, estimate, statistic, veto };
  }
}

interface Confirmed {
  readonly kept: boolean;
  readonly reason: string;
}

/**
 * A sequential test on fresh launches at α_j; where it keeps, the guards must pass on the same
 * launches. Guards that are inconclusive get one second look, after at most as many launches again:
 * two looks, whatever they show.
 */
function* confirmCandidate(
  state: StudyState,
  candidate: Candidate,
  statistic: TestedStatistic,
): Script<Confirmed | Failure> {
  const { targets } = state.definition.settings;
  const { noise, effectMin, launchesMax: planned } = calibrationOf(state, statistic);
  const confirmation = state.nextConfirmation;
  const alpha = alphaForConfirmation(confirmation, state.definition.alpha);
  const launchesMax = Math.max(
    1,
    Math.min(planned, state.budget.affordableLaunches(state.reservedSeconds)),
  );
  const test = createSequentialTest({ alpha, noise, effectMin, launchesMax });
  const launches: LaunchSample[] = [];
  const another = function* (of: number): Script<Failure | undefined> {
    const text = `confirming ${candidate.id}, launch ${launches.length + 1} of at most ${of}`;
    const request = { purpose: "confirmation", confirmation, ...sides(state, candidate) } as const;
    const launch = yield* state.launch(request, "confirmation", text);
    if (isFailure(launch)) return launch;
    launches.push(launch);
    return undefined;
  };
  while (test.decision === "continue" && launches.length < launchesMax) {
    const failure = yield* another(launchesMax);
    if (failure !== undefined) return failure;
    for (const ratio of usableRatios(launches.slice(-1), statistic)) test.observe(ratio);
  }
  let guards: Readonly<Record<string, GuardVerdict>> = judgeGuards(launches, targets);
  if (test.decision === "keep" && guardsSay(guards) === "inconclusive") {
    const extra = Math.min(launches.length, state.budget.affordableLaunches(state.reservedSeconds));
    const of = launches.length + extra;
    while (launches.length < of) {
      const failure = yield* another(of);
      if (failure !== undefined) return failure;
    }
    guards = judgeGuards(launches, targets);
  }
  const confirmed = verdictOf(test, guards, launches);
  yield {
    state: {
      kind: "confirmation_decision",
      candidate: candidate.id,
      confirmation,
      statistic,
      test: test.state(),
      guards,
      ...confirmed,
    },
  };
  return confirmed;
}

function verdictOf(
  test: SequentialTest,
  guards: Readonly<Record<string, GuardVerdict>>,
  launches: readonly LaunchSample[],
): Confirmed {
  if (test.decision === "continue") {
    const unusable = launches.length - test.launches;
    return {
      kept: false,
      reason: `${unusable} of ${launches.length} launches were bound by the driver and decide nothing`,
    };
  }
  if (test.decision === "futile") return { kept: false, reason: test.reason };
  if (guardsSay(guards) === "pass") return { kept: true, reason: test.reason };
  return {
    kept: false,
    reason: `faster (${percentOf(mean(test.state().logRatios))}), but ${guardsSentence(guards)}`,
  };
}

function sides(state: StudyState, candidate: Candidate) {
  return { incumbent: state.incumbent, candidate, workloadSeed: state.workloadSeed };
}

function calibrationOf(state: StudyState, statistic: TestedStatistic): Calibration {
  assert(state.calibrations !== undefined, "a trial runs after calibration");
  const calibration = state.calibrations[statistic];
  // A statistic that cannot confirm anything is tested as if it could: it will find nothing, and
  // says so.
  return Number.isFinite(calibration.effectMin)
    ? calibration
    : { ...calibration, effectMin: Math.log(1.25) };
}

function endOf(failure: Failure, estimate: number | undefined): TrialEnd {
  const wrong = failure.code === "WRONG_VALUES";
  return {
    outcome: wrong ? "rejected" : "failed",
    estimate,
    reason: wrong ? failure.message : `${failure.code}: ${failure.message}`,
  };
}

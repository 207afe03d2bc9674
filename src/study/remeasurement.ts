/**
 * Re-measurement: what a study reports is never what its search saw. The best of many noisy
 * estimates is biased upwards; a comparison whose size was fixed before its first launch, on seeds
 * and a content that decided nothing, is not.
 */
import type { LaunchSample } from "../bench/measurement.ts";
import type { Candidate } from "../search/candidate.ts";
import type { Conclusion } from "./conclusion.ts";
import { judgeGain, remeasure, type Remeasurement } from "./decisions.ts";
import type { Script } from "./script.ts";
import { expertCandidate, remeasurementLaunchesMin } from "./settings.ts";
import { isFailure, type StudyState } from "./study-state.ts";

const failuresMax = 2;

export function* remeasureWinner(state: StudyState, searchEnded: string): Script<Conclusion> {
  const winner = state.incumbent;
  if (winner.id === state.baseline.id) {
    const tried = `${state.trials.length} candidates were tried and none was confirmed`;
    return {
      outcome: "none",
      winner: undefined,
      reason: `${tried}; ${searchEnded}`,
      interrupted: false,
    };
  }
  const compared = yield* compare(state, "baseline", state.baseline);
  const expert = expertCandidate(state.definition);
  const affordable = state.budget.affordableLaunches(state.budget.rewriteSeconds) >= remeasurementLaunchesMin;
  if (expert !== undefined && expert.id !== winner.id && affordable) {
    yield* compare(state, "expert", expert);
  }
  if (typeof compared === "string") {
    return {
      outcome: "none",
      winner,
      reason: `re-measurement could not be done: ${compared}`,
      interrupted: false,
    };
  }
  const statistic = state.confirmedOn.includes("cost") ? "cost" : state.statistic;
  return { ...judgeGain(compared, statistic), winner, interrupted: false };
}

/** What a person who stops a study is told. Nothing is quoted that was not re-measured in full. */
export function concludeInterrupted(state: StudyState): Conclusion {
  const winner = state.incumbent.id === state.baseline.id ? undefined : state.incumbent;
  const reason =
    winner === undefined
      ? `stopped on request after ${state.trials.length} trials; none was confirmed so far`
      : "stopped on request: the winner is confirmed, but its gain has not been re-measured yet; " +
        "resume the study to finish it";
  return { outcome: "none", winner, reason, interrupted: true };
}

/** Launches of `reference` against the incumbent; a reason where it could not be done. */
function* compare(
  state: StudyState,
  against: "baseline" | "expert",
  reference: Candidate,
): Script<Remeasurement | string> {
  const { settings } = state.definition;
  const winner = state.incumbent;
  const workloadSeed = state.heldOutSeed;
  for (const candidate of [reference, winner]) {
    const failure = yield* state.prepare(candidate, workloadSeed, "remeasurement");
    if (failure !== undefined) return failure.message;
  }
  // Fixed here, before the first launch: slower launches than expected must not cut it when it goes
  // badly.
  const planned = Math.max(
    remeasurementLaunchesMin,
    Math.min(settings.remeasurementLaunches, state.budget.affordableLaunches(0)),
  );
  const launches: LaunchSample[] = [];
  for (let failures = 0; launches.length < planned;) {
    const text = `re-measuring against the ${against}, launch ${launches.length + 1} of ${planned}`;
    const request = {
      purpose: "remeasurement",
      incumbent: reference,
      candidate: winner,
      workloadSeed,
      against,
    } as const;
    const launch = yield* state.launch(request, "remeasurement", text);
    if (!isFailure(launch)) launches.push(launch);
    else if (launch.code.startsWith("WRONG_VALUES") || ++failures > failuresMax)
      return launch.message;
  }
  const compared = remeasure(launches, settings.targets, settings.score);
  yield {
    state: {
      kind: "remeasurement_result",
      workload: `held-out content ${workloadSeed}`,
      against,
      ...compared,
    },
  };
  return compared;
}

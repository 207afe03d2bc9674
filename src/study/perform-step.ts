/**
 * Does one step through the evaluator, within its time, and turns whatever comes of it into
 * entries.
 *
 * Algorithm: the call races with its timeout and with the person's stop. A call that loses is told
 * to end by its signal; if it has not ended after `graceMs` it is left behind, for a study must not
 * hang because a server does. A failure of the machine (`isMachineFailure`) is thrown on.
 */
import type { Clock } from "../kit/env/env.ts";
import { errorCodeOf } from "../kit/errors.ts";
import type { Entry } from "../journal/entry.ts";
import { type Evaluator, isMachineFailure } from "./evaluator.ts";
import type { LaunchStep, Step } from "./script.ts";
import type { StepTimeouts } from "./settings.ts";

export interface StepContext {
  readonly evaluator: Evaluator;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly timeouts: StepTimeouts;
  /** Study time now. */
  readonly elapsedSeconds: () => number;
}

const graceMs = 5000;
const messageLengthMax = 2000;

export async function performStep(
  step: Step,
  context: StepContext,
): Promise<Entry[] | "interrupted"> {
  const { clock, signal, elapsedSeconds } = context;
  if (signal.aborted) return "interrupted";
  const limitSeconds = secondsFor(step, context.timeouts);
  const stop = new AbortController();
  const ended = Promise.withResolvers<"timeout" | "interrupted">();
  const timer = clock.setTimer(limitSeconds * 1000, () => ended.resolve("timeout"));
  const onAbort = () => ended.resolve("interrupted");
  signal.addEventListener("abort", onAbort, { once: true });
  const call = callEvaluator(step, context.evaluator, stop.signal).then(
    (entries) => ({ entries }),
    (error: unknown) => ({ error }),
  );
  const result = await Promise.race([call, ended.promise]);
  timer.cancel();
  signal.removeEventListener("abort", onAbort);
  if (typeof result === "string") {
    stop.abort();
    await settledOrGrace(call, clock);
    if (result === "interrupted") return "interrupted";
    const error = { code: "TIMEOUT", message: `no answer within ${limitSeconds} s` };
    return [failed(step, error, elapsedSeconds())];
  }
  if ("error" in result && isMachineFailure(result.error)) throw result.error;
  // What was given up because of the stop is not a failure of the candidate.
  if ("error" in result)
    return signal.aborted ? "interrupted" : [failed(step, result.error, elapsedSeconds())];
  return result.entries.map((entry) => ({ ...entry, elapsedSeconds: elapsedSeconds() }));
}

async function callEvaluator(
  step: Step,
  evaluator: Evaluator,
  signal: AbortSignal,
): Promise<Entry[]> {
  switch (step.kind) {
    case "gate": {
      const verdicts = await evaluator.gate({
        stage: step.stage,
        candidate: step.candidate,
        seed: step.seed,
        signal,
      });
      if (verdicts.length === 0) throw new Error("no gate gave a verdict");
      const candidate = step.stage === "product" ? null : step.candidate.id;
      return verdicts.map((verdict, index) => ({
        kind: "gate_verdict",
        candidate,
        verdict,
        last: index === verdicts.length - 1,
      }));
    }
    case "prepare": {
      const { candidate, workloadSeed } = step;
      await evaluator.prepare({ candidate, workloadSeed, signal });
      return [{ kind: "candidate_prepared", candidate: candidate.id, workloadSeed }];
    }
    case "launch":
      return [await launch(step, evaluator, signal)];
  }
}

async function launch(step: LaunchStep, evaluator: Evaluator, signal: AbortSignal): Promise<Entry> {
  const { purpose, incumbent, candidate, seed, workloadSeed } = step;
  const sample = await evaluator.launch({
    purpose,
    incumbent,
    candidate,
    seed,
    workloadSeed,
    signal,
  });
  if (sample.seed !== seed)
    throw new Error(`the launch was asked for seed ${seed} and reports ${sample.seed}`);
  switch (purpose) {
    case "calibration":
      return { kind: "calibration_launch", launch: sample };
    case "screening":
      return { kind: "screening_launch", candidate: candidate.id, launch: sample };
    case "confirmation":
      return {
        kind: "confirmation_launch",
        candidate: candidate.id,
        confirmation: step.confirmation ?? 0,
        launch: sample,
      };
    case "remeasurement": {
      const workload = `held-out content ${workloadSeed}`;
      return {
        kind: "remeasurement_launch",
        workload,
        launch: sample,
        against: step.against ?? "baseline",
      };
    }
  }
}

function failed(step: Step, error: unknown, elapsedSeconds: number): Entry {
  const { code, message } = error as { code?: unknown; message?: unknown };
  return {
    kind: "step_failed",
    step: step.kind,
    candidate: step.candidate.id,
    code: errorCodeOf(error) ?? (typeof code === "string" ? code : "UNKNOWN"),
    message: String(message ?? error).slice(0, messageLengthMax),
    elapsedSeconds,
  };
}

function secondsFor(step: Step, timeouts: StepTimeouts): number {
  if (step.kind === "prepare") return timeouts.prepareSeconds;
  if (step.kind === "launch") return timeouts.launchSeconds;
  return step.stage === "product" ? timeouts.productGatesSeconds : timeouts.candidateGatesSeconds;
}

async function settledOrGrace(call: Promise<unknown>, clock: Clock): Promise<void> {
  const grace = Promise.withResolvers<void>();
  const timer = clock.setTimer(graceMs, () => grace.resolve());
  await Promise.race([call, grace.promise]);
  timer.cancel();
}

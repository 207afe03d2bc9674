/**
 * What a running script knows: definition, incumbent, trials, budget. Built up from answers only; a
 * resumed script builds up the same.
 */
import type { LaunchSample } from "../bench/measurement.ts";
import { confirmationIndex } from "../bench/statistics/alpha-spending.ts";
import type { Calibration } from "../bench/statistics/calibration.ts";
import { baselineCandidate, type Candidate } from "../search/candidate.ts";
import type { TrialView } from "../search/proposer.ts";
import { deriveSeed } from "../search/random-stream.ts";
import { Budget } from "./budget.ts";
import { launchProblem, type TestedStatistic } from "./decisions.ts";
import type { Stage } from "./progress.ts";
import type { LaunchStep, Script, ScriptAnswer, Step } from "./script.ts";
import { remeasurementLaunchesMin, type StudyDefinition, unlimitedSeconds } from "./settings.ts";

/** Share of the budget that a comparison with an expert's configuration may take. */
const expertShareMax = 0.15;

export class StudyState {
  readonly definition: StudyDefinition;
  readonly baseline: Candidate = baselineCandidate();
  readonly budget: Budget;
  readonly trials: TrialView[] = [];
  /** Whether each confirmation so far kept its candidate. */
  readonly confirmations: boolean[] = [];
  /** Statistics on which the incumbent was confirmed, step by step. */
  readonly confirmedOn: TestedStatistic[] = [];
  incumbent: Candidate = this.baseline;
  statistic: TestedStatistic = "throughput";
  calibrations: Readonly<Record<TestedStatistic, Calibration>> | undefined;
  /** Candidates that failed since one last did not. */
  failuresInRow = 0;
  /** Study time at which calibration was done. */
  searchStartedAt = 0;
  /** Launches of the final comparison that time is set aside for. */
  private reservedLaunches: number;
  private readonly prepared = new Set<string>();
  private launchCount = 0;

  constructor(definition: StudyDefinition) {
    this.definition = definition;
    this.budget = new Budget(definition.budgetSeconds);
    this.reservedLaunches = definition.settings.remeasurementLaunches;
  }

  /** The content of the tables that the search sees. */
  get workloadSeed(): number {
    return deriveSeed(this.definition.seed, "workload");
  }

  /** A content that no decision has seen before the re-measurement. */
  get heldOutSeed(): number {
    return deriveSeed(this.definition.seed, "held-out workload");
  }

  /** The j of the next confirmation's α_j. */
  get nextConfirmation(): number {
    return confirmationIndex(this.confirmations);
  }

  /**
   * Seconds that the final comparisons need. That with the expert's configuration is set aside only
   * where it is cheap: it informs, and must not take the search's time.
   */
  get reservedSeconds(): number {
    const { expert } = this.definition.settings;
    const comparison = this.budget.priceOf(this.reservedLaunches) + this.budget.rewriteSeconds;
    const affordable = comparison <= expertShareMax * this.budget.seconds;
    const comparisons = expert !== undefined && affordable ? 2 : 1;
    return comparisons * comparison + this.budget.loadSeconds;
  }

  /**
   * Where launches are slower than the budget was made for, sets aside time for the fewest launches that give
   * an interval, so that `searchSeconds` are left for a first candidate. Once, when calibration is done.
   */
  reserveWithin(searchSeconds: number): void {
    if (this.budget.secondsLeft - this.reservedSeconds < searchSeconds) {
      this.reservedLaunches = Math.min(this.reservedLaunches, remeasurementLaunchesMin);
    }
  }

  /** The budget, or what the trials that are left should take, whichever is less. */
  private get secondsLeft(): number | undefined {
    const { trialsMax } = this.definition.settings;
    const left = Math.max(0, this.budget.secondsLeft);
    if (trialsMax === undefined) return left;
    if (this.trials.length === 0) return left < unlimitedSeconds / 2 ? left : undefined;
    const pace = (this.budget.elapsedSeconds - this.searchStartedAt) / this.trials.length;
    return Math.min(left, (trialsMax - this.trials.length) * pace + this.reservedSeconds);
  }

  /** Asks for a step and takes note of its answer. */
  *ask(step: Step, stage: Stage, text: string): Script<ScriptAnswer> {
    const progress = {
      stage,
      trial: this.trials.length + (stage === "screening" || stage === "confirmation" ? 1 : 0),
      of: this.definition.settings.trialsMax,
      incumbent: this.incumbent,
      secondsLeft: this.secondsLeft,
      text,
    };
    const answer = yield { ask: step, progress };
    this.budget.note(step, answer);
    return answer;
  }

  /** Prepares a candidate's checkpoint once per content. Undefined: it is ready; else why not. */
  *prepare(candidate: Candidate, workloadSeed: number, stage: Stage): Script<Failure | undefined> {
    const key = `${candidate.id} ${workloadSeed}`;
    if (this.prepared.has(key)) return undefined;
    const answer = yield* this.ask(
      { kind: "prepare", candidate, workloadSeed },
      stage,
      `loading data for ${candidate.id}`,
    );
    const failure = failureIn(answer);
    if (failure === undefined) this.prepared.add(key);
    return failure;
  }

  /** One launch of two candidates; a seed of its own comes from its number in the study. */
  *launch(
    request: Omit<LaunchStep, "kind" | "seed">,
    stage: Stage,
    text: string,
  ): Script<LaunchSample | Failure> {
    this.launchCount++;
    const seed = deriveSeed(this.definition.seed, `launch ${this.launchCount} ${request.purpose}`);
    const answer = yield* this.ask({ kind: "launch", ...request, seed }, stage, text);
    const failure = failureIn(answer);
    if (failure !== undefined) return failure;
    const entry = answer[0];
    if (!("launch" in entry))
      throw new TypeError(`a launch was answered with an entry of kind ${entry.kind}`);
    const launch = entry.launch as LaunchSample;
    const problem = launchProblem(launch);
    return problem === undefined ? launch : { ...problem, failed: true };
  }
}

/** Something that was asked and could not be done, or gave something that cannot be used. */
export interface Failure {
  readonly failed: true;
  readonly code: string;
  readonly message: string;
}

export function isFailure(answer: object): answer is Failure {
  return "failed" in answer && answer.failed === true;
}

export function failureIn(answer: ScriptAnswer): Failure | undefined {
  const entry = answer.find(({ kind }) => kind === "step_failed");
  return entry?.kind === "step_failed"
    ? { failed: true, code: entry.code, message: entry.message }
    : undefined;
}

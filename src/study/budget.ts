/**
 * The budget of a study: seconds from the beginning of calibration to the outcome. Gates of the
 * product come before it.
 *
 * Purpose: nothing is begun that cannot be finished. The time for the final re-measurement is set
 * aside first; a candidate is
 *   taken up only when what is left pays for its screening and the shortest confirmation that could
 *   keep it.
 * All times come from `elapsedSeconds` of journal entries, so a replay comes to the same
 * conclusions.
 */
import type { Entry } from "../journal/entry.ts";
import type { Step } from "./script.ts";

/** Launch times vary; what is planned is priced a little above what was seen. */
const caution = 1.1;
const recentLaunches = 10;
/** Of a load, as long as no rewrite has been seen: over half a million edges it was a quarter. */
const rewriteShare = 0.5;

export class Budget {
  readonly seconds: number;
  private elapsed = 0;
  private startedAt: number | undefined;
  private readonly launches: number[] = [];
  /** Preparations of a content that was not there: it was loaded. */
  private readonly loads: number[] = [];
  /** Preparations of a content that was there: at most its files were rewritten. */
  private readonly rewrites: number[] = [];
  private readonly contents = new Set<number>();
  private readonly gateRuns: number[] = [];

  constructor(seconds: number) {
    this.seconds = seconds;
  }

  /** From now on the budget is used up. */
  start(): void {
    this.startedAt ??= this.elapsed;
  }

  /** Takes note of what a step took. */
  note(step: Step, answer: readonly Entry[]): void {
    const at = answer.reduce((latest, entry) => Math.max(latest, elapsedOf(entry)), this.elapsed);
    const took = at - this.elapsed;
    this.elapsed = at;
    const failed = answer.some((entry) => entry.kind === "step_failed");
    if (failed) return;
    if (step.kind === "launch") this.launches.push(took);
    else if (step.kind === "prepare") {
      (this.contents.has(step.workloadSeed) ? this.rewrites : this.loads).push(took);
      this.contents.add(step.workloadSeed);
    }
    else if (step.stage === "candidate") this.gateRuns.push(took);
  }

  get elapsedSeconds(): number {
    return this.elapsed;
  }

  get secondsLeft(): number {
    return this.seconds - (this.startedAt === undefined ? 0 : this.elapsed - this.startedAt);
  }

  /** What a launch is expected to take: the mean of the latest ones. */
  get launchSeconds(): number {
    return meanOf(this.launches.slice(-recentLaunches));
  }

  /** What it takes to get a candidate ready for its first launch. */
  get setupSeconds(): number {
    return meanOf(this.gateRuns) * caution + this.rewriteSeconds;
  }

  /** What it takes to load a content that is not there. */
  get loadSeconds(): number {
    return meanOf(this.loads) * caution;
  }

  /** What it takes to prepare a further candidate over a content that is there. A load includes a rewrite. */
  get rewriteSeconds(): number {
    return this.rewrites.length === 0 ? this.loadSeconds * rewriteShare : meanOf(this.rewrites) * caution;
  }

  priceOf(launches: number): number {
    return launches * this.launchSeconds * caution;
  }

  /** Launches that fit into what is left after `reservedSeconds`. */
  affordableLaunches(reservedSeconds: number): number {
    const price = this.priceOf(1);
    return price > 0 ? Math.max(0, Math.floor((this.secondsLeft - reservedSeconds) / price)) : 0;
  }
}

export function elapsedOf(entry: Entry): number {
  return "elapsedSeconds" in entry && typeof entry.elapsedSeconds === "number"
    ? entry.elapsedSeconds
    : 0;
}

function meanOf(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}

/**
 * The batch agent: decides how many commits a group of the log gathers before it is flushed, and for how long at most.
 *
 * Why: commits that arrive during a flush wait for the next one. Writers in a closed loop so fall into two halves that
 * take turns, and each flush carries half of what it could. Holding a flush back for the moment that the other half
 * needs to come again lets one flush carry all.
 *
 * What it reads after every group (`BatchView`): commits in the group, commits that came during its flush, how long the
 * flush took, whether the group it held back was filled. What it changes: `BatchPlan`.
 *
 *   1. Writers are estimated as the commits of a group and those that came during its flush, smoothed.
 *   2. A group is held until seven eighths of them (at least 2) wait, and never for longer than half a flush or
 *      `holdUsMax`: where it fills, more is gained than was spent; where it does not, a commit is late by half a flush.
 *   3. Every `window` groups it looks back. Where fewer than half were filled it first aims lower, then stops holding
 *      for `pauseUs`; that doubles with every failure up to 64 times, and a window that fills restores it. So writers
 *      that come on their own account and not in answer to a commit cost a few held groups per minute.
 *   4. Hysteresis: the aim moves only by more than an eighth. Rate: once per `changeUs`; stopping is always possible.
 * Source: PostgreSQL's commit_delay and commit_siblings, decided by measurement in place of an administrator.
 */
export interface BatchView {
  readonly nowUs: number;
  /** Commits in the group that was just flushed. */
  readonly commits: number;
  /** Commits that came while it was flushed. */
  readonly arrived: number;
  readonly flushUs: number;
  /** Whether as many came as the plan waits for; undefined where the group was not held back. */
  readonly filled: boolean | undefined;
}

export interface BatchPlan {
  /** A group is held back until so many commits wait; below 2: not at all. */
  readonly commits: number;
  /** And never longer than this. */
  readonly holdUs: number;
}

export interface BatchAgent {
  readonly name: string;
  /** The plan from now on, or undefined where it stays. */
  step(view: BatchView): BatchPlan | undefined;
}

export const noBatchPlan: BatchPlan = { commits: 0, holdUs: 0 };

const smoothing = 1 / 8;
const window = 16;
const holdUsMax = 2000;
/** Where flushes are faster than this a turn of the event loop costs as much as is won. */
const flushUsMin = 100;
const commitsMax = 4096;
const changeUs = 1e6;
const pauseUs = 1e6;
const pauseFactorMax = 64;

export class AdaptiveBatchAgent implements BatchAgent {
  readonly name = "adaptive-batch";
  #writers = 0;
  #flushUs = 0;
  #plan = noBatchPlan;
  #held = 0;
  #filled = 0;
  #failedBefore = false;
  #changedAtUs = -Infinity;
  #pausedUntilUs = -Infinity;
  #pauseFactor = 1;

  step(view: BatchView): BatchPlan | undefined {
    this.#note(view);
    if (this.#plan.commits < 2) return this.#begin(view.nowUs);
    if (this.#held < window) return undefined;
    const failed = this.#filled * 2 < this.#held;
    [this.#held, this.#filled] = [0, 0];
    return failed ? this.#afterFailure(view.nowUs) : this.#afterSuccess(view.nowUs);
  }

  #note({ commits, arrived, flushUs, filled }: BatchView): void {
    const writers = Math.min(commitsMax, commits + arrived);
    this.#writers += this.#writers === 0 ? writers : smoothing * (writers - this.#writers);
    this.#flushUs += this.#flushUs === 0 ? flushUs : smoothing * (flushUs - this.#flushUs);
    if (filled === undefined) return;
    this.#held++;
    if (filled) this.#filled++;
  }

  #wanted(): BatchPlan {
    const writers = Math.round(this.#writers);
    if (writers < 2 || this.#flushUs < flushUsMin) return noBatchPlan;
    const holdUs = Math.round(Math.min(holdUsMax, this.#flushUs / 2));
    return { commits: Math.max(2, writers - (writers >> 3)), holdUs };
  }

  #begin(nowUs: number): BatchPlan | undefined {
    if (nowUs < this.#pausedUntilUs || nowUs - this.#changedAtUs < changeUs) return undefined;
    const wanted = this.#wanted();
    return wanted.commits < 2 ? undefined : this.#decide(wanted, nowUs);
  }

  #afterSuccess(nowUs: number): BatchPlan | undefined {
    this.#failedBefore = false;
    this.#pauseFactor = 1;
    const wanted = this.#wanted();
    if (!differs(wanted, this.#plan) || nowUs - this.#changedAtUs < changeUs) return undefined;
    return this.#decide(wanted, nowUs);
  }

  #afterFailure(nowUs: number): BatchPlan | undefined {
    const wanted = this.#wanted();
    const isLower = wanted.commits >= 2 && wanted.commits * 8 < this.#plan.commits * 7;
    if (isLower && !this.#failedBefore && nowUs - this.#changedAtUs >= changeUs) {
      this.#failedBefore = true;
      return this.#decide(wanted, nowUs);
    }
    this.#failedBefore = false;
    this.#pausedUntilUs = nowUs + pauseUs * this.#pauseFactor;
    this.#pauseFactor = Math.min(pauseFactorMax, 2 * this.#pauseFactor);
    return this.#decide(noBatchPlan, nowUs);
  }

  #decide(plan: BatchPlan, nowUs: number): BatchPlan {
    this.#plan = plan;
    this.#changedAtUs = nowUs;
    [this.#held, this.#filled] = [0, 0];
    return plan;
  }
}

function differs(wanted: BatchPlan, present: BatchPlan): boolean {
  const far = (one: number, other: number, share: number) => Math.abs(one - other) > share * other;
  return far(wanted.commits, present.commits, 1 / 8) || far(wanted.holdUs, present.holdUs, 1 / 2);
}

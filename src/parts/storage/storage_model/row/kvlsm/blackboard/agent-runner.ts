/**
 * AgentRunner: shows the blackboard to the agents and carries out what they propose.
 *
 *   1. After every change (a freeze, a finished job, a retry that is due) a step is scheduled in a later
 *      turn. In it every agent sees a fresh view, until none proposes anything more.
 *   2. A proposal is carried out on other threads (background-work.ts) and ends in a manifest edit; then the waiters
 *      are looked at.
 *   3. One flush runs at a time (two while the log is replayed), and as many compactions as options and threads allow.
 *      An agent sees which files they take; a proposal that would take one of them again is refused
 *      (compaction-proposal.ts), for agents come from outside too, and two jobs on one file would lose data.
 *   4. A job that fails is due again after a pause that doubles from 50 ms to 1 s. Reads go on meanwhile.
 *      Once work has failed for `troubleLimitMs`, whoever waits for it (a stalled writer, flush, settle)
 *      gets its error; the retries go on, and what was applied stays in memory and in the log. A retry keeps
 *      the process alive while somebody waits.
 *   5. A compaction that finds damaged files is not tried again; it is logged, and the store goes on without
 *      compactions.
 */
import { assert } from "../../../../../../kit/assert.ts";
import type { Timer } from "../../../../../../kit/env/env.ts";
import { errorCodeOf, LatheError } from "../../../../../../kit/errors.ts";
import type { Agent, Proposal } from "./agent.ts";
import { BackgroundWork, type WorkOptions } from "./background-work.ts";
import type { Blackboard } from "./blackboard.ts";
import { compactionAgentOf } from "./compaction-agents.ts";
import { problemOf, proposeAll } from "./compaction-proposal.ts";
import type { BackgroundRunner } from "./coordination.ts";
import type { Tuning } from "./options.ts";

const pauseFirstMs = 50;
const pauseMaxMs = 1000;
/** Proposals carried out in one step; an agent that never stops proposing is a bug. */
const proposalsMax = 64;

interface Waiter {
  readonly isDone: () => boolean;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export interface RunnerOptions extends WorkOptions {
  readonly agents: readonly Agent[];
}

export class AgentRunner implements BackgroundRunner {
  readonly #options: RunnerOptions;
  readonly #board: Blackboard;
  readonly #work: BackgroundWork;
  #agents: readonly Agent[];
  #scheduled = false;
  #waiters: Waiter[] = [];
  #running = new Set<Promise<void>>();
  #retry: Timer | undefined = undefined;
  #pauseMs = pauseFirstMs;
  /** The last failure, while nothing has succeeded since. */
  #trouble: { readonly error: unknown; readonly sinceUs: number } | undefined = undefined;
  /** The last merge of everything that was asked for. */
  #manual: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(options: RunnerOptions) {
    this.#options = options;
    this.#board = options.board;
    this.#work = new BackgroundWork(options);
    options.board.compactionJobsMax = this.#work.jobsMax;
    this.#agents = options.agents;
  }

  /** Puts another agent in the place of the one of that name, at once. */
  replaceAgent(name: string, agent: Agent): void {
    assert(
      this.#agents.some((one) => one.name === name),
      `an agent named ${name} is there`,
    );
    this.#agents = this.#agents.map((one) => (one.name === name ? agent : one));
    this.schedule();
  }

  get compactionsRunning(): number {
    return this.#board.compactions.length;
  }

  get compactionHalted(): unknown {
    return this.#board.compactionHalted;
  }

  /** Other options are in force; a compaction agent that the engine does not know is left in its place. */
  retuned(before: Tuning): void {
    const { name } = compactionAgentOf(before.compactionStyle);
    const next = compactionAgentOf(this.#board.tuning.compactionStyle);
    if (next.name !== name && this.#agents.some((one) => one.name === name)) this.replaceAgent(name, next);
    this.#changed();
  }

  /** The error of background work that has failed for longer than the limit. */
  lastingTrouble(): unknown {
    const { clock } = this.#options.env;
    const trouble = this.#trouble;
    if (trouble === undefined) return undefined;
    const limitUs = this.#board.tuning.troubleLimitMs * 1000;
    return clock.monotonicUs() - trouble.sinceUs >= limitUs ? trouble.error : undefined;
  }

  /** Steps the agents in a later turn. */
  schedule(): void {
    if (this.#scheduled || this.#closed) return;
    this.#scheduled = true;
    this.#options.env.clock.defer(() => {
      this.#scheduled = false;
      if (!this.#closed) this.#step();
    });
  }

  /**
   * Resolves when the condition holds; it is looked at after every change. Rejects on close, and where an
   * attempt fails while work has failed for too long; an old failure alone is no reason, there may be room
   * again.
   */
  waitUntil(isDone: () => boolean): Promise<void> {
    if (isDone()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(closedError());
      this.#waiters.push({ isDone, resolve, reject });
      this.#retry?.keepAlive();
      this.schedule();
    });
  }

  /** Whether no work runs and no agent has anything to propose. */
  isIdle(): boolean {
    if (this.#running.size > 0 || this.#trouble !== undefined || this.#board.manualCompactions > 0) return false;
    return this.#propose() === undefined;
  }

  /** Merges all files into one level; one such merge at a time. */
  compactAll(): Promise<void> {
    const board = this.#board;
    // Agents hold back from here on, or there might never be a moment without a compaction.
    board.manualCompactions++;
    const merged = this.#manual
      .then(() => this.waitUntil(() => board.compactions.length === 0))
      .then(() => {
        // The wait may have been over already: what was asked for before the close must not begin after it.
        if (this.#closed) throw closedError();
        if (board.compactionHalted !== undefined) throw board.compactionHalted;
        const proposal = proposeAll(board.versions.current.files, board.tuning);
        return proposal === undefined ? undefined : this.#begin(proposal, this.#work.compact(proposal));
      })
      .finally(() => {
        board.manualCompactions--;
        this.#changed();
      });
    this.#manual = merged.catch(() => undefined);
    return merged;
  }

  /** Lets running jobs end, starts no more, and rejects who still waits. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#retry?.cancel();
    this.#rejectWaiters(closedError());
    await Promise.all(this.#running);
  }

  /** The first proposal that can be carried out. */
  #propose(): Proposal | undefined {
    const view = this.#board.view();
    for (const agent of this.#agents) {
      const proposal = agent.step(view);
      if (proposal === undefined) continue;
      const problem = problemOf(view, proposal);
      if (problem === undefined) return proposal;
      this.#board.work.refusedProposals++;
      this.#options.env.log.error("lsm_proposal_refused", { agent: agent.name, problem });
    }
    return undefined;
  }

  #step(): void {
    if (this.#retry === undefined) {
      for (let count = 0; ; count++) {
        const proposal = this.#propose();
        if (proposal === undefined) break;
        assert(count < proposalsMax, "agents come to an end of their proposals");
        this.#start(proposal);
      }
      // Nothing is left to be tried again: the trouble came after the work itself was done.
      if (this.#running.size === 0) this.#succeeded();
    }
    this.#lookAtWaiters();
  }

  #start(proposal: Proposal): void {
    const work = proposal.kind === "flush" ? this.#work.flush() : this.#work.compact(proposal);
    this.#begin(proposal, work).then(
      () => this.#succeeded(),
      (error: unknown) => this.#failed(proposal.kind, error),
    );
  }

  /** Notes on the blackboard that the work is under way, until it ends; then looks around. */
  #begin(proposal: Proposal, work: Promise<void>): Promise<void> {
    const board = this.#board;
    if (proposal.kind === "flush") board.flushes++;
    else board.compactions = [...board.compactions, proposal];
    const ended = work.finally(() => {
      if (proposal.kind === "flush") board.flushes--;
      else board.compactions = board.compactions.filter((one) => one !== proposal);
    });
    const noted: Promise<void> = ended
      .catch(() => undefined)
      .then(() => {
        this.#running.delete(noted);
        this.#changed();
      });
    this.#running.add(noted);
    return ended;
  }

  #succeeded(): void {
    this.#trouble = undefined;
    this.#pauseMs = pauseFirstMs;
  }

  #failed(kind: Proposal["kind"], error: unknown): void {
    if (this.#closed) return;
    const { env } = this.#options;
    const code = errorCodeOf(error);
    const fields = { kind, code, message: (error as Error).message };
    this.#board.work.failures++;
    if (kind === "compaction" && code !== undefined && ["CORRUPTION", "FORMAT_UNKNOWN"].includes(code)) {
      this.#board.compactionHalted = error;
      env.log.error("lsm_compaction_halted", fields);
      return;
    }
    env.log.warn("lsm_background_failed", fields);
    this.#trouble = { error, sinceUs: this.#trouble?.sinceUs ?? env.clock.monotonicUs() };
    if (this.lastingTrouble() !== undefined) this.#rejectWaiters(error);
    this.#retry?.cancel();
    this.#retry = env.clock.setTimer(this.#pauseMs, () => {
      this.#retry = undefined;
      this.schedule();
    });
    if (this.#waiters.length > 0) this.#retry.keepAlive();
    this.#pauseMs = Math.min(pauseMaxMs, this.#pauseMs * 2);
  }

  #changed(): void {
    this.#board.fitCache();
    this.#lookAtWaiters();
    this.schedule();
  }

  #lookAtWaiters(): void {
    if (this.#waiters.length === 0) return;
    const waiting = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiting) {
      if (waiter.isDone()) waiter.resolve();
      else this.#waiters.push(waiter);
    }
  }

  #rejectWaiters(error: unknown): void {
    for (const waiter of this.#waiters.splice(0)) waiter.reject(error);
  }
}

function closedError(): LatheError {
  return new LatheError("CLOSED", "the store was closed");
}

/**
 * BackgroundScheduler: flushes and compactions the conventional way, for comparison with the agents of products.
 *
 *   1. Every event that may make work due ends in `#maybeSchedule`: a frozen memtable, a finished job, a due retry,
 *      changed options, a finished manual compaction. It begins what flags and limits allow: the flush of the oldest
 *      frozen memtable if none runs, and compactions while the picker has one and fewer run than may.
 *   2. The callback of a finished job clears its flag, tells the error handler, and then `#onStateChanged` does what
 *      follows from a new version: cache, write controller, whoever waits for the condition, the next `#maybeSchedule`.
 *   3. A manual compaction is exclusive: it queues, automatic ones hold back, and it begins when none runs.
 *   4. Jobs, manifest edits and the shape that pickers aim at are the engine's own.
 * There is one thread, so turns of the event loop stand where these databases hold their mutex.
 * Source: MaybeScheduleFlushOrCompaction, BackgroundCallFlush, InstallSuperVersionAndScheduleWork and
 * RunManualCompaction of RocksDB; maybeScheduleFlush and maybeScheduleCompaction of Pebble; LevelDB's db_impl.cc.
 */
import { assert } from "../../kit/assert.ts";
import { LatheError } from "../../kit/errors.ts";
import type { Agent, CompactionProposal } from "../../parts/storage/storage_model/row/kvlsm/blackboard/agent.ts";
import {
  BackgroundWork, type WorkOptions,
} from "../../parts/storage/storage_model/row/kvlsm/blackboard/background-work.ts";
import type { Blackboard } from "../../parts/storage/storage_model/row/kvlsm/blackboard/blackboard.ts";
import { compactionAgentOf } from "../../parts/storage/storage_model/row/kvlsm/blackboard/compaction-agents.ts";
import { problemOf, proposeAll } from "../../parts/storage/storage_model/row/kvlsm/blackboard/compaction-proposal.ts";
import type { BackgroundRunner } from "../../parts/storage/storage_model/row/kvlsm/blackboard/coordination.ts";
import type { Tuning } from "../../parts/storage/storage_model/row/kvlsm/blackboard/options.ts";
import type { Condition } from "./condition.bench.ts";
import type { ErrorHandler, WorkKind } from "./error-handler.bench.ts";
import type { WriteController } from "./write-controller.bench.ts";

export class BackgroundScheduler implements BackgroundRunner {
  readonly #options: WorkOptions;
  readonly #board: Blackboard;
  readonly #work: BackgroundWork;
  readonly #errors: ErrorHandler;
  readonly #controller: WriteController;
  readonly #finished: Condition;
  #picker: Agent;
  /** Whether a call of `#maybeSchedule` is queued for a later turn. */
  #queued = false;
  #flushRunning = false;
  #compactions: readonly CompactionProposal[] = [];
  /** Manual compactions that wait or run, the next one first. */
  #manuals: readonly object[] = [];
  readonly #running = new Set<Promise<void>>();
  #shuttingDown = false;

  constructor(options: WorkOptions, errors: ErrorHandler, controller: WriteController, finished: Condition) {
    this.#options = options;
    this.#board = options.board;
    this.#work = new BackgroundWork(options);
    this.#errors = errors;
    this.#controller = controller;
    this.#finished = finished;
    this.#picker = compactionAgentOf(options.board.tuning.compactionStyle);
  }

  get compactionsRunning(): number {
    return this.#compactions.length;
  }

  get compactionHalted(): unknown {
    return this.#errors.compactionHalted;
  }

  schedule(): void {
    this.#controller.recalculate();
    this.#queue();
  }

  retuned(before: Tuning): void {
    const next = compactionAgentOf(this.#board.tuning.compactionStyle);
    const isOwn = this.#picker.name === compactionAgentOf(before.compactionStyle).name;
    if (next.name !== this.#picker.name && isOwn) this.#picker = next;
    this.#onStateChanged();
  }

  replaceAgent(name: string, agent: Agent): void {
    assert(name === this.#picker.name, `the picker is named ${name}`);
    this.#picker = agent;
    this.#queue();
  }

  waitUntil(isDone: () => boolean): Promise<void> {
    return this.#finished.wait(isDone);
  }

  /** Whatever is due has been begun, or is about to be. */
  isIdle(): boolean {
    return !this.#queued && this.#running.size === 0 && this.#manuals.length === 0 && !this.#errors.isTroubled;
  }

  async compactAll(): Promise<void> {
    const own = {};
    this.#manuals = [...this.#manuals, own];
    try {
      await this.#finished.wait(() => this.#manuals[0] === own && this.#compactions.length === 0);
      // The wait may have been over already: what was asked for before the close must not begin after it.
      if (this.#shuttingDown) throw closedError();
      if (this.compactionHalted !== undefined) throw this.compactionHalted;
      const merge = proposeAll(this.#board.versions.current.files, this.#board.tuning);
      if (merge !== undefined) await this.#compact(merge);
    } finally {
      this.#manuals = this.#manuals.filter((one) => one !== own);
      this.#onStateChanged();
    }
  }

  async close(): Promise<void> {
    this.#shuttingDown = true;
    this.#errors.stop();
    this.#finished.close(closedError());
    await Promise.allSettled(this.#running);
  }

  #queue(): void {
    if (this.#queued || this.#shuttingDown) return;
    this.#queued = true;
    this.#options.env.clock.defer(() => {
      this.#queued = false;
      this.#maybeSchedule();
      this.#finished.signalAll();
    });
  }

  #maybeSchedule(): void {
    if (this.#shuttingDown || this.#errors.isPaused) return;
    if (!this.#flushRunning && this.#board.immutables.length > 0) this.#onJobEnd("flush", this.#flush());
    for (let picked = this.#pick(); picked !== undefined; picked = this.#pick()) {
      this.#onJobEnd("compaction", this.#compact(picked));
    }
    // Nothing is left to be tried again: the trouble came after the work itself was done.
    if (this.#running.size === 0) this.#errors.onSuccess();
  }

  #pick(): CompactionProposal | undefined {
    const { versions, tuning, work, isReplaying } = this.#board;
    // Flushes decide how long a replay takes: compactions leave them the threads until writers would be slowed.
    const isHeldBack = isReplaying && versions.current.files[0].length < tuning.l0SlowdownTrigger;
    const mayBegin = this.compactionHalted === undefined && this.#manuals.length === 0 && !isHeldBack;
    const view = {
      levels: versions.current.files,
      immutables: [],
      flushRunning: this.#flushRunning,
      compactions: this.#compactions,
      compactionsMax: mayBegin ? Math.min(tuning.compactionsMax, this.#work.jobsMax) : 0,
      tuning,
    };
    const picked = this.#picker.step(view);
    if (picked?.kind !== "compaction") return undefined;
    const problem = problemOf(view, picked);
    if (problem === undefined) return picked;
    work.refusedProposals++;
    this.#options.env.log.error("lsm_proposal_refused", { agent: this.#picker.name, problem });
    return undefined;
  }

  #flush(): Promise<void> {
    this.#flushRunning = true;
    return this.#track(this.#work.flush(), () => (this.#flushRunning = false));
  }

  #compact(compaction: CompactionProposal): Promise<void> {
    this.#compactions = [...this.#compactions, compaction];
    return this.#track(this.#work.compact(compaction), () => {
      this.#compactions = this.#compactions.filter((one) => one !== compaction);
    });
  }

  /** Notes that a job runs until it ends, whichever way; `release` takes back what it holds. */
  #track(job: Promise<void>, release: () => void): Promise<void> {
    const ended = job.finally(() => {
      this.#running.delete(ended);
      release();
    });
    this.#running.add(ended);
    return ended;
  }

  #onJobEnd(kind: WorkKind, job: Promise<void>): void {
    job
      .then(
        () => this.#errors.onSuccess(),
        (error: unknown) => {
          if (!this.#shuttingDown) this.#errors.onError(kind, error, () => this.#queue());
        },
      )
      .then(() => this.#onStateChanged());
  }

  #onStateChanged(): void {
    this.#board.fitCache();
    this.#controller.recalculate();
    this.#queue();
    this.#finished.signalAll();
  }
}

function closedError(): LatheError {
  return new LatheError("CLOSED", "the store was closed");
}

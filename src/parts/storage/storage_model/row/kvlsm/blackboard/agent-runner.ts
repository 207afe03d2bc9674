/**
 * AgentRunner: shows the blackboard to the agents and carries out what they propose.
 *
 *   1. After every change (a freeze, a finished job, a retry that is due) a step is scheduled in a later
 *      turn. In it every agent sees a fresh view, until none proposes anything more.
 *   2. A proposal becomes a job on another thread; its output becomes a manifest edit; then the waiters are
 *      looked at.
 *   3. At most one flush and one compaction run at a time.
 *   4. A job that fails is due again after a pause that doubles from 50 ms to 1 s. Reads go on meanwhile.
 *      Once work has failed for `troubleLimitMs`, whoever waits for it (a stalled writer, flush, settle)
 *      gets its error; the retries go on, and what was applied stays in memory and in the log.
 *   5. A compaction that finds damaged files is not tried again; it is logged, and the store goes on without
 *      compactions.
 */
import { assert } from "../../../../../../kit/assert.ts";
import type { Env, Timer } from "../../../../../../kit/env/env.ts";
import { errorCodeOf, LatheError } from "../../../../../../kit/errors.ts";
import type { DurableLog } from "../../../../../core/durable-log.ts";
import type { Agent, CompactionProposal, Proposal } from "./agent.ts";
import type { Blackboard } from "./blackboard.ts";
import { type CompactionInput, compactionJobReference } from "./compaction-job.ts";
import { type FlushInput, flushJobReference, type JobOutput } from "./flush-job.ts";
import { levelTargetBytes, totalBytes } from "./level-shape.ts";
import type { TableOptions } from "./table-writer.ts";
import { levelsMax } from "./version-edit.ts";

const pauseFirstMs = 50;
const pauseMaxMs = 1000;
/** Proposals carried out in one step; an agent that never stops proposing is a bug. */
const proposalsMax = 64;

interface Waiter {
  readonly isDone: () => boolean;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export interface RunnerOptions {
  readonly env: Env;
  readonly board: Blackboard;
  readonly directory: string;
  readonly selectionHash: string;
  readonly log: DurableLog | undefined;
  readonly agents: readonly Agent[];
}

export class AgentRunner {
  readonly #options: RunnerOptions;
  readonly #board: Blackboard;
  #agents: readonly Agent[];
  #scheduled = false;
  #waiters: Waiter[] = [];
  #running = new Set<Promise<void>>();
  #retry: Timer | undefined = undefined;
  #pauseMs = pauseFirstMs;
  /** The last failure, while nothing has succeeded since. */
  #trouble: { readonly error: unknown; readonly sinceUs: number } | undefined = undefined;
  #manual = false;
  #closed = false;

  constructor(options: RunnerOptions) {
    this.#options = options;
    this.#board = options.board;
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
      this.schedule();
    });
  }

  /** Whether no work runs and no agent has anything to propose. */
  isIdle(): boolean {
    return this.#running.size === 0 && this.#trouble === undefined && this.#propose() === undefined;
  }

  /** Merges all files into one level. */
  async compactAll(): Promise<void> {
    const board = this.#board;
    await this.waitUntil(() => !this.#manual && !board.compactionRunning);
    if (board.compactionHalted !== undefined) throw board.compactionHalted;
    const { files } = board.versions.current;
    const all = files.flat();
    if (all.length === 0) return;
    let outputLevel = 1;
    while (outputLevel < levelsMax - 1 && levelTargetBytes(outputLevel, board.tuning) < totalBytes(all))
      outputLevel++;
    const inputs = files.flatMap((level, number) =>
      number === 0 ? level.map((file) => ({ level: 0, files: [file] })) : [{ level: number, files: level }],
    );
    const runs = inputs.filter((run) => run.files.length > 0);
    this.#manual = true;
    board.compactionRunning = true;
    const work = this.#compact({ kind: "compaction", inputs: runs, outputLevel, bottom: true, move: false });
    const ended = work
      .catch(() => undefined)
      .then(() => {
        this.#running.delete(ended);
        this.#manual = false;
        board.compactionRunning = false;
        this.#changed();
      });
    this.#running.add(ended);
    await work;
    await ended;
  }

  /** Lets running jobs end, starts no more, and rejects who still waits. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#retry?.cancel();
    this.#rejectWaiters(closedError());
    await Promise.all(this.#running);
  }

  #propose(): Proposal | undefined {
    const view = this.#board.view();
    for (const agent of this.#agents) {
      const proposal = agent.step(view);
      if (proposal !== undefined) return proposal;
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
    }
    this.#lookAtWaiters();
  }

  #start(proposal: Proposal): void {
    const board = this.#board;
    const isFlush = proposal.kind === "flush";
    if (isFlush) board.flushRunning = true;
    else board.compactionRunning = true;
    const work = (isFlush ? this.#flush() : this.#compact(proposal))
      .then(
        () => this.#succeeded(),
        (error: unknown) => this.#failed(proposal.kind, error),
      )
      .then(() => {
        this.#running.delete(work);
        if (isFlush) board.flushRunning = false;
        else board.compactionRunning = false;
        this.#changed();
      });
    this.#running.add(work);
  }

  async #flush(): Promise<void> {
    const { env, directory, log } = this.#options;
    const board = this.#board;
    const memtable = board.immutables[board.immutables.length - 1];
    const added: { level: number; meta: JobOutput["files"][number] }[] = [];
    if (memtable.versionCount > 0) {
      const output = await env.threads.run<FlushInput, JobOutput>(flushJobReference, {
        directory,
        memtable: memtable.freeze(),
        fileNumber: board.versions.reserveFileNumbers(1),
        snapshots: board.snapshots.indexes(),
        table: this.#tableOptions(),
      });
      for (const meta of output.files) added.push({ level: 0, meta });
      board.work.flushedBytes += output.bytesWritten;
    }
    // The files must not be ahead of the log, or the next entry would get an index that is taken.
    if (log !== undefined && log.syncedIndex < memtable.lastIndex) await log.sync();
    await board.versions.commit({ durableIndex: memtable.lastIndex, removed: [], added });
    board.work.flushes++;
    board.retireOldestImmutable();
    log?.truncatePrefix(memtable.lastIndex);
  }

  async #compact(proposal: CompactionProposal): Promise<void> {
    const { env, directory } = this.#options;
    const board = this.#board;
    const { inputs, outputLevel, bottom, move } = proposal;
    const files = inputs.flatMap((run) => run.files);
    const removed = inputs.flatMap((run) => run.files.map(({ number }) => ({ level: run.level, number })));
    if (move) {
      await board.versions.commit({ removed, added: files.map((meta) => ({ level: outputLevel, meta })) });
      board.work.moves++;
      return;
    }
    const version = board.versions.current.retain();
    try {
      const { targetFileBytes } = board.tuning;
      const fileCountMax = 2 * Math.ceil(totalBytes(files) / targetFileBytes) + files.length + 1;
      const output = await env.threads.run<CompactionInput, JobOutput>(compactionJobReference, {
        directory,
        runs: inputs.map((run) => run.files),
        firstFileNumber: board.versions.reserveFileNumbers(fileCountMax),
        fileCountMax,
        targetFileBytes,
        bottom,
        snapshots: board.snapshots.indexes(),
        table: this.#tableOptions(),
      });
      board.work.compactionReadBytes += output.bytesRead;
      board.work.compactionWrittenBytes += output.bytesWritten;
      await board.versions.commit({
        removed,
        added: output.files.map((meta) => ({ level: outputLevel, meta })),
      });
      board.work.compactions++;
    } finally {
      version.release();
    }
  }

  #tableOptions(): TableOptions {
    const { blockBytes, bloomBitsPerKey, restartInterval } = this.#board.tuning;
    return { blockBytes, bloomBitsPerKey, restartInterval, selectionHash: this.#options.selectionHash };
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
    this.#pauseMs = Math.min(pauseMaxMs, this.#pauseMs * 2);
  }

  #changed(): void {
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

/**
 * ErrorHandler: what becomes of background work that failed.
 *
 *   soft   Anything but damage: no new work begins for a pause that doubles from 50 ms to 1 s, then the scheduler is
 *          called back. Once work has failed for `troubleLimitMs`, whoever waits gets the error; the retries go on.
 *   hard   A compaction met a damaged file: compactions stop for good, flushes and reads go on.
 * Source: RocksDB's error_handler.cc: severities, the automatic recovery, and its callback into the scheduler.
 */
import type { Env, Timer } from "../../kit/env/env.ts";
import { errorCodeOf } from "../../kit/errors.ts";
import type { Blackboard } from "../../parts/storage/storage_model/row/kvlsm/blackboard/blackboard.ts";
import type { Condition } from "./condition.bench.ts";

export type WorkKind = "flush" | "compaction";

const pauseFirstMs = 50;
const pauseMaxMs = 1000;

export class ErrorHandler {
  /** The damage that stopped compactions. */
  compactionHalted: unknown = undefined;
  readonly #env: Env;
  readonly #board: Blackboard;
  readonly #finished: Condition;
  #soft: { readonly error: unknown; readonly sinceUs: number } | undefined = undefined;
  #retry: Timer | undefined = undefined;
  #pauseMs = pauseFirstMs;

  constructor(env: Env, board: Blackboard, finished: Condition) {
    this.#env = env;
    this.#board = board;
    this.#finished = finished;
  }

  /** Whether no work may begin before the callback. */
  get isPaused(): boolean {
    return this.#retry !== undefined;
  }

  get isTroubled(): boolean {
    return this.#soft !== undefined;
  }

  /** The error of work that has failed for longer than the limit. */
  lasting(): unknown {
    if (this.#soft === undefined) return undefined;
    const limitUs = this.#board.tuning.troubleLimitMs * 1000;
    return this.#env.clock.monotonicUs() - this.#soft.sinceUs >= limitUs ? this.#soft.error : undefined;
  }

  onSuccess(): void {
    this.#soft = undefined;
    this.#pauseMs = pauseFirstMs;
  }

  onError(kind: WorkKind, error: unknown, resume: () => void): void {
    const { clock, log } = this.#env;
    const code = errorCodeOf(error);
    const fields = { kind, code, message: (error as Error).message };
    this.#board.work.failures++;
    if (kind === "compaction" && (code === "CORRUPTION" || code === "FORMAT_UNKNOWN")) {
      this.compactionHalted = error;
      log.error("lsm_compaction_halted", fields);
      return;
    }
    log.warn("lsm_background_failed", fields);
    this.#soft = { error, sinceUs: this.#soft?.sinceUs ?? clock.monotonicUs() };
    if (this.lasting() !== undefined) this.#finished.abort(error);
    this.#retry?.cancel();
    this.#retry = clock.setTimer(this.#pauseMs, () => {
      this.#retry = undefined;
      resume();
    });
    this.#pauseMs = Math.min(pauseMaxMs, this.#pauseMs * 2);
  }

  stop(): void {
    this.#retry?.cancel();
  }
}

/**
 * Relaxed sync: answers come before the device flush, within a window that the contract allows to be lost.
 *
 *   1. What was appended is handed to the operating system before it is answered: the death of the process alone loses
 *   nothing, only a loss of power (or of the operating system) does.
 *   2. The log is flushed when half of the window has passed since the oldest entry that no flush covers was answered,
 *   or when half of `unsyncedBytesMax` is unsynced. What is answered while a flush is under way waits for the next one,
 *   which begins by the same rule.
 *   3. Where the device is slower than that, so that the oldest unsynced entry is older than the window or more than
 *   `unsyncedBytesMax` are unsynced, answers wait until the flush has ended.
 *   4. A failed flush is final: nothing is answered from then on, and the log says why.
 * Invariants:
 *   1. The answers that a loss of power takes were given within one window, whatever the device does: from the first of
 *   them until the window is over it may be unsynced, and then nothing is answered until it is not.
 *   2. Where flushes take less than half of the window and the process is not kept from running, what was answered
 *   longer ago than the window survives.
 *   3. What is lost is a suffix of the log (`DurableLog`): no hole, no half entry.
 *   4. Files of the state are never ahead of the log on the device (`durable` is awaited before they come into force).
 * Source: MySQL's innodb_flush_log_at_trx_commit 2, PostgreSQL's synchronous_commit off (whose loss is bounded by three
 * times wal_writer_delay; here the window itself is the bound), Redis' appendfsync everysec, which also makes writers
 * wait where the flush is late.
 */
import type { Clock, Env, Logger, Timer } from "../../../../kit/env/env.ts";
import { LatheError } from "../../../../kit/errors.ts";
import type { Metric } from "../../../../kit/metric.ts";
import type { DurableLog } from "../../../core/durable-log.ts";
import type { SyncPolicy } from "../../sync-policy.ts";

export interface RelaxedSyncOptions {
  readonly log: Pick<DurableLog, "lastIndex" | "syncedIndex" | "sync" | "writeOut">;
  /** What the contract allows to be lost. */
  readonly lossWindowMs: number;
  /** Bytes of entries that may be unsynced; beyond, answers wait. Default: 16 MiB. */
  readonly unsyncedBytesMax?: number;
}

/** Errors: INVALID_ARGUMENT. */
export function createRelaxedSync(env: Pick<Env, "clock" | "log">, options: RelaxedSyncOptions): SyncPolicy {
  const { lossWindowMs } = options;
  if (!(lossWindowMs >= 1)) {
    throw new LatheError("INVALID_ARGUMENT", `a loss window of ${lossWindowMs} ms; it must be 1 at least`);
  }
  return new RelaxedSync(env, options);
}

/** What clients are told by /health: of a product that runs fast, and of one that was told to be safe. */
export function durabilityHealth(policy: SyncPolicy | undefined) {
  if (policy === undefined) return { status: "ok", profile: "safe", loss_window_ms: 0 } as const;
  const { lossWindowMs: loss_window_ms, failure } = policy;
  if (failure === undefined) return { status: "ok", profile: "fast", loss_window_ms } as const;
  const reason = `no write is answered: ${(failure as Error).message}; restart, and look at the device`;
  return { status: "failed", profile: "fast", loss_window_ms, reason } as const;
}

/** The same by SHOW VARIABLES and SHOW STATUS. */
export function durabilityFacts(policy: SyncPolicy | undefined) {
  const { profile, loss_window_ms } = durabilityHealth(policy);
  const variables: readonly (readonly [string, bigint | string])[] = [
    // As MySQL numbers them: 1 flushes before the answer, 2 writes before it and flushes later.
    ["innodb_flush_log_at_trx_commit", policy === undefined ? 1n : 2n],
    ["lathe_loss_window_ms", BigInt(loss_window_ms)],
    ["lathe_profile", profile],
  ];
  const status = (): (readonly [string, bigint | string])[] => [
    ["Lathe_sync_state", durabilityHealth(policy).status],
    ["Lathe_unsynced_bytes", BigInt(policy?.unsyncedBytes ?? 0)],
  ];
  return { variables: () => variables, status };
}

/** Entries that are answered for, or about to be, and not known to be on the device. */
interface Unsynced {
  /** When the oldest of them could first be answered. */
  readonly sinceUs: number;
  bytes: number;
}

class RelaxedSync implements SyncPolicy {
  readonly lossWindowMs: number;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #log: RelaxedSyncOptions["log"];
  readonly #windowUs: number;
  readonly #bytesMax: number;
  /** Behind the flush under way, and what that one covers. */
  #waiting: Unsynced | undefined;
  #covered: Unsynced | undefined;
  #flight: Promise<void> | undefined;
  #timer: Timer | undefined;
  #failure: unknown;
  #closed = false;
  #flushes = 0;
  #lateAnswers = 0;

  constructor({ clock, log: logger }: Pick<Env, "clock" | "log">, options: RelaxedSyncOptions) {
    const { log, lossWindowMs, unsyncedBytesMax = 16 << 20 } = options;
    this.lossWindowMs = lossWindowMs;
    this.#clock = clock;
    this.#logger = logger;
    this.#log = log;
    this.#windowUs = lossWindowMs * 1000;
    this.#bytesMax = unsyncedBytesMax;
  }

  get failure(): unknown {
    return this.#failure;
  }

  get unsyncedBytes(): number {
    return (this.#waiting?.bytes ?? 0) + (this.#covered?.bytes ?? 0);
  }

  answerable(bytes: number): Promise<void> | undefined {
    try {
      this.#log.writeOut();
    } catch (error) {
      this.#fail(error);
    }
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#waiting === undefined) {
      this.#waiting = { sinceUs: this.#clock.monotonicUs(), bytes };
      this.#schedule();
    } else this.#waiting.bytes += bytes;
    if (this.#waiting.bytes >= this.#bytesMax / 2 && this.#flight === undefined) void this.#flush();
    return this.due();
  }

  due(): Promise<void> | undefined {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (!this.#isLate()) return undefined;
    this.#lateAnswers++;
    return this.#inTime();
  }

  durable(index: number): Promise<void> | undefined {
    if (this.#log.syncedIndex >= index) return undefined;
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return this.#durable(index);
  }

  metrics(): Metric[] {
    const counter = (name: string, help: string, value: number): Metric => ({ kind: "counter", name, help, value });
    const gauge = (name: string, help: string, value: number): Metric => ({ kind: "gauge", name, help, value });
    const failed = this.#failure === undefined ? 0 : 1;
    return [
      gauge("sync_loss_window_seconds", "For how long answered writes may be unsynced.", this.#windowUs / 1e6),
      gauge("sync_unsynced_bytes", "Bytes of entries that a loss of power would take.", this.unsyncedBytes),
      gauge("sync_failed", "1 after a failed flush: no write is answered any more.", failed),
      counter("sync_background_flushes_total", "Device flushes that no answer waited for.", this.#flushes),
      counter("sync_late_answers_total", "Answers that waited because a flush was late.", this.#lateAnswers),
    ];
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #isLate(): boolean {
    const oldest = this.#covered ?? this.#waiting;
    if (oldest === undefined) return false;
    return this.unsyncedBytes > this.#bytesMax || this.#clock.monotonicUs() - oldest.sinceUs >= this.#windowUs;
  }

  /** Resolves when what is unsynced is within the window again. */
  async #inTime(): Promise<void> {
    while (this.#isLate()) {
      await (this.#flight ?? this.#flush());
      if (this.#failure !== undefined) throw this.#failure;
    }
  }

  /** By the flush under way, or by one that covers all that was answered. */
  async #durable(index: number): Promise<void> {
    while (this.#log.syncedIndex < index) {
      // A closed policy keeps no account, and its log says itself what is wrong.
      if (this.#closed) return this.#log.sync();
      await (this.#flight ?? this.#flush());
      if (this.#failure !== undefined) throw this.#failure;
    }
  }

  #schedule(): void {
    if (this.#waiting === undefined || this.#flight !== undefined || this.#timer !== undefined || this.#closed) return;
    const leftUs = this.#waiting.sinceUs + this.#windowUs / 2 - this.#clock.monotonicUs();
    this.#timer = this.#clock.setTimer(Math.max(0, leftUs / 1000), () => {
      this.#timer = undefined;
      if (this.#flight === undefined && this.#waiting !== undefined) void this.#flush();
    });
  }

  /** One flush of all that is there; never rejects, see `#failure`. */
  #flush(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#covered = this.#waiting;
    this.#waiting = undefined;
    this.#flight = this.#sync();
    return this.#flight;
  }

  async #sync(): Promise<void> {
    try {
      await this.#log.sync();
      this.#flushes++;
    } catch (error) {
      this.#fail(error);
    }
    this.#covered = undefined;
    this.#flight = undefined;
    this.#schedule();
  }

  #fail(error: unknown): void {
    // Once the log is closed it has flushed everything itself.
    if (this.#failure !== undefined || this.#closed) return;
    this.#failure = error;
    this.#logger.error("sync.failed", {
      error, says: "no write is answered from now on; a restart keeps what the device has",
    });
  }
}

/**
 * Condition: a condition variable for one thread, whose turns are the critical sections.
 *
 *   1. `wait` resolves at once where its predicate holds, else when a signal finds that it does.
 *   2. `abort` rejects whoever waits; whoever waits later waits as ever, unless the condition was closed.
 * Source: the background_work_finished_signal_ of LevelDB, bg_cv_ of RocksDB.
 */
interface Waiter {
  readonly holds: () => boolean;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export class Condition {
  #waiters: Waiter[] = [];
  #closedBy: unknown = undefined;

  wait(holds: () => boolean): Promise<void> {
    if (holds()) return Promise.resolve();
    if (this.#closedBy !== undefined) return Promise.reject(this.#closedBy);
    return new Promise((resolve, reject) => {
      this.#waiters.push({ holds, resolve, reject });
    });
  }

  signalAll(): void {
    const waiting = this.#waiters.splice(0);
    for (const waiter of waiting) {
      if (waiter.holds()) waiter.resolve();
      else this.#waiters.push(waiter);
    }
  }

  abort(error: unknown): void {
    for (const waiter of this.#waiters.splice(0)) waiter.reject(error);
  }

  close(error: unknown): void {
    this.#closedBy = error;
    this.abort(error);
  }
}

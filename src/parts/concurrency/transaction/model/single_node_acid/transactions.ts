/**
 * Transactions: those that are open, their limits, and the time after which one without a sign of life is rolled back.
 *
 * A transaction holds a snapshot, and a snapshot holds files and old versions of rows; therefore one that nobody goes
 * on with ends by itself. One timer for all of them runs while any is open.
 * Limits: `openMax` transactions, `readRowsMax` rows that one may read, `writeBytesMax` bytes that it may write,
 * `idleTimeoutMs`.
 */
import type { Env, Timer } from "../../../../../kit/env/env.ts";
import { LatheError } from "../../../../../kit/errors.ts";
import type { Metric } from "../../../../../kit/metric.ts";
import type { Catalog } from "../../../../architecture/catalog/table.ts";
import type { StorageEngine } from "../../../../storage/engine.ts";
import type {
  BeginOptions,
  InteractiveTransaction,
  InteractiveTransactions,
  TransactionIsolation,
} from "../../interactive-transactions.ts";
import type { StepRunner } from "../../step-runner.ts";
import { OpenTransaction } from "./open-transaction.ts";
import { ReservedNumbers } from "./reserved-numbers.ts";

export interface TransactionLimits {
  readonly openMax: number;
  readonly idleTimeoutMs: number;
  readonly readRowsMax: number;
  readonly writeBytesMax: number;
  /** Numbers of an AUTO_INCREMENT column that are set aside at once. */
  readonly numbersReserved: number;
}

export const defaultLimits: TransactionLimits = {
  openMax: 1024,
  idleTimeoutMs: 60_000,
  readRowsMax: 100_000,
  writeBytesMax: 16 * 1024 * 1024,
  numbersReserved: 256,
};

export interface TransactionDoors {
  readonly env: Pick<Env, "clock">;
  readonly engine: StorageEngine;
  readonly catalog: Catalog;
  readonly steps: StepRunner;
  /** Serializable unless the contract asks for less. */
  readonly isolation?: TransactionIsolation | undefined;
  readonly limits?: Partial<TransactionLimits> | undefined;
}

/** Errors: INVALID_ARGUMENT for an engine without snapshots. */
export function createTransactions(doors: TransactionDoors): InteractiveTransactions {
  if (!doors.engine.capabilities.snapshots) {
    throw new LatheError("INVALID_ARGUMENT", "open transactions need an engine with snapshots");
  }
  return new Transactions(doors);
}

class Transactions implements InteractiveTransactions {
  readonly #doors: TransactionDoors;
  readonly #limits: TransactionLimits;
  readonly #open = new Set<OpenTransaction>();
  readonly #numbers = new ReservedNumbers();
  #timer: Timer | undefined;
  #begun = 0;
  #timedOut = 0;

  readonly isolation: TransactionIsolation;

  constructor(doors: TransactionDoors) {
    this.#doors = doors;
    this.isolation = doors.isolation ?? "serializable";
    this.#limits = { ...defaultLimits, ...doors.limits };
  }

  begin(options: BeginOptions = {}): InteractiveTransaction {
    const { openMax } = this.#limits;
    if (this.#open.size >= openMax) {
      throw new LatheError("LIMIT_EXCEEDED", `${openMax} transactions are open already; end some, or try again later`);
    }
    const onEnd = (ended: OpenTransaction) => this.#forget(ended);
    const transaction = new OpenTransaction(this.#doors, this.#limits, this.#numbers, options, onEnd);
    this.#open.add(transaction);
    this.#begun++;
    this.#timer ??= this.#scheduleSweep();
    return transaction;
  }

  metrics(): Metric[] {
    const of = (kind: "counter" | "gauge", name: string, help: string, value: number): Metric => ({
      kind, name: `lathe_transactions_${name}`, help, value,
    });
    return [
      of("gauge", "open", "Transactions that are open.", this.#open.size),
      of("counter", "begun_total", "Transactions that stayed open after a request.", this.#begun),
      of("counter", "timed_out_total", "Open transactions rolled back for want of a statement.", this.#timedOut),
    ];
  }

  #forget(transaction: OpenTransaction): void {
    this.#open.delete(transaction);
    if (this.#open.size > 0) return;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #scheduleSweep(): Timer {
    const { idleTimeoutMs } = this.#limits;
    return this.#doors.env.clock.setTimer(Math.max(1, Math.ceil(idleTimeoutMs / 4)), () => {
      const oldestUs = this.#doors.env.clock.monotonicUs() - idleTimeoutMs * 1000;
      for (const transaction of this.#open) {
        if (transaction.lastUsedUs > oldestUs) continue;
        this.#timedOut++;
        const why = `no statement came for ${idleTimeoutMs} ms and it was rolled back; try restarting transaction`;
        transaction.lose("conflict", why);
      }
      this.#timer = this.#open.size > 0 ? this.#scheduleSweep() : undefined;
    });
  }
}

/**
 * OperationCounter: statements and transactions of a log as operations of a contract, each with what it touches.
 *
 * Statements of the same kind that touch the same table by the same columns count together; so do transactions of the
 * same steps. The most frequent `operationsMax` and `transactionsMax` are told apart; the others are counted by their
 * kind alone, and touch any table.
 */
import type { TransactionKind } from "../../traces/session-transactions.ts";
import type { OperationTarget, TransactionStepSpec } from "../contract.ts";
import { transactionsMin } from "./infer-shares.ts";
import type { InferredTarget } from "./infer-targets.ts";

export interface InferredOperation extends OperationTarget {
  readonly name: string;
  readonly count: number;
  readonly valueBytes: number;
  /** Zipf constant; 0 is uniform. */
  readonly skew: number;
  readonly steps?: readonly TransactionStepSpec[];
  /** What is in it, for people. */
  readonly evidence: string;
}

interface Counted {
  readonly name: string;
  readonly target: InferredTarget;
  count: number;
  bytes: number;
  /** Rows, of those that say how many. */
  rows: number;
  sized: number;
  readonly parts: Map<string, number>;
}

interface CountedPart {
  readonly count: number;
  readonly bytes: number;
  readonly what: string;
}

interface CountedTransaction {
  readonly name: string;
  readonly steps: readonly TransactionStepSpec[];
  count: number;
}

const operationsMax = 60;
const transactionsMax = 20;

export class OperationCounter {
  readonly #operations = new Map<string, Counted>();
  readonly #transactions = new Map<string, CountedTransaction>();
  /** By the steps without what they share, the sign of the most frequent of them. */
  readonly #firstOf = new Map<string, string>();
  #reading = 0;
  #writing = 0;

  /** `bytes`: of the value that each of them reads or writes; `what`: for people. */
  add(name: string, target: InferredTarget, { count, bytes, what }: CountedPart): void {
    const { table, key, range, rows } = target;
    const sign = JSON.stringify([name, table, key, range]);
    let counted = this.#operations.get(sign);
    if (counted === undefined) this.#operations.set(sign, counted = newCount(name, target));
    counted.count += count;
    counted.bytes += count * bytes;
    counted.parts.set(what, (counted.parts.get(what) ?? 0) + count);
    if (rows === undefined) return;
    counted.rows += count * rows;
    counted.sized += count;
  }

  /** The most frequent kinds first. `steps`: undefined where one is no step of a contract's transactions. */
  addKind(kind: TransactionKind, steps: readonly TransactionStepSpec[] | undefined): void {
    if (steps === undefined) return this.addTransactions(kind.writing, kind.count);
    const name = kind.writing ? "WRITETRANSACTION" : "READTRANSACTION";
    const bare = signOf(name, steps.map((step) => ({ ...step, shares: undefined })));
    const known = kind.count < transactionsMin ? this.#firstOf.get(bare) : undefined;
    const sign = known ?? signOf(name, steps);
    if (!this.#firstOf.has(bare)) this.#firstOf.set(bare, sign);
    const counted = this.#transactions.get(sign);
    if (counted === undefined) this.#transactions.set(sign, { name, steps, count: kind.count });
    else counted.count += kind.count;
  }

  /** Those whose steps are not known. */
  addTransactions(writing: boolean, count: number): void {
    if (writing) this.#writing += count;
    else this.#reading += count;
  }

  /** The most frequent first. `skew`: of operations that touch any table. */
  operations(skew: number): InferredOperation[] {
    const transactions = [...this.#transactions.values()].sort((one, other) => other.count - one.count);
    for (const { name, count } of transactions.slice(transactionsMax)) {
      this.addTransactions(name === "WRITETRANSACTION", count);
    }
    const unknown = { valueBytes: 0, skew };
    const found: InferredOperation[] = [
      ...this.#statements(skew),
      ...transactions.slice(0, transactionsMax).map(({ name, steps, count }) => (
        { name, count, steps, ...unknown, skew: 0, evidence: steps.map(stepText).join(", ") }
      )),
      { name: "READTRANSACTION", count: this.#reading, ...unknown, evidence: "transactions that only read" },
      { name: "WRITETRANSACTION", count: this.#writing, ...unknown, evidence: "transactions that write" },
    ];
    return found.filter(({ count }) => count > 0)
      .sort((one, other) => other.count - one.count || (one.name < other.name ? -1 : 1));
  }

  #statements(skew: number): InferredOperation[] {
    const counted = [...this.#operations.values()].sort((one, other) => other.count - one.count);
    const rest = new Map<string, Counted>();
    for (const one of counted.slice(operationsMax)) {
      const together = rest.get(one.name) ?? newCount(one.name, { skew });
      together.count += one.count;
      together.bytes += one.bytes;
      for (const [what, count] of one.parts) together.parts.set(what, (together.parts.get(what) ?? 0) + count);
      rest.set(one.name, together);
    }
    const kept = counted.slice(0, operationsMax);
    for (const one of rest.values()) {
      const same = kept.find(({ name, target }) => name === one.name && target.table === undefined);
      if (same === undefined) kept.push(one);
      else Object.assign(same, { count: same.count + one.count, bytes: same.bytes + one.bytes });
    }
    return kept.map(({ name, target, count, bytes, rows, sized, parts }) => {
      const size = sized === 0 ? {} : { rows: Math.max(1, Math.round(rows / sized)) };
      return { name, count, ...target, ...size, valueBytes: Math.round(bytes / count), evidence: partsText(parts) };
    });
  }
}

function signOf(name: string, steps: readonly TransactionStepSpec[]): string {
  return JSON.stringify([name, steps.map((step) => ({ ...step, times: 0, skew: 0 }))]);
}

function newCount(name: string, target: InferredTarget): Counted {
  return { name, target, count: 0, bytes: 0, rows: 0, sized: 0, parts: new Map() };
}

function partsText(parts: ReadonlyMap<string, number>): string {
  const sorted = [...parts].sort(([, one], [, other]) => other - one);
  const listed = sorted.slice(0, 3).map(([what, count]) => `${count} ${what}`).join("; ");
  return sorted.length > 3 ? `${listed}; ${sorted.length - 3} more` : listed;
}

function stepText({ operation, table, times, shares = [] }: TransactionStepSpec): string {
  const shared = shares.map(({ column, step, of }) => `${column} = ${of ?? column} of step ${step}`).join(", ");
  const what = `${operation}${table === undefined ? "" : ` ${table}`}${times === undefined ? "" : ` ${times} times`}`;
  return shared === "" ? what : `${what} (${shared})`;
}

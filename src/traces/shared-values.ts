/**
 * SharedValues: which values the statements of one kind of transaction have in common, in bounded memory.
 *
 *   1. Each statement comes with a hash per column that it compares by equality or stores (`linkedValues` of its plan).
 *   2. The first `learningMax` transactions of the kind give pairs of columns that were equal at least once: those of
 *      an earlier step, or of the first statement of the same step. The n-th statement of a step is held against the
 *      n-th of the other, or against the last one there.
 *   3. From then on each pair counts how often all its statements agree, and how often the first would have agreed with
 *      the transaction before: what values have in common by chance, because there are few or one is used most.
 * Whether a pair is a rule is decided by who reads the counts.
 */
import type { StatementShape } from "./statement-shapes.ts";

export interface SharedPair {
  /** Steps from 0; columns by their place in `columns` of the step. */
  readonly step: number;
  readonly column: number;
  readonly source: number;
  readonly from: number;
  seen: number;
  same: number;
  /** Agreements with the transaction before, of `compared`. */
  chance: number;
  compared: number;
}

/** A step of one transaction: by statement, the hashes of its columns; -1 where a value is not known. */
export interface StepValues {
  readonly shape: StatementShape;
  readonly values: readonly (readonly number[])[];
}

/** Statements of a step whose values are kept. */
export const valuesKept = 8;
const learningMax = 8;
const pairsMax = 256;

export class SharedValues {
  readonly pairs: SharedPair[] = [];
  readonly #known = new Set<string>();
  #learnt = 0;
  #before: readonly StepValues[] | undefined;

  take(steps: readonly StepValues[]): void {
    if (this.#learnt < learningMax) {
      this.#learnt++;
      this.#learn(steps);
    }
    for (const pair of this.pairs) this.#count(pair, steps);
    this.#before = this.pairs.length > 0 ? steps : undefined;
  }

  #learn(steps: readonly StepValues[]): void {
    const firsts = new Map<number, (readonly [step: number, column: number])[]>();
    for (const [step, { values: [first = [], second] }] of steps.entries()) {
      for (const [column, hash] of first.entries()) {
        for (const [source, from] of firsts.get(hash) ?? []) this.#add(step, column, source, from);
        if (hash >= 0 && second?.[column] === hash) this.#add(step, column, step, column);
      }
      for (const [column, hash] of first.entries()) {
        if (hash < 0) continue;
        const places = firsts.get(hash);
        if (places === undefined) firsts.set(hash, [[step, column]]);
        else places.push([step, column]);
      }
    }
  }

  #add(step: number, column: number, source: number, from: number): void {
    const name = `${step} ${column} ${source} ${from}`;
    if (this.pairs.length >= pairsMax || this.#known.has(name)) return;
    this.#known.add(name);
    this.pairs.push({ step, column, source, from, seen: 0, same: 0, chance: 0, compared: 0 });
  }

  #count(pair: SharedPair, steps: readonly StepValues[]): void {
    const { step, column, source, from } = pair;
    const mine = steps[step].values;
    const its = steps[source].values;
    let agree: boolean | undefined;
    for (let at = step === source ? 1 : 0; at < mine.length; at++) {
      const value = mine[at][column] ?? -1;
      const other = its[step === source ? 0 : Math.min(at, its.length - 1)]?.[from] ?? -1;
      if (value < 0 || other < 0) return;
      if (value !== other) agree = false;
      else agree ??= true;
    }
    if (agree === undefined) return;
    pair.seen++;
    if (agree) pair.same++;
    const before = this.#before?.[source].values[0]?.[from] ?? -1;
    if (before < 0) return;
    pair.compared++;
    if (before === mine[0][column]) pair.chance++;
  }
}

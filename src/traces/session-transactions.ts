/**
 * SessionTransactions: follows sessions to find transactions (BEGIN … COMMIT, or statements without autocommit), and
 * what they consist of.
 *
 * The kind of a transaction is the sequence of its statements' shapes, runs of the same shape folded into one step; at
 * most `kindsMax` kinds of at most `stepsMax` steps are told apart, the others are counted alone. What the statements
 * of a kind have in common is told by `shared-values.ts`.
 */
import { SharedValues, valuesKept } from "./shared-values.ts";
import type { StatementShape } from "./statement-shapes.ts";

export interface TransactionStats {
  count: number;
  writing: number;
  statements: number;
  statementsMin: number;
  statementsMax: number;
  /** Sent as one text, so that nobody waits within them. */
  oneShot: number;
  rolledBack: number;
  /** Still open at the end of the log. */
  open: number;
}

export interface TransactionStep {
  readonly shape: StatementShape;
  /** Statements of all transactions of the kind. */
  statements: number;
}

export interface TransactionKind {
  readonly steps: readonly TransactionStep[];
  readonly writing: boolean;
  readonly shared: SharedValues;
  count: number;
}

interface OpenStep extends TransactionStep {
  /** Of the first statements. */
  readonly values: (readonly number[])[];
}

interface OpenTransaction {
  statements: number;
  writing: boolean;
  /** Undefined where there are too many. */
  steps: OpenStep[] | undefined;
}

interface Session {
  transaction: OpenTransaction | undefined;
  autocommit: boolean;
}

const sessionsMax = 20_000;
const kindsMax = 500;
const stepsMax = 64;

export class SessionTransactions {
  readonly stats: TransactionStats = {
    count: 0, writing: 0, statements: 0, statementsMin: 0, statementsMax: 0, oneShot: 0, rolledBack: 0, open: 0,
  };
  readonly kinds = new Map<string, TransactionKind>();
  sessionsMax = 0;
  readonly #sessions = new Map<string, Session>();

  connect(name: string): void {
    this.#session(name);
  }

  /** What is open is rolled back. */
  disconnect(name: string): void {
    const session = this.#sessions.get(name);
    if (session !== undefined) this.#close(session, false, true);
    this.#sessions.delete(name);
  }

  /** `together`: sent as one text with other statements. */
  begin(name: string, together: boolean): void {
    const session = this.#session(name);
    this.#close(session, together, false);
    session.transaction = newTransaction();
  }

  finish(name: string, together: boolean, rolledBack: boolean): void {
    this.#close(this.#session(name), together, rolledBack);
  }

  setAutocommit(name: string, on: boolean): void {
    this.#session(name).autocommit = on;
  }

  /** Whether a statement that comes now is within a transaction. */
  isWithin(name: string): boolean {
    const session = this.#session(name);
    if (!session.autocommit) session.transaction ??= newTransaction();
    return session.transaction !== undefined;
  }

  /**
   * A statement within a transaction; `shape`: undefined where shapes are no longer told apart; `linked`: hashes of the
   * shape's linked columns.
   */
  statement(name: string, shape: StatementShape | undefined, linked: readonly number[], writes: boolean): void {
    const { transaction } = this.#session(name);
    if (transaction === undefined) return;
    transaction.statements++;
    if (writes) transaction.writing = true;
    const { steps } = transaction;
    if (steps === undefined) return;
    const last = steps[steps.length - 1];
    if (shape === undefined || (steps.length >= stepsMax && last?.shape !== shape)) transaction.steps = undefined;
    else if (last?.shape === shape) {
      last.statements++;
      if (last.values.length < valuesKept) last.values.push(linked);
    } else steps.push({ shape, statements: 1, values: [linked] });
  }

  end(): void {
    for (const { transaction } of this.#sessions.values()) if (transaction !== undefined) this.stats.open++;
  }

  #session(name: string): Session {
    let session = this.#sessions.get(name);
    if (session === undefined) {
      session = { transaction: undefined, autocommit: true };
      // The one that is there for longest has ended without a word.
      if (this.#sessions.size >= sessionsMax) this.#sessions.delete(this.#sessions.keys().next().value ?? "");
      this.#sessions.set(name, session);
      this.sessionsMax = Math.max(this.sessionsMax, this.#sessions.size);
    }
    return session;
  }

  #close(session: Session, oneShot: boolean, rolledBack: boolean): void {
    const ended = session.transaction;
    session.transaction = undefined;
    if (ended === undefined || ended.statements === 0) return;
    const { stats } = this;
    stats.statementsMin = stats.count === 0 ? ended.statements : Math.min(stats.statementsMin, ended.statements);
    stats.statementsMax = Math.max(stats.statementsMax, ended.statements);
    stats.count++;
    stats.statements += ended.statements;
    if (ended.writing) stats.writing++;
    if (oneShot) stats.oneShot++;
    if (rolledBack) stats.rolledBack++;
    if (ended.steps !== undefined) this.#countKind(ended.steps, ended.writing);
  }

  #countKind(steps: readonly OpenStep[], writing: boolean): void {
    const name = steps.map(({ shape }) => shape.number).join(",");
    let kind = this.kinds.get(name);
    if (kind !== undefined) {
      kind.count++;
      for (let at = 0; at < steps.length; at++) kind.steps[at].statements += steps[at].statements;
    } else if (this.kinds.size < kindsMax) {
      const counted = steps.map(({ shape, statements }) => ({ shape, statements }));
      kind = { steps: counted, writing, shared: new SharedValues(), count: 1 };
      this.kinds.set(name, kind);
    }
    kind?.shared.take(steps);
  }
}

function newTransaction(): OpenTransaction {
  return { statements: 0, writing: false, steps: [] };
}

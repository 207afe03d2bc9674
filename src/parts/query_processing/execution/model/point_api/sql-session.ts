/**
 * SqlSession: what one client has open across its requests: a transaction, autocommit, the last inserted id.
 *
 * Algorithm, for a statement while a transaction is open (or autocommit is off, when the first statement opens one):
 *   reads    run on the transaction's view
 *   writes   become steps, which run on that view and are kept by the transaction; nothing is proposed, except for
 *            numbers of AUTO_INCREMENT, which are set aside many at a time
 *   COMMIT   proposes the one command that the transaction gives; a refusal is a conflict (1213), and nothing happened
 *   BEGIN, DDL, LOCK TABLES, FLUSH and turning autocommit on commit what is open first, as in MySQL
 * After LOCK TABLES … READ reads are of its moment (`table-locks.ts`), and nothing is written.
 * A statement that fails leaves the transaction open, as in MySQL; where the transaction itself cannot go on (it was
 * idle for too long, a definition changed, it has read or written too much) it is rolled back, and the statement fails.
 * A session that has none of this costs a statement one look at four fields.
 */
import type { ColumnValue } from "../../../../architecture/catalog/table.ts";
import type { CommandResult, CommandStep, StepResult } from "../../../../concurrency/transaction/command.ts";
import type { InteractiveTransaction } from "../../../../concurrency/transaction/interactive-transactions.ts";
import {
  type ExecutorSession,
  notSelected,
  type PreparedStatement,
  type ResultSink,
  SqlError,
} from "../../../executor.ts";
import {
  type BorderPlan,
  type LockPlan,
  type Plan,
  type ReadPlan,
  type RunDoors,
  type SavepointPlan,
  serializableName,
  type SettingsPlan,
  type WritePlan,
} from "./plan.ts";
import type { RunOptions } from "./paced-read.ts";
import { commandRefused } from "./sql-errors.ts";
import { lockedForReading, TableLocks } from "./table-locks.ts";

const interactive = "concurrency/transaction/model/single_node_acid";
const refusedWrite = "Cannot execute statement in a READ ONLY transaction.";

/** The executor, which runs what needs no session. */
export interface StatementRunner {
  execute(
    statement: PreparedStatement,
    parameters: readonly ColumnValue[],
    sink: ResultSink,
    session: SqlSession,
  ): Promise<void> | undefined;
  query(sql: string, sink: ResultSink, session: SqlSession): Promise<void> | undefined;
  /** A write of its own, outside of transactions. */
  write(
    plan: WritePlan,
    parameters: readonly ColumnValue[],
    base: number,
    sink: ResultSink,
    session: SqlSession,
  ): Promise<void>;
}

export class SqlSession implements ExecutorSession {
  autocommit = true;
  lastInsertId = 0n;
  readonly #runner: StatementRunner;
  readonly #doors: RunDoors;
  #transaction: InteractiveTransaction | undefined;
  /** Serializable although the product's transactions are not: all of this session, or the next one. */
  #serializable = false;
  #nextSerializable: boolean | undefined;
  #locks: TableLocks | undefined;
  #timeLimitMs: number | undefined;

  constructor(runner: StatementRunner, doors: RunDoors) {
    this.#runner = runner;
    this.#doors = doors;
  }

  get inTransaction(): boolean {
    return this.#transaction !== undefined;
  }

  /** Whether each statement is a transaction of its own, and a text may be one. */
  get isFree(): boolean {
    return this.#transaction === undefined && this.autocommit && this.#locks === undefined;
  }

  /** Whether reads run as they would without a session. */
  get isPlain(): boolean {
    return this.isFree && this.#timeLimitMs === undefined;
  }

  execute(
    statement: PreparedStatement,
    parameters: readonly ColumnValue[],
    sink: ResultSink,
  ): Promise<void> | undefined {
    return this.#runner.execute(statement, parameters, sink, this);
  }

  query(sql: string, sink: ResultSink): Promise<void> | undefined {
    return this.#runner.query(sql, sink, this);
  }

  reset(): void {
    this.#abandon();
    this.unlockTables();
    this.autocommit = true;
    this.#serializable = false;
    this.#nextSerializable = undefined;
    this.#timeLimitMs = undefined;
    this.lastInsertId = 0n;
  }

  variables(): ReadonlyMap<string, ColumnValue> {
    const isolation = this.#serializable ? serializableName : this.#doors.bounds.isolationName;
    return new Map<string, ColumnValue>([
      ["autocommit", this.autocommit ? 1n : 0n],
      ["max_execution_time", BigInt(this.#timeLimitMs ?? 0)],
      ["transaction_isolation", isolation],
      ["tx_isolation", isolation],
    ]);
  }

  /** What LOCK TABLES gave ends with UNLOCK TABLES, and with the beginning of a transaction. */
  unlockTables(): void {
    this.#locks?.release();
    this.#locks = undefined;
  }

  /** Keeps the number that a write was given. */
  note(results: readonly StepResult[]): void {
    for (const result of results) {
      if (result.kind !== "changed" || result.generated !== true || result.insertId === undefined) continue;
      this.lastInsertId = result.insertId;
    }
  }

  /** Runs a statement in this session. Throws SqlError, or returns a promise that rejects with it. */
  run(
    plan: Plan,
    parameters: readonly ColumnValue[],
    base: number,
    sink: ResultSink,
  ): Promise<void> | undefined {
    switch (plan.kind) {
      case "begin":
        return this.#commit(() => this.#begin(plan, sink));
      case "commit":
        return this.#commit(() => done(sink));
      case "rollback":
        this.#abandon();
        return done(sink);
      case "settings":
        return this.#set(plan, sink);
      case "session":
        plan.run(sink, parameters, this);
        return undefined;
      case "read":
        return this.#read(() => plan.run(parameters, base, sink, this.#optionsOf(plan)));
      case "savepoint":
        return this.#savepoint(plan, sink);
      case "lock":
        return plan.tables.length === 0 ? this.#lock(plan, sink) : this.#commit(() => this.#lock(plan, sink));
      case "flush":
        return this.#commit(() => this.#flushLog(sink));
      case "write": {
        if (this.#locks !== undefined) throw lockedForReading();
        if (plan.label !== "ddl") return this.#write(plan, parameters, base, sink);
        return this.#commit(() => this.#runner.write(plan, parameters, base, sink, this));
      }
    }
  }

  /** Opens a transaction, as BEGIN does. */
  #begin({ readOnly, now }: BorderPlan, sink: ResultSink): undefined {
    this.#transaction = this.#opened({ readOnly, now });
    done(sink);
  }

  #opened(options?: { readOnly?: boolean | undefined; now?: boolean | undefined }): InteractiveTransaction {
    const { transactions } = this.#doors;
    if (transactions === undefined) throw notSelected(interactive, "a transaction over several requests");
    const serializable = this.#nextSerializable ?? this.#serializable;
    this.#nextSerializable = undefined;
    return transactions.begin({ ...options, serializable });
  }

  /** The open transaction, or the one that this statement opens. Throws SqlError where it cannot go on. */
  #going(): InteractiveTransaction {
    this.#transaction ??= this.#opened();
    const why = this.#transaction.lost();
    if (why === undefined) return this.#transaction;
    this.#abandon();
    throw new SqlError(why.reason, why.message);
  }

  /** What a read sees: the moment of the locks, or the open transaction's. Throws SqlError. */
  #optionsOf({ table, locks }: ReadPlan): RunOptions {
    const timeLimitMs = this.#timeLimitMs;
    if (this.#locks !== undefined) {
      this.#locks.checkRead(table);
      return { atOnce: false, view: this.#locks.view, timeLimitMs };
    }
    if (this.isFree) return { atOnce: false, timeLimitMs };
    const transaction = this.#going();
    return { atOnce: false, view: locks ? transaction.lockingView : transaction.view, timeLimitMs };
  }

  #lock({ tables }: LockPlan, sink: ResultSink): undefined {
    this.unlockTables();
    if (tables.length > 0) this.#locks = new TableLocks(this.#doors, tables);
    done(sink);
  }

  /** What the session itself has open was committed before. */
  #flushLog(sink: ResultSink): Promise<void> | undefined {
    const waiting = this.#doors.flushLog?.();
    return waiting === undefined ? done(sink) : waiting.then(() => done(sink));
  }

  /** Outside of a transaction a savepoint is gone with its statement. */
  #savepoint({ action, name }: SavepointPlan, sink: ResultSink): undefined {
    const open = this.#transaction !== undefined || (action === "set" && !this.autocommit);
    const transaction = open ? this.#going() : undefined;
    if (action === "set") transaction?.savepoint(name);
    else if (transaction?.[action === "rollback" ? "rollbackTo" : "release"](name) !== true) {
      throw new SqlError("savepoint_missing", `SAVEPOINT ${name} does not exist`);
    }
    done(sink);
  }

  #abandon(): void {
    this.#transaction?.rollback();
    this.#transaction = undefined;
  }

  #set({ autocommit, serializable, timeLimitMs }: SettingsPlan, sink: ResultSink): Promise<void> | undefined {
    if (serializable?.scope === "next" && this.#transaction !== undefined) {
      const what = "Transaction characteristics can't be changed while a transaction is in progress";
      throw new SqlError("transaction_in_progress", what);
    }
    if (timeLimitMs !== undefined) this.#timeLimitMs = timeLimitMs === 0 ? undefined : timeLimitMs;
    if (serializable?.scope === "next") this.#nextSerializable = serializable.on;
    else if (serializable !== undefined) this.#serializable = serializable.on;
    return autocommit === undefined ? done(sink) : this.#setAutocommit(autocommit, sink);
  }

  #setAutocommit(on: boolean, sink: ResultSink): Promise<void> | undefined {
    const set = () => {
      this.autocommit = on;
      return done(sink);
    };
    if (!on && this.#doors.transactions === undefined) throw notSelected(interactive, "SET autocommit = 0");
    return on && !this.autocommit ? this.#commit(set) : set();
  }

  /** Commits what is open, then goes on with `then`. */
  #commit(then: () => Promise<void> | undefined): Promise<void> | undefined {
    const transaction = this.#transaction;
    this.#transaction = undefined;
    const why = transaction?.lost();
    if (why !== undefined) throw new SqlError(why.reason, why.message);
    const command = transaction?.commit();
    if (command === undefined) return then();
    return this.#propose(command.steps).then(then);
  }

  async #propose(steps: readonly CommandStep[]): Promise<readonly StepResult[]> {
    const { log, codec, counters } = this.#doors;
    const { result } = await log.propose(codec.encode({ steps }));
    const outcome = result as CommandResult;
    if (outcome.ok) return outcome.steps;
    if (outcome.error.reason === "conflict") counters.conflicts++;
    throw commandRefused(outcome.error);
  }

  /** Reads wait for the log's barrier; what they throw beside SqlError ends the transaction. */
  #read(run: () => Promise<void> | undefined): Promise<void> | undefined {
    const barrier = this.#doors.log.readBarrier();
    const waiting = barrier === undefined ? this.#guarded(run) : barrier.then(() => this.#guarded(run));
    return waiting?.catch((thrown: unknown) => this.#guarded(() => {
      throw thrown;
    }));
  }

  #guarded<Result>(run: () => Result): Result {
    try {
      return run();
    } catch (thrown) {
      if ((thrown as { code?: unknown } | undefined)?.code !== "SQL") this.#abandon();
      throw thrown;
    }
  }

  #write(
    plan: WritePlan,
    parameters: readonly ColumnValue[],
    base: number,
    sink: ResultSink,
  ): Promise<void> | undefined {
    const transaction = this.#going();
    if (transaction.readOnly) throw new SqlError("read_only_transaction", refusedWrite);
    const steps: CommandStep[] = [];
    plan.addSteps(parameters, base, steps);
    const reserve = transaction.unnumbered(steps);
    if (reserve === undefined) return this.#runSteps(transaction, plan, steps, sink);
    // The caller's values, and the bytes that they may be views of, are valid during the call only.
    const kept = structuredClone(steps);
    return this.#propose([reserve]).then(([result]) => {
      transaction.reserved(reserve, result);
      if (this.#transaction !== transaction) throw new SqlError("conflict", "the transaction was rolled back");
      this.#runSteps(transaction, plan, kept, sink);
    });
  }

  #runSteps(
    transaction: InteractiveTransaction,
    plan: WritePlan,
    steps: readonly CommandStep[],
    sink: ResultSink,
  ): undefined {
    const outcome = this.#guarded(() => transaction.run(steps));
    if (!outcome.ok) throw commandRefused(outcome.error);
    this.note(outcome.steps);
    plan.answer(outcome.steps, 0, outcome.steps.length, sink, [], 0);
  }
}

function done(sink: ResultSink): undefined {
  sink.done({ affectedRows: 0, matchedRows: 0, info: "" });
}

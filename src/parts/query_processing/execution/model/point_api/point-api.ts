/**
 * The point API executor: plans that are direct calls of get, scan and propose; no operator tree.
 *
 * Algorithm:
 *   reads    wait for the log's read barrier if there is one, then run to their end within the turn: a point read is
 *            the key, the row cache, the engine, the sink.
 *   writes   become one command per statement, proposed to the log; the answer is what applying it gave.
 *   text     statement after statement. `START TRANSACTION; …; COMMIT` is planned as a whole first: with a write in
 *            it, it is one command (reads are steps of it); without one, its reads run within one turn, so they see
 *            one moment, and nothing enters the log.
 *   sessions what a transaction that stays open makes of statements is in `sql-session.ts`.
 * Refused: a transaction that would stay open at the end of a text, where there is no session or the product has no
 * such transactions, by the name of the leaf that keeps them. Plans carry the catalog's version and are made again when
 * it has changed.
 * Source: VoltDB's ad hoc and stored procedures, TiDB's point-get executor and plan cache.
 */
import type { Metric } from "../../../../../kit/metric.ts";
import type { ColumnValue } from "../../../../architecture/catalog/table.ts";
import type { CommandResult, CommandStep, StepResult } from "../../../../concurrency/transaction/command.ts";
import {
  type Executor,
  notSelected,
  notServed,
  type PreparedStatement,
  type ResultShape,
  type ResultSink,
  SqlError,
} from "../../../executor.ts";
import { ExecutorCounters } from "./executor-counters.ts";
import {
  defaultLimits,
  type ExecutorDoors,
  type Plan,
  type ReadPlan,
  type RunDoors,
  serializableName,
  snapshotName,
  type WritePlan,
} from "./plan.ts";
import type { RunOptions } from "./paced-read.ts";
import { planStatement } from "./planner.ts";
import { commandRefused, toSqlError } from "./sql-errors.ts";
import { SqlSession, type StatementRunner } from "./sql-session.ts";
import { TextPlanner } from "./text-planner.ts";

const interactive = "concurrency/transaction/model/single_node_acid";
const savepoints = "concurrency/transaction/features/savepoints";

/** Of what only a transaction that stays open can have: without the part that keeps one, or without a session. */
function needsOpen({ transactions }: RunDoors, what: string, leaf: string = interactive): SqlError {
  return transactions === undefined ? notSelected(leaf, what) : notServed(what, "a session that stays open has it");
}

const inTurns: RunOptions = { atOnce: false };
const withinTurn: RunOptions = { atOnce: true };

/** A statement of a transaction, with the steps that it became. */
interface Part {
  readonly plan: Plan;
  readonly base: number;
  from: number;
  count: number;
}

export function createExecutor(doors: ExecutorDoors): Executor {
  return new PointApiExecutor(doors);
}

class Prepared implements PreparedStatement {
  readonly sql: string;
  readonly parameterCount: number;
  plan: Plan;
  catalogVersion: number;

  constructor(sql: string, parameterCount: number, plan: Plan, catalogVersion: number) {
    this.sql = sql;
    this.parameterCount = parameterCount;
    this.plan = plan;
    this.catalogVersion = catalogVersion;
  }

  get shape(): ResultShape | undefined {
    return this.plan.shape;
  }
}

class PointApiExecutor implements Executor, StatementRunner {
  readonly #doors: RunDoors;
  readonly #counters = new ExecutorCounters();
  readonly #text: TextPlanner;

  constructor(doors: ExecutorDoors) {
    const isolationName = doors.transactions?.isolation === "snapshot" ? snapshotName : serializableName;
    const bounds = { ...defaultLimits, isolationName, ...doors.limits };
    this.#doors = { ...doors, bounds, counters: this.#counters };
    this.#text = new TextPlanner(this.#doors);
  }

  metrics(): Metric[] {
    return [...this.#counters.metrics(), ...(this.#doors.transactions?.metrics() ?? [])];
  }

  openSession(): SqlSession {
    return new SqlSession(this, this.#doors);
  }

  prepare(sql: string): PreparedStatement {
    const { parser, catalog } = this.#doors;
    const parsed = parser.parse(sql, 0, "constants");
    this.#expectOneStatement(sql, parsed.end);
    const plan = planStatement(this.#doors, parsed.statement);
    return new Prepared(sql, parsed.parameterCount, plan, catalog.version);
  }

  execute(
    statement: PreparedStatement,
    parameters: readonly ColumnValue[],
    sink: ResultSink,
    session?: SqlSession,
  ): Promise<void> | undefined {
    sink.moreResults = false;
    const prepared = statement as Prepared;
    try {
      if (parameters.length !== prepared.parameterCount) {
        throw new SqlError(
          "wrong_parameter_count",
          `${parameters.length} parameters for a statement with ${prepared.parameterCount}`,
        );
      }
      if (prepared.catalogVersion !== this.#doors.catalog.version) this.#planAgain(prepared);
      const { plan } = prepared;
      const waiting =
        plan.kind === "read" && (session === undefined || session.isPlain)
          ? this.#read(plan, parameters, 0, sink)
          : this.#runOther(plan, parameters, 0, sink, session);
      return waiting === undefined ? undefined : this.#settled(waiting, sink);
    } catch (thrown) {
      this.#fail(thrown, sink);
      return undefined;
    }
  }

  query(sql: string, sink: ResultSink, session?: SqlSession): Promise<void> | undefined {
    sink.moreResults = false;
    const text = this.#text;
    text.begin(sql);
    let at = text.next(0);
    if (at < 0) {
      this.#fail(new SqlError("syntax", "Query was empty"), sink);
      return undefined;
    }
    for (let statements = 1; at >= 0; statements++) {
      const unit = this.#unit(at, statements, sink, session);
      if (unit.waiting !== undefined) return this.#queryOn(sql, unit.next, statements, unit.waiting, sink, session);
      if (!unit.ok) return undefined;
      at = unit.next;
      const between = at < 0 ? undefined : sink.between?.();
      if (between !== undefined) return this.#queryOn(sql, at, statements, between, sink, session);
    }
    return undefined;
  }

  /** The rest of a text, from the first statement on that has to wait. */
  async #queryOn(
    sql: string,
    next: number,
    statementsBefore: number,
    firstWait: Promise<boolean>,
    sink: ResultSink,
    session: SqlSession | undefined,
  ): Promise<void> {
    let ok = await firstWait;
    let statements = statementsBefore;
    for (let at = next; ok && at >= 0; ) {
      this.#text.resume(sql);
      const unit = this.#unit(at, ++statements, sink, session);
      ok = unit.waiting === undefined ? unit.ok : await unit.waiting;
      at = unit.next;
      if (ok && at >= 0) ok = (await sink.between?.()) ?? true;
    }
  }

  /** Runs the statement at a place, or the transaction that begins there. Never throws. */
  #unit(at: number, statements: number, sink: ResultSink, session: SqlSession | undefined): Unit {
    const text = this.#text;
    try {
      if (statements > this.#doors.bounds.statementsMax) {
        throw new SqlError("limit_exceeded", `a text has more than ${this.#doors.bounds.statementsMax} statements`);
      }
      text.clearValues();
      const plan = text.plan(at);
      if (plan.kind === "begin") session?.unlockTables();
      const free = session === undefined || session.isFree;
      const { end } = text;
      if (plan.kind === "begin" && free) {
        const whole = this.#wholeTransaction(end, sink, session);
        if (whole !== undefined) return whole;
      }
      const next = text.next(end);
      sink.moreResults = next >= 0;
      const waiting =
        plan.kind === "read" && (session === undefined || session.isPlain)
          ? this.#read(plan, text.values, text.base, sink)
          : this.#runOther(plan, text.values, text.base, sink, session);
      return { ok: true, next, waiting: waiting === undefined ? undefined : this.#outcome(waiting, sink) };
    } catch (thrown) {
      this.#fail(thrown, sink);
      return { ok: false, next: -1, waiting: undefined };
    }
  }

  /** Throws SqlError, or returns a promise that rejects with it. */
  #read(
    plan: ReadPlan,
    parameters: readonly ColumnValue[],
    base: number,
    sink: ResultSink,
  ): Promise<void> | undefined {
    this.#counters.statements.select++;
    const barrier = this.#doors.log.readBarrier();
    if (barrier === undefined) return plan.run(parameters, base, sink, inTurns);
    // The caller's values, and the bytes that they may be views of, are valid during the call only.
    const kept = parameters.map((value) => (value instanceof Uint8Array ? value.slice() : value));
    return barrier.then(() => plan.run(kept, base, sink, inTurns));
  }

  /** As `#transaction`; undefined for one that must stay open, and may. */
  #wholeTransaction(at: number, sink: ResultSink, session: SqlSession | undefined): Unit | undefined {
    const text = this.#text;
    const open = session !== undefined && this.#doors.transactions !== undefined;
    if (open && text.next(at) < 0) return undefined;
    try {
      return this.#transaction(at, sink, session);
    } catch (thrown) {
      // Thrown before the sink was called: something that only a transaction which stays open can have.
      const { reason } = thrown as Partial<SqlError>;
      if (!open || (reason !== "not_selected" && reason !== "not_served")) throw thrown;
      text.clearValues();
      return undefined;
    }
  }

  /** A transaction from after its START TRANSACTION to its COMMIT. */
  #transaction(at: number, sink: ResultSink, session: SqlSession | undefined): Unit {
    const text = this.#text;
    const parts: Part[] = [];
    let writes = false;
    let place = text.next(at);
    for (;;) {
      if (place < 0) throw needsOpen(this.#doors, "a transaction that stays open after its text");
      const { statementsMax } = this.#doors.bounds;
      if (parts.length >= statementsMax) {
        throw new SqlError("limit_exceeded", `a transaction has more than ${statementsMax} statements`);
      }
      const plan = text.plan(place);
      const { end } = text;
      if (plan.kind === "begin") throw needsOpen(this.#doors, "a transaction inside a transaction");
      if (plan.kind === "settings") throw needsOpen(this.#doors, "SET of a transaction inside one");
      if (plan.kind === "savepoint") throw needsOpen(this.#doors, "a savepoint in a text of one command", savepoints);
      if (plan.kind === "lock") throw needsOpen(this.#doors, "LOCK TABLES inside a transaction");
      if (plan.kind === "flush") throw needsOpen(this.#doors, "FLUSH inside a transaction");
      if (plan.label === "ddl") {
        throw notSelected("architecture/schema_change/atomic_ddl", "DDL inside a transaction");
      }
      parts.push({ plan, base: text.base, from: 0, count: 0 });
      if (plan.kind === "write") writes = true;
      place = text.next(end);
      if (plan.kind === "commit") break;
      if (plan.kind !== "rollback") continue;
      if (writes) throw needsOpen(this.#doors, "ROLLBACK of a transaction that writes");
      break;
    }
    sink.moreResults = true;
    if (writes) {
      const waiting = this.#writeTransaction(parts, place, sink, session);
      return { ok: true, next: place, waiting: this.#outcome(waiting, sink) };
    }
    const barrier = this.#doors.log.readBarrier();
    if (barrier === undefined) {
      this.#readTransaction(parts, text.values, place, sink, session);
      return { ok: true, next: place, waiting: undefined };
    }
    const values = text.values.slice();
    const waiting = barrier.then(() => this.#readTransaction(parts, values, place, sink, session));
    return { ok: true, next: place, waiting: this.#outcome(waiting, sink) };
  }

  /** Reads of one moment: all of them within this turn. Throws SqlError. */
  #readTransaction(
    parts: readonly Part[],
    values: readonly ColumnValue[],
    next: number,
    sink: ResultSink,
    session: SqlSession | undefined,
  ): void {
    this.#counters.statements.transaction++;
    this.#done(sink);
    for (const { plan, base } of parts) {
      if (plan.kind === "read") {
        this.#counters.statements.select++;
        void plan.run(values, base, sink, withinTurn);
      } else if (plan.kind === "session") {
        plan.run(sink, values, session);
      } else {
        sink.moreResults = next >= 0;
        this.#done(sink);
      }
    }
  }

  /** One command of all steps. Its answers come after it is durable and applied; a refusal is its only answer. */
  #writeTransaction(
    parts: readonly Part[],
    next: number,
    sink: ResultSink,
    session: SqlSession | undefined,
  ): Promise<void> {
    const steps: CommandStep[] = [];
    const values = this.#text.values.slice();
    for (const part of parts) {
      part.from = steps.length;
      if (part.plan.kind === "read" || part.plan.kind === "write") {
        part.plan.addSteps(values, part.base, steps);
      }
      part.count = steps.length - part.from;
      this.#counters.statements[part.plan.label]++;
    }
    return this.#propose(steps, (results) => {
      session?.note(results);
      this.#done(sink);
      for (const { plan, base, from, count } of parts) {
        if (plan.kind === "read" || plan.kind === "write") plan.answer(results, from, count, sink, values, base);
        else if (plan.kind === "session") plan.run(sink, values, session);
        else {
          sink.moreResults = next >= 0;
          this.#done(sink);
        }
      }
    });
  }

  /** Everything but reads past a transaction. Throws SqlError before anything is proposed. */
  #runOther(
    plan: Plan,
    parameters: readonly ColumnValue[],
    base: number,
    sink: ResultSink,
    session: SqlSession | undefined,
  ): Promise<void> | undefined {
    this.#counters.statements[plan.label]++;
    if (plan.kind === "write" && (session === undefined || session.isFree)) {
      return this.write(plan, parameters, base, sink, session);
    }
    if (session !== undefined) return session.run(plan, parameters, base, sink);
    switch (plan.kind) {
      case "session":
        plan.run(sink, parameters);
        return undefined;
      case "commit":
      case "rollback":
        this.#done(sink);
        return undefined;
      case "settings":
        if (plan.autocommit === false) throw needsOpen(this.#doors, "SET autocommit = 0");
        this.#done(sink);
        return undefined;
      case "flush": {
        const waiting = this.#doors.flushLog?.();
        if (waiting !== undefined) return waiting.then(() => this.#done(sink));
        this.#done(sink);
        return undefined;
      }
      case "savepoint":
        throw needsOpen(this.#doors, "a savepoint without a session", savepoints);
      default:
        throw needsOpen(this.#doors, "a transaction over several requests");
    }
  }

  write(
    plan: WritePlan,
    parameters: readonly ColumnValue[],
    base: number,
    sink: ResultSink,
    session: SqlSession | undefined,
  ): Promise<void> {
    const steps: CommandStep[] = [];
    plan.addSteps(parameters, base, steps);
    return this.#propose(steps, (results) => {
      session?.note(results);
      plan.answer(results, 0, results.length, sink, [], 0);
    });
  }

  #propose(steps: readonly CommandStep[], answer: (results: readonly StepResult[]) => void): Promise<void> {
    const proposed = this.#doors.log.propose(this.#doors.codec.encode({ steps }));
    return proposed.then(({ result }) => {
      const outcome = result as CommandResult;
      if (!outcome.ok) throw commandRefused(outcome.error);
      answer(outcome.steps);
    });
  }

  async #settled(waiting: Promise<void>, sink: ResultSink): Promise<void> {
    try {
      await waiting;
    } catch (thrown) {
      this.#fail(thrown, sink);
    }
  }

  /** Whether the text may go on. */
  async #outcome(waiting: Promise<void>, sink: ResultSink): Promise<boolean> {
    try {
      await waiting;
      return true;
    } catch (thrown) {
      this.#fail(thrown, sink);
      return false;
    }
  }

  #planAgain(prepared: Prepared): void {
    const { parser, catalog } = this.#doors;
    this.#counters.replans++;
    prepared.plan = planStatement(this.#doors, parser.parse(prepared.sql, 0, "constants").statement);
    prepared.catalogVersion = catalog.version;
  }

  #expectOneStatement(sql: string, end: number): void {
    for (let at = end; at < sql.length; at++) {
      const code = sql.charCodeAt(at);
      if (code > 0x20 && code !== 0x3b) {
        throw new SqlError("syntax", `a prepared text has one statement (offset ${at})`);
      }
    }
  }

  #done(sink: ResultSink): void {
    sink.done({ affectedRows: 0, matchedRows: 0, info: "" });
  }

  #fail(thrown: unknown, sink: ResultSink): void {
    const error = toSqlError(thrown);
    this.#counters.failures++;
    if (error.reason === "internal" || error.reason === "corruption") {
      const { message, stack } = thrown as Error;
      this.#doors.env.log.error("statement_failed", { reason: error.reason, message, stack });
    }
    sink.moreResults = false;
    sink.fail(error);
  }
}

/** What became of a statement: whether the text goes on, and where. */
interface Unit {
  readonly ok: boolean;
  readonly next: number;
  readonly waiting: Promise<boolean> | undefined;
}

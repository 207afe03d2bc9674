/**
 * WorkloadObserver: what a stream of logged statements amounts to, in bounded memory.
 *
 *   1. Each statement is taken apart (`statement-facts.ts`) and counted by its fingerprint, apart within and outside of
 *      transactions; at most `shapesMax` fingerprints, whatever comes beyond is counted together by verb.
 *   2. Keys that statements name by equality feed a sketch per table and set of columns (`frequent-keys.ts`); values
 *      that are compared or stored feed a sample per column.
 *   3. Sessions are followed to find transactions (BEGIN … COMMIT), how many sessions are there and how many work
 *      within one second; the clock of the log gives rates.
 * What a statement's access is (point, range, scan) needs the schema, which may come from another source later, so that
 * is decided by whoever reads the observation.
 */
import { Histogram } from "../kit/histogram.ts";
import { ColumnSample } from "./column-sample.ts";
import { FrequentKeys } from "./frequent-keys.ts";
import { type Dialect, SqlScanner } from "./sql-scanner.ts";
import { type Comparison, type StatementFacts, statementFacts, type Verb } from "./statement-facts.ts";
import type { LogEvent, StatementEvent } from "./statement-log.ts";
import { UnparsedList } from "./unparsed.ts";

export interface StatementShape {
  readonly facts: StatementFacts;
  readonly example: string;
  readonly firstLine: number;
  alone: number;
  inTransactions: number;
  rows: number;
}

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

interface Session {
  transaction: { statements: number; writing: boolean } | undefined;
  autocommit: boolean;
}

const shapesMax = 5000;
const sketchesMax = 64;
const columnsMax = 2000;
const sessionsMax = 20_000;
const exampleMax = 200;
const inListMax = 100;

export class WorkloadObserver {
  readonly dialect: Dialect;
  readonly shapes = new Map<string, StatementShape>();
  readonly otherShapes = new Map<Verb, number>();
  readonly keys = new Map<string, FrequentKeys>();
  readonly columns = new Map<string, ColumnSample>();
  readonly transactions: TransactionStats = {
    count: 0, writing: 0, statements: 0, statementsMin: 0, statementsMax: 0, oneShot: 0, rolledBack: 0, open: 0,
  };
  readonly isolationLevels = new Map<string, number>();
  readonly durationsUs = new Histogram();
  readonly unparsed = new UnparsedList();
  /** Statements with a duration. */
  timed = 0;
  statements = 0;
  /** SET, SHOW, USE, …: neither reads nor writes of the workload. */
  sessionStatements = 0;
  failed = 0;
  sessionsMax = 0;
  activeMax = 0;
  perSecondMax = 0;
  firstMs: number | undefined;
  lastMs: number | undefined;
  /** Called with every CREATE and ALTER, which tell of tables. */
  readonly #onDefinition: (sql: string, line: number) => void;
  readonly #sessions = new Map<string, Session>();
  #second = -1;
  #inSecond = 0;
  #active = new Set<string>();

  constructor(dialect: Dialect, onDefinition: (sql: string, line: number) => void) {
    this.dialect = dialect;
    this.#onDefinition = onDefinition;
  }

  take(event: LogEvent): void {
    if (event.kind === "statement") return this.#statementEvent(event);
    if (event.kind === "failed") {
      this.failed++;
      return;
    }
    if (event.kind === "connect") {
      this.#session(event.session);
      return;
    }
    const session = this.#sessions.get(event.session);
    if (session?.transaction !== undefined) this.#endTransaction(session, false, true);
    this.#sessions.delete(event.session);
  }

  /** An operation that is no SQL: what it does is known already. */
  takeFacts(facts: StatementFacts, text: string, event: StatementEvent): void {
    this.#time(event);
    this.#factsOf(facts, text, event, false);
  }

  #time({ session, timeMs, durationUs }: StatementEvent): void {
    this.#tick(session, timeMs);
    if (durationUs === undefined) return;
    this.durationsUs.record(Math.max(0, Math.round(durationUs)));
    this.timed++;
  }

  #statementEvent(event: StatementEvent): void {
    const { sql } = event;
    this.#time(event);
    const texts = splitStatements(sql, this.dialect);
    for (const text of texts) this.#statement(text, event, texts.length > 1);
  }

  end(): void {
    for (const session of this.#sessions.values()) if (session.transaction !== undefined) this.transactions.open++;
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

  #tick(session: string, timeMs: number | undefined): void {
    if (timeMs === undefined || Number.isNaN(timeMs)) return;
    this.firstMs = Math.min(this.firstMs ?? timeMs, timeMs);
    this.lastMs = Math.max(this.lastMs ?? timeMs, timeMs);
    const second = Math.floor(timeMs / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#inSecond = 0;
      this.#active = new Set();
    }
    this.#inSecond++;
    this.#active.add(session);
    this.perSecondMax = Math.max(this.perSecondMax, this.#inSecond);
    this.activeMax = Math.max(this.activeMax, this.#active.size);
  }

  #statement(text: string, event: StatementEvent, together: boolean): void {
    this.#factsOf(statementFacts(text, this.dialect), text, event, together);
  }

  #factsOf(facts: StatementFacts, text: string, event: StatementEvent, together: boolean): void {
    const session = this.#session(event.session);
    switch (facts.verb) {
      case "unknown":
        this.unparsed.add(event.line, "no statement that is known", text);
        return;
      case "begin":
        this.#endTransaction(session, together, false);
        session.transaction = { statements: 0, writing: false };
        return;
      case "commit":
      case "rollback":
        if (/\bTO\b/i.test(text.slice(0, 60))) this.#count(facts, text, event.line, true);
        else this.#endTransaction(session, together, facts.verb === "rollback");
        return;
      case "session":
        this.#sessionStatement(text, session);
        return;
      case "definition":
        this.sessionStatements++;
        if (/^\s*(create|alter)\b/i.test(text)) this.#onDefinition(text, event.line);
        return;
      case "administration":
        this.sessionStatements++;
        return;
    }
    if (readsCatalog(facts) || insideServer(facts)) {
      this.sessionStatements++;
      return;
    }
    if (!session.autocommit) session.transaction ??= { statements: 0, writing: false };
    if (session.transaction !== undefined) {
      session.transaction.statements++;
      if (facts.verb !== "select") session.transaction.writing = true;
    }
    this.#count(facts, text, event.line, session.transaction !== undefined);
    this.#sample(facts, event.parameters);
  }

  #sessionStatement(text: string, session: Session): void {
    this.sessionStatements++;
    const autocommit = /\bautocommit\s*:?=\s*(0|1|on|off|true|false)/i.exec(text);
    if (autocommit !== null) session.autocommit = /1|on|true/i.test(autocommit[1]);
    const level = /isolation\s+level\s+(serializable|repeatable\s+read|read\s+(?:un)?committed)/i.exec(text);
    if (level !== null) {
      const name = level[1].toLowerCase().replace(/\s+/, "_");
      this.isolationLevels.set(name, (this.isolationLevels.get(name) ?? 0) + 1);
    }
  }

  #endTransaction(session: Session, oneShot: boolean, rolledBack: boolean): void {
    const ended = session.transaction;
    session.transaction = undefined;
    if (ended === undefined || ended.statements === 0) return;
    const stats = this.transactions;
    stats.statementsMin = stats.count === 0 ? ended.statements : Math.min(stats.statementsMin, ended.statements);
    stats.statementsMax = Math.max(stats.statementsMax, ended.statements);
    stats.count++;
    stats.statements += ended.statements;
    if (ended.writing) stats.writing++;
    if (oneShot) stats.oneShot++;
    if (rolledBack) stats.rolledBack++;
  }

  #count(facts: StatementFacts, text: string, line: number, inTransaction: boolean): void {
    this.statements++;
    let shape = this.shapes.get(facts.fingerprint);
    if (shape === undefined) {
      if (this.shapes.size >= shapesMax) {
        this.otherShapes.set(facts.verb, (this.otherShapes.get(facts.verb) ?? 0) + 1);
        return;
      }
      const example = text.length > exampleMax ? `${text.slice(0, exampleMax)}…` : text;
      shape = { facts, example, firstLine: line, alone: 0, inTransactions: 0, rows: 0 };
      this.shapes.set(facts.fingerprint, shape);
    }
    if (inTransaction) shape.inTransactions++;
    else shape.alone++;
    shape.rows += facts.rows;
  }

  #sample(facts: StatementFacts, parameters: readonly (string | null)[] | undefined): void {
    if (facts.tables.length !== 1) return;
    const [table] = facts.tables;
    const given = (value: string): string | null | undefined => {
      const number = /^\$(\d+)$/.exec(value);
      return number === null ? (value === "?" ? undefined : value) : parameters?.[Number(number[1]) - 1];
    };
    for (const { column, operator, values } of facts.comparisons) {
      const sample = this.#column(table, column);
      for (const value of operator === "other" ? [] : values.slice(0, inListMax)) addValue(sample, given(value));
    }
    for (const { column, value, bytes } of facts.assigned) {
      const sample = this.#column(table, column);
      const known = given(value);
      addValue(sample, known, known === value ? bytes : undefined);
    }
    this.#useKey(table, facts.comparisons, given);
  }

  #column(table: string, column: string): ColumnSample | undefined {
    const name = `${table}.${column}`;
    let sample = this.columns.get(name);
    if (sample === undefined && this.columns.size < columnsMax) this.columns.set(name, sample = new ColumnSample());
    return sample;
  }

  #useKey(
    table: string,
    comparisons: readonly Comparison[],
    given: (value: string) => string | null | undefined,
  ): void {
    const equal = comparisons.filter(({ operator, values }) => operator === "=" && values.length === 1);
    const listed = comparisons.filter(({ operator }) => operator === "in");
    if (equal.length + listed.length === 0 || listed.length > 1 || (listed.length > 0 && equal.length > 0)) return;
    const columns = (listed.length > 0 ? listed : equal).map(({ column }) => column).sort();
    const name = `${table}|${columns.join(",")}`;
    let sketch = this.keys.get(name);
    if (sketch === undefined) {
      if (this.keys.size >= sketchesMax) return;
      this.keys.set(name, sketch = new FrequentKeys());
    }
    if (listed.length > 0) {
      for (const value of listed[0].values.slice(0, inListMax)) {
        const known = given(value);
        if (typeof known === "string") sketch.add(known);
      }
      return;
    }
    const parts = columns.map((column) => given(equal.find((one) => one.column === column)?.values[0] ?? ""));
    if (parts.every((part) => typeof part === "string")) sketch.add(parts.join("\u0000"));
  }
}

function addValue(sample: ColumnSample | undefined, value: string | null | undefined, bytes?: number): void {
  if (value === null) sample?.addNull();
  else if (value !== undefined) sample?.add(value.slice(0, 256), bytes ?? value.length, true);
}

/** What a trigger does, which the log has beside the statement that fired it, and what a dump reads. */
function insideServer({ fingerprint }: StatementFacts): boolean {
  return /\b(new|old) \. /.test(fingerprint) || /^select (sql_no_cache|last_value , is_called) /.test(fingerprint);
}

/** What clients and tools ask the server about itself. */
function readsCatalog({ tables, verb, fingerprint }: StatementFacts): boolean {
  if (verb !== "select") return false;
  if (tables.length === 0) return true;
  return /\b(information_schema|performance_schema|pg_catalog|mysql|sys) \. /.test(fingerprint) ||
    tables.every((table) => /^(pg_|columns$|schemata$)/.test(table));
}

const statementsMax = 10_000;

/** The statements of one text; usually one. */
export function splitStatements(sql: string, dialect: Dialect): string[] {
  const separator = sql.indexOf(";");
  if (separator < 0 || sql.slice(separator + 1).trim() === "") return [sql];
  const scanner = new SqlScanner(dialect);
  scanner.append(sql);
  scanner.finish();
  const texts: string[] = [];
  let start = 0;
  for (let kind = scanner.next(); kind !== "end" && texts.length < statementsMax; kind = scanner.next()) {
    if (kind !== "delimiter") continue;
    texts.push(sql.slice(start, scanner.offset - 1));
    start = scanner.offset;
  }
  texts.push(sql.slice(start));
  return texts.filter((text) => text.trim() !== "");
}

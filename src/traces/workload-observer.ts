/**
 * WorkloadObserver: what a stream of logged statements amounts to, in bounded memory.
 *
 *   1. Each statement is taken apart (`statement-facts.ts`; of shapes that were seen before only its values,
 *      `statement-templates.ts`) and counted by its fingerprint, apart within and outside of transactions.
 *   2. Values that it compares or stores feed samples and sketches (`value-samples.ts`).
 *   3. Sessions are followed to find transactions (`session-transactions.ts`), how many sessions are there and how many
 *      work within one second; the clock of the log gives rates.
 * What a statement's access is (point, range, scan) needs the schema, which may come from another source later, so that
 * is decided by whoever reads the observation.
 */
import { Histogram } from "../kit/histogram.ts";
import type { ColumnSample } from "./column-sample.ts";
import type { KeySketches } from "./key-sketches.ts";
import type { LiteralScanner } from "./literal-scanner.ts";
import { SessionTransactions, type TransactionKind, type TransactionStats } from "./session-transactions.ts";
import { type Dialect, SqlScanner } from "./sql-scanner.ts";
import { type StatementFacts, statementFacts } from "./statement-facts.ts";
import type { LogEvent, StatementEvent } from "./statement-log.ts";
import { type StatementShape, StatementShapes } from "./statement-shapes.ts";
import { type StatementTemplate, StatementTemplates } from "./statement-templates.ts";
import type { Verb } from "./statement-verb.ts";
import { UnparsedList } from "./unparsed.ts";
import { type ValuePlan, ValueSamples } from "./value-samples.ts";

/** What is to be done with every statement of a shape. */
interface ShapePlan {
  readonly shape: StatementShape | undefined;
  readonly values: ValuePlan;
}

type Template = StatementTemplate<ShapePlan>;

export class WorkloadObserver {
  readonly dialect: Dialect;
  readonly isolationLevels = new Map<string, number>();
  readonly durationsUs = new Histogram();
  readonly unparsed = new UnparsedList();
  /** Statements with a duration. */
  timed = 0;
  statements = 0;
  /** Statements of the logs, whatever they are; with a sample of sessions not all of them were looked at. */
  logged = 0;
  lookedAt = 0;
  /** SET, SHOW, USE, …: neither reads nor writes of the workload. */
  sessionStatements = 0;
  failed = 0;
  activeMax = 0;
  perSecondMax = 0;
  firstMs: number | undefined;
  lastMs: number | undefined;
  /** Called with every CREATE and ALTER, which tell of tables. */
  readonly #onDefinition: (sql: string, line: number) => void;
  readonly #templates: StatementTemplates<ShapePlan>;
  readonly #shapes = new StatementShapes();
  readonly #values = new ValueSamples();
  readonly #transactions = new SessionTransactions();
  #second = -1;
  #inSecond = 0;
  #active = new Set<string>();

  constructor(dialect: Dialect, onDefinition: (sql: string, line: number) => void) {
    this.dialect = dialect;
    this.#onDefinition = onDefinition;
    this.#templates = new StatementTemplates(dialect);
  }

  get shapes(): ReadonlyMap<string, StatementShape> {
    return this.#shapes.byFingerprint;
  }

  /** Statements of shapes beyond those that are told apart. */
  get otherShapes(): ReadonlyMap<Verb, number> {
    return this.#shapes.others;
  }

  get keys(): KeySketches {
    return this.#values.keys;
  }

  get ranges(): KeySketches {
    return this.#values.ranges;
  }

  get columns(): ReadonlyMap<string, ColumnSample> {
    return this.#values.columns;
  }

  get transactions(): Readonly<TransactionStats> {
    return this.#transactions.stats;
  }

  get transactionKinds(): readonly TransactionKind[] {
    return [...this.#transactions.kinds.values()];
  }

  get sessionsMax(): number {
    return this.#transactions.sessionsMax;
  }

  /** What was seen and not told apart, for people. */
  get remarks(): readonly string[] {
    const beyond = [...this.otherShapes.values()].reduce((sum, count) => sum + count, 0);
    const told = `${beyond} statements are of shapes beyond the first ${this.shapes.size}: counted by verb alone`;
    return [...(beyond === 0 ? [] : [told]), ...this.#values.remarks];
  }

  /** By what counts are multiplied that are of a sample. */
  get scale(): number {
    return this.lookedAt === 0 ? 1 : this.logged / this.lookedAt;
  }

  /** An event of a session that is not in the sample: only times, sessions and definitions of tables count. */
  pass(event: LogEvent): void {
    if (event.kind === "disconnect") return this.#transactions.disconnect(event.session);
    this.#transactions.connect(event.session);
    if (event.kind !== "statement") return;
    this.logged++;
    this.#tick(event.session, event.timeMs);
    if (/^\s*(create|alter)\b/i.test(event.sql)) this.#onDefinition(event.sql, event.line);
  }

  take(event: LogEvent): void {
    if (event.kind === "statement") this.#statementEvent(event);
    else if (event.kind === "failed") this.failed++;
    else if (event.kind === "connect") this.#transactions.connect(event.session);
    else this.#transactions.disconnect(event.session);
  }

  /** An operation that is no SQL: what it does is known already. */
  takeFacts(facts: StatementFacts, text: string, event: StatementEvent): void {
    this.#time(event);
    this.#dispatch({ facts, literals: 0, plan: undefined }, text, event, false, undefined);
  }

  end(): void {
    this.#transactions.end();
  }

  #time({ session, timeMs, durationUs }: StatementEvent): void {
    this.logged++;
    this.lookedAt++;
    this.#tick(session, timeMs);
    if (durationUs === undefined) return;
    this.durationsUs.record(Math.max(0, Math.round(durationUs)));
    this.timed++;
  }

  #statementEvent(event: StatementEvent): void {
    const { sql, dropped, line } = event;
    this.#time(event);
    if (dropped > 0) {
      const what = `a statement of ${sql.length + dropped} bytes, of which the first ${sql.length} were read`;
      this.unparsed.add(line, what, sql);
    }
    const template = this.#templates.find(sql);
    if (template !== undefined) return this.#dispatch(template, sql, event, false, this.#templates.literals);
    const texts = splitStatements(sql, this.dialect);
    for (const text of texts) this.#statement(text, event, texts.length > 1);
  }

  #statement(text: string, event: StatementEvent, together: boolean): void {
    const template = together ? this.#templates.find(text) : undefined;
    if (template !== undefined) return this.#dispatch(template, text, event, together, this.#templates.literals);
    const facts = statementFacts(text, this.dialect);
    this.#dispatch({ facts, literals: 0, plan: undefined }, text, event, together, undefined);
  }

  #tick(session: string, timeMs: number | undefined): void {
    if (timeMs === undefined || Number.isNaN(timeMs)) return;
    if (!(timeMs >= (this.firstMs ?? Infinity))) this.firstMs = timeMs;
    if (!(timeMs <= (this.lastMs ?? -Infinity))) this.lastMs = timeMs;
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

  #dispatch(
    template: Template, text: string, event: StatementEvent, together: boolean, literals: LiteralScanner | undefined,
  ): void {
    const { facts } = template;
    const { session, line } = event;
    if (facts.unclosed && event.dropped === 0) {
      this.unparsed.add(line, "a statement that ends within a literal", text);
    }
    switch (facts.verb) {
      case "unknown":
        this.unparsed.add(line, "no statement that is known", text);
        return;
      case "begin":
        return this.#transactions.begin(session, together);
      case "commit":
      case "rollback":
        // To a savepoint: the transaction goes on.
        if (/\bTO\b/i.test(text.slice(0, 60))) this.#count(template, text, event, literals);
        else this.#transactions.finish(session, together, facts.verb === "rollback");
        return;
      case "session":
        return this.#sessionStatement(text, session);
      case "definition":
        this.sessionStatements++;
        if (/^\s*(create|alter)\b/i.test(text)) this.#onDefinition(text, line);
        return;
      case "administration":
        this.sessionStatements++;
        return;
    }
    if (template.plan === undefined && (readsCatalog(facts) || insideServer(facts))) this.sessionStatements++;
    else this.#count(template, text, event, literals);
  }

  #sessionStatement(text: string, session: string): void {
    this.sessionStatements++;
    const autocommit = /\bautocommit\s*:?=\s*(0|1|on|off|true|false)/i.exec(text);
    if (autocommit !== null) this.#transactions.setAutocommit(session, /1|on|true/i.test(autocommit[1]));
    const level = /isolation\s+level\s+(serializable|repeatable\s+read|read\s+(?:un)?committed)/i.exec(text);
    if (level !== null) {
      const name = level[1].toLowerCase().replace(/\s+/, "_");
      this.isolationLevels.set(name, (this.isolationLevels.get(name) ?? 0) + 1);
    }
  }

  #count(template: Template, text: string, event: StatementEvent, literals: LiteralScanner | undefined): void {
    const { facts } = template;
    const { session, line, parameters } = event;
    template.plan ??= this.#planOf(facts, text, line);
    const { shape, values } = template.plan;
    const within = this.#transactions.isWithin(session);
    if (within) {
      const linked = shape === undefined ? [] : this.#values.linkedValues(values, literals, parameters);
      this.#transactions.statement(session, shape, linked, facts.verb !== "select");
    }
    this.statements++;
    const { textBytes, asked } = this.#values.take(values, literals, parameters, within);
    if (shape === undefined) return this.#shapes.countOther(facts.verb);
    if (within) shape.inTransactions++;
    else shape.alone++;
    const sizes = within ? shape.withinSizes : shape.aloneSizes;
    sizes.statements++;
    sizes.rows += facts.rows;
    sizes.textBytes += textBytes;
    if (asked === undefined) return;
    sizes.asking++;
    sizes.asked += asked;
  }

  #planOf(facts: StatementFacts, text: string, line: number): ShapePlan {
    const shape = this.#shapes.of(facts, text, line);
    const values = this.#values.planOf(facts);
    if (shape !== undefined) shape.linked = values.linked.map(({ column }) => column);
    return { shape, values };
  }
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

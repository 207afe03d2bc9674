/**
 * What entries of PostgreSQL's log tell of statements, whatever the format that they were written in.
 *
 *   `statement: …`, `duration: 1.2 ms  statement: …`                     simple protocol
 *   `execute NAME: …`, `duration: 1.2 ms  execute NAME: …`               extended protocol, with parameters in the
 *   detail `duration: 1.2 ms`                                                   of the statement before (log_duration)
 *   `duration: 1.2 ms  parse NAME: …`, `… bind NAME: …`                  steps of an execute, passed over
 * A statement waits for its detail and duration until its session goes on, or for a second.
 */
import type { LogEvent, StatementEvent } from "./statement-log.ts";

export interface PostgresqlEntry {
  readonly session: string;
  readonly timeMs: number | undefined;
  readonly severity: string;
  readonly message: string;
  readonly dropped: number;
  readonly detail?: string | undefined;
  readonly line: number;
}

type Pending = { -readonly [Key in keyof StatementEvent]: StatementEvent[Key] };

const duration = /^(?:duration: (\d+(?:\.\d+)?) ms(?: {2}|$))?/.source;
const message = new RegExp(`${duration}(?:(statement|execute|parse|bind|fetch)(?: [^:]{0,200})?: )?`);
const waitMs = 1000;

export class PostgresqlEntries {
  /** Entries that tell of the server, not of statements. */
  others = 0;
  statements = 0;
  readonly #pending = new Map<string, Pending>();
  #swept = 0;

  take(entry: PostgresqlEntry): LogEvent[] {
    const { session, timeMs, severity } = entry;
    const events = this.#sweep(timeMs);
    if (severity === "DETAIL") {
      this.#detail(session, entry.message);
      return events;
    }
    if (severity === "ERROR" || severity === "FATAL") events.push(
      ...this.#flush(session), { kind: "failed", session, timeMs }
    );
    if (severity !== "LOG") return events;
    const found = message.exec(entry.message);
    const durationUs = found?.[1] === undefined ? undefined : Number(found[1]) * 1000;
    const kind = found?.[2];
    if (kind === "parse" || kind === "bind" || kind === "fetch") return events;
    if (kind === undefined && durationUs !== undefined) {
      const pending = this.#pending.get(session);
      if (pending !== undefined && pending.durationUs === undefined) pending.durationUs = durationUs;
      return [...events, ...this.#flush(session)];
    }
    events.push(...this.#flush(session));
    if (kind === undefined) {
      this.#other(entry, events);
      return events;
    }
    this.statements++;
    const sql = entry.message.slice(found![0].length);
    const { line, dropped } = entry;
    this.#pending.set(session, { kind: "statement", session, timeMs, sql, dropped, durationUs, line });
    if (entry.detail !== undefined) this.#detail(session, entry.detail);
    return events;
  }

  end(): LogEvent[] {
    return [...this.#pending.keys()].flatMap((session) => this.#flush(session));
  }

  #other({ message: text, session, timeMs }: PostgresqlEntry, events: LogEvent[]): void {
    if (text.startsWith("connection authorized")) events.push({ kind: "connect", session, timeMs });
    else if (text.startsWith("disconnection:")) events.push({ kind: "disconnect", session, timeMs });
    else if (!text.startsWith("connection ")) this.others++;
  }

  #detail(session: string, text: string): void {
    const pending = this.#pending.get(session);
    if (pending === undefined || !/^parameters: /i.test(text)) return;
    const parameters: (string | null)[] = [];
    for (const [, number, value] of text.matchAll(/\$(\d{1,5}) = ('(?:[^']|'')*'|NULL)/g)) {
      parameters[Number(number) - 1] = value === "NULL" ? null : value.slice(1, -1).replaceAll("''", "'");
    }
    pending.parameters = parameters;
  }

  #flush(session: string): LogEvent[] {
    const pending = this.#pending.get(session);
    this.#pending.delete(session);
    return pending === undefined ? [] : [pending];
  }

  /** Statements whose session says nothing more must not wait until the log ends. */
  #sweep(timeMs: number | undefined): LogEvent[] {
    if (timeMs === undefined || timeMs - this.#swept < waitMs) return [];
    this.#swept = timeMs;
    const old = [...this.#pending.values()].filter((pending) => (pending.timeMs ?? 0) < timeMs - waitMs);
    return old.flatMap(({ session }) => this.#flush(session));
  }
}

/** `2026-11-22 02:03:46.508 UTC`; the zone is left out of account. */
export function postgresqlTime(text: string): number | undefined {
  const found = /(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(\.\d{1,6})?/.exec(text);
  return found === null ? undefined : Date.parse(`${found[1]}T${found[2]}${(found[3] ?? "").slice(0, 4)}Z`);
}

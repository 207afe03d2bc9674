/**
 * Reads PostgreSQL's log in its three formats: text (stderr), CSV and JSON.
 *
 * Text: any `log_line_prefix`; time and process are looked for in what stands before `LOG:  `. Lines that begin with a
 * tab go on with the entry before. CSV: a record may hold line ends within quotes, so lines are put together until
 * quotes match. JSON: one object per line. All limits are those of lines (1 MiB); records that are longer are listed.
 */
import { PostgresqlEntries, type PostgresqlEntry, postgresqlTime } from "./postgresql-entries.ts";
import { type LogEvent, type LogReader, statementBytesMax } from "./statement-log.ts";
import { UnparsedList } from "./unparsed.ts";

const recordBytesMax = 1 << 20;

abstract class PostgresqlReader implements LogReader {
  readonly unparsed = new UnparsedList();
  protected readonly entries = new PostgresqlEntries();

  abstract line(text: string, number: number, dropped: number): readonly LogEvent[];

  end(): readonly LogEvent[] {
    return this.entries.end();
  }

  get remarks(): readonly string[] {
    const { others, statements } = this.entries;
    const remarks = others === 0 ? [] : [`${others} entries are about the server, not about statements`];
    if (statements > 0) return remarks;
    return [...remarks, "no entry has a statement; log_statement = 'all' or log_min_duration_statement = 0 logs them"];
  }
}

const levels = "LOG|ERROR|FATAL|PANIC|WARNING|NOTICE|INFO|DEBUG\\d?|DETAIL|HINT|CONTEXT|STATEMENT|QUERY|LOCATION";
const severity = new RegExp(`^(.{0,400}?)\\b(${levels}): {2}(.*)$`, "s");

export class PostgresqlTextLog extends PostgresqlReader {
  #entry: { -readonly [Key in keyof PostgresqlEntry]: PostgresqlEntry[Key] } | undefined;
  #anonymous = false;

  override line(text: string, number: number, dropped: number): readonly LogEvent[] {
    if (text.startsWith("\t") && this.#entry !== undefined) {
      const room = statementBytesMax - this.#entry.message.length;
      this.#entry.message += `\n${text.slice(1)}`.slice(0, Math.max(0, room));
      this.#entry.dropped += dropped + Math.max(0, text.length - room);
      return [];
    }
    const found = severity.exec(text);
    if (found === null) {
      if (text.trim() !== "") this.unparsed.add(number, "no entry of PostgreSQL's log", text);
      return [];
    }
    const events = this.#take();
    const [, prefix, level, message] = found;
    const session = /\b([\da-f]{6,8}\.[\da-f]{1,8})\b/.exec(prefix)?.[1] ?? /\[(\d+)(?:-\d+)?\]/.exec(prefix)?.[1];
    if (session === undefined) this.#anonymous = true;
    const epoch = /\b(\d{10}\.\d{3})\b/.exec(prefix);
    const timeMs = epoch === null ? postgresqlTime(prefix) : Number(epoch[1]) * 1000;
    this.#entry = { session: session ?? "?", timeMs, severity: level, message, dropped, line: number };
    return events;
  }

  override end(): readonly LogEvent[] {
    return [...this.#take(), ...this.entries.end()];
  }

  #take(): LogEvent[] {
    const entry = this.#entry;
    this.#entry = undefined;
    return entry === undefined ? [] : this.entries.take(entry);
  }

  override get remarks(): readonly string[] {
    if (!this.#anonymous) return super.remarks;
    return [...super.remarks, "log_line_prefix has neither %p nor %c: sessions and transactions cannot be told apart"];
  }
}

export class PostgresqlCsvLog extends PostgresqlReader {
  #record = "";
  #line = 0;
  #skipping = false;

  override line(text: string, number: number, dropped: number): readonly LogEvent[] {
    // A record that is too long is given up where a line looks like the beginning of the next.
    if (this.#skipping && !/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/.test(text)) return [];
    this.#skipping = false;
    if (this.#record === "") this.#line = number;
    this.#record += this.#record === "" ? text : `\n${text}`;
    if (this.#record.length > recordBytesMax || dropped > 0) {
      this.unparsed.add(this.#line, `a record of more than ${recordBytesMax} bytes`, this.#record);
      this.#record = "";
      this.#skipping = true;
      return [];
    }
    if (quotesIn(this.#record) % 2 === 1) return [];
    const record = this.#record;
    this.#record = "";
    return record.trim() === "" ? [] : this.#take(record);
  }

  override end(): readonly LogEvent[] {
    if (this.#record !== "") this.unparsed.add(this.#line, "the file ends within a record", this.#record);
    return super.end();
  }

  #take(record: string): LogEvent[] {
    const fields = splitRecord(record);
    const [time, , , , , session, , , , , , level, , message, detail] = fields;
    if (fields.length < 15 || postgresqlTime(time) === undefined) {
      this.unparsed.add(this.#line, `${fields.length} fields, not those of a csvlog`, record);
      return [];
    }
    const own = detail === "" ? undefined : detail;
    const timeMs = postgresqlTime(time);
    return this.entries.take({ session, timeMs, severity: level, message, detail: own, dropped: 0, line: this.#line });
  }
}

function quotesIn(text: string): number {
  let count = 0;
  for (let at = text.indexOf('"'); at >= 0; at = text.indexOf('"', at + 1)) count++;
  return count;
}

/** RFC 4180, for one record. */
function splitRecord(record: string): string[] {
  const fields: string[] = [];
  for (let at = 0; at <= record.length; at++) {
    if (record[at] !== '"') {
      const end = record.indexOf(",", at);
      fields.push(record.slice(at, end < 0 ? undefined : end));
      at = end < 0 ? record.length : end;
      continue;
    }
    let end = at + 1;
    for (;;) {
      end = record.indexOf('"', end);
      if (end < 0) end = record.length;
      if (record[end + 1] !== '"') break;
      end += 2;
    }
    fields.push(record.slice(at + 1, end).replaceAll('""', '"'));
    at = end + 1;
  }
  return fields;
}

interface JsonEntry {
  readonly timestamp?: unknown;
  readonly session_id?: unknown;
  readonly pid?: unknown;
  readonly error_severity?: unknown;
  readonly message?: unknown;
  readonly detail?: unknown;
}

export class PostgresqlJsonLog extends PostgresqlReader {
  override line(text: string, number: number, dropped: number): readonly LogEvent[] {
    if (text.trim() === "") return [];
    let entry: JsonEntry | undefined;
    try {
      // The values are latin1 here, as everywhere; JSON's own escapes are rare and count as what they stand for.
      entry = dropped > 0 ? undefined : (JSON.parse(text) as JsonEntry);
    } catch {
      entry = undefined;
    }
    if (typeof entry !== "object" || entry === null || typeof entry.error_severity !== "string") {
      const what = dropped > 0 ? "an entry of more than 1 MiB" : "no entry of a jsonlog";
      this.unparsed.add(number, what, text);
      return [];
    }
    const string = (value: unknown) => (
      typeof value === "string" ? value : typeof value === "number" ? String(value) : ""
    );
    const session = string(entry.session_id) || string(entry.pid) || "?";
    const detail = typeof entry.detail === "string" ? entry.detail : undefined;
    const timeMs = postgresqlTime(string(entry.timestamp));
    const message = string(entry.message).slice(0, statementBytesMax);
    return this.entries.take(
      { session, timeMs, severity: entry.error_severity, message, detail, dropped: 0, line: number }
    );
  }
}

/**
 * Reads the slow query log of MySQL and MariaDB: with `long_query_time = 0` it has every statement and its duration.
 *
 *     # Time: 261122  2:03:44                               or 2026-11-22T02:03:44.123456Z
 *     # User@Host: app[app] @ localhost []  Id:     8       Id: MySQL
 *     # Thread_id: 4  Schema: shop  QC_hit: No              MariaDB
 *     # Query_time: 0.000509  Lock_time: 0.000000  Rows_sent: 0  Rows_examined: 0
 *     use `shop`;
 *     SET timestamp=1795313024;
 *     SELECT …;
 * An entry ends where the next begins; `# administrator command: Quit` ends a session.
 */
import { type LogEvent, type LogReader, statementBytesMax } from "./statement-log.ts";
import { UnparsedList } from "./unparsed.ts";

const preamble = /^(.*, Version: .*started with:|Tcp port: |Time\s+Id Command\s+Argument)/;
const header = new RegExp(
  "^# (Time|User@Host|Thread_id|Query_time|Rows_affected|Bytes_sent|Full_scan|Filesort|Tmp_table|Schema|Priority|" +
    "explain|Pages_|QC_|Log_slow|InnoDB|Last_errno|Stored_routine|Killed)",
);

export class MysqlSlowLog implements LogReader {
  readonly unparsed = new UnparsedList();
  #session = "?";
  #timeMs: number | undefined;
  #durationUs: number | undefined;
  #sql: string | undefined;
  #dropped = 0;
  #line = 0;
  #statements = 0;
  #fastestUs = Number.POSITIVE_INFINITY;

  get remarks(): readonly string[] {
    if (this.#statements === 0 || this.#fastestUs < 1000) return [];
    const ms = Math.round(this.#fastestUs / 1000);
    return [`no statement took less than ${ms} ms: all is told of slow statements only (long_query_time = 0 logs all)`];
  }

  line(text: string, number: number, dropped: number): readonly LogEvent[] {
    if (text.startsWith("# administrator command: ")) return this.#administrator(text);
    if (header.test(text)) {
      const events = this.#sql === undefined ? [] : this.end();
      this.#header(text);
      return events;
    }
    if (this.#sql === undefined) this.#beginStatement(text, number, dropped);
    else {
      const room = statementBytesMax - this.#sql.length;
      this.#sql += `\n${text}`.slice(0, Math.max(0, room));
      this.#dropped += dropped + Math.max(0, text.length + 1 - room);
    }
    return [];
  }

  end(): readonly LogEvent[] {
    const sql = this.#sql;
    this.#sql = undefined;
    if (sql === undefined) return [];
    this.#statements++;
    this.#fastestUs = Math.min(this.#fastestUs, this.#durationUs ?? 0);
    const { session, timeMs, durationUs } = {
      session: this.#session, timeMs: this.#timeMs, durationUs: this.#durationUs
    };
    return [{ kind: "statement", session, timeMs, durationUs, sql, dropped: this.#dropped, line: this.#line }];
  }

  #beginStatement(text: string, number: number, dropped: number): void {
    if (/^use [^;]{1,200};$/i.test(text) || text.trim() === "" || preamble.test(text)) return;
    const set = /^SET (?:[\w=,]{0,200},)?timestamp=(\d{9,11})(?:\.\d+)?;$/i.exec(text);
    if (set !== null) {
      // More exact than `# Time`, which comes once per second.
      this.#timeMs = Number(set[1]) * 1000;
      return;
    }
    if (this.#durationUs === undefined) {
      this.unparsed.add(number, "a statement without the lines that tell of it", text);
      return;
    }
    this.#sql = text;
    this.#dropped = dropped;
    this.#line = number;
  }

  #header(text: string): void {
    const time = /^# Time: (\S+)(?: +(\d{1,2}:\d\d:\d\d))?/.exec(text);
    if (time !== null && time[2] === undefined) this.#timeMs = Date.parse(time[1]);
    const session = /(?:Thread_id:| Id:) +(\d+)/.exec(text);
    if (session !== null) this.#session = session[1];
    const duration = /Query_time: (\d+(?:\.\d+)?)/.exec(text);
    if (duration !== null) this.#durationUs = Number(duration[1]) * 1e6;
  }

  #administrator(text: string): readonly LogEvent[] {
    const events = [...this.end()];
    if (/ Quit\b/.test(text)) events.push({ kind: "disconnect", session: this.#session, timeMs: this.#timeMs });
    return events;
  }
}

/**
 * Reads the general query log of MySQL and MariaDB.
 *
 *     261122  2:03:44\t     5 Query\tSELECT 1          MariaDB and MySQL before 5.7: only where the second changes
 *     \t\t     5 Query\tSELECT 2                       … and otherwise no time
 *     2026-11-22T02:03:44.123456Z\t    5 Query\tSELECT 3      MySQL since 5.7
 * A line that does not begin like this goes on with the statement before. Statements of COM_STMT_EXECUTE are logged
 * with their values in place, so `Prepare` is passed over: it would count twice.
 */
import { type LogEvent, type LogReader, statementBytesMax } from "./statement-log.ts";
import { UnparsedList } from "./unparsed.ts";

const old = /^(?:(\d{6}) +(\d{1,2}:\d\d:\d\d)|\t)\t *(\d{1,19}) ([A-Z][A-Za-z ]{2,19})(?:\t(.*))?$/s;
const isoTime = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d))/.source;
const iso = new RegExp(`${isoTime}\\t *(\\d{1,19}) ([A-Z][A-Za-z ]{2,19})(?:\\t(.*))?$`, "s");
const preamble = /^(.*, Version: .*started with:|Tcp port: |Time\s+Id Command\s+Argument)/;

interface Pending {
  readonly session: string;
  readonly timeMs: number | undefined;
  readonly line: number;
  sql: string;
  dropped: number;
}

export class MysqlGeneralLog implements LogReader {
  readonly unparsed = new UnparsedList();
  readonly remarks = ["the general log has no durations"];
  #pending: Pending | undefined;
  #timeMs: number | undefined;
  #other = false;

  line(text: string, number: number, dropped: number): readonly LogEvent[] {
    const query = untimedQuery(text);
    if (query !== undefined) {
      const events = this.end();
      this.#other = false;
      this.#pending = { ...query, timeMs: this.#timeMs, line: number, dropped };
      return events;
    }
    const found = old.exec(text);
    const isoFound = found === null ? iso.exec(text) : null;
    if (found === null && isoFound === null) {
      this.#continuation(text, number, dropped);
      return [];
    }
    if (found?.[1] !== undefined) this.#timeMs = oldTime(found[1], found[2]);
    if (isoFound !== null) this.#timeMs = Date.parse(isoFound[1]);
    const [session, command, argument = ""] = found === null ? isoFound!.slice(2) : found.slice(3);
    const events = [...this.end()];
    const timeMs = this.#timeMs;
    this.#other = false;
    switch (command) {
      case "Query":
      case "Execute":
        this.#pending = { session, timeMs, line: number, sql: argument, dropped };
        break;
      case "Connect":
        events.push({ kind: "connect", session, timeMs });
        break;
      case "Quit":
        events.push({ kind: "disconnect", session, timeMs });
        break;
      default:
        // Prepare, Close stmt, Init DB, Ping, …: no work of their own.
        this.#other = true;
    }
    return events;
  }

  end(): readonly LogEvent[] {
    const pending = this.#pending;
    this.#pending = undefined;
    return pending === undefined ? [] : [{ kind: "statement", ...pending }];
  }

  #continuation(text: string, number: number, dropped: number): void {
    const pending = this.#pending;
    if (pending === undefined) {
      if (!this.#other && text.trim() !== "" && !preamble.test(text)) {
        this.unparsed.add(number, "no line of the general log, and no statement before it to go on with", text);
      }
      return;
    }
    // The server writes these lines anew at every start.
    if (preamble.test(text)) return;
    const room = statementBytesMax - pending.sql.length;
    pending.sql += `\n${text}`.slice(0, Math.max(0, room));
    pending.dropped += dropped + Math.max(0, text.length + 1 - room);
  }
}

/** The line that comes most often, without an expression: `\t\t     5 Query\tSELECT 2`. */
function untimedQuery(text: string): { session: string; sql: string } | undefined {
  if (text.charCodeAt(0) !== 9 || text.charCodeAt(1) !== 9) return undefined;
  let from = 2;
  while (text.charCodeAt(from) === 32) from++;
  const space = text.indexOf(" ", from);
  if (space <= from || space - from > 19 || !text.startsWith("Query\t", space + 1)) return undefined;
  for (let at = from; at < space; at++) {
    const digit = text.charCodeAt(at);
    if (digit < 48 || digit > 57) return undefined;
  }
  return { session: text.slice(from, space), sql: text.slice(space + 7) };
}

function oldTime(date: string, time: string): number {
  const [hours, minutes, seconds] = time.split(":").map(Number);
  const year = 2000 + Number(date.slice(0, 2));
  return Date.UTC(year, Number(date.slice(2, 4)) - 1, Number(date.slice(4, 6)), hours, minutes, seconds);
}

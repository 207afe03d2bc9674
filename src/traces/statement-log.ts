/** What readers of query logs hand on: one event after the other, in the order of the log. */
import type { UnparsedList } from "./unparsed.ts";

export interface SessionEvent {
  readonly kind: "connect" | "disconnect" | "failed";
  readonly session: string;
  readonly timeMs: number | undefined;
}

export interface StatementEvent {
  readonly kind: "statement";
  readonly session: string;
  /** Since the epoch; the clock's zone does not matter, since only differences are used. */
  readonly timeMs: number | undefined;
  /** Latin1. */
  readonly sql: string;
  /** Bytes of the statement that the log has beyond `sql`. */
  readonly dropped: number;
  readonly durationUs?: number | undefined;
  /** Values of `$1`, `$2`, …; null is NULL. */
  readonly parameters?: readonly (string | null)[] | undefined;
  readonly line: number;
}

export type LogEvent = SessionEvent | StatementEvent;

/** Takes a line of a log, or its end, and returns the events that are complete then. */
export interface LogReader {
  readonly unparsed: UnparsedList;
  /** What the log does not say, for people. */
  readonly remarks: readonly string[];
  line(text: string, number: number, dropped: number): readonly LogEvent[];
  end(): readonly LogEvent[];
}

/** A statement is kept up to here; inserts of thousands of rows go on for longer. */
export const statementBytesMax = 256 * 1024;

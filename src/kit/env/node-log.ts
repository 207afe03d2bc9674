/**
 * Structured log: one JSON object per line, by default to standard error.
 *
 * A write to a pipe or terminal may block for as long as its reader pleases, so lines go through
 * `fs.write` on the thread pool. What waits is bounded: beyond the bound lines are counted and dropped,
 * and the count is logged as soon as there is room. What still waits when the process exits is written
 * synchronously.
 */
import { write, writeSync } from "node:fs";
import type { Logger } from "./env.ts";

export const logLevels = ["debug", "info", "warn", "error", "silent"] as const;

export type LogLevel = (typeof logLevels)[number];

/** Where lines go; a `node:stream` Writable is one. */
export interface LogStream {
  write(line: string): unknown;
}

const standardErrorDescriptor = 2;
const waitingCharactersMax = 1 << 20;
const retryDelayMs = 10;
const exitGraceMs = 5;

class StandardErrorStream implements LogStream {
  #waiting: string[] = [];
  #waitingCharacters = 0;
  #inFlight: Buffer | undefined;
  #dropped = 0;
  #exitHook = false;

  write(line: string): void {
    if (this.#waitingCharacters + line.length > waitingCharactersMax) {
      this.#dropped++;
      return;
    }
    if (!this.#exitHook) {
      this.#exitHook = true;
      process.once("exit", () => this.#flushAtExit());
    }
    this.#waiting.push(line);
    this.#waitingCharacters += line.length;
    if (this.#inFlight === undefined) this.#send();
  }

  #take(): Buffer {
    if (this.#dropped > 0) {
      this.#waiting.push(formatLine("warn", "log.dropped", { lines: this.#dropped }));
      this.#dropped = 0;
    }
    const bytes = Buffer.from(this.#waiting.join(""));
    this.#waiting = [];
    this.#waitingCharacters = 0;
    return bytes;
  }

  #send(): void {
    this.#inFlight = this.#take();
    this.#writeRest();
  }

  #writeRest(): void {
    const bytes = this.#inFlight as Buffer;
    write(standardErrorDescriptor, bytes, 0, bytes.length, null, (error, written) => {
      if (error?.code === "EAGAIN") return void setTimeout(() => this.#writeRest(), retryDelayMs);
      if (error === null && written < bytes.length) {
        this.#inFlight = bytes.subarray(written);
        return this.#writeRest();
      }
      // Any other error means that nobody listens; there is no place to complain.
      this.#inFlight = undefined;
      if (this.#waiting.length > 0) this.#send();
    });
  }

  /**
   * A write in flight is left to its thread, for repeating it would print its lines twice. Nothing can
   * be awaited any more, so it is given a moment to get there first.
   */
  #flushAtExit(): void {
    if (this.#inFlight !== undefined) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, exitGraceMs);
    if (this.#waiting.length === 0 && this.#dropped === 0) return;
    try {
      writeSync(standardErrorDescriptor, this.#take());
    } catch {
      // Nobody listens any more.
    }
  }
}

const standardError = new StandardErrorStream();

export class NodeLogger implements Logger {
  readonly #rank: number;
  readonly #stream: LogStream;

  constructor(level: LogLevel = "info", stream: LogStream = standardError) {
    this.#rank = logLevels.indexOf(level);
    this.#stream = stream;
  }

  debug(event: string, fields?: Record<string, unknown>): void {
    this.#log("debug", event, fields);
  }

  info(event: string, fields?: Record<string, unknown>): void {
    this.#log("info", event, fields);
  }

  warn(event: string, fields?: Record<string, unknown>): void {
    this.#log("warn", event, fields);
  }

  error(event: string, fields?: Record<string, unknown>): void {
    this.#log("error", event, fields);
  }

  #log(level: LogLevel, event: string, fields?: Record<string, unknown>): void {
    if (logLevels.indexOf(level) >= this.#rank) this.#stream.write(formatLine(level, event, fields));
  }
}

function formatLine(level: LogLevel, event: string, fields?: Record<string, unknown>): string {
  const line = { time: new Date().toISOString(), level, event, ...fields };
  return `${JSON.stringify(line, replaceUnprintable)}\n`;
}

/** JSON knows neither bigints nor errors; a log line must never throw because of its fields. */
function replaceUnprintable(_key: string, value: unknown): unknown {
  if (typeof value === "bigint") return value.toString();
  if (value instanceof Error) {
    const { code } = value as { code?: unknown };
    return { name: value.name, code, message: value.message, stack: value.stack, cause: value.cause };
  }
  return value;
}

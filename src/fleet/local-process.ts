/**
 * LocalProcess: a child process that is a server: started, watched, frozen, ended; its log's end is kept
 * for error messages.
 */
import type { ChildProcess } from "node:child_process";
import { LatheError } from "../kit/errors.ts";
import { releaseProcess, spawnGuarded } from "../foundry/orphan-guard.ts";
import { ProcessAccounting } from "./process-accounting.ts";
import type { ServerEnd } from "./server.ts";

export interface LocalProcessOptions {
  /** For messages: "incumbent", "MariaDB". */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly environment?: Readonly<Record<string, string>> | undefined;
  readonly workDirectory?: string | undefined;
}

const logTailBytes = 8 << 10;
const stdoutLineBytesMax = 64 << 10;
const stopTimeoutMs = 30_000;

export class LocalProcess {
  readonly name: string;
  readonly processId: number;
  readonly ended: Promise<ServerEnd>;
  readonly #child: ChildProcess;
  readonly #accounting: ProcessAccounting;
  #log = "";
  #stdoutRest = "";
  #onLine: (line: string) => void = () => undefined;
  #end: ServerEnd | undefined;

  private constructor(name: string, child: ChildProcess) {
    this.name = name;
    this.#child = child;
    this.processId = child.pid as number;
    this.#accounting = new ProcessAccounting(this.processId);
    child.stderr?.setEncoding("utf8").on("data", (text: string) => this.#append(text));
    child.stdout?.setEncoding("utf8").on("data", (text: string) => this.#stdout(text));
    this.ended = new Promise((resolve) => {
      // `close` comes after the last of its output, so the tail is whole.
      child.on("close", (exitCode, signal) => {
        this.#end = { exitCode, signal, logTail: this.#log };
        resolve(this.#end);
      });
    });
    processes.add(child);
    child.on("exit", () => {
      processes.delete(child);
      releaseProcess(this.processId);
    });
  }

  /** Errors: UNAVAILABLE where the program cannot be started. */
  static async start(options: LocalProcessOptions): Promise<LocalProcess> {
    const child = spawnGuarded(options.command, options.args, {
      stdio: ["ignore", "pipe", "pipe"],
      cwd: options.workDirectory,
      env: { ...process.env, ...options.environment },
      // A process group of its own: Ctrl-C in a terminal is for us, and we decide what becomes of servers.
      detached: true,
    });
    await new Promise<void>((resolve, reject) => {
      child.once("spawn", resolve);
      child.once("error", (cause) => {
        const message = `cannot start ${options.name} (${options.command}): ${cause.message}`;
        reject(new LatheError("UNAVAILABLE", message, { cause }));
      });
    });
    return new LocalProcess(options.name, child);
  }

  /** How the process ended, or undefined while it runs. */
  get end(): ServerEnd | undefined {
    return this.#end;
  }

  get logTail(): string {
    return this.#log;
  }

  cpuUs(): number {
    return this.#accounting.cpuUs();
  }

  memory(): { residentBytes: number; peakBytes: number } {
    return this.#accounting.memory();
  }

  freeze(): void {
    this.#child.kill("SIGSTOP");
  }

  thaw(): void {
    this.#child.kill("SIGCONT");
  }

  /**
   * Resolves with the first line of stdout that `accept` turns into a value.
   * Errors: TIMEOUT, CLOSED where the process ended first; both with the end of its log.
   */
  waitForLine<Value>(accept: (line: string) => Value | undefined, timeoutMs: number): Promise<Value> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        const message = `${this.name} was not ready within ${timeoutMs} ms; its log ends: ${this.#log}`;
        reject(new LatheError("TIMEOUT", message));
      }, timeoutMs);
      this.#onLine = (line) => {
        const value = accept(line);
        if (value === undefined) return;
        clearTimeout(timer);
        this.#onLine = () => undefined;
        resolve(value);
      };
      void this.ended.then((end) => {
        clearTimeout(timer);
        reject(this.endError(end, "before it was ready"));
      });
    });
  }

  endError(end: ServerEnd, when: string): LatheError {
    const how = end.signal === null ? `with exit code ${end.exitCode}` : `by ${end.signal}`;
    const log = end.logTail.trim() || "(empty)";
    return new LatheError("CLOSED", `${this.name} ended ${when} ${how}; its log ends: ${log}`, {
      details: { server: this.name, exitCode: end.exitCode, signal: end.signal, logTail: end.logTail },
    });
  }

  /** SIGTERM, then waits. Errors: TIMEOUT (the process then still runs). */
  async stop(timeoutMs = stopTimeoutMs): Promise<void> {
    if (this.#end !== undefined) return;
    this.thaw();
    this.#child.kill("SIGTERM");
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<"late">((resolve) => {
      timer = setTimeout(() => resolve("late"), timeoutMs);
    });
    const outcome = await Promise.race([this.ended, late]);
    clearTimeout(timer);
    if (outcome === "late") {
      throw new LatheError("TIMEOUT", `${this.name} (process ${this.processId}) did not stop within ${timeoutMs} ms`);
    }
  }

  async kill(): Promise<void> {
    if (this.#end !== undefined) return;
    this.#child.kill("SIGKILL");
    await this.ended;
  }

  #append(text: string): void {
    this.#log = (this.#log + text).slice(-logTailBytes);
  }

  #stdout(text: string): void {
    this.#append(text);
    const lines = (this.#stdoutRest + text).split("\n");
    this.#stdoutRest = (lines.pop() as string).slice(-stdoutLineBytesMax);
    for (const line of lines) this.#onLine(line);
  }
}

/** Children that still run; they must not outlive us. */
const processes = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of processes) child.kill("SIGKILL");
});

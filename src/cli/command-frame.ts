/**
 * What all commands share: help with examples and exit codes, `--json`, Ctrl-C, and one way to fail.
 *
 * With `--json` people's lines go to stderr and the last line on stdout is exactly one JSON object, for failures too:
 * `{"error": {"code", "message", "exitCode"}}`.
 */
import type { Command } from "commander";
import type { UseCaseContext } from "../app/use-case.ts";
import { isSystemError, translateSystemError } from "../kit/env/system-error.ts";
import { errorCodeOf, LatheError } from "../kit/errors.ts";
import { exitCodeHelp, exitCodeOf } from "./exit-codes.ts";
import { StatusDisplay } from "./status-display.ts";

export interface CommandOutput {
  /** Printed as JSON with `--json`. */
  readonly json: object;
  /** Printed for people without it. */
  readonly text: string;
  /** 0 where it is left out. */
  readonly exitCode?: number;
}

export interface HelpPages {
  readonly examples: readonly string[];
  /** Exit codes beyond 0, 1, 2 and 130 that the command has. */
  readonly exitCodes: readonly number[];
}

/** Adds `--json`, examples and exit codes. */
export function withFrame(command: Command, pages: HelpPages): Command {
  const examples = pages.examples.map((example) => `  $ ${example}`).join("\n");
  return command
    .option("--json", "print the result as one JSON object, the last line on stdout")
    .addHelpText("after", `\nExamples:\n${examples}\n\nExit codes:\n${exitCodeHelp(pages.exitCodes)}`);
}

/** Runs a command's action: gives it a signal and a progress line, prints its output, sets the exit code. */
export async function runAction(
  json: boolean | undefined,
  action: (context: UseCaseContext) => CommandOutput | Promise<CommandOutput>,
): Promise<void> {
  const controller = new AbortController();
  const interrupt = () => {
    // The second Ctrl-C does not wait.
    if (controller.signal.aborted) process.exit(130);
    process.stderr.write("lathe: stopping; press Ctrl-C again to stop at once\n");
    controller.abort(new LatheError("CANCELLED", "stopped by Ctrl-C"));
  };
  process.on("SIGINT", interrupt);
  process.on("SIGTERM", interrupt);
  const display = new StatusDisplay(process.stderr);
  try {
    const output = await action({
      signal: controller.signal,
      progress: (line) => display.line(line),
      status: (status) => display.show(status),
    });
    display.clear();
    process.stdout.write(json ? `${stringify(output.json)}\n` : withNewline(output.text));
    process.exitCode = output.exitCode ?? 0;
  } catch (error) {
    display.clear();
    fail(error, json);
  } finally {
    process.off("SIGINT", interrupt);
    process.off("SIGTERM", interrupt);
  }
}

/** Says what happened and what to do, in the tone of the caller, and sets the exit code. */
export function fail(thrown: unknown, json: boolean | undefined): void {
  const error = isSystemError(thrown) ? systemFailure(thrown) : thrown;
  const message = error instanceof Error ? error.message : String(error);
  const exitCode = exitCodeOf(error);
  const code = errorCodeOf(error) ?? "UNEXPECTED";
  process.stderr.write(`lathe: ${message}\n`);
  if (process.env.LATHE_DEBUG && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  else if (code === "UNEXPECTED") process.stderr.write("lathe: set LATHE_DEBUG=1 to see where it came from\n");
  if (json) {
    const details = error instanceof LatheError ? error.details : {};
    process.stdout.write(`${stringify({ error: { code, message, exitCode, ...details } })}\n`);
  }
  process.exitCode = exitCode;
}

/** What the system says and no use case has put in its own words. */
function systemFailure(error: NodeJS.ErrnoException): LatheError {
  const { syscall = "use", path } = error;
  return translateSystemError(error, syscall, path ?? "what was asked for");
}

function stringify(value: object): string {
  return JSON.stringify(value, (_, inner: unknown) => (typeof inner === "bigint" ? inner.toString() : inner));
}

function withNewline(text: string): string {
  return text === "" || text.endsWith("\n") ? text : `${text}\n`;
}

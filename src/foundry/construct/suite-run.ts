/**
 * Runs one suite of a product in a process of its own, with Node's test runner, and says how it went.
 *
 * The process leads a group of its own, so that a cancelled or overdue one goes with all that it started; where the
 * build itself is killed, `orphan-guard.ts` ends the group. Its report is
 * TAP: the first `not ok` that is not just a parent of another is the test that failed, with its diagnosis below it.
 */
import { releaseProcess, spawnGuarded } from "../orphan-guard.ts";

export interface SuiteResult {
  readonly ok: boolean;
  /** It was ended because it took too long. */
  readonly overdue: boolean;
  /** How many tests passed. */
  readonly tests: number;
  readonly ms: number;
  /** Name of the first test that failed; undefined where the process ended outside a test. */
  readonly failedTest: string | undefined;
  /** Of a failure: diagnosis and what was written to stderr, shortened. */
  readonly output: string;
  /** All that the runner reported, as TAP. */
  readonly report: string;
}

export interface SuiteRunOptions {
  readonly signal: AbortSignal | undefined;
  readonly timeoutMs: number;
  /** Where the suite puts temporary files; the system's place where left out. */
  readonly temporary?: string;
}

const outputCharactersMax = 1 << 20;
const shownLinesMax = 30;

/** `directory`: the product as far as it stands. Rejects with the signal's reason where it is aborted. */
export function runSuite(directory: string, file: string, options: SuiteRunOptions): Promise<SuiteResult> {
  const { signal, timeoutMs, temporary } = options;
  const startedMs = performance.now();
  // A suite that is started by a test is no subtest of it.
  const { NODE_TEST_CONTEXT: _, ...environment } = process.env;
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) throw signal.reason;
    const report = ["--test-reporter=tap", "--test-reporter-destination=stdout"];
    const env = temporary === undefined ? environment : { ...environment, TMPDIR: temporary };
    const child = spawnGuarded(process.execPath, [...report, file], {
      cwd: directory, detached: true, group: true, env, stdio: ["ignore", "pipe", "pipe"],
    });
    const out = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const) {
      child[name]?.setEncoding("utf8").on("data", (text: string) => {
        if (out[name].length < outputCharactersMax) out[name] += text;
      });
    }
    let overdue = false;
    const stop = () => killGroup(child.pid);
    const timer = setTimeout(() => {
      overdue = true;
      stop();
    }, timeoutMs);
    signal?.addEventListener("abort", stop, { once: true });
    const settle = () => {
      clearTimeout(timer);
      if (child.pid !== undefined) releaseProcess(-child.pid);
      signal?.removeEventListener("abort", stop);
    };
    child.once("error", (error) => {
      settle();
      reject(error);
    });
    child.once("close", (code, killedBy) => {
      // What it may have left behind: a test that fails half way leaves its servers.
      stop();
      settle();
      if (signal?.aborted === true) return reject(signal.reason);
      const ms = Math.round(performance.now() - startedMs);
      const ended = overdue ? `took longer than ${timeoutMs / 1000} s` : `ended with ${killedBy ?? `code ${code}`}`;
      resolve({ ...readReport(out.stdout, out.stderr, code === 0, ended), overdue, ms, report: out.stdout });
    });
  });
}

/** Exported for tests. */
export function readReport(
  tap: string, stderr: string, succeeded: boolean, ended: string,
): Omit<SuiteResult, "ms" | "report" | "overdue"> {
  const tests = Number(/^# pass (\d+)$/m.exec(tap)?.[1] ?? 0);
  // Node exits with 0 where a file holds no test at all, which proves nothing.
  if (succeeded && tests > 0) return { ok: true, tests, failedTest: undefined, output: "" };
  const lines = tap.split("\n");
  const failures = lines.flatMap((line, at) => (/^ *not ok \d+ - /.test(line) ? [at] : []));
  const isParent = (at: number) => diagnosisAt(lines, at).some((line) => /failureType: 'subtestsFailed'/.test(line));
  const first = failures.find((at) => !isParent(at));
  const failedTest = first === undefined ? undefined : /not ok \d+ - (.*)$/.exec(lines[first])?.[1];
  const diagnosis = first === undefined ? [succeeded ? "it ran no test" : ended] : diagnosisAt(lines, first);
  const told = diagnosis.filter((line) => !/^(duration_ms|type|failureType|code|name): /.test(line));
  const shown = [...told, ...stderr.split("\n").filter((line) => line.trim() !== "")];
  return { ok: false, tests, failedTest, output: shown.slice(0, shownLinesMax).join("\n") };
}

/** The YAML block below a line of TAP, without its fences and indentation. */
function diagnosisAt(lines: readonly string[], at: number): string[] {
  const start = at + 1;
  if (!/^ *---$/.test(lines[start] ?? "")) return [];
  const indent = lines[start].length - 3;
  const end = lines.findIndex((line, number) => number > start && line === `${" ".repeat(indent)}...`);
  return lines.slice(start + 1, end === -1 ? undefined : end).map((line) => line.slice(indent));
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It has ended already.
  }
}

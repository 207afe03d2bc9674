/**
 * Containment gate: a patched product is run once in a process of its own, watched, before any other gate touches it.
 *
 * Steps:
 *   1. A child process loads the product, opens it, writes 400 rows, rewrites its files, reads and closes
 *      (`containment-process.ts`), and says each step.
 *   2. It may take `secondsMax` and `memoryMiBMax` of resident memory; then it is killed with all that it started.
 *   3. Where `unshare` may do so, it has a network of its own without any interface, so that nothing gets out.
 *   4. Where strace is there, its system calls are read afterwards (`containment-trace.ts`): addresses it asked for,
 *      programs it started, processes it signalled, files it changed outside of its directory.
 *   5. Rejected: what ends or throws on the way, hangs, grows, or did any of 4. Where strace is missing the gate is
 *      inconclusive: nobody looked.
 * What this is not: a prison. Files are watched, not locked: what the process did it has done, with the rights of
 * whoever runs the check; and code that behaves until this gate is over runs in the other gates unwatched. Judge
 * strangers' patches in a container or virtual machine that may be thrown away.
 */
import { type ChildProcess, spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { releaseProcess, spawnGuarded } from "../../foundry/orphan-guard.ts";
import type { Gate, GateSubject, GateVerdict } from "../gate.ts";
import { verdictOf } from "../run-gates.ts";
import { tracedCalls, trespassesOf } from "./containment-trace.ts";

const name = "containment";
const sampleMs = 100;
const outputKept = 4000;
const steps = ["begun", "loaded", "opened", "written", "read 400", "closed"] as const;

export interface ContainmentLimits {
  readonly secondsMax: number;
  readonly memoryMiBMax: number;
}

export const containmentLimits: ContainmentLimits = { secondsMax: 60, memoryMiBMax: 1024 };

/** For help and results: what is and what is not contained. */
export const containmentStatement =
  "A patch is first run alone: with limits on time and memory, without a network where the system allows that, its " +
  "system calls watched. It is not confined: what it does to files it has done, and the gates after that run it with " +
  "your rights. Judge strangers' patches in a container or virtual machine that you can throw away.";

export function containmentGate(limits: ContainmentLimits = containmentLimits): Gate {
  return {
    name,
    description:
      `run alone for at most ${limits.secondsMax} s and ${limits.memoryMiBMax} MiB: comes to its end, asks for no ` +
      "network, starts no program, changes no file outside of its directory",
    stage: "product",
    timeoutMs: (limits.secondsMax + 90) * 1000,
    run: (subject) => runContained(limits, subject),
  };
}

async function runContained(limits: ContainmentLimits, subject: GateSubject): Promise<GateVerdict> {
  const verdict = verdictOf(name, performance.now());
  if (spawnSync("strace", ["-V"]).status !== 0) {
    return verdict.inconclusive("nobody watched what the patch does: strace is not installed (see lathe doctor)");
  }
  const work = realpathSync(subject.workDirectory);
  const run = new ContainedRun({ ...subject, workDirectory: work }, limits);
  const end = await run.finished;
  const trespasses = trespassesOf(run.trace(), [join(work, "data"), join(work, "scratch")]);
  const evidence = {
    lastStep: run.lastStep,
    exitCode: end.exitCode,
    signal: end.signal,
    peakMiB: run.peakMiB,
    network: run.isolated ? "none: a network namespace without interfaces" : "there: watched, not cut off",
    trespasses: trespasses.slice(0, 20),
    output: run.output.slice(-1000),
  };
  // What it tried says more than how it ended.
  const [first] = trespasses;
  if (first !== undefined) return verdict.reject(`${deeds[first.kind]}: ${first.what}`, evidence);
  if (run.killedFor !== undefined) return verdict.reject(run.killedFor, evidence);
  if (subject.signal?.aborted) return verdict.inconclusive("stopped on request", evidence);
  if (run.lastStep !== "closed" || end.exitCode !== 0) return verdict.reject(run.shortEnd(end.exitCode), evidence);
  const network = run.isolated ? "without a network" : "asking for no network";
  return verdict.admit(
    `loaded, opened, wrote, read and closed within its limits (${run.peakMiB} MiB), ${network}, in its own directory`,
    evidence,
  );
}

const deeds = {
  network: "it asks for the network",
  program: "it starts another program",
  process: "it signals another process",
  file: "it changes files outside of its directory",
} as const;

class ContainedRun {
  readonly isolated = mayUnshare();
  readonly finished: Promise<{ exitCode: number | null; signal: string | null }>;
  lastStep = "";
  output = "";
  peakMiB = 0;
  killedFor: string | undefined;
  #error = "";
  readonly #tracePath: string;
  readonly #child: ChildProcess;

  constructor(subject: GateSubject, { secondsMax, memoryMiBMax }: ContainmentLimits) {
    const { productDirectory, workDirectory } = subject;
    const scratch = join(workDirectory, "scratch");
    mkdirSync(scratch);
    this.#tracePath = join(workDirectory, "trace");
    const word = randomUUID();
    this.#child = this.#spawn(productDirectory, workDirectory, scratch, word);
    const group = this.#child.pid === undefined ? undefined : -this.#child.pid;
    const startedAt = performance.now();
    const watch = setInterval(() => {
      const mebibytes = Math.round(treeBytes(this.#child.pid ?? 0) / 2 ** 20);
      this.peakMiB = Math.max(this.peakMiB, mebibytes);
      if (mebibytes > memoryMiBMax) this.#kill(`it takes more than ${memoryMiBMax} MiB of memory (${this.#where()})`);
      if (performance.now() - startedAt > secondsMax * 1000) {
        this.#kill(`it did not come to an end within ${secondsMax} s (${this.#where()})`);
      }
    }, sampleMs);
    const stop = () => this.#kill(undefined);
    subject.signal?.addEventListener("abort", stop);
    this.finished = new Promise((resolve, reject) => {
      this.#child.on("error", reject);
      this.#child.on("close", (exitCode, signal) => resolve({ exitCode, signal }));
    });
    const end = () => {
      clearInterval(watch);
      subject.signal?.removeEventListener("abort", stop);
      // What it left behind, if anything.
      this.#kill(this.killedFor);
      if (group !== undefined) releaseProcess(group);
    };
    this.finished.then(end, end);
  }

  trace(): string {
    return existsSync(this.#tracePath) ? readFileSync(this.#tracePath, "latin1") : "";
  }

  /** Why it ended before its last step. */
  shortEnd(exitCode: number | null): string {
    if (this.#error !== "") return `it fails (${this.#where()}): ${this.#error.slice(0, 300)}`;
    return `it ends the process, with exit code ${exitCode} (${this.#where()})`;
  }

  #spawn(product: string, work: string, scratch: string, word: string): ChildProcess {
    const extension = import.meta.url.slice(import.meta.url.lastIndexOf("."));
    const script = join(import.meta.dirname, `containment-process${extension}`);
    const node = [process.execPath, "--disable-warning=ExperimentalWarning", script, product, join(work, "data"), word];
    const calls = `trace=${tracedCalls.join(",")}`;
    const traced = ["strace", "-f", "-qq", "-y", "-s", "300", "-e", calls, "-o", this.#tracePath, ...node];
    const [program, ...rest] = this.isolated ? ["unshare", "-rn", ...traced] : traced;
    const environment = { PATH: process.env.PATH, TMPDIR: scratch, HOME: scratch };
    const child = spawnGuarded(program, rest, {
      cwd: work, env: environment, stdio: ["ignore", "pipe", "pipe"], detached: true, group: true,
    });
    child.stdout?.on("data", (bytes: Buffer) => this.#hear(bytes.toString(), word));
    child.stderr?.on("data", (bytes: Buffer) => this.#hear(bytes.toString(), word));
    return child;
  }

  #hear(text: string, word: string): void {
    this.output = (this.output + text).slice(-outputKept);
    for (const line of text.split("\n").filter((one) => one.startsWith(`${word} `))) {
      const told = line.slice(word.length + 1);
      if (told.startsWith("error ")) this.#error = told.slice(6);
      else this.lastStep = told;
    }
  }

  #where(): string {
    const at = (steps as readonly string[]).indexOf(this.lastStep);
    const doing = ["starting", "loading it", "opening it", "writing", "reading", "closing it", "after it was closed"];
    return doing[at + 1] ?? `after ${this.lastStep}`;
  }

  #kill(reason: string | undefined): void {
    this.killedFor ??= reason;
    try {
      if (this.#child.pid !== undefined) process.kill(-this.#child.pid, "SIGKILL");
    } catch {
      // It has just ended by itself.
    }
  }
}

let unshares: boolean | undefined;

/** Whether a process may be given a network of its own here. */
function mayUnshare(): boolean {
  unshares ??= spawnSync("unshare", ["-rn", "true"]).status === 0;
  return unshares;
}

/** Resident memory of a process and all that it started. */
function treeBytes(root: number): number {
  const parents = new Map<number, number>();
  const pages = new Map<number, number>();
  for (const entry of readdirSync("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      // The name, in brackets, may hold anything.
      const fields = readFileSync(`/proc/${entry}/stat`, "latin1").replace(/^.*\) /, "").split(" ");
      parents.set(Number(entry), Number(fields[1]));
      pages.set(Number(entry), Number(fields[21]));
    } catch {
      // It has just ended.
    }
  }
  const isOurs = (id: number): boolean => id === root || (parents.has(id) && isOurs(parents.get(id) as number));
  let total = 0;
  for (const [id, count] of pages) if (isOurs(id)) total += count * 4096;
  return total;
}

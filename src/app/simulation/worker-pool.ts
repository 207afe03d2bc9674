/**
 * Processes that simulate, one task at a time each. They are kept from task to task, since a warm one is several times
 * as fast, and end with this process.
 *
 * A process that dies takes no result with it: the error names the signal or exit code, and the command that runs again
 * what it was running.
 */
import { type ChildProcess, fork } from "node:child_process";
import { LatheError } from "../../kit/errors.ts";
import type { SimulationTask, TaskOutcome } from "../../simulation/task.ts";

/** What a process is asked; with `announce` it tells of every run before it begins. */
export type WorkerRequest = SimulationTask & { readonly announce?: boolean };

/** One of these: a run begins, the task has ended, or it could not be done. */
export interface WorkerReply {
  readonly begins?: string;
  readonly outcome?: TaskOutcome;
  readonly error?: string;
}

/** `.ts` when run from source, `.js` when run from emitted code. */
const extension = import.meta.url.slice(import.meta.url.lastIndexOf("."));

export class WorkerPool {
  readonly #signal: AbortSignal;
  readonly #workers: (ChildProcess | undefined)[];

  constructor(count: number, signal: AbortSignal) {
    this.#signal = signal;
    this.#workers = Array.from({ length: count }, () => undefined);
    signal.addEventListener("abort", this.#stop);
  }

  /** Works tasks off until there are none. Errors: CANCELLED, JOB_LOST. */
  async run(
    take: () => SimulationTask | undefined, note: (task: SimulationTask, outcome: TaskOutcome) => void,
  ): Promise<void> {
    const work = async (place: number) => {
      for (let task = take(); task !== undefined; task = take()) note(task, await this.#ask(place, task));
    };
    await Promise.all(this.#workers.keys().map(work));
  }

  close(): void {
    this.#signal.removeEventListener("abort", this.#stop);
    this.#stop();
  }

  readonly #stop = (): void => {
    for (const worker of this.#workers) worker?.kill("SIGKILL");
  };

  #ask(place: number, task: SimulationTask): Promise<TaskOutcome> {
    const worker = this.#workerAt(place);
    return new Promise((resolve, reject) => {
      let replay: string | undefined;
      const settle = (end: () => void) => {
        worker.removeAllListeners("exit");
        worker.removeAllListeners("message");
        end();
      };
      worker.once("exit", (code, signal) => {
        this.#workers[place] = undefined;
        settle(() => reject(this.#signal.aborted ? this.#signal.reason : lost(task, replay, code, signal)));
      });
      worker.on("message", (reply: WorkerReply) => {
        const { begins, outcome, error } = reply;
        if (begins !== undefined) replay = begins;
        else if (outcome !== undefined) settle(() => resolve(outcome));
        else settle(() => reject(new Error(error)));
      });
      worker.send({ ...task, announce: true } satisfies WorkerRequest);
    });
  }

  #workerAt(place: number): ChildProcess {
    this.#signal.throwIfAborted();
    const url = new URL(`./simulation-worker${extension}`, import.meta.url);
    const present = this.#workers[place];
    if (present?.connected === true) return present;
    return (this.#workers[place] = fork(url, { execArgv: [] }));
  }
}

function lost(
  task: SimulationTask, replay: string | undefined, code: number | null, signal: NodeJS.Signals | null,
): LatheError {
  const how = signal === null ? `ended with exit code ${code}` : `was killed by ${signal}`;
  const hint = signal === "SIGKILL" ? " (the machine may have run out of memory: use fewer --workers)" : "";
  const again = replay === undefined ? `its task was ${JSON.stringify(task)}` : `to run again what it ran: ${replay}`;
  return new LatheError("JOB_LOST", `a simulating process ${how}${hint}; ${again}`, {
    details: { task: task.kind, replay, exitCode: code, signal },
  });
}

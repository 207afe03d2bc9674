/**
 * Background jobs on a pool of worker threads.
 *
 *   1. A job goes to an idle thread, else to a new one while there are fewer than `concurrency`, else
 *   it waits its turn.
 *   2. A thread keeps the process alive only while it runs a job.
 *   3. A thread that dies (out of memory, process.exit, a crash) rejects its job with JOB_LOST and is
 *   replaced on demand.
 *   4. A thread's heap begins with a small young generation: V8 would let the one of every thread grow to 48 MiB, and
 *   jobs that stream bytes through buffers leave next to nothing alive in it.
 */
import { Worker } from "node:worker_threads";
import { type ErrorCode, LatheError } from "../errors.ts";
import type { JobReference, Threads } from "./env.ts";
import type { JobFailure, JobMessage, JobReply } from "./node-thread-worker.ts";

/**
 * `.ts` when run from source, `.js` when run from emitted code; a job's module has the same as this
 * one.
 */
const extension = import.meta.url.slice(import.meta.url.lastIndexOf("."));
const workerUrl = new URL(`./node-thread-worker${extension}`, import.meta.url);
const waitingJobsMax = 1024;
const resourceLimits = { maxYoungGenerationSizeMb: 6 };

interface PendingJob {
  readonly message: JobMessage;
  readonly resolve: (output: unknown) => void;
  readonly reject: (error: unknown) => void;
}

interface PoolThread {
  readonly worker: Worker;
  job: PendingJob | undefined;
}

export class NodeThreads implements Threads {
  readonly concurrency: number;
  readonly #threads = new Set<PoolThread>();
  readonly #waiting: PendingJob[] = [];
  #closed = false;

  constructor(concurrency: number) {
    this.concurrency = concurrency;
  }

  run<Input, Output>(job: JobReference, input: Input): Promise<Output> {
    return new Promise<unknown>((resolve, reject) => {
      if (this.#closed) throw new LatheError("CLOSED", `cannot run ${job.exportName}: the thread pool is closed`);
      if (this.#waiting.length >= waitingJobsMax) {
        throw new LatheError("BACKPRESSURE", `cannot run ${job.exportName}: ${waitingJobsMax} jobs wait already`);
      }
      const moduleUrl = job.moduleUrl.replace(/\.(ts|js)$/, extension);
      this.#waiting.push({ message: { moduleUrl, exportName: job.exportName, input }, resolve, reject });
      this.#dispatch();
    }) as Promise<Output>;
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const job of this.#waiting.splice(0)) {
      job.reject(new LatheError("CLOSED", `${job.message.exportName} was not begun: the thread pool is closed`));
    }
    await Promise.all([...this.#threads].map(({ worker }) => worker.terminate()));
  }

  #dispatch(): void {
    while (this.#waiting.length > 0) {
      const thread = this.#idleThread();
      if (thread === undefined) return;
      const job = this.#waiting.shift() as PendingJob;
      try {
        thread.worker.postMessage(job.message);
      } catch (error) {
        // The input cannot be cloned: the caller's bug, and the thread is still idle.
        job.reject(error);
        continue;
      }
      thread.job = job;
      thread.worker.ref();
    }
  }

  #idleThread(): PoolThread | undefined {
    for (const thread of this.#threads) if (thread.job === undefined) return thread;
    return this.#threads.size < this.concurrency ? this.#startThread() : undefined;
  }

  #startThread(): PoolThread {
    // The parent's own flags (an inspector port, --test, -e) are not for its threads.
    const thread: PoolThread = { worker: new Worker(workerUrl, { execArgv: [], resourceLimits }), job: undefined };
    this.#threads.add(thread);
    thread.worker.on("message", (reply: JobReply) => this.#finish(thread, reply));
    thread.worker.on("error", (error) => this.#lose(thread, error));
    thread.worker.on("exit", (exitCode) => this.#lose(thread, new Error(`the thread exited with code ${exitCode}`)));
    return thread;
  }

  #finish(thread: PoolThread, reply: JobReply): void {
    const job = thread.job;
    thread.job = undefined;
    thread.worker.unref();
    if (reply.ok) job?.resolve(reply.output);
    else job?.reject(restoreFailure(reply.error));
    this.#dispatch();
  }

  #lose(thread: PoolThread, cause: unknown): void {
    if (!this.#threads.delete(thread)) return;
    const { job } = thread;
    thread.job = undefined;
    if (job !== undefined) {
      const reason = (cause as { message?: string }).message ?? String(cause);
      job.reject(new LatheError("JOB_LOST", `${job.message.exportName} was not finished: ${reason}`, { cause }));
    }
    if (!this.#closed) this.#dispatch();
  }
}

/**
 * An error with a code comes back with it; one without was a bug in the job and stays an ordinary
 * Error.
 */
function restoreFailure(failure: JobFailure): Error {
  const error =
    failure.code === undefined
      ? new Error(failure.message)
      : new LatheError(failure.code as ErrorCode, failure.message, { details: failure.details });
  if (failure.stack !== undefined) error.stack = failure.stack;
  return error;
}

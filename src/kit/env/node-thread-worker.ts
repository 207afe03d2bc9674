/**
 * What runs on a worker thread: takes one job at a time, runs its generator to the end, and sends back
 * what it returned or the error by code. A job rests where it yields a time; other yields are the simulation's concern
 * and skipped.
 * Garbage: a thread's heap may grow by hundreds of megabytes before V8 thinks of collecting it, and what its buffers
 * hold outside the heap by 64 MiB more. Nobody has given a background job that memory, so the thread collects at yields
 * once it has grown by `garbageBytesMax`, and when a job has ended.
 */
import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { parentPort } from "node:worker_threads";
import { errorCodeOf } from "../errors.ts";
import type { Job, JobContext } from "./env.ts";
import { nodeClock } from "./node-clock.ts";
import { nodeDisk } from "./node-disk.ts";

export interface JobMessage {
  readonly moduleUrl: string;
  readonly exportName: string;
  readonly input: unknown;
}

export type JobReply =
  | { readonly ok: true; readonly output: unknown }
  | { readonly ok: false; readonly error: JobFailure };

/** An error that crossed threads: structured clone keeps neither `code` nor `details` of an Error. */
export interface JobFailure {
  readonly code: string | undefined;
  readonly message: string;
  readonly stack: string | undefined;
  readonly details: Readonly<Record<string, unknown>>;
}

const context: JobContext = { disk: nodeDisk, clock: nodeClock };

const garbageBytesMax = 6 << 20;
/** Yields between two looks at the heap, which take some microseconds. */
const yieldsPerLook = 8;

// The collector has no other door: a context that is made after the flag was set has it.
setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

function heldBytes(): number {
  const { used_heap_size: heap, external_memory: external } = getHeapStatistics();
  return heap + external;
}

/** What the thread held after it last collected; undefined: that is yet to be seen. */
let heldBefore: number | undefined = heldBytes();

/**
 * Collects where the thread holds more than `grownMax` beyond what it held after the last time. Buffers are given back
 * by a thread of the collector's a moment after it ran, so what is left is seen at the next look.
 */
function collectBeyond(grownMax: number): void {
  const held = heldBytes();
  heldBefore = Math.min(heldBefore ?? held, held);
  if (held - heldBefore <= grownMax) return;
  collectGarbage();
  heldBefore = undefined;
}

async function runJob({ moduleUrl, exportName, input }: JobMessage): Promise<unknown> {
  const module = (await import(moduleUrl)) as Record<string, unknown>;
  const job = module[exportName];
  if (typeof job !== "function") throw new TypeError(`${moduleUrl} exports no function named ${exportName}`);
  const steps = (job as Job<unknown, unknown>)(context, input);
  for (let yields = 1; ; yields++) {
    const step = steps.next();
    if (step.done === true) return step.value;
    if (yields % yieldsPerLook === 0) collectBeyond(garbageBytesMax);
    if (typeof step.value === "number" && step.value > 0) await rest(step.value);
  }
}

function rest(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

function describeFailure(error: unknown): JobFailure {
  const { message, stack, details } = error as { message?: string; stack?: string; details?: Record<string, unknown> };
  return { code: errorCodeOf(error), message: message ?? String(error), stack, details: plainDetails(details) };
}

/** Only what survives structured cloning for certain. */
function plainDetails(details: Record<string, unknown> | undefined): Record<string, unknown> {
  const plain = Object.entries(details ?? {}).filter(
    ([, value]) => typeof value !== "function" && typeof value !== "object",
  );
  return Object.fromEntries(plain);
}

parentPort?.on("message", (message: JobMessage) => {
  runJob(message)
    .then(
      (output): JobReply => ({ ok: true, output }),
      (error): JobReply => ({ ok: false, error: describeFailure(error) }),
    )
    .then((reply) => {
      try {
        parentPort?.postMessage(reply);
        collectBeyond(garbageBytesMax / 4);
      } catch (error) {
        // The output cannot be cloned: a bug of the job, which must not leave its caller waiting.
        parentPort?.postMessage({ ok: false, error: describeFailure(error) } satisfies JobReply);
      }
    });
});

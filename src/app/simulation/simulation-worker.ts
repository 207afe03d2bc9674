/** A process that simulates: takes tasks one at a time, answers each with its outcome, ends with its parent. */
import { runTask, watchUnhandled } from "./simulation-task.ts";
import type { WorkerReply, WorkerRequest } from "./worker-pool.ts";

const answer = (reply: WorkerReply) => void process.send?.(reply);

watchUnhandled();
process.on("disconnect", () => process.exit(0));
// Ctrl-C reaches every process of a terminal; the parent decides when this one ends.
process.on("SIGINT", () => undefined);
process.on("message", (task: WorkerRequest) => {
  const announce = task.announce === true ? (begins: string) => answer({ begins }) : undefined;
  runTask(task, announce).then(
    (outcome) => answer({ outcome }),
    (error: unknown) => answer({ error: String((error as Error).stack) }),
  );
});

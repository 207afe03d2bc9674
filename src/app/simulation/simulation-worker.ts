/** A process that simulates: takes tasks one at a time, answers each with its outcome, ends with its parent. */
import { runTask, type SimulationTask, watchUnhandled } from "./simulation-task.ts";

watchUnhandled();
process.on("disconnect", () => process.exit(0));
process.on("message", (task: SimulationTask) => {
  runTask(task).then(
    (outcome) => process.send?.({ outcome }),
    (error: unknown) => process.send?.({ error: String((error as Error).stack) }),
  );
});

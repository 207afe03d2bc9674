/** The thread of the indexes gate: takes a task, answers with an outcome. */
import { parentPort, workerData } from "node:worker_threads";
import { examineIndexes, type IndexesTask } from "./indexes-scenario.ts";

// A store that lost power is left as it is, with work that nobody waits for.
process.on("unhandledRejection", () => {});
parentPort?.postMessage(await examineIndexes(workerData as IndexesTask));

/** The thread of the damage gate: takes a task, answers with an outcome. */
import { parentPort, workerData } from "node:worker_threads";
import { type DamageTask, examineDamage } from "./damage-scenario.ts";

// A store that failed on damage is left as it is, with work that nobody waits for.
process.on("unhandledRejection", () => {});
parentPort?.postMessage(await examineDamage(workerData as DamageTask));

/** The thread of the power-loss gate: takes a task, answers with an outcome. */
import { parentPort, workerData } from "node:worker_threads";
import { examinePowerLoss, type PowerLossTask } from "./power-loss-scenario.ts";

parentPort?.postMessage(await examinePowerLoss(workerData as PowerLossTask));

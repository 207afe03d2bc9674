/** A RunningServer in a child process of ours. */
import type { LocalProcess } from "./local-process.ts";
import type { Endpoint, RunningServer } from "./server.ts";

export function processServer(process: LocalProcess, endpoint: Endpoint, metricsPort?: number): RunningServer {
  return {
    name: process.name,
    processId: process.processId,
    endpoint,
    metricsPort,
    cpuUs: () => process.cpuUs(),
    memory: () => process.memory(),
    freeze: () => process.freeze(),
    thaw: () => process.thaw(),
    stop: (timeoutMs) => process.stop(timeoutMs),
    kill: () => process.kill(),
    ended: process.ended,
  };
}

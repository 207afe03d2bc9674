/** What a record says of the machine that its figures come from: enough to judge them, nothing that names its owner. */
import { availableParallelism, cpus, release, totalmem } from "node:os";

export interface Machine {
  readonly processor: string;
  /** Processors that this process may use. */
  readonly cores: number;
  readonly memoryGiB: number;
  readonly kernel: string;
  readonly node: string;
}

export function processorModel(): string {
  return cpus()[0]?.model.trim() || "unknown processor";
}

export function describeMachine(): Machine {
  return {
    processor: processorModel(),
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.versions.node,
  };
}

export function machineText({ processor, cores, memoryGiB, kernel, node }: Machine): string {
  return `${processor}, ${cores} cores, ${memoryGiB} GiB, kernel ${kernel}, Node ${node}`;
}

/**
 * NodeEnv: the real world behind the Env port. Products and the workshop make one per process; tests
 * make many.
 */
import { availableParallelism } from "node:os";
import type { Env } from "./env.ts";
import { nodeClock } from "./node-clock.ts";
import { nodeDisk } from "./node-disk.ts";
import { type LogLevel, type LogStream, NodeLogger } from "./node-log.ts";
import { NodeNetwork } from "./node-network.ts";
import { NodeRandom } from "./node-random.ts";
import { NodeThreads } from "./node-threads.ts";

export interface NodeEnvOptions {
  /** Lines below this level are not written. Default: info. */
  logLevel?: LogLevel | undefined;
  /** Default: standard error. */
  logStream?: LogStream | undefined;
  /**
   * Background jobs at once. Default: one less than the cores, at least 2 so that a flush never waits
   * for a compaction.
   */
  threads?: number | undefined;
}

export function createNodeEnv(options: NodeEnvOptions = {}): Env {
  return {
    clock: nodeClock,
    random: new NodeRandom(),
    disk: nodeDisk,
    network: new NodeNetwork(),
    threads: new NodeThreads(options.threads ?? Math.max(2, availableParallelism() - 1)),
    log: new NodeLogger(options.logLevel, options.logStream),
  };
}

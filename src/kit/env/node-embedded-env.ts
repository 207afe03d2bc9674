/**
 * The real world for a library: as NodeEnv, without a network. A module that opens sockets is not even loaded.
 */
import { availableParallelism } from "node:os";
import { LatheError } from "../errors.ts";
import type { Env, Network } from "./env.ts";
import { nodeClock } from "./node-clock.ts";
import { nodeDisk } from "./node-disk.ts";
import { type LogLevel, type LogStream, NodeLogger } from "./node-log.ts";
import { NodeRandom } from "./node-random.ts";
import { NodeThreads } from "./node-threads.ts";

export interface EmbeddedEnvOptions {
  /** Lines below this level are not written. Default: warn, for a library should be silent. */
  logLevel?: LogLevel | undefined;
  /** Default: standard error. */
  logStream?: LogStream | undefined;
}

const noNetwork: Network = {
  listen: () => Promise.reject(refusal()),
  listenOnPath: () => Promise.reject(refusal()),
  connect: () => Promise.reject(refusal()),
};

export function createEmbeddedEnv({ logLevel = "warn", logStream }: EmbeddedEnvOptions = {}): Env {
  return {
    clock: nodeClock,
    random: new NodeRandom(),
    disk: nodeDisk,
    network: noNetwork,
    threads: new NodeThreads(Math.max(2, availableParallelism() - 1)),
    log: new NodeLogger(logLevel, logStream),
  };
}

function refusal(): LatheError {
  return new LatheError("NOT_SELECTED", "a library has no network: it needs the leaf architecture/networking");
}

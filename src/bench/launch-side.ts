/**
 * LaunchSide: one server within a launch, from its checkpoint to its end.
 *
 * It is thawed only while it is measured or drained; its CPU is read while it is frozen, when the kernel's
 * figures are exact.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { cloneCheckpoint, readFilesOnce } from "../fleet/checkpoint.ts";
import { startProduct } from "../fleet/product-server.ts";
import type { RunningServer, ServerEnd } from "../fleet/server.ts";
import { LatheError } from "../kit/errors.ts";
import type { KnobValues } from "../kit/product.ts";
import type { Driver } from "./driver.ts";
import type { BlockOptions, BlockResult } from "./driver-protocol.ts";
import { machineBusyUs, type NeighbourLoad } from "./machine-load.ts";
import type { Block, Side, SideSample } from "./measurement.ts";
import { drainServer } from "./server-signals.ts";
import { SideRecord } from "./side-record.ts";

/** What stands on one side of a launch. */
export interface Contender {
  /** The data directory of a stopped server. */
  readonly checkpointDirectory: string;
  /** Starts the server on its own copy of the checkpoint. */
  start(dataDirectory: string, name: string): Promise<RunningServer>;
}

export function productContender(options: {
  readonly productDirectory: string;
  readonly knobs: KnobValues;
  readonly checkpointDirectory: string;
  /** The surface that is driven; `mysql` by default. */
  readonly surface?: "mysql" | "http" | undefined;
}): Contender {
  const { productDirectory, knobs, checkpointDirectory, surface } = options;
  return {
    checkpointDirectory,
    start: (dataDirectory, name) => startProduct({ productDirectory, knobs, dataDirectory, name, surface }),
  };
}

const drainTimeoutMs = 30_000;
/** A block that takes this much longer than it should means that the server hangs. */
const hangMs = 30_000;
/** Word of a server's end may come later than that of its connections, on a busy machine by seconds. */
const endNoticeMs = 5000;

export class LaunchSide {
  readonly side: Side;
  readonly server: RunningServer;
  readonly #driver: Driver;
  readonly #directory: string;
  readonly #record = new SideRecord();
  readonly delaysP99Ms: number[] = [];
  #end: ServerEnd | undefined;
  #cpuBeforeUs = 0;

  private constructor(side: Side, server: RunningServer, driver: Driver, directory: string) {
    this.side = side;
    this.server = server;
    this.#driver = driver;
    this.#directory = directory;
    void server.ended.then((end) => {
      this.#end = end;
    });
  }

  /** Clones the checkpoint, reads it once, starts the server and opens the driver's connections to it. */
  static async start(
    side: Side,
    contender: Contender,
    driver: Driver,
    options: { readonly workDirectory: string; readonly connections: number; readonly seed: number },
  ): Promise<LaunchSide> {
    const directory = mkdtempSync(join(options.workDirectory, "side-"));
    let server: RunningServer | undefined;
    try {
      cloneCheckpoint(contender.checkpointDirectory, join(directory, "data"));
      readFilesOnce(directory);
      server = await contender.start(join(directory, "data"), side);
      const { connections, seed } = options;
      await driver.connect(side, { endpoint: server.endpoint, connections, seed, verify: true });
      return new LaunchSide(side, server, driver, directory);
    } catch (error) {
      await server?.kill();
      rmSync(directory, { recursive: true, force: true });
      throw error;
    }
  }

  /** Load that is not counted; the server is frozen afterwards. Returns operations per second. */
  async warmUp(block: BlockOptions): Promise<{ operations: number; seconds: number }> {
    this.server.thaw();
    const { operations, seconds } = await this.#run(block, "in the warm-up");
    this.#freeze();
    this.#cpuBeforeUs = this.server.cpuUs();
    return { operations, seconds };
  }

  async measure(block: BlockOptions, position: number, neighbours: NeighbourLoad): Promise<Block> {
    const cpuBeforeUs = this.server.cpuUs();
    const busyBeforeUs = machineBusyUs();
    this.server.thaw();
    const result = await this.#run(block, "while it was measured");
    this.#freeze();
    this.#record.add(result);
    this.delaysP99Ms.push(result.eventLoopDelayP99Ms);
    const { operations, errors, seconds, driverCpuUs } = result;
    const serverCpuUs = this.server.cpuUs() - cpuBeforeUs;
    neighbours.add(busyBeforeUs, machineBusyUs(), serverCpuUs + driverCpuUs, seconds);
    return { side: this.side, position, operations, errors, seconds, serverCpuUs };
  }

  get operationsPerSecond(): number {
    return this.#record.operationsPerSecond;
  }

  /** Lets the server finish what it has put off, on its own account; then sums up. */
  async drain(): Promise<SideSample> {
    this.server.thaw();
    const drained = await drainServer(this.server, drainTimeoutMs).catch((error: unknown) =>
      this.#explain(error, "while it drained"),
    );
    this.#freeze();
    const serverCpuUs = this.server.cpuUs() - this.#cpuBeforeUs;
    return this.#record.sample({ serverCpuUs, residentBytes: this.server.memory().residentBytes, drained });
  }

  /** Kills the server (its data were a copy) and removes the copy. */
  async close(): Promise<void> {
    await this.#driver.disconnect(this.side).catch(() => undefined);
    await this.server.kill();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  async #run(block: BlockOptions, when: string): Promise<BlockResult> {
    const expectedMs = "durationMs" in block ? block.durationMs : 10_000;
    const limitMs = expectedMs + hangMs;
    let timer: NodeJS.Timeout | undefined;
    const hang = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(new LatheError("TIMEOUT", `the ${this.side} did not answer for ${limitMs} ms ${when}`));
      }, limitMs);
    });
    try {
      const result = await Promise.race([this.#driver.run(this.side, block), hang]);
      if (result.connectionsLost > 0) {
        const { connectionsLost, complaints } = result;
        throw new LatheError("CLOSED", `the ${this.side} closed ${connectionsLost} connections: ${complaints[0]}`);
      }
      return result;
    } catch (error) {
      return await this.#explain(error, when);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Turns the failure of a request into the death of the server, where that is what it was. */
  async #explain(error: unknown, when: string): Promise<never> {
    const notice = new AbortController();
    const late = sleep(endNoticeMs, undefined, { signal: notice.signal }).catch(() => undefined);
    const end = this.#end ?? (await Promise.race([this.server.ended, late]));
    notice.abort();
    if (end === undefined) throw error;
    const how = end.signal === null ? `exit code ${end.exitCode}` : `signal ${end.signal}`;
    const log = end.logTail.trim() || "(empty)";
    throw new LatheError("CLOSED", `the ${this.side} died ${when} (${how}); its log ends: ${log}`, {
      cause: error,
      details: { side: this.side, exitCode: end.exitCode, signal: end.signal, logTail: end.logTail },
    });
  }

  #freeze(): void {
    this.server.freeze();
  }
}

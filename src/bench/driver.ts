/**
 * The workshop's end of the driver's process: starts it, tells it what to do, hands back what it measured.
 */
import { type ChildProcess, fork } from "node:child_process";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { surfaceOf } from "../contract/benchmarks.ts";
import type { WorkloadSpec } from "../contract/contract.ts";
import type { Endpoint } from "../fleet/server.ts";
import { errorCodeOf, LatheError } from "../kit/errors.ts";
import type {
  BlockOptions,
  BlockResult,
  ConnectOptions,
  DriverCommand,
  DriverRequest,
  DriverResponse,
  LoadResult,
} from "./driver-protocol.ts";

/** In a checkout the file ends in .ts, in a package in .js; as this one does. */
const program = fileURLToPath(new URL(`./driver-process${extname(import.meta.url)}`, import.meta.url));

const closeTimeoutMs = 2000;

export class Driver {
  /** What it speaks to the servers that it drives. */
  readonly surface: "mysql" | "http";
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
  #nextId = 1;
  #closed = false;

  private constructor(child: ChildProcess, surface: "mysql" | "http") {
    this.surface = surface;
    this.#child = child;
    child.on("message", (response: DriverResponse) => this.#settle(response));
    child.on("exit", (code, signal) => this.#end(`it ended (${signal ?? `exit code ${code}`})`));
    child.on("error", (error) => this.#end(error.message));
  }

  #end(why: string): void {
    this.#closed = true;
    const error = new LatheError("CLOSED", `the load driver is gone: ${why}`);
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }

  /** Starts a driver for a workload whose first content comes from `dataSeed`. */
  static async start(spec: WorkloadSpec, dataSeed: number): Promise<Driver> {
    // Young objects live for one operation: a larger nursery makes their collection rarer.
    const execArgv = ["--max-semi-space-size=32"];
    // A process group of its own, as servers have: Ctrl-C reaches it through us. It ends when the channel does.
    const options = { execPath: process.execPath, execArgv, serialization: "advanced", detached: true } as const;
    const child = fork(program, [], options);
    const driver = new Driver(child, surfaceOf(spec));
    try {
      await driver.#call({ kind: "workload", spec, dataSeed });
    } catch (error) {
      await driver.close();
      throw error;
    }
    return driver;
  }

  get processId(): number {
    return this.#child.pid as number;
  }

  /** Creates the tables and inserts the workload's first content. */
  load(endpoint: Endpoint, connections = 4): Promise<LoadResult> {
    return this.#call({ kind: "load", endpoint, connections });
  }

  /**
   * Opens the connections of a target. Errors: IO_ERROR, PERMISSION, and what the server says to its
   * statements.
   */
  connect(target: string, options: ConnectOptions): Promise<void> {
    return this.#call({ kind: "connect", target, options });
  }

  run(target: string, block: BlockOptions): Promise<BlockResult> {
    return this.#call({ kind: "run", target, block });
  }

  disconnect(target: string): Promise<void> {
    return this.#call({ kind: "disconnect", target });
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    const ended = new Promise((resolve) => this.#child.once("exit", resolve));
    // Its channel's end is its signal to leave; one that is stuck in an endless turn does not see it.
    this.#child.disconnect();
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), closeTimeoutMs);
    await ended;
    clearTimeout(timer);
  }

  #call<Value>(command: DriverCommand): Promise<Value> {
    if (this.#closed) return Promise.reject(new LatheError("CLOSED", "the load driver has ended"));
    const request: DriverRequest = { id: this.#nextId++, command };
    return new Promise((resolve, reject) => {
      this.#waiting.set(request.id, { resolve, reject });
      this.#child.send(request);
    });
  }

  #settle(response: DriverResponse): void {
    const waiting = this.#waiting.get(response.id);
    this.#waiting.delete(response.id);
    if (response.error === undefined) return waiting?.resolve(response.value as never);
    const { message } = response.error;
    waiting?.reject(new LatheError(errorCodeOf(response.error) ?? "IO_ERROR", message));
  }
}

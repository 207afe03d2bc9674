/**
 * One side of the comparison in a process of its own: an engine with one of the coordinations, a log, and a load that
 * its parent asks for block by block. What it measures is its own clock and CPU time around the blocks; between them it
 * is frozen, background threads included.
 */
import { join } from "node:path";
import { createNodeEnv } from "../../kit/env/node-env.ts";
import { noSelectionHash } from "../../kit/file-header.ts";
import { Histogram, type HistogramSnapshot } from "../../kit/histogram.ts";
import { openWal } from "../../parts/core/wal/wal.ts";
import {
  coordinate as coordinateByAgents,
} from "../../parts/storage/storage_model/row/kvlsm/blackboard/agent-coordination.ts";
import {
  type BlackboardEngine, openBlackboardEngine,
} from "../../parts/storage/storage_model/row/kvlsm/blackboard/blackboard-engine.ts";
import type { Tuning } from "../../parts/storage/storage_model/row/kvlsm/blackboard/options.ts";
import { WriteBatch } from "../../parts/storage/write-batch.ts";
import { coordinate as coordinateByScheduler } from "./conventional-coordination.bench.ts";

export type Coordinator = "agents" | "scheduler";

export type Request =
  | { do: "open"; directory: string; coordinator: Coordinator; tuning: Partial<Tuning>; keys: number; seed: number }
  | { do: "block"; operations: number; readShare: number }
  | { do: "drain" }
  | { do: "close" };

export interface Block {
  readonly operations: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
}

export interface Totals {
  /** Latency of puts in microseconds: from the end of the operation before it. */
  readonly putUs: HistogramSnapshot;
  readonly stalls: number;
  readonly stallSeconds: number;
  readonly slowdowns: number;
  readonly slowdownSeconds: number;
  readonly flushes: number;
  readonly compactions: number;
  readonly writeAmplification: number;
}

const coordinators = { agents: coordinateByAgents, scheduler: coordinateByScheduler };
const valueBytes = 128;
/** Operations between two turns of the event loop, as a server has them. */
const turnEvery = 64;

class Side {
  readonly #engine: BlackboardEngine;
  readonly #close: () => Promise<void>;
  readonly #keys: number;
  readonly #key = Buffer.alloc(16);
  readonly #value = Buffer.alloc(valueBytes);
  readonly #batch = new WriteBatch(256);
  readonly #putUs = new Histogram();
  #state: number;
  #written = 0;

  private constructor(engine: BlackboardEngine, close: () => Promise<void>, keys: number, seed: number) {
    this.#engine = engine;
    this.#close = close;
    this.#keys = keys;
    this.#state = seed >>> 0 || 1;
    for (let at = 0; at < valueBytes; at += 4) this.#value.writeUInt32LE(this.#next(), at);
  }

  static async open(request: Extract<Request, { do: "open" }>): Promise<Side> {
    const { directory, coordinator, tuning, keys, seed } = request;
    const env = createNodeEnv({ logLevel: "warn" });
    const log = await openWal(env, { directory: join(directory, "wal"), selectionHash: noSelectionHash });
    const options = { directory: join(directory, "engine"), log, ...tuning };
    const engine = await openBlackboardEngine(env, options, coordinators[coordinator]);
    const close = async () => {
      await engine.close();
      await log.close();
      await env.threads.close();
    };
    return new Side(engine, close, keys, seed);
  }

  async block({ operations, readShare }: Extract<Request, { do: "block" }>): Promise<Block> {
    const readBelow = readShare * 2 ** 32;
    return this.#timed(operations, async () => {
      let beforeMs = performance.now();
      for (let done = 0; done < operations; done++) {
        if (done % turnEvery === 0) await new Promise((resolve) => setImmediate(resolve));
        if (this.#next() < readBelow) this.#read();
        else {
          this.#batch.clear();
          this.#value.writeUInt32LE(this.#written++, 0);
          this.#batch.put(this.#keyOf(this.#next() % this.#keys), this.#value);
          await this.#engine.write(this.#batch, { sync: false });
          const nowMs = performance.now();
          this.#putUs.record((nowMs - beforeMs) * 1000);
        }
        beforeMs = performance.now();
      }
    });
  }

  drain(): Promise<Block> {
    return this.#timed(0, async () => {
      await this.#engine.flush();
      await this.#engine.settle();
    });
  }

  async close(): Promise<Totals> {
    const sum = (name: string) =>
      this.#engine
        .metrics()
        .filter((one) => one.name === name)
        .reduce((total, one) => total + (one.kind === "histogram" ? 0 : one.value), 0);
    const totals = {
      putUs: this.#putUs.snapshot(),
      stalls: sum("lsm_stalls_total"),
      stallSeconds: sum("lsm_stall_seconds_total"),
      slowdowns: sum("lsm_slowdowns_total"),
      slowdownSeconds: sum("lsm_slowdown_seconds_total"),
      flushes: sum("lsm_flushes_total"),
      compactions: sum("lsm_compactions_total"),
      writeAmplification: sum("lsm_write_amplification"),
    };
    await this.#close();
    return totals;
  }

  async #timed(operations: number, work: () => Promise<void>): Promise<Block> {
    const cpu = process.cpuUsage();
    const startMs = performance.now();
    await work();
    const seconds = (performance.now() - startMs) / 1000;
    const { user, system } = process.cpuUsage(cpu);
    return { operations, seconds, cpuSeconds: (user + system) / 1e6 };
  }

  #read(): void {
    const found = this.#engine.getSync(this.#keyOf(this.#next() % this.#keys));
    if (found !== undefined && found.length !== valueBytes) throw new Error(`a value of ${found.length} bytes`);
  }

  /** 32 random bits (xorshift); both sides of a pair draw the same. */
  #next(): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x >>> 0;
    return this.#state;
  }

  #keyOf(id: number): Buffer {
    this.#key.writeUInt32BE(Math.imul(id, 0x9e3779b1) >>> 0, 8);
    this.#key.writeUInt32BE(id, 12);
    return this.#key;
  }
}

let side: Side | undefined;

async function answer(request: Request): Promise<unknown> {
  if (request.do === "open") {
    side = await Side.open(request);
    return undefined;
  }
  if (side === undefined) throw new Error("nothing is open");
  if (request.do === "block") return side.block(request);
  return request.do === "drain" ? side.drain() : side.close();
}

if (process.send !== undefined) {
  process.on("message", (request: Request) => {
    answer(request).then(
      (result) => process.send?.({ result }),
      (error: unknown) => process.send?.({ error: (error as Error).stack ?? String(error) }),
    );
  });
}

/**
 * DriverTarget: one server under load: its connections, the stream of each, and one verifier for all of
 * them.
 *
 * Closed loop: each connection starts its next operation when the last is done. Open loop: a schedule of
 * intended starts; an operation takes the first idle connection, and its latency counts from the intended
 * start, so that a stall is charged to every operation that it delays (no coordinated omission).
 * Streams go on from block to block: no operation is repeated within a launch.
 */
import { RandomStream } from "../workload/random-stream.ts";
import type { Operation, OperationStream, Workload } from "../workload/workload.ts";
import { BlockRecorder } from "./block-recorder.ts";
import { MySqlClient } from "./clients/mysql-client.ts";
import { openSession } from "./clients/open-session.ts";
import { isConnectionLost, type OperationSession, type Outcome } from "./clients/operation-session.ts";
import type { BlockOptions, BlockResult, ConnectOptions, OpenLoopBlock } from "./driver-protocol.ts";

/** How long an open loop's operations may be overdue at its end before they are given up as errors. */
const overdueMs = 10_000;
/** Sleeping is too coarse for starts nearer than this; the loop spins through immediates instead. */
const spinMs = 1.5;

interface Client {
  readonly session: OperationSession;
  readonly stream: OperationStream;
  lost: boolean;
}

export class DriverTarget {
  readonly #clients: readonly Client[];
  readonly #scheduleRandom: RandomStream;

  private constructor(clients: readonly Client[], seed: number) {
    this.#clients = clients;
    this.#scheduleRandom = new RandomStream(seed, 0x5c4ed);
  }

  static async connect(loaded: Workload, options: ConnectOptions): Promise<DriverTarget> {
    const workload = await continued(loaded, options);
    const verifier = options.verify ? workload.verifier(options.fresh ?? true) : undefined;
    const clients: Client[] = [];
    try {
      for (let number = 0; number < options.connections; number++) {
        clients.push({
          session: await openSession(workload, options.endpoint, verifier),
          stream: workload.client(options.seed, number, options.connections),
          lost: false,
        });
      }
    } catch (error) {
      for (const { session } of clients) session.close();
      throw error;
    }
    return new DriverTarget(clients, options.seed);
  }

  close(): void {
    for (const { session } of this.#clients) session.close();
  }

  run(block: BlockOptions): Promise<BlockResult> {
    if ("operationsPerSecond" in block) return this.#openLoop(block);
    const endAt = "durationMs" in block ? performance.now() + block.durationMs : Infinity;
    return this.#closedLoop(endAt, "operations" in block ? block.operations : Infinity);
  }

  get #lost(): number {
    return this.#clients.reduce((sum, { lost }) => sum + (lost ? 1 : 0), 0);
  }

  #closedLoop(endAt: number, operationsMax: number): Promise<BlockResult> {
    const recorder = new BlockRecorder();
    let started = 0;
    let busy = 0;
    return new Promise((resolve) => {
      const startNext = (client: Client): void => {
        if (client.lost || started >= operationsMax || performance.now() >= endAt) {
          if (--busy === 0) resolve(recorder.result(this.#lost));
          return;
        }
        started++;
        const operation = client.stream.next();
        const startedAt = performance.now();
        client.session.start(operation, (finished: Operation, outcome: Outcome) => {
          recorder.record(finished.name, startedAt, performance.now(), outcome);
          if (isConnectionLost(outcome)) client.lost = true;
          startNext(client);
        });
      };
      const alive = this.#clients.filter(({ lost }) => !lost);
      busy = alive.length;
      if (busy === 0) resolve(recorder.result(this.#lost));
      for (const client of alive) startNext(client);
    });
  }

  #openLoop(block: OpenLoopBlock): Promise<BlockResult> {
    const recorder = new BlockRecorder();
    const idle = this.#clients.filter(({ lost }) => !lost);
    const gapMs = 1000 / block.operationsPerSecond;
    const begin = performance.now();
    const endAt = begin + block.durationMs;
    let due = begin;
    let inFlight = 0;
    const nextDue = () => due + gapMs * (block.schedule === "poisson" ? this.#scheduleRandom.exponential() : 1);
    return new Promise((resolve) => {
      const finish = () => resolve(recorder.result(this.#lost));
      /** Starts what is due while connections are idle. Returns whether the block goes on. */
      const startDue = (): boolean => {
        const now = performance.now();
        while (due <= now && due < endAt && idle.length > 0) {
          start(idle.pop() as Client, due);
          due = nextDue();
        }
        if (this.#lost === this.#clients.length) return false;
        return due < endAt ? now < endAt + overdueMs : inFlight > 0;
      };
      const start = (client: Client, intendedStart: number): void => {
        inFlight++;
        client.session.start(client.stream.next(), (finished, outcome) => {
          inFlight--;
          recorder.record(finished.name, intendedStart, performance.now(), outcome);
          if (isConnectionLost(outcome)) client.lost = true;
          else idle.push(client);
          // Overdue operations start at once; the rest is the schedule's affair.
          if (due <= performance.now()) startDue();
        });
      };
      const tick = (): void => {
        if (!startDue()) return finish();
        const wait = due - performance.now();
        if (idle.length > 0 && wait < spinMs && due < endAt) setImmediate(tick);
        else setTimeout(tick, Math.max(1, Math.min(wait - 1, 5)));
      };
      tick();
    });
  }
}

/** The workload as it goes on where others have written since the load. */
async function continued(workload: Workload, options: ConnectOptions): Promise<Workload> {
  if (options.fresh !== false || workload.beyond === undefined) return workload;
  const client = await MySqlClient.connect(options.endpoint);
  try {
    return await workload.beyond(async (table, column, key) => {
      const [{ rows }] = await client.query(
        `SELECT ${column} FROM ${table} WHERE ${column} > '${key}' ORDER BY ${column} LIMIT 1`,
      );
      return rows.length > 0;
    });
  } finally {
    client.close();
  }
}

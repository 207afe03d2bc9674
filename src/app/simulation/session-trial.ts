/**
 * Transactions that stay open, in the simulation: several sessions on one node, wired as a product is, with power lost
 * (or a call torn, or the process killed) at I/O calls of the run. After each the node opens again on what is left, and
 * the history that it holds is judged (`simulation/session-workload.ts`).
 *
 *   1. A run without a fault counts the calls.
 *   2. For every `stride`-th of them: the same run again, with power lost before the call, during it, or the process
 *   killed there; by turns. Of each loss of power two disks are made.
 */
import { LatheError } from "../../kit/errors.ts";
import { noSelectionHash } from "../../kit/file-header.ts";
import { createCatalog } from "../../parts/architecture/catalog/kv_encoded/kv-encoded-catalog.ts";
import { commandCodec } from "../../parts/concurrency/transaction/model/one_shot_command/command-codec.ts";
import { createStepRunner } from "../../parts/concurrency/transaction/model/one_shot_command/run-steps.ts";
import { createStateMachine } from "../../parts/concurrency/transaction/model/one_shot_command/state-machine.ts";
import { createTransactions } from "../../parts/concurrency/transaction/model/single_node_acid/transactions.ts";
import { openWal } from "../../parts/core/wal/wal.ts";
import { recursiveDescentParser } from "../../parts/parser/implementation/recursive_descent/recursive-descent.ts";
import { collectResults } from "../../parts/query_processing/collect-results.ts";
import { createExecutor } from "../../parts/query_processing/execution/model/point_api/point-api.ts";
import type { Executor } from "../../parts/query_processing/executor.ts";
import { openSingleNodeLog } from "../../parts/replication/single_node/single-node-log.ts";
import { rowToKv as layout } from "../../parts/storage/layout/row_to_kv/row-to-kv.ts";
import {
  openBlackboardEngine,
} from "../../parts/storage/storage_model/row/kvlsm/blackboard/blackboard-engine.ts";
import type { DiskVerdict } from "../../simulation/disk-call.ts";
import { isChange } from "../../simulation/disk-call.ts";
import { type Ask, SessionHistory } from "../../simulation/session-workload.ts";
import { SimulatedDisk } from "../../simulation/simulated-disk.ts";
import { createSimulatedEnv, seededNumbers, type SimulatedEnv } from "../../simulation/simulated-env.ts";
import { engineOptionsOf, logOptionsOf, plainEngineKnobs } from "./engine-knobs.ts";

const sessions = 4;
const transactionsEach = 6;
const cells = 5;
const disksPerLoss = 2;
const ends = ["crash", "torn", "kill"] as const;

export interface SessionPoint {
  readonly call: number;
  readonly end: (typeof ends)[number];
}

export interface SessionOutcome {
  points: number;
  /** Of the simulated world. */
  events: number;
  acknowledged: number;
  conflicts: number;
  /** Transactions whose COMMIT was under way when the end came. */
  unclear: number;
  failure: { readonly point: string; readonly message: string } | undefined;
}

/** Stops at the first failure. */
export async function runSessionTrial(seed: number, stride: number, only?: SessionPoint): Promise<SessionOutcome> {
  const outcome: SessionOutcome = {
    points: 0, events: 0, acknowledged: 0, conflicts: 0, unclear: 0, failure: undefined,
  };
  const whole = await runToEnd(seed, undefined);
  outcome.conflicts = whole.history.conflicts;
  const last = await judgeAfter(whole, whole.disk.restart(), seed);
  const fail = (point: string, message: string) => ({ ...outcome, failure: { point, message } });
  if (last !== undefined) return fail("none", last);
  const first = 1 + (seed % stride);
  for (let call = first; call <= whole.calls; call += stride) {
    const point: SessionPoint = only ?? { call, end: ends[Math.floor(call / stride) % ends.length] };
    const run = await runToEnd(seed, point);
    outcome.points++;
    outcome.events += run.events;
    outcome.acknowledged += run.history.acknowledged;
    outcome.unclear += run.history.unclear;
    const next = seededNumbers(seed * 7919 + point.call);
    for (let fate = 0; fate < (point.end === "kill" ? 1 : disksPerLoss); fate++) {
      const disk = point.end === "kill" ? run.disk.restart() : run.disk.crash(next);
      const message = await judgeAfter({ ...run, history: run.history.copy() }, disk, seed);
      if (message !== undefined) return fail(`${point.end}:${point.call}`, message);
    }
    if (only !== undefined) break;
  }
  return outcome;
}

interface SessionRun {
  readonly history: SessionHistory;
  readonly disk: SimulatedDisk;
  readonly calls: number;
  readonly events: number;
}

/** The same run every time, up to the point. */
async function runToEnd(seed: number, point: SessionPoint | undefined): Promise<SessionRun> {
  const disk = new SimulatedDisk();
  disk.chance = seededNumbers(seed ^ 0x7feb352d);
  const env = createSimulatedEnv({ seed, disk, schedule });
  const history = new SessionHistory(cells);
  let calls = 0;
  disk.nemesis = ({ kind }): DiskVerdict | undefined => {
    if (!isChange(kind) || ++calls !== point?.call) return undefined;
    // What a killed process leaves is what it had done by then.
    return { kind: point.end === "torn" ? "torn" : "crash" };
  };
  try {
    const node = await env.run(openNode(env));
    await env.run(history.prepare(askOf(node.executor)));
    const running = Array.from({ length: sessions }, (_, number) => runSession(env, node, history, seed * 31 + number));
    await env.run(Promise.all(running));
    await env.run(node.close());
  } catch (error) {
    if (!disk.crashed) throw error;
  }
  return { history, disk, calls, events: env.trace.events };
}

const schedule = {
  callUs: 40, jobStepUs: 300, deferUs: 20, timerLateUs: 200, concurrency: 2, clockJumps: 0, threadDeaths: 0,
};

async function runSession(env: SimulatedEnv, node: Node, history: SessionHistory, seed: number): Promise<void> {
  const next = seededNumbers(seed);
  const session = node.executor.openSession();
  const ask = askOf(session);
  // Between two statements of one session others have theirs.
  const thoughtful: Ask = async (sql) => {
    await new Promise<void>((resolve) => void env.clock.setTimer(Math.floor(next() * 3), resolve));
    return ask(sql);
  };
  for (let count = 0; count < transactionsEach; count++) await history.transact(thoughtful, next);
  session.reset();
}

/** What is wrong with what the node finds, or undefined. */
async function judgeAfter({ history }: SessionRun, disk: SimulatedDisk, seed: number): Promise<string | undefined> {
  const env = createSimulatedEnv({ seed: seed + 1, disk });
  try {
    const node = await env.run(openNode(env));
    const judged = history.judge(askOf(node.executor));
    // Power may have gone before there were tables.
    const found = await env.run(history.prepared ? judged : judged.catch(excuseMissing));
    await env.run(node.close());
    return found;
  } catch (error) {
    return `the node does not open or cannot be read: ${(error as Error).message}`;
  }
}

function excuseMissing(error: Error): undefined {
  if (!/exist/i.test(error.message)) throw error;
}

function askOf(target: Pick<Executor, "query">): Ask {
  return async (sql) => {
    try {
      const [{ rows }] = await collectResults(target, layout, sql);
      return rows.map((row) => row.map((value) => (typeof value === "string" ? value : Number(value))));
    } catch (error) {
      if ((error as { reason?: unknown }).reason === "conflict") return "conflict";
      throw error;
    }
  };
}

interface Node {
  readonly executor: Executor;
  close(): Promise<void>;
}

async function openNode(env: SimulatedEnv): Promise<Node> {
  env.disk.makeDirectory("/data");
  const options = { ...engineOptionsOf(plainEngineKnobs), directory: "/data/engine" };
  const engine = await openBlackboardEngine(env, options);
  const catalog = createCatalog({ engine, layout });
  const stateMachine = createStateMachine({ engine, catalog, layout });
  const walOptions = { directory: "/data/wal", selectionHash: noSelectionHash, ...logOptionsOf(plainEngineKnobs) };
  const log = openSingleNodeLog(env, { log: await openWal(env, walOptions), stateMachine });
  await log.recover();
  const steps = createStepRunner({ catalog, layout });
  const transactions = createTransactions({ env, engine, catalog, steps });
  const executor = createExecutor({
    env, engine, catalog, layout, log, codec: commandCodec, parser: recursiveDescentParser, transactions,
  });
  return {
    executor,
    async close() {
      await log.close();
      await engine.close();
    },
  };
}

/** `crash:17` as failures name their point. Errors: INVALID_ARGUMENT. */
export function parseSessionPoint(text: string): SessionPoint {
  const [name, call] = text.split(":");
  const end = ends.find((one) => one === name);
  if (end === undefined || !/^[1-9]\d*$/.test(call ?? "")) {
    throw new LatheError("INVALID_ARGUMENT", `${text} is no point of sessions: expected crash:N, torn:N or kill:N`);
  }
  return { call: Number(call), end };
}

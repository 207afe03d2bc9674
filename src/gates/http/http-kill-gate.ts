/**
 * Kill gate over HTTP: SIGKILL a product that is busy writing, again and again, and hold it to what it answered.
 *
 * Steps, per round on the same data: connections write pairs of keys as batches of two, each time with a higher
 * version; what was sent and what was answered is noted outside of the process. After SIGKILL and a start: both keys
 * of a pair have one version, it is the answered one or one that was under way, and values are those of the version.
 * Limits: as the kill gate over MySQL; SIGKILL keeps the page cache, so this proves recovery, not flushing.
 * Source: RocksDB's db_crashtest.py.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { seededNumbers } from "../../simulation/simulated-env.ts";
import type { Gate, GateSubject, GateVerdict } from "../gate.ts";
import { type PairState, valueOf } from "../kill-gate.ts";
import { verdictOf } from "../run-gates.ts";
import { HttpGateConnection, startHttpSubject } from "./http-subject.ts";

const name = "http-kill-9";
const writersMax = 8;
const pairsPerWriter = 6;
const acknowledgedPerRoundMin = 20;

export function httpKillGate(options: { rounds: number; stage?: Gate["stage"] }): Gate {
  const { stage = "product" } = options;
  const gateName = stage === "product" ? name : `${name}-short`;
  return {
    name: gateName,
    description: `${options.rounds} × SIGKILL under concurrent batches over HTTP, with the answers noted outside`,
    stage,
    timeoutMs: 60_000 + options.rounds * 12_000,
    run: (subject) => runKills(gateName, options.rounds, subject),
  };
}

async function runKills(gateName: string, rounds: number, subject: GateSubject): Promise<GateVerdict> {
  const verdict = verdictOf(gateName, performance.now());
  const next = seededNumbers(subject.seed);
  const writers = new PairBatches(`p${Math.floor(next() * 2 ** 32).toString(36)}-`);
  let server = await startHttpSubject(subject);
  try {
    for (let round = 0; round < rounds; round++) {
      if (subject.signal?.aborted) return verdict.inconclusive("stopped on request");
      const opened = Array.from({ length: writersMax }, () => HttpGateConnection.open(server));
      const connections = await Promise.all(opened);
      // Settled from the start: the kill breaks connections before anybody awaits them.
      const running = Promise.allSettled(connections.map((connection, number) => writers.run(connection, number)));
      await sleep(60 + Math.floor(next() * 240));
      const enough = (round + 1) * acknowledgedPerRoundMin;
      const isWaiting = () => writers.acknowledgedWrites < enough && writers.failure === undefined;
      for (let waits = 0; waits < 2000 && isWaiting(); waits++) await sleep(10);
      await server.kill();
      await running;
      if (writers.failure !== undefined) return verdict.reject(writers.failure, { seed: subject.seed });
      server = await startHttpSubject(subject);
      const reader = await HttpGateConnection.open(server);
      const difference = await writers.compare(reader);
      reader.close();
      const { seed } = subject;
      if (difference !== undefined) return verdict.reject(`after kill ${round + 1}: ${difference}`, { seed });
    }
    const { acknowledgedWrites, unclearAtKills } = writers;
    const counts = `${acknowledgedWrites} answered batches all there, ${unclearAtKills} under way whole or absent`;
    const enough = acknowledgedWrites >= rounds * acknowledgedPerRoundMin && unclearAtKills > 0;
    const evidence = { seed: subject.seed, acknowledgedWrites, unclearAtKills };
    return enough
      ? verdict.admit(`${rounds} kills, ${counts}`, evidence)
      : verdict.inconclusive(`nothing was tested: ${counts}`, evidence);
  } finally {
    await server.kill();
  }
}

/** Pairs of keys, each written by one writer at a time. */
export class PairBatches {
  acknowledgedWrites = 0;
  unclearAtKills = 0;
  failure: string | undefined;
  readonly #prefix: string;
  readonly #pairs = new Map<number, PairState>();
  #version = 0n;

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** Writes until the connection breaks, or an answer is wrong. */
  async run(connection: Pick<HttpGateConnection, "ask">, writer: number): Promise<void> {
    for (let turn = 0; this.failure === undefined; turn++) {
      const pair = writer * pairsPerWriter + (turn % pairsPerWriter);
      const version = ++this.#version;
      const state = this.#pairs.get(pair) ?? { acknowledged: 0n, pending: new Set<bigint>() };
      this.#pairs.set(pair, state);
      state.pending.add(version);
      const items = ["l", "r"].map((side, at) => {
        return { key: this.#key(pair, side), value: `${version} ${valueOf(pair * 2 + at, version)}` };
      });
      const { status, body } = await connection.ask("POST", "/batch", { items });
      if (status !== 201) {
        this.failure = `a batch was answered with ${status}: ${body.toString().slice(0, 100)}`;
        return;
      }
      state.acknowledged = version;
      state.pending.clear();
      this.acknowledgedWrites++;
    }
  }

  async compare(connection: Pick<HttpGateConnection, "list">): Promise<string | undefined> {
    const found = new Map((await connection.list(this.#prefix, 1000)).map(({ key, value }) => [key, value]));
    for (const [pair, state] of this.#pairs) {
      this.unclearAtKills += state.pending.size;
      const values = ["l", "r"].map((side) => found.get(this.#key(pair, side)));
      const difference = judgePairValues(pair, state, values);
      if (difference !== undefined) return difference;
      state.acknowledged = versionOf(values[0]);
      state.pending.clear();
      for (const side of ["l", "r"]) found.delete(this.#key(pair, side));
    }
    return found.size === 0 ? undefined : `${found.size} keys are there that were never written`;
  }

  #key(pair: number, side: string): string {
    return `${this.#prefix}${String(pair).padStart(4, "0")}${side}`;
  }
}

function versionOf(value: string | undefined): bigint {
  return value === undefined ? 0n : BigInt(/^\d+/.exec(value)?.[0] ?? -1);
}

/** What is wrong with the values found for a pair (undefined where absent), or undefined. */
export function judgePairValues(
  pair: number,
  state: PairState,
  values: readonly (string | undefined)[],
): string | undefined {
  const [left, right] = values.map(versionOf);
  if (left !== right) return `pair ${pair} is half written: versions ${left} and ${right} of one batch`;
  if (left !== state.acknowledged && !state.pending.has(left)) {
    return `pair ${pair} has version ${left}, but ${state.acknowledged} was answered`;
  }
  const wrong = values.some((value, at) => value !== undefined && value !== `${left} ${valueOf(pair * 2 + at, left)}`);
  return wrong ? `pair ${pair} has version ${left} with a value that was never written` : undefined;
}

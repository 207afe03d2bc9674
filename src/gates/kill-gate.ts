/**
 * Kill gate: SIGKILL a product that is busy writing, again and again, and hold it to what it acknowledged.
 *
 * Steps, per round on the same data directory:
 *   1. Several connections write: pairs of rows in one transaction (both or none), and single-row updates that raise a
 *      version. Before a statement is sent its intent is recorded here, outside the process; after its answer, its
 *      acknowledgement.
 *   2. After a random while, and not before enough was acknowledged for the round to mean something: SIGKILL. Start
 *      again.
 *   3. Read everything: an acknowledged write is there; an unacknowledged one is wholly there or wholly not; of a pair
 *      both rows have one version; nothing is there that was never sent.
 * Where clients may think within a transaction, some connections do (`transaction-writers.ts`), and what is there of
 * them after each kill must be whole, hold what was acknowledged, and have a serial order.
 * Limits: SIGKILL keeps the page cache, so this gate proves recovery, not flushing; the flush audit does that.
 * Source: RocksDB's db_crashtest.py with its expected state outside the database.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { seededNumbers } from "../simulation/simulated-env.ts";
import type { Gate, GateSubject, GateVerdict } from "./gate.ts";
import { connectGate, startSubject, type GateConnection } from "./gate-connection.ts";
import { verdictOf } from "./run-gates.ts";
import { tableNames } from "./table-names.ts";
import { hasOpenTransactions, TransactionWriters } from "./transaction-writers.ts";

const acknowledgedPerRoundMin = 20;
const writersMax = 8;
const thinkersMax = 4;

/** What may be in the store for one pair: the last acknowledged version, and versions that were sent after it. */
export interface PairState {
  acknowledged: bigint;
  readonly pending: Set<bigint>;
}

export function killGate(options: { rounds: number; stage: "candidate" | "product" }): Gate {
  const name = options.stage === "product" ? "kill-9" : "kill-9-short";
  return {
    name,
    description: `${options.rounds} × SIGKILL under concurrent writes, with the acknowledgements recorded outside`,
    stage: options.stage,
    timeoutMs: 60_000 + options.rounds * 12_000,
    run: (subject) => runKills(name, options.rounds, subject),
  };
}

async function runKills(name: string, rounds: number, subject: GateSubject): Promise<GateVerdict> {
  const verdict = verdictOf(name, performance.now());
  const writers = new PairWriters(subject.seed);
  const thinkers = hasOpenTransactions(subject.productDirectory) ? new TransactionWriters(subject.seed) : undefined;
  let unclearTransactions = 0;
  let server = await startSubject(subject);
  try {
    const first = await connectGate(server.endpoint);
    for (const createTable of writers.createTables) await first.query(createTable);
    await thinkers?.prepare(first);
    for (let round = 0; round < rounds; round++) {
      if (subject.signal?.aborted) return verdict.inconclusive("stopped on request");
      const connections = await Promise.all(Array.from({ length: writersMax }, () => connectGate(server.endpoint)));
      writers.stopped = false;
      // Settled from the start: the kill breaks connections before anybody awaits them.
      const running = Promise.allSettled([
        ...connections.map((connection, number) => writers.run(connection, number)),
        ...(await startThinking(thinkers, server.endpoint, round)),
      ]);
      await sleep(60 + Math.floor(writers.next() * 240));
      const enough = (round + 1) * acknowledgedPerRoundMin;
      const isWaiting = () =>
        (writers.acknowledgedWrites < enough || (thinkers?.acknowledged ?? enough) < enough / 2) &&
        writers.failure === undefined && thinkers?.failure === undefined;
      for (let waits = 0; waits < 2000 && isWaiting(); waits++) await sleep(10);
      // The writers stop when their connections break: the kill finds them writing.
      await server.kill();
      writers.stopped = true;
      if (thinkers !== undefined) thinkers.stopped = true;
      await running;
      const unclear = writers.unclearWrites;
      unclearTransactions += thinkers?.unclear ?? 0;
      const failure = writers.failure ?? thinkers?.failure;
      if (failure !== undefined) return verdict.reject(failure, writers.evidence());
      server = await startSubject(subject);
      const reader = await connectGate(server.endpoint);
      const difference = (await writers.compare(reader)) ?? (await thinkers?.judge(reader));
      await reader.close();
      if (difference !== undefined) {
        return verdict.reject(`after kill ${round + 1}: ${difference}`, { ...writers.evidence(), unclear });
      }
    }
    const { acknowledgedWrites, unclearAtKills } = writers;
    if (acknowledgedWrites < rounds * acknowledgedPerRoundMin || unclearAtKills < 1) {
      return verdict.inconclusive(
        `only ${acknowledgedWrites} writes acknowledged and ${unclearAtKills} in flight at the kills: ` +
          "nothing was tested",
      );
    }
    const transactions = thinkers === undefined ? "" : `; ${thinkers.acknowledged} open transactions in a serial order`;
    return verdict.admit(
      `${rounds} kills, ${acknowledgedWrites} acknowledged writes all there, ` +
        `${unclearAtKills} in flight whole or absent${transactions}`,
      { ...writers.evidence(), transactions: thinkers?.acknowledged, unclearTransactions },
    );
  } finally {
    await server.kill();
  }
}

/** Connections with open transactions, of which each runs until the kill. */
async function startThinking(
  thinkers: TransactionWriters | undefined, endpoint: Parameters<typeof connectGate>[0], round: number,
): Promise<Promise<void>[]> {
  if (thinkers === undefined) return [];
  const connections = await Promise.all(Array.from({ length: thinkersMax }, () => connectGate(endpoint)));
  thinkers.stopped = false;
  return connections.map((connection, number) => thinkers.run(connection, round * thinkersMax + number));
}

class PairWriters {
  readonly next: () => number;
  stopped = false;
  acknowledgedWrites = 0;
  unclearAtKills = 0;
  failure: string | undefined;
  readonly #tables: readonly string[];
  readonly #seed: number;
  readonly #pairs = new Map<number, PairState>();
  #nextPair = 0;
  #version = 1n;

  constructor(seed: number) {
    this.#seed = seed;
    this.next = seededNumbers(seed);
    this.#tables = tableNames(this.next);
  }

  get createTables(): string[] {
    return this.#tables.map(
      (table) => `CREATE TABLE ${table} (id BIGINT PRIMARY KEY, timestamp BIGINT, value VARCHAR(150))`,
    );
  }

  get unclearWrites(): number {
    return [...this.#pairs.values()].reduce((sum, pair) => sum + pair.pending.size, 0);
  }

  evidence(): Record<string, unknown> {
    return {
      seed: this.#seed,
      tables: this.#tables,
      pairs: this.#pairs.size,
      acknowledgedWrites: this.acknowledgedWrites,
      inFlightAtKills: this.unclearAtKills,
    };
  }

  /** Writes until stopped or disconnected. Each connection owns the pairs with its number, so their order is known. */
  async run(connection: GateConnection, number: number): Promise<void> {
    const next = seededNumbers(this.#seed * 31 + number + this.#nextPair);
    const own = [...this.#pairs.keys()].filter((pair) => pair % writersMax === number);
    while (!this.stopped) {
      const fresh = own.length === 0 || next() < 0.5;
      const pair = fresh ? this.#nextPair++ * writersMax + number : own[Math.floor(next() * own.length)];
      const state = this.#pairs.get(pair) ?? { acknowledged: 0n, pending: new Set<bigint>() };
      this.#pairs.set(pair, state);
      const version = this.#version++;
      state.pending.add(version);
      const table = this.#tables[number % this.#tables.length];
      const texts = [pair * 2, pair * 2 + 1].map((id) => this.#write(table, id, version, fresh));
      const results = await connection.query(`START TRANSACTION; ${texts.join("; ")}; COMMIT`);
      const failed = results.find((result) => result.error !== undefined);
      const affected = results.slice(1, 3).map((result) => result.affectedRows);
      if (failed?.error !== undefined) {
        this.failure = `a write was refused with ${failed.error.errno}: ${failed.error.message}`;
        return;
      }
      if (results.length !== 4 || affected.some((count) => count !== 1)) {
        this.failure = `pair ${pair} version ${version}: ${affected.join(" and ")} rows changed instead of 1 and 1`;
        return;
      }
      state.acknowledged = version;
      for (const older of state.pending) if (older <= version) state.pending.delete(older);
      this.acknowledgedWrites++;
      if (fresh) own.push(pair);
    }
  }

  async compare(connection: GateConnection): Promise<string | undefined> {
    const found = new Map<number, readonly (string | null)[]>();
    for (const table of this.#tables) {
      const sql = `SELECT id, timestamp, value FROM ${table} WHERE id >= 0 ORDER BY id LIMIT 10000000`;
      const [result] = await connection.query(sql);
      if (result?.error !== undefined) return `table ${table} cannot be read: ${result.error.message}`;
      for (const row of result.rows) found.set(Number(row[0]), row);
    }
    for (const [pair, state] of this.#pairs) {
      this.unclearAtKills += state.pending.size;
      const [left, right] = [found.get(pair * 2), found.get(pair * 2 + 1)];
      const difference = judgePair(pair, state, left, right);
      if (difference !== undefined) return difference;
      const version = left === undefined ? 0n : BigInt(left[1] ?? 0);
      state.acknowledged = version;
      state.pending.clear();
      if (version === 0n) this.#pairs.delete(pair);
      found.delete(pair * 2);
      found.delete(pair * 2 + 1);
    }
    return found.size === 0 ? undefined : `${found.size} rows are there that were never written`;
  }

  #write(table: string, id: number, version: bigint, fresh: boolean): string {
    const value = valueOf(id, version);
    return fresh
      ? `INSERT INTO ${table} (id, timestamp, value) VALUES (${id}, ${version}, '${value}')`
      : `UPDATE ${table} SET timestamp=${version}, value='${value}' WHERE timestamp<${version} AND id=${id}`;
  }
}

/** What is wrong with the rows found for a pair (key, version, value; undefined where absent), or undefined. */
export function judgePair(
  pair: number,
  state: PairState,
  left: readonly (string | null)[] | undefined,
  right: readonly (string | null)[] | undefined,
): string | undefined {
  const versions = [left, right].map((row) => (row === undefined ? 0n : BigInt(row[1] ?? 0)));
  if (versions[0] !== versions[1]) {
    return `pair ${pair} is half written: versions ${versions[0]} and ${versions[1]} of one transaction`;
  }
  if (versions[0] !== state.acknowledged && !state.pending.has(versions[0])) {
    return `pair ${pair} has version ${versions[0]}, but ${state.acknowledged} was acknowledged`;
  }
  for (const row of [left, right]) {
    if (row !== undefined && row[2] !== valueOf(Number(row[0]), versions[0])) {
      return `row ${row[0]} has version ${versions[0]} with a value that was never written`;
    }
  }
  return undefined;
}

/** 120 letters that follow from the key and the version. */
export function valueOf(id: number, version: bigint): string {
  const next = seededNumbers(id * 2_654_435_761 + Number(version));
  let text = "";
  while (text.length < 120) text += Math.floor(next() * 2 ** 32).toString(36);
  return text.slice(0, 120);
}

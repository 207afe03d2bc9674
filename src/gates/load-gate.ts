/**
 * Load gate: many connections at once; every acknowledged insert is there, every transaction is seen whole, and whoever
 * was told of a write reads it.
 *
 * Steps:
 *   1. For a while, on two tables (see `table-names.ts`): most connections insert rows of random keys. Two keep
 *      pairs of rows equal in one transaction each; two read the pairs, and one that sees two versions has seen
 *      half a transaction, one that sees an older version than before has gone back in time. Two write a row
 *      and read it at once, as text and as a prepared statement.
 *   2. At once, without a pause in which work left undone could be caught up: read the whole tables and compare
 *      them with what was acknowledged.
 * The while goes on until enough was done for the verdict to mean something; a machine too busy for that within
 * `patienceMs` gives no verdict.
 * Source: etcd's robustness tests (a run that did not reach a minimum of work is void).
 */
import { setTimeout as sleep } from "node:timers/promises";
import { seededNumbers } from "../simulation/simulated-env.ts";
import type { Gate, GateSubject, GateVerdict } from "./gate.ts";
import { connectGate, startSubject, type GateConnection } from "./gate-connection.ts";
import { verdictOf } from "./run-gates.ts";
import { tableNames } from "./table-names.ts";

const name = "load";
const pairs = 8;
const pairReadsMin = 20;
const ownReadsMin = 10;
const patienceMs = 60_000;

export function loadGate(options: { connections: number; milliseconds: number; stage?: Gate["stage"] }): Gate {
  const { connections, milliseconds, stage = "candidate" } = options;
  const gateName = stage === "product" ? name : `${name}-short`;
  return {
    name: gateName,
    description: `${connections} connections insert and read for ${milliseconds} ms; nothing is missing`,
    stage,
    timeoutMs: patienceMs + 30_000,
    run: (subject) => runLoad(gateName, options, subject),
  };
}

/** What one table was told, and what went wrong on it. */
export class Load {
  readonly table: string;
  readonly acknowledged = new Map<bigint, string>();
  failure: string | undefined;
  pairReads = 0;
  ownReads = 0;
  stopped = false;

  constructor(table: string) {
    this.table = table;
  }

  /** Compares what a scan of the table gave (key and value per row) with what was acknowledged. */
  compare(rows: readonly (readonly (string | null)[])[]): string | undefined {
    const { acknowledged } = this;
    const found = new Map(rows.map(([id, value]) => [BigInt(id ?? 0), value]));
    const missing = [...acknowledged.keys()].filter((id) => !found.has(id));
    if (missing.length > 0) {
      return `${missing.length} of ${acknowledged.size} acknowledged rows are missing, first ${missing[0]}`;
    }
    const wrong = [...acknowledged].find(([id, value]) => found.get(id) !== value);
    if (wrong !== undefined) return `row ${wrong[0]} has the value ${found.get(wrong[0])} instead of ${wrong[1]}`;
    const extra = [...found.keys()].find((id) => !acknowledged.has(id));
    return extra === undefined ? undefined : `row ${extra} is there, but was never acknowledged or sent`;
  }
}

async function runLoad(
  gateName: string,
  options: { connections: number; milliseconds: number },
  subject: GateSubject,
): Promise<GateVerdict> {
  const verdict = verdictOf(gateName, performance.now());
  const { seed, signal } = subject;
  const loads = tableNames(seededNumbers(seed)).map((table) => new Load(table));
  const total = (count: (load: Load) => number) => loads.reduce((sum, load) => sum + count(load), 0);
  const server = await startSubject(subject);
  try {
    const first = await connectGate(server.endpoint);
    for (const load of loads) await createTable(first, load.table);
    const connections = await Promise.all(
      Array.from({ length: options.connections }, () => connectGate(server.endpoint)),
    );
    const running = connections.map((connection, number) => {
      const load = loads[number % loads.length];
      const next = seededNumbers(seed * 7 + number);
      if (number < 2) return writePairs(connection, load);
      if (number < 4) return readPairs(connection, load, next);
      if (number < 6) return readOwnWrites(connection, load, number, next);
      return insertRows(connection, load, number, next);
    });
    const isEnough = () =>
      loads.every((load) => load.pairReads >= pairReadsMin && load.ownReads >= ownReadsMin) &&
      total((load) => load.acknowledged.size) >= options.connections;
    const mayEnd = () => isEnough() || loads.some((load) => load.failure !== undefined);
    const endMs = performance.now() + patienceMs;
    do {
      if (signal?.aborted) return verdict.inconclusive("stopped on request");
      await sleep(options.milliseconds);
    } while (!mayEnd() && performance.now() < endMs);
    for (const load of loads) load.stopped = true;
    await Promise.all(running);
    const evidence = {
      seed,
      acknowledged: total((load) => load.acknowledged.size),
      pairReads: total((load) => load.pairReads),
      ownReads: total((load) => load.ownReads),
    };
    for (const load of loads) {
      const difference = load.failure ?? (await readAndCompare(first, load));
      if (difference !== undefined) return verdict.reject(`${difference} (table ${load.table})`, evidence);
    }
    if (!isEnough()) return verdict.inconclusive("too little was done to tell", evidence);
    return verdict.admit(
      `${evidence.acknowledged} acknowledged rows all there, ${evidence.pairReads} reads saw whole transactions, ` +
        `${evidence.ownReads} their own writes`,
      evidence,
    );
  } finally {
    await server.kill();
  }
}

async function createTable(connection: GateConnection, table: string): Promise<void> {
  await connection.query(`CREATE TABLE ${table} (id BIGINT PRIMARY KEY, timestamp BIGINT, value VARCHAR(150))`);
  const rows = Array.from({ length: pairs * 2 }, (_, id) => `(${-1 - id}, 0, 'pair')`);
  const [result] = await connection.query(`INSERT INTO ${table} VALUES ${rows.join(",")}`);
  if (result?.affectedRows !== rows.length) throw new Error(`no table ${table}: ${result?.error?.message}`);
}

async function insertRows(connection: GateConnection, load: Load, number: number, next: () => number) {
  for (let count = 0; !load.stopped; count++) {
    const id = (BigInt(Math.floor(next() * 2 ** 40)) << 20n) + BigInt(number * 10_000 + (count % 10_000));
    const value = Math.floor(next() * 2 ** 32).toString(36);
    const [result] = await connection.query(
      `INSERT INTO ${load.table} (id, timestamp, value) VALUES (${id}, ${count}, '${value}')`,
    );
    if (result?.error !== undefined || result?.affectedRows !== 1) {
      load.failure ??= `an insert was answered with ${JSON.stringify(result?.error ?? result)}`;
      return;
    }
    load.acknowledged.set(id, value);
  }
}

async function writePairs(connection: GateConnection, load: Load) {
  for (let version = 1; !load.stopped; version++) {
    const pair = version % pairs;
    const update = (id: number) =>
      `UPDATE ${load.table} SET timestamp=${version}, value='v${version}' WHERE timestamp<${version} AND id=${id}`;
    const results = await connection.query(
      `START TRANSACTION; ${update(-1 - pair * 2)}; ${update(-2 - pair * 2)}; COMMIT`,
    );
    const affected = results.slice(1, 3).map(({ affectedRows }) => affectedRows);
    if (affected.join() !== "1,1") load.failure ??= `a transaction changed ${affected.join(" and ")} rows, not 1 and 1`;
  }
}

async function readPairs(connection: GateConnection, load: Load, next: () => number) {
  const newest = Array.from({ length: pairs }, () => 0n);
  while (!load.stopped) {
    const pair = Math.floor(next() * pairs);
    const read = (id: number) => `SELECT timestamp, value FROM ${load.table} WHERE id=${id}`;
    const results = await connection.query(
      `START TRANSACTION; ${read(-1 - pair * 2)}; ${read(-2 - pair * 2)}; COMMIT`,
    );
    const [left, right] = [results[1]?.rows[0], results[2]?.rows[0]];
    if (left?.[0] !== right?.[0] || left === undefined) {
      load.failure ??= `a transaction was seen half done: versions ${left?.[0]} and ${right?.[0]}`;
      return;
    }
    const version = BigInt(left[0] ?? 0);
    if (version < newest[pair]) {
      load.failure ??= `version ${version} was read after version ${newest[pair]}`;
      return;
    }
    newest[pair] = version;
    load.pairReads++;
  }
}

async function readOwnWrites(connection: GateConnection, load: Load, number: number, next: () => number) {
  const { table } = load;
  const id = (1n << 62n) + BigInt(number);
  await connection.query(`INSERT INTO ${table} (id, timestamp, value) VALUES (${id}, 0, 'own')`);
  load.acknowledged.set(id, "own");
  for (let version = 1; !load.stopped; version++) {
    const value = Math.floor(next() * 2 ** 32).toString(36);
    await connection.query(
      `UPDATE ${table} SET timestamp=${version}, value='${value}' WHERE timestamp<${version} AND id=${id}`,
    );
    load.acknowledged.set(id, value);
    const text = await connection.query(`SELECT value FROM ${table} WHERE id=${id}`);
    const prepared = await connection.execute(`SELECT value FROM ${table} WHERE id=?`, [id]);
    const read = [text[0]?.rows[0]?.[0], prepared.rows[0]?.[0]];
    if (read.some((one) => one !== value)) {
      load.failure ??= `after the write of ${value} was acknowledged, ${read.join(" and ")} were read`;
      return;
    }
    load.ownReads++;
  }
}

async function readAndCompare(connection: GateConnection, load: Load): Promise<string | undefined> {
  const [result] = await connection.query(
    `SELECT id, value FROM ${load.table} WHERE id >= 0 ORDER BY id LIMIT 10000000`,
  );
  if (result?.error !== undefined) return `the table cannot be read: ${result.error.message}`;
  return load.compare(result.rows);
}

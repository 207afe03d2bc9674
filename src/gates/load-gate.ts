/**
 * Load gate: many connections at once; every acknowledged insert is there, every transaction is seen whole.
 *
 * Steps:
 *   1. `connections` clients insert rows of random keys for a while; beside them, readers read pairs that writers keep
 *      equal in one transaction: a reader that sees two different versions has seen half a transaction.
 *   2. At once, without a pause in which work left undone could be caught up: read the whole table and compare it with
 *      what was acknowledged.
 * Source: etcd's robustness tests (a run that did not reach a minimum of work is void).
 */
import { setTimeout as sleep } from "node:timers/promises";
import { seededNumbers } from "../simulation/simulated-env.ts";
import type { Gate, GateSubject, GateVerdict } from "./gate.ts";
import { connectGate, startSubject, type GateConnection } from "./gate-connection.ts";
import { verdictOf } from "./run-gates.ts";

const name = "load";
const pairs = 8;

export function loadGate(options: { connections: number; milliseconds: number }): Gate {
  return {
    name,
    description: `${options.connections} connections insert and read for ${options.milliseconds} ms; nothing is missing`,
    stage: "candidate",
    timeoutMs: 20_000,
    run: (subject) => runLoad(options, subject),
  };
}

interface Load {
  readonly table: string;
  readonly acknowledged: Map<bigint, string>;
  stopped: boolean;
  failure: string | undefined;
  pairReads: number;
}

async function runLoad(
  options: { connections: number; milliseconds: number },
  subject: GateSubject,
): Promise<GateVerdict> {
  const verdict = verdictOf(name, performance.now());
  const next = seededNumbers(subject.seed);
  const table = `l${Math.floor(next() * 2 ** 32).toString(36)}`;
  const load: Load = { table, acknowledged: new Map(), stopped: false, failure: undefined, pairReads: 0 };
  const server = await startSubject(subject);
  try {
    const first = await connectGate(server.endpoint);
    await first.query(`CREATE TABLE ${table} (id BIGINT PRIMARY KEY, timestamp BIGINT, value VARCHAR(150))`);
    const rows = Array.from({ length: pairs * 2 }, (_, id) => `(${-1 - id}, 0, 'pair')`);
    await first.query(`INSERT INTO ${table} VALUES ${rows.join(",")}`);
    const connections = await Promise.all(
      Array.from({ length: options.connections }, () => connectGate(server.endpoint)),
    );
    const running = connections.map((connection, number) => {
      if (number < 2) return writePairs(connection, load, number);
      if (number < 4) return readPairs(connection, load, seededNumbers(subject.seed + number));
      return insertRows(connection, load, number, seededNumbers(subject.seed * 7 + number));
    });
    await sleep(options.milliseconds);
    load.stopped = true;
    await Promise.all(running);
    const evidence = { seed: subject.seed, acknowledged: load.acknowledged.size, pairReads: load.pairReads };
    if (load.failure !== undefined) return verdict.reject(load.failure, evidence);
    const difference = await compare(first, load);
    if (difference !== undefined) return verdict.reject(difference, evidence);
    if (load.acknowledged.size < options.connections || load.pairReads < 10) {
      return verdict.inconclusive(`only ${load.acknowledged.size} inserts and ${load.pairReads} reads of pairs`, evidence);
    }
    return verdict.admit(
      `${load.acknowledged.size} acknowledged rows all there, ${load.pairReads} reads saw whole transactions`,
      evidence,
    );
  } finally {
    await server.kill();
  }
}

async function insertRows(connection: GateConnection, load: Load, number: number, next: () => number) {
  for (let count = 0; !load.stopped; count++) {
    const id = (BigInt(Math.floor(next() * 2 ** 40)) << 20n) + BigInt(number * 10_000 + (count % 10_000));
    const value = Math.floor(next() * 2 ** 32).toString(36);
    const [result] = await connection.query(
      `INSERT INTO ${load.table} (id, timestamp, value) VALUES (${id}, ${count}, '${value}')`,
    );
    if (result?.error !== undefined) {
      load.failure ??= `an insert was refused with ${result.error.errno}: ${result.error.message}`;
      return;
    }
    load.acknowledged.set(id, value);
  }
}

async function writePairs(connection: GateConnection, load: Load, number: number) {
  for (let version = 1; !load.stopped; version++) {
    const pair = (version % (pairs / 2)) * 2 + number;
    const update = (id: number) =>
      `UPDATE ${load.table} SET timestamp=${version}, value='v${version}' WHERE timestamp<${version} AND id=${id}`;
    await connection.query(
      `START TRANSACTION; ${update(-1 - pair * 2)}; ${update(-2 - pair * 2)}; COMMIT`,
    );
  }
}

async function readPairs(connection: GateConnection, load: Load, next: () => number) {
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
    load.pairReads++;
  }
}

async function compare(connection: GateConnection, load: Load): Promise<string | undefined> {
  const [result] = await connection.query(
    `SELECT id, value FROM ${load.table} WHERE id >= 0 ORDER BY id LIMIT 10000000`,
  );
  if (result?.error !== undefined) return `the table cannot be read: ${result.error.message}`;
  const found = new Map(result.rows.map(([id, value]) => [BigInt(id ?? 0), value]));
  const missing = [...load.acknowledged.keys()].filter((id) => !found.has(id));
  if (missing.length > 0) {
    return `${missing.length} of ${load.acknowledged.size} acknowledged rows are missing, first ${missing[0]}`;
  }
  const wrong = [...load.acknowledged].find(([id, value]) => found.get(id) !== value);
  if (wrong !== undefined) return `row ${wrong[0]} has the value ${found.get(wrong[0])} instead of ${wrong[1]}`;
  return found.size === load.acknowledged.size
    ? undefined
    : `${found.size - load.acknowledged.size} rows are there that were never acknowledged or sent`;
}

/**
 * Load gate over HTTP: many connections at once; every write that was answered is there, every batch is seen whole,
 * whoever was told of a write reads it, and of writers under a condition each counts once.
 *
 * Steps:
 *   1. For a while most connections put items of random keys, on every route that writes. Two keep pairs of keys equal
 *      in one batch each; two read the pairs, by a batch of gets and by a scan, and one that sees two versions has seen
 *      half a batch, one that sees an older version than before has gone back in time. Two write a key and read it at
 *      once on every route that reads. Four count up one key, each under the condition that nobody was faster.
 *   2. At once, without a pause in which work left undone could be caught up: the counted key must be the number of
 *      counts that were answered, and pages of a whole scan must be what was answered.
 * The while goes on until enough was done for the verdict to mean something; a machine too busy for that within
 * `patienceMs` gives no verdict.
 * Source: etcd's robustness tests; Jepsen's counters by compare-and-set.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { seededNumbers } from "../../simulation/simulated-env.ts";
import type { Gate, GateSubject, GateVerdict } from "../gate.ts";
import { verdictOf } from "../run-gates.ts";
import { HttpGateConnection, startHttpSubject } from "./http-subject.ts";

const name = "http-load";
const pairs = 8;
const pairReadsMin = 20;
const ownReadsMin = 10;
const countsMin = 10;
const patienceMs = 60_000;
const pageItems = 97;

export function httpLoadGate(options: { connections: number; milliseconds: number; stage?: Gate["stage"] }): Gate {
  const { connections, milliseconds, stage = "product" } = options;
  const gateName = stage === "product" ? name : `${name}-short`;
  return {
    name: gateName,
    description: `${connections} connections put, count and read over HTTP for ${milliseconds} ms; nothing is missing`,
    stage,
    timeoutMs: patienceMs + 30_000,
    run: (subject) => runLoad(gateName, options, subject),
  };
}

/** What was answered, and what went wrong. */
export class HttpLoad {
  readonly prefix: string;
  readonly acknowledged = new Map<string, string>();
  failure: string | undefined;
  pairReads = 0;
  ownReads = 0;
  counts = 0;
  stopped = false;

  constructor(prefix: string) {
    this.prefix = prefix;
  }

  get isEnough(): boolean {
    return this.pairReads >= pairReadsMin && this.ownReads >= ownReadsMin && this.counts >= countsMin;
  }

  /** Compares what a scan gave with what was answered. */
  compare(items: readonly { readonly key: string; readonly value: string }[]): string | undefined {
    const found = new Map(items.map(({ key, value }) => [key, value]));
    if (found.size !== items.length) return `a scan has ${items.length - found.size} keys twice`;
    const missing = [...this.acknowledged.keys()].filter((key) => !found.has(key));
    if (missing.length > 0) {
      return `${missing.length} of ${this.acknowledged.size} answered keys are missing, first ${missing[0]}`;
    }
    const wrong = [...this.acknowledged].find(([key, value]) => found.get(key) !== value);
    if (wrong !== undefined) return `key ${wrong[0]} has ${found.get(wrong[0])} instead of ${wrong[1]}`;
    const extra = [...found.keys()].find((key) => !this.acknowledged.has(key));
    return extra === undefined ? undefined : `key ${extra} is there, but was never answered`;
  }
}

type Next = () => number;

async function runLoad(
  gateName: string,
  options: { connections: number; milliseconds: number },
  subject: GateSubject,
): Promise<GateVerdict> {
  const verdict = verdictOf(gateName, performance.now());
  const { seed, signal } = subject;
  const load = new HttpLoad(`l${Math.floor(seededNumbers(seed)() * 2 ** 32).toString(36)}-`);
  const server = await startHttpSubject(subject);
  try {
    const first = await HttpGateConnection.open(server);
    await prepare(first, load);
    const opened = Array.from({ length: options.connections }, () => HttpGateConnection.open(server));
    const connections = await Promise.all(opened);
    const running = connections.map((connection, number) => {
      const next = seededNumbers(seed * 7 + number);
      return roleOf(number)(connection, load, number, next).catch((error: Error) => {
        load.failure ??= error.message;
      });
    });
    const mayEnd = () =>
      load.failure !== undefined || (load.isEnough && load.acknowledged.size >= options.connections);
    const endMs = performance.now() + patienceMs;
    do {
      if (signal?.aborted) return verdict.inconclusive("stopped on request");
      await sleep(options.milliseconds);
    } while (!mayEnd() && performance.now() < endMs);
    load.stopped = true;
    await Promise.all(running);
    const { pairReads, ownReads, counts } = load;
    const evidence = { seed, acknowledged: load.acknowledged.size, pairReads, ownReads, counts };
    const difference = load.failure ?? (await compareAll(first, load));
    if (difference !== undefined) return verdict.reject(difference, evidence);
    if (!load.isEnough) return verdict.inconclusive("too little was done to tell", evidence);
    return verdict.admit(
      `${evidence.acknowledged} answered keys all there, ${pairReads} reads saw whole batches, ` +
        `${ownReads} their own writes, ${counts} counts each once`,
      evidence,
    );
  } finally {
    await server.kill();
  }
}

type Role = (connection: HttpGateConnection, load: HttpLoad, number: number, next: Next) => Promise<void>;

function roleOf(number: number): Role {
  if (number < 2) return writePairs;
  if (number < 4) return readPairs;
  if (number < 6) return readOwnWrites;
  return number < 10 ? countUp : putItems;
}

const pairKeys = ({ prefix }: HttpLoad, pair: number) => ["l", "r"].map((side) => `${prefix}pair${pair}${side}`);
const counterKey = ({ prefix }: HttpLoad) => `${prefix}counter`;
const itemPrefix = ({ prefix }: HttpLoad) => `${prefix}item`;

async function prepare(connection: HttpGateConnection, load: HttpLoad): Promise<void> {
  const all = Array.from({ length: pairs }, (_, pair) => pairKeys(load, pair)).flat();
  const items = [...all, counterKey(load)].map((key) => ({ key, value: "0" }));
  const { status, body } = await connection.ask("POST", "/batch", { items });
  if (status !== 201) throw new Error(`a batch was answered with ${status}: ${body.toString()}`);
}

async function putItems(connection: HttpGateConnection, load: HttpLoad, number: number, next: Next): Promise<void> {
  const drawn = () => Math.floor(next() * 2 ** 40).toString(36);
  for (let count = 0; !load.stopped; count++) {
    const items = Array.from({ length: count % 3 === 2 ? 5 : 1 }, (_, at) => {
      return { key: `${itemPrefix(load)}${drawn()}-${number}-${count}-${at}`, value: drawn() };
    });
    const [{ key, value }] = items;
    const { status, body } = count % 3 === 0
      ? await connection.put(key, value)
      : count % 3 === 1
        ? await connection.send("PUT", `/kv/${key}`, [], value)
        : await connection.ask("POST", "/batch", { items });
    if (status !== 201 && status !== 204) throw new Error(`a put was answered with ${status}: ${body.toString()}`);
    for (const item of items) load.acknowledged.set(item.key, item.value);
  }
}

async function writePairs(connection: HttpGateConnection, load: HttpLoad, number: number): Promise<void> {
  // Each writer has pairs of its own, so that versions rise.
  for (let version = 1; !load.stopped; version++) {
    const items = pairKeys(load, 2 * (version % (pairs / 2)) + number).map((key) => ({ key, value: String(version) }));
    const { status } = await connection.ask("POST", "/batch", { items });
    if (status !== 201) throw new Error(`a batch was answered with ${status}`);
  }
}

async function readPairs(connection: HttpGateConnection, load: HttpLoad, number: number, next: Next): Promise<void> {
  const newest = Array.from({ length: pairs }, () => 0);
  while (!load.stopped) {
    const pair = Math.floor(next() * pairs);
    const keys = pairKeys(load, pair);
    const found = number === 2 ? await connection.getMany(keys) : await connection.list(keys[0].slice(0, -1), 10);
    const [left, right] = found.map(({ value }) => Number(value));
    if (found.length !== 2 || left !== right) {
      throw new Error(`a batch was seen half done: versions ${left} and ${right}`);
    }
    if (left < newest[pair]) throw new Error(`version ${left} was read after version ${newest[pair]}`);
    newest[pair] = left;
    load.pairReads++;
  }
}

async function readOwnWrites(
  connection: HttpGateConnection,
  load: HttpLoad,
  number: number,
  next: Next,
): Promise<void> {
  const key = `${load.prefix}own${number}`;
  for (let turn = 0; !load.stopped; turn++) {
    const value = Math.floor(next() * 2 ** 40).toString(36);
    const isDeleted = turn % 5 === 4;
    const { status } = isDeleted
      ? await connection.send("DELETE", `/kv/${key}`, [])
      : await connection.send("PUT", `/kv/${key}`, [], value);
    if (status !== 204) throw new Error(`a write was answered with ${status}`);
    const read = [
      await connection.get(key), (await connection.raw(key))?.value, (await connection.getMany([key]))[0]?.value,
      (await connection.list(key, 10))[0]?.value,
    ];
    const wanted = isDeleted ? undefined : value;
    if (read.some((one) => one !== wanted)) {
      throw new Error(`after the write of ${wanted ?? "nothing"} was answered, ${read.join(", ")} were read`);
    }
    load.ownReads++;
  }
}

async function countUp(connection: HttpGateConnection, load: HttpLoad): Promise<void> {
  const key = counterKey(load);
  while (!load.stopped) {
    const found = await connection.raw(key);
    if (found === undefined) throw new Error("the counted key is gone");
    const counted = String(Number(found.value) + 1);
    const { status } = await connection.send("PUT", `/kv/${key}`, [`If-Match: ${found.etag}`], counted);
    if (status === 204) load.counts++;
    else if (status !== 412) throw new Error(`a count was answered with ${status}`);
  }
}

async function compareAll(connection: HttpGateConnection, load: HttpLoad): Promise<string | undefined> {
  const counted = await connection.get(counterKey(load));
  if (counted !== String(load.counts)) {
    return `${load.counts} counts under a condition were answered, and the key has ${counted}`;
  }
  return load.compare(await connection.list(itemPrefix(load), pageItems));
}

/**
 * Differential gate over HTTP: random requests, whose answers must be those of a map.
 *
 * Steps: puts, batches, deletes, conditional puts (by ETag, and where nothing is there), gets and scans of keys and
 * values with quotes, control characters and letters of all kinds; in the middle an orderly restart; at the end
 * everything is read once more. With small memtables and caches, so that a short run flushes, compacts and evicts.
 */
import { seededNumbers } from "../../simulation/simulated-env.ts";
import type { Gate, GateSubject, GateVerdict } from "../gate.ts";
import { verdictOf } from "../run-gates.ts";
import { shrunkKnobs } from "../shrunk-knobs.ts";
import { HttpGateConnection, startHttpSubject } from "./http-subject.ts";

const name = "http-differential";
const keysMax = 400;

export function httpDifferentialGate(options: { requests: number; stage?: Gate["stage"] }): Gate {
  const { stage = "product" } = options;
  const gateName = stage === "product" ? name : `${name}-short`;
  return {
    name: gateName,
    description: `${options.requests} random HTTP requests equal a map, across a restart`,
    stage,
    timeoutMs: 20_000 + options.requests * 20,
    run: (subject) => runDifferential(gateName, options.requests, subject),
  };
}

async function runDifferential(gateName: string, requests: number, subject: GateSubject): Promise<GateVerdict> {
  const verdict = verdictOf(gateName, performance.now());
  // A candidate is judged with its own knobs.
  const shrunk = gateName === name ? { ...subject, knobs: shrunkKnobs(subject) } : subject;
  const script = new KeyValueScript(subject.seed);
  let server = await startHttpSubject(shrunk);
  try {
    let connection = await HttpGateConnection.open(server);
    for (let request = 0; request < requests; request++) {
      if (subject.signal?.aborted) return verdict.inconclusive("stopped on request");
      if (request === requests >> 1) {
        connection.close();
        await server.stop();
        server = await startHttpSubject(shrunk);
        connection = await HttpGateConnection.open(server);
        const lost = await script.compareAll(connection);
        if (lost !== undefined) return verdict.reject(`after a restart, ${lost}`, script.evidence());
      }
      const difference = await script.step(connection);
      if (difference !== undefined) return verdict.reject(`request ${request}: ${difference}`, script.evidence());
    }
    const difference = await script.compareAll(connection);
    if (difference !== undefined) return verdict.reject(`at the end, ${difference}`, script.evidence());
    connection.close();
    const counts = `${requests} requests and ${script.size} keys`;
    return verdict.admit(`${counts} equal to a map, across a restart`, script.evidence());
  } finally {
    await server.kill();
  }
}

interface Known {
  readonly value: string;
  readonly etag: string;
}

/** Among them two that sort otherwise as bytes than as UTF-16, and what JSON and queries must escape. */
const alphabet = ["a", "b", "\"", "\\", "\u0000", "\n", "é", "～", "😀", " ", "%", "&", "+", "="];

/** Draws requests, and knows what the answers must be. */
export class KeyValueScript {
  readonly #seed: number;
  readonly #next: () => number;
  readonly #model = new Map<string, Known>();
  readonly #kinds: Record<string, number> = {};

  constructor(seed: number) {
    this.#seed = seed;
    this.#next = seededNumbers(seed);
  }

  get size(): number {
    return this.#model.size;
  }

  evidence(): Record<string, unknown> {
    return { seed: this.#seed, keys: this.size, kinds: this.#kinds };
  }

  /** One request; what was wrong with its answer, or undefined. */
  step(connection: HttpGateConnection): Promise<string | undefined> {
    const kinds = ["put", "put", "batch", "delete", "conditional", "get", "get", "scan"] as const;
    const kind = kinds[this.#integer(kinds.length)];
    this.#kinds[kind] = (this.#kinds[kind] ?? 0) + 1;
    if (kind === "put") return this.#put(connection);
    if (kind === "batch") return this.#batch(connection);
    if (kind === "delete") return this.#delete(connection);
    if (kind === "conditional") return this.#conditional(connection);
    return kind === "get" ? this.#get(connection, this.#key()) : this.#scan(connection);
  }

  async compareAll(connection: HttpGateConnection): Promise<string | undefined> {
    const wanted = [...this.#model].sort(([one], [other]) => Buffer.compare(Buffer.from(one), Buffer.from(other)));
    const found = await connection.list("", 100);
    for (const [at, [key, { value, etag }]] of wanted.entries()) {
      const item = found[at];
      if (item?.key === key && item.value === value && item.etag === etag) continue;
      const shown = JSON.stringify(item)?.slice(0, 100);
      return `key ${JSON.stringify(key)} should be item ${at} of a scan, but there is ${shown}`;
    }
    return found.length === wanted.length ? undefined : `${found.length} keys are there instead of ${wanted.length}`;
  }

  async #put(connection: HttpGateConnection): Promise<string | undefined> {
    const [key, value] = [this.#key(), this.#value()];
    const reply = await connection.put(key, value);
    return this.#stored(reply, [[key, value]]);
  }

  async #batch(connection: HttpGateConnection): Promise<string | undefined> {
    const items = Array.from({ length: 1 + this.#integer(30) }, () => ({ key: this.#key(), value: this.#value() }));
    const reply = await connection.ask("POST", "/batch", { items });
    return this.#stored(reply, items.map(({ key, value }) => [key, value]));
  }

  #stored(reply: { status: number; head: string }, items: readonly (readonly [string, string])[]): string | undefined {
    const etag = /^ETag: (.*)$/m.exec(reply.head)?.[1]?.trim();
    if (reply.status !== 201 || etag === undefined) return `a write was answered with ${reply.status} and ETag ${etag}`;
    for (const [key, value] of items) this.#model.set(key, { value, etag });
    return undefined;
  }

  async #delete(connection: HttpGateConnection): Promise<string | undefined> {
    const key = this.#key();
    const { status } = await connection.ask("DELETE", `/delete?key=${encodeURIComponent(key)}`);
    this.#model.delete(key);
    return status === 200 ? undefined : `a delete was answered with ${status}`;
  }

  async #conditional(connection: HttpGateConnection): Promise<string | undefined> {
    const [key, value] = [this.#key(), this.#value()];
    const known = this.#model.get(key);
    const byTag = this.#integer(2) === 0;
    const tag = this.#integer(3) === 0 ? '"1"' : (known?.etag ?? '"1"');
    const reply = await connection.putIf(key, value, byTag ? `If-Match: ${tag}` : "If-None-Match: *");
    const holds = byTag ? known?.etag === tag : known === undefined;
    if (holds) return this.#stored(reply, [[key, value]]);
    return reply.status === 412 ? undefined : `a condition that does not hold was answered with ${reply.status}`;
  }

  async #get(connection: HttpGateConnection, key: string): Promise<string | undefined> {
    const [found, wanted] = [await connection.get(key), this.#model.get(key)?.value];
    if (found === wanted) return undefined;
    const shown = (value: string | undefined) => JSON.stringify(value)?.slice(0, 60) ?? "nothing";
    return `key ${JSON.stringify(key)} has ${shown(found)} instead of ${shown(wanted)}`;
  }

  async #scan(connection: HttpGateConnection): Promise<string | undefined> {
    const prefix = this.#key().slice(0, 1).toWellFormed();
    const wanted = [...this.#model.keys()].filter((key) => Buffer.from(key).subarray(0, Buffer.byteLength(prefix))
      .equals(Buffer.from(prefix))).sort((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)));
    const found = (await connection.list(prefix, 1 + this.#integer(50))).map(({ key }) => key);
    return JSON.stringify(found) === JSON.stringify(wanted)
      ? undefined
      : `a scan of ${JSON.stringify(prefix)} has ${found.length} keys instead of ${wanted.length}, or others`;
  }

  #key(): string {
    const number = this.#integer(keysMax);
    // Keys that begin alike, and few enough to be met again.
    return alphabet[number % alphabet.length] + alphabet[(number >> 3) % alphabet.length] + number.toString(36);
  }

  #value(): string {
    const length = this.#integer(8) === 0 ? 3000 + this.#integer(9000) : this.#integer(100);
    return Array.from({ length }, () => alphabet[this.#integer(alphabet.length)]).join("");
  }

  #integer(bound: number): number {
    return Math.floor(this.#next() * bound);
  }
}

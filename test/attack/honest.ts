/**
 * Clients that keep to their protocol and verify every answer: each owns keys, writes values that say whose they are,
 * and reads them back, over MySQL or over HTTP. Where a server has no place for one it comes again.
 */
import { Agent, request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { connectGate, type GateConnection } from "../../src/gates/gate-connection.ts";
import type { Victim } from "./hostile.ts";

export interface HonestCounts {
  answers: number;
  /** A server that is full says so; whoever is refused comes again. */
  refused: number;
  slowestMs: number;
  wrong: string[];
}

const keysEach = 4;

/** One client until `going` says no. Pauses between its requests, as people do. */
export async function beHonest(
  victim: Victim, number: number, name: string, next: () => number, going: () => boolean, counts: HonestCounts,
): Promise<void> {
  const client = number % 2 === 0 ? new MysqlClient(victim) : new HttpClient(victim);
  const expected = new Map<string, string>();
  for (let turn = 0; going(); turn++) {
    const key = `${name}-${number}-${turn % keysEach}`;
    const startedMs = performance.now();
    try {
      const value = `${key} ${turn} ${"v".repeat(Math.floor(next() * 200))}`;
      const found = await client.get(key);
      if (found !== expected.get(key)) {
        counts.wrong.push(`${key} is ${found?.slice(0, 40)}, not ${expected.get(key)?.slice(0, 40)}`);
      }
      expected.set(key, value);
      await client.put(key, value);
      counts.answers += 2;
    } catch (error) {
      if (!(error instanceof Refused)) counts.wrong.push(`${key}: ${(error as Error).message}`);
      counts.refused++;
      // What was asked for may have happened, or not: begin anew.
      await client.close();
      expected.set(key, await settled(client, key, going));
      continue;
    } finally {
      counts.slowestMs = Math.max(counts.slowestMs, performance.now() - startedMs);
    }
    await sleep(20 + next() * 400);
  }
  await client.close();
}

async function settled(client: Client, key: string, going: () => boolean): Promise<string> {
  while (going()) {
    await sleep(200);
    try {
      const found = await client.get(key);
      if (found !== undefined) return found;
      await client.put(key, "anew");
      return "anew";
    } catch {
      await client.close();
    }
  }
  return "";
}

/** The server says that it has no place just now. */
class Refused extends Error {}

interface Client {
  get(key: string): Promise<string | undefined>;
  put(key: string, value: string): Promise<void>;
  close(): Promise<void>;
}

const tooManyConnections = 1040;

class MysqlClient implements Client {
  readonly #victim: Victim;
  #connection: GateConnection | undefined;

  constructor(victim: Victim) {
    this.#victim = victim;
  }

  async get(key: string): Promise<string | undefined> {
    const { table } = this.#victim;
    const rows = await this.#ask(`SELECT v FROM ${table} WHERE k = '${key}'`);
    return rows[0]?.[0] ?? undefined;
  }

  async put(key: string, value: string): Promise<void> {
    const { table } = this.#victim;
    await this.#ask(`REPLACE INTO ${table} (k, v, version, expires_ms) VALUES ('${key}', '${value}', 1, NULL)`);
  }

  async close(): Promise<void> {
    await this.#connection?.close();
    this.#connection = undefined;
  }

  async #ask(sql: string): Promise<readonly (readonly (string | null)[])[]> {
    const { mysqlPort: port, user, password } = this.#victim;
    this.#connection ??= await connectGate({ host: "127.0.0.1", port, user, password }).catch((error: Error) => {
      throw (error as { number?: number }).number === tooManyConnections || /too many/i.test(error.message)
        ? new Refused(error.message)
        : error;
    });
    const [{ rows, error }] = await this.#connection.query(sql);
    if (error !== undefined) throw new Error(`${error.errno}: ${error.message}`);
    return rows;
  }
}

class HttpClient implements Client {
  readonly #victim: Victim;
  #agent = new Agent({ keepAlive: true, maxSockets: 1 });

  constructor(victim: Victim) {
    this.#victim = victim;
  }

  async get(key: string): Promise<string | undefined> {
    const { status, body } = await this.#ask("GET", key);
    if (status === 404) return undefined;
    if (status !== 200) throw new Error(`GET was answered with ${status}`);
    return body;
  }

  async put(key: string, value: string): Promise<void> {
    const { status } = await this.#ask("PUT", key, value);
    if (status < 200 || status > 204) throw new Error(`PUT was answered with ${status}`);
  }

  async close(): Promise<void> {
    this.#agent.destroy();
    this.#agent = new Agent({ keepAlive: true, maxSockets: 1 });
  }

  #ask(method: string, key: string, body?: string): Promise<{ status: number; body: string }> {
    const options = { host: "127.0.0.1", port: this.#victim.httpPort, method, path: `/kv/${key}`, agent: this.#agent };
    return new Promise((resolve, reject) => {
      const asked = request(options, (response) => {
        let text = "";
        response.setEncoding("latin1");
        response.on("data", (piece: string) => (text += piece));
        response.on("error", reject);
        response.on("end", () => {
          const status = response.statusCode ?? 0;
          if (status === 503) reject(new Refused("503"));
          else resolve({ status, body: text });
        });
      });
      // A connection that was kept open may be closed by either side between two requests; whoever asks comes again.
      asked.on("error", (error: NodeJS.ErrnoException) =>
        reject(asked.reusedSocket && error.code === "ECONNRESET" ? new Refused(error.message) : error));
      asked.end(body);
    });
  }
}

/**
 * KeyValueScript: random requests over every route of a key-value product, and what their answers must be.
 *
 * A map knows every key with its value, its ETag and the time of its expiry, as the product told it right after the
 * write (and within what the clock allows). Between the moment a request is sent and the one its answer is read a key
 * may expire; then either answer is right.
 */
import { seededNumbers } from "../../simulation/simulated-env.ts";
import { BulkTable } from "../bulk-table.ts";
import { bulkPrefix, httpBulkDoor } from "./http-bulk-door.ts";
import type { HttpGateConnection, ListedItem } from "./http-subject.ts";

const keysMax = 400;
const requestsPerBulkRound = 25;
const longValues = 8;

interface Known {
  readonly value: string;
  /** Undefined where the answer to the write does not say it (imports). */
  readonly etag: string | undefined;
  readonly expiresMs: number | undefined;
}

type Reply = { readonly status: number; readonly head: string };

/** Among them two that sort otherwise as bytes than as UTF-16, and what JSON and queries must escape. */
const alphabet = ["a", "b", "\"", "\\", "\u0000", "\n", "é", "～", "😀", " ", "%", "&", "+", "="];

const kinds = [
  "put", "chunked", "bytes", "batch", "expiring", "import", "delete", "delete many", "conditional", "get", "get bytes",
  "get many", "scan",
] as const;

/** Draws requests, and knows what the answers must be. */
export class KeyValueScript {
  readonly #seed: number;
  readonly #next: () => number;
  readonly #model = new Map<string, Known>();
  readonly #kinds: Record<string, number> = {};
  readonly #bulk: BulkTable<HttpGateConnection> | undefined;
  #requests = 0;

  /** `withBulk`: with megabytes of rows beside, so that there are flushes and compactions. */
  constructor(seed: number, withBulk = false) {
    this.#seed = seed;
    this.#next = seededNumbers(seed);
    this.#bulk = withBulk ? new BulkTable(httpBulkDoor, seededNumbers(seed + 1)) : undefined;
  }

  get size(): number {
    return this.#model.size;
  }

  evidence(): Record<string, unknown> {
    return { seed: this.#seed, keys: this.size, bulkRows: this.#bulk?.rows ?? 0, kinds: this.#kinds };
  }

  /** When the last of the keys that expire within seconds is gone. */
  get shortestExpiryMs(): number {
    const soon = Date.now() + 5000;
    return Math.max(0, ...[...this.#model.values()].map(({ expiresMs = 0 }) => (expiresMs < soon ? expiresMs : 0)));
  }

  /** One request; what was wrong with its answer, or undefined. An answer of another form is wrong, too. */
  async step(connection: HttpGateConnection): Promise<string | undefined> {
    const kind = kinds[this.#integer(kinds.length)];
    this.#kinds[kind] = (this.#kinds[kind] ?? 0) + 1;
    const wrong = await this.#steps[kind](connection).catch((error: Error) => error.message);
    if (wrong !== undefined) return `${kind}: ${wrong}`;
    return this.#requests++ % requestsPerBulkRound === 0
      ? this.#bulk?.round(connection).catch((error: Error) => error.message)
      : undefined;
  }

  readonly #steps: Readonly<Record<(typeof kinds)[number], (at: HttpGateConnection) => Promise<string | undefined>>> = {
    put: async (connection) => {
      const [key, value] = [this.#key(), this.#value()];
      return this.#stored(await connection.put(key, value), 201, [[key, value]]);
    },
    chunked: async (connection) => {
      const [key, value] = [this.#key(), this.#value()];
      const body = Buffer.from(JSON.stringify({ key, value }));
      const size = () => 1 + this.#integer(this.#integer(3) === 0 ? 5000 : 300);
      return this.#stored(await connection.sendChunked("POST", "/put", body, size), 201, [[key, value]]);
    },
    bytes: async (connection) => {
      const [key, value] = [this.#key(), this.#value()];
      return this.#stored(await connection.send("PUT", path(key), [], value), 204, [[key, value]]);
    },
    batch: async (connection) => {
      const items = this.#items(30);
      const reply = await connection.ask("POST", "/batch", { items });
      return this.#stored(reply, 201, items.map(({ key, value }) => [key, value]));
    },
    expiring: (connection) => this.#expiring(connection),
    import: async (connection) => {
      const items = this.#items(12);
      const lines = items.map((item) => `${JSON.stringify(item)}\n`).join("");
      const { status, body } = await connection.send("POST", "/import", [], lines);
      if (status !== 200 || body.toString() !== `{"imported":${items.length}}`) return `status ${status}: ${body}`;
      for (const { key, value } of items) this.#model.set(key, { value, etag: undefined, expiresMs: undefined });
      return undefined;
    },
    delete: async (connection) => {
      const key = this.#key();
      const asPath = this.#integer(2) === 0;
      const { status } = asPath
        ? await connection.send("DELETE", path(key), [])
        : await connection.ask("DELETE", `/delete?key=${encodeURIComponent(key)}`);
      this.#model.delete(key);
      return status === (asPath ? 204 : 200) ? undefined : `status ${status}`;
    },
    "delete many": async (connection) => {
      const keys = Array.from({ length: 1 + this.#integer(6) }, () => this.#key());
      const { status } = await connection.ask("POST", "/batch/delete", { keys });
      for (const key of keys) this.#model.delete(key);
      return status === 200 ? undefined : `status ${status}`;
    },
    conditional: (connection) => this.#conditional(connection),
    get: async (connection) => {
      const key = this.#key();
      const sentMs = Date.now();
      return this.#compare(key, await connection.get(key), sentMs);
    },
    "get bytes": async (connection) => {
      const key = this.#key();
      const sentMs = Date.now();
      const found = await connection.raw(key);
      const wrong = this.#compare(key, found?.value, sentMs);
      const known = this.#model.get(key);
      if (wrong !== undefined || found === undefined || known?.etag === undefined) return wrong;
      if (found.etag !== known.etag) return `key ${shown(key)} has the ETag ${found.etag} instead of ${known.etag}`;
      const { status } = await connection.send("GET", path(key), [`If-None-Match: ${known.etag}`]);
      return status === 304 || status === 404 ? undefined : `a right ETag was answered with ${status}`;
    },
    "get many": async (connection) => {
      const keys = Array.from({ length: 1 + this.#integer(12) }, () => this.#key());
      const sentMs = Date.now();
      const found = new Map((await connection.getMany(keys)).map(({ key, value }) => [key, value]));
      const foreign = [...found.keys()].find((key) => !keys.includes(key));
      if (foreign !== undefined) return `the key ${shown(foreign)} was not asked for`;
      return keys.map((key) => this.#compare(key, found.get(key), sentMs)).find((wrong) => wrong !== undefined);
    },
    scan: (connection) => this.#scan(connection),
  };

  async compareAll(connection: HttpGateConnection): Promise<string | undefined> {
    const sentMs = Date.now();
    const found = await connection.list("", 100);
    return this.#compareList("", found, sentMs) ?? (await this.#bulk?.compareAll(connection));
  }

  /** Every line of an export, whose items are those of a scan. */
  compareExport(text: string, sentMs: number): string | undefined {
    const items = text.split("\n").filter((line) => line !== "").map((line) => {
      const { key, value } = JSON.parse(line) as { key: string; value: string };
      return { key, value, etag: "" };
    });
    return this.#compareList("", items, sentMs, false);
  }

  /** Keys in the order of their bytes, each with its value and its ETag. */
  #compareList(prefix: string, found: readonly ListedItem[], sentMs: number, tagged = true): string | undefined {
    const wanted = [...this.#model]
      .filter(([key]) => bytesOf(key).subarray(0, Buffer.byteLength(prefix)).equals(bytesOf(prefix)))
      .filter(([key]) => this.#state(key, sentMs) === "there")
      .sort(([one], [other]) => Buffer.compare(bytesOf(one), bytesOf(other)));
    const judged = found.filter(({ key }) => !key.startsWith(bulkPrefix) && this.#state(key, sentMs) !== "either");
    for (const [at, [key, { value, etag }]] of wanted.entries()) {
      const item = judged[at];
      const isSame = item?.key === key && item.value === value;
      if (isSame && (!tagged || etag === undefined || item.etag === etag)) continue;
      return `key ${shown(key)} should be item ${at}, but there is ${shown(item)}`;
    }
    return judged.length === wanted.length ? undefined : `${judged.length} keys are there instead of ${wanted.length}`;
  }

  async #expiring(connection: HttpGateConnection): Promise<string | undefined> {
    const [key, value] = [this.#key(), this.#value()];
    const ttl = this.#integer(3) === 0 ? 600 : 1;
    const sentMs = Date.now();
    const asPath = this.#integer(2) === 0;
    const reply = asPath
      ? await connection.send("PUT", `${path(key)}?ttl=${ttl}`, [], value)
      : await connection.ask("POST", "/put", { key, value, ttl });
    const repliedMs = Date.now();
    const wrong = this.#stored(reply, asPath ? 204 : 201, [[key, value]]);
    if (wrong !== undefined) return wrong;
    const found = await connection.raw(key);
    if (found === undefined) {
      this.#model.delete(key);
      return Date.now() >= sentMs + ttl * 1000 ? undefined : `key ${shown(key)} is gone ${ttl} s too early`;
    }
    const { expiresMs } = found;
    // Times of log entries never go back, so that an entry's may be a little ahead of the clock.
    const [least, most] = [sentMs + ttl * 1000, repliedMs + ttl * 1000 + 5];
    const isRight = expiresMs !== undefined && expiresMs >= least && expiresMs <= most;
    const afterMs = (expiresMs ?? 0) - sentMs;
    if (!isRight) return `key ${shown(key)} with a ttl of ${ttl} s expires ${afterMs} ms after its put`;
    this.#model.set(key, { value, etag: found.etag, expiresMs });
    return undefined;
  }

  async #conditional(connection: HttpGateConnection): Promise<string | undefined> {
    const [key, value] = [this.#key(), this.#value()];
    const sentMs = Date.now();
    const known = this.#model.get(key);
    const byTag = this.#integer(2) === 0;
    const tag = this.#integer(3) === 0 ? '"1"' : (known?.etag ?? '"1"');
    const reply = await connection.putIf(key, value, byTag ? `If-Match: ${tag}` : "If-None-Match: *");
    const state = this.#state(key, sentMs);
    const isThere = state === "there";
    const holds = byTag ? isThere && known?.etag === tag : !isThere;
    // Nobody told the ETag of what was imported.
    const isUnknown = state === "either" || (byTag && isThere && known?.etag === undefined);
    if (reply.status === 201 && (holds || isUnknown)) return this.#stored(reply, 201, [[key, value]]);
    if (reply.status === 412 && (!holds || isUnknown)) return undefined;
    return `a condition that ${holds ? "holds" : "does not hold"} was answered with ${reply.status}`;
  }

  async #scan(connection: HttpGateConnection): Promise<string | undefined> {
    const prefix = this.#key().slice(0, 1).toWellFormed();
    const sentMs = Date.now();
    return this.#compareList(prefix, await connection.list(prefix, 1 + this.#integer(50)), sentMs);
  }

  #stored({ status, head }: Reply, wanted: number, items: readonly (readonly [string, string])[]): string | undefined {
    const etag = /^ETag: (.*)$/m.exec(head)?.[1]?.trim();
    if (status !== wanted || etag === undefined) return `a write was answered with ${status} and ETag ${etag}`;
    for (const [key, value] of items) this.#model.set(key, { value, etag, expiresMs: undefined });
    return undefined;
  }

  /** What is wrong with the value found for a key that was asked for at `sentMs`. */
  #compare(key: string, found: string | undefined, sentMs: number): string | undefined {
    const state = this.#state(key, sentMs);
    const wanted = this.#model.get(key)?.value;
    if (state === "either" && found === undefined) return undefined;
    if (found === (state === "gone" ? undefined : wanted)) return undefined;
    const expired = state === "gone" && found === wanted ? ", though it has expired" : "";
    return `key ${shown(key)} has ${shown(found)} instead of ${state === "gone" ? "nothing" : shown(wanted)}${expired}`;
  }

  /** Whether a key was there for a request of which the answer has come now. */
  #state(key: string, sentMs: number): "there" | "gone" | "either" {
    const known = this.#model.get(key);
    if (known === undefined) return "gone";
    if (known.expiresMs === undefined || known.expiresMs > Date.now() + 2) return "there";
    return known.expiresMs <= sentMs ? "gone" : "either";
  }

  #items(countMax: number): { key: string; value: string }[] {
    return Array.from({ length: 1 + this.#integer(countMax) }, () => ({ key: this.#key(), value: this.#value() }));
  }

  #key(): string {
    const number = this.#integer(keysMax);
    // Keys that begin alike, and few enough to be met again.
    return alphabet[number % alphabet.length] + alphabet[(number >> 3) % alphabet.length] + number.toString(36);
  }

  #value(): string {
    const length = this.#integer(longValues) === 0 ? 3000 + this.#integer(9000) : this.#integer(100);
    return Array.from({ length }, () => alphabet[this.#integer(alphabet.length)]).join("");
  }

  #integer(bound: number): number {
    return Math.floor(this.#next() * bound);
  }
}

function path(key: string): string {
  return `/kv/${encodeURIComponent(key)}`;
}

function bytesOf(text: string): Buffer {
  return Buffer.from(text);
}

function shown(value: unknown): string {
  return JSON.stringify(value)?.slice(0, 100) ?? "nothing";
}

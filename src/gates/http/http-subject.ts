/** What gates need of a product that is asked over HTTP: start it, talk to it, take answers as JSON. */
import { join } from "node:path";
import { HttpClient, type HttpReply, requestBytes } from "../../bench/clients/http-client.ts";
import { startProduct } from "../../fleet/product-server.ts";
import type { RunningServer } from "../../fleet/server.ts";
import type { GateSubject } from "../gate.ts";

/** Starts the product under examination on `<workDirectory>/data`, as a measurement starts it. */
export function startHttpSubject(subject: GateSubject): Promise<RunningServer> {
  return startProduct({
    productDirectory: subject.productDirectory,
    dataDirectory: join(subject.workDirectory, "data"),
    knobs: subject.knobs,
    surface: "http",
  });
}

export interface ListedItem {
  readonly key: string;
  readonly value: string;
  readonly etag: string;
}

export interface RawItem {
  readonly value: string;
  readonly etag: string;
  readonly expiresMs: number | undefined;
}

function listed(body: Buffer): ListedItem[] {
  const { items } = JSON.parse(body.toString()) as { items: { key: string; val: string; etag: string }[] };
  return items.map(({ key, val, etag }) => ({ key, value: val, etag }));
}

/** One connection, with the requests that gates make. */
export class HttpGateConnection {
  readonly #client: HttpClient;

  private constructor(client: HttpClient) {
    this.#client = client;
  }

  /** Errors: the system's. */
  static async open({ endpoint }: Pick<RunningServer, "endpoint">): Promise<HttpGateConnection> {
    return new HttpGateConnection(await HttpClient.connect(endpoint));
  }

  ask(method: string, target: string, body?: unknown): Promise<HttpReply> {
    return this.#client.request(requestBytes(method, target, body === undefined ? undefined : JSON.stringify(body)));
  }

  /** With fields of its own, and any bytes for a body. */
  send(method: string, target: string, fields: readonly string[], body: Uint8Array | string = ""): Promise<HttpReply> {
    const bytes = Buffer.from(body as Uint8Array);
    const length = bytes.length === 0 ? [] : [`Content-Length: ${bytes.length}`];
    const head = [`${method} ${target} HTTP/1.1`, "Host: 127.0.0.1", ...fields, ...length].join("\r\n");
    return this.#client.request(Buffer.concat([Buffer.from(`${head}\r\n\r\n`), bytes]));
  }

  /** A body in chunks of the sizes that `nextSize` gives. */
  sendChunked(method: string, target: string, body: Uint8Array, nextSize: () => number): Promise<HttpReply> {
    const head = `${method} ${target} HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n`;
    const pieces: Uint8Array[] = [Buffer.from(head)];
    for (let at = 0; at < body.length; ) {
      const chunk = body.subarray(at, at + Math.max(1, nextSize()));
      pieces.push(Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from("\r\n"));
      at += chunk.length;
    }
    return this.#client.request(Buffer.concat([...pieces, Buffer.from("0\r\n\r\n")]));
  }

  /** A value as its bytes, with its fields; undefined where there is none. Errors: any other answer. */
  async raw(key: string): Promise<RawItem | undefined> {
    const { status, head, body } = await this.send("GET", `/kv/${encodeURIComponent(key)}`, []);
    if (status === 404) return undefined;
    if (status !== 200) throw new Error(`a get of bytes was answered with ${status}: ${body.toString()}`);
    const field = (name: string) => new RegExp(`^${name}: (.*)$`, "m").exec(head)?.[1]?.trim();
    const expires = field("Lathe-Expires-Ms");
    const expiresMs = expires === undefined ? undefined : Number(expires);
    return { value: body.toString(), etag: field("ETag") ?? "", expiresMs };
  }

  /** Of keys at one moment: the values of those that are there. Errors: any other answer. */
  async getMany(keys: readonly string[]): Promise<ListedItem[]> {
    const { status, body } = await this.ask("POST", "/batch/get", { keys });
    if (status !== 200) throw new Error(`a batch of gets was answered with ${status}: ${body.toString()}`);
    return listed(body);
  }

  put(key: string, value: string): Promise<HttpReply> {
    return this.ask("POST", "/put", { key, value });
  }

  /** The value of a key, or undefined. Errors: any other answer. */
  async get(key: string): Promise<string | undefined> {
    const reply = await this.ask("GET", `/get?key=${encodeURIComponent(key)}`);
    if (reply.status === 404) return undefined;
    if (reply.status !== 200) throw new Error(`a get was answered with ${reply.status}: ${reply.body.toString()}`);
    const found = JSON.parse(reply.body.toString()) as { key?: string; val?: string };
    if (found.key !== key || typeof found.val !== "string") throw new Error(`a get was answered with ${reply.body}`);
    return found.val;
  }

  /** Every item with a prefix, page by page. Errors: any other answer than a page. */
  async list(prefix: string, limit: number): Promise<ListedItem[]> {
    const items: ListedItem[] = [];
    for (let cursor: string | null = ""; cursor !== null; ) {
      const target: string = `/scan?prefix=${encodeURIComponent(prefix)}&limit=${limit}&cursor=${cursor}`;
      const reply = await this.ask("GET", target);
      if (reply.status !== 200) throw new Error(`a scan was answered with ${reply.status}: ${reply.body.toString()}`);
      items.push(...listed(reply.body));
      ({ cursor } = JSON.parse(reply.body.toString()) as { cursor: string | null });
    }
    return items;
  }

  /** A put under a condition; whether it was taken. Errors: any other answer. */
  async putIf(key: string, value: string, condition: string): Promise<HttpReply> {
    const body = JSON.stringify({ key, value });
    const head = `POST /put HTTP/1.1\r\nHost: 127.0.0.1\r\n${condition}\r\nContent-Length: ${Buffer.byteLength(body)}`;
    return this.#client.request(Buffer.from(`${head}\r\n\r\n${body}`));
  }

  close(): void {
    this.#client.close();
  }
}

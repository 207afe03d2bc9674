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
      const page = JSON.parse(reply.body.toString()) as {
        items: { key: string; val: string; etag: string }[]; cursor: string | null;
      };
      items.push(...page.items.map(({ key, val, etag }) => ({ key, value: val, etag })));
      cursor = page.cursor;
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

/**
 * A lean HTTP/1.1 client for measuring: one connection, one request at a time, answers with a Content-Length.
 *
 * Of its own, sharing no code with the parts: what misreads both sides of a protocol alike would not be noticed.
 */
import { connect, type Socket } from "node:net";
import { LatheError } from "../../kit/errors.ts";

export interface HttpReply {
  readonly status: number;
  /** The head as latin1 text, its end left out. */
  readonly head: string;
  readonly body: Buffer;
}

/** Called once: with an answer, or with why there is none. */
export type OnReply = (reply: HttpReply | undefined, error: Error | undefined) => void;

const headEnd = Buffer.from("\r\n\r\n", "latin1");
const nothing = Buffer.alloc(0);

export class HttpClient {
  readonly #socket: Socket;
  #waiter: OnReply | undefined;
  #kept: Buffer = nothing;
  #failure: Error | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on("data", (bytes: Buffer) => this.#receive(bytes));
    socket.on("error", (error) => this.#fail(error));
    socket.on("close", () => this.#fail(new LatheError("CLOSED", "the server closed the connection")));
  }

  /** Errors: the system's. */
  static connect(endpoint: { readonly host: string; readonly port: number }): Promise<HttpClient> {
    return new Promise((resolve, reject) => {
      const socket = connect(endpoint.port, endpoint.host);
      socket.once("error", reject);
      socket.once("connect", () => {
        socket.off("error", reject);
        resolve(new HttpClient(socket));
      });
    });
  }

  /** Sends the bytes of a request; the next one waits for this one's answer. */
  send(bytes: Uint8Array, onReply: OnReply): void {
    if (this.#failure !== undefined) return onReply(undefined, this.#failure);
    this.#waiter = onReply;
    this.#socket.write(bytes);
  }

  request(bytes: Uint8Array): Promise<HttpReply> {
    return new Promise((resolve, reject) => {
      this.send(bytes, (reply, error) => (reply === undefined ? reject(error) : resolve(reply)));
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #receive(bytes: Buffer): void {
    const all = this.#kept.length === 0 ? bytes : Buffer.concat([this.#kept, bytes]);
    const end = all.indexOf(headEnd);
    this.#kept = all;
    if (end < 0) return;
    const head = all.toString("latin1", 0, end);
    const field = head.indexOf("Content-Length: ");
    const length = field < 0 ? 0 : Number.parseInt(head.slice(field + 16, field + 32), 10);
    const total = end + 4 + length;
    if (all.length < total) return;
    const waiter = this.#waiter;
    this.#waiter = undefined;
    this.#kept = all.length === total ? nothing : all.subarray(total);
    const status = Number.parseInt(head.slice(9, 12), 10);
    waiter?.({ status, head, body: all.subarray(end + 4, total) }, undefined);
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    const waiter = this.#waiter;
    this.#waiter = undefined;
    waiter?.(undefined, this.#failure);
  }
}

/** The bytes of a request with a body of JSON, or without one. */
export function requestBytes(method: string, target: string, body?: string): Buffer {
  const length = body === undefined ? "" : `Content-Length: ${Buffer.byteLength(body)}\r\n`;
  const type = body === undefined ? "" : "Content-Type: application/json\r\n";
  return Buffer.from(`${method} ${target} HTTP/1.1\r\nHost: 127.0.0.1\r\n${type}${length}\r\n${body ?? ""}`);
}

/**
 * HttpApplication: what stands behind an HTTP server and answers its requests.
 *
 * Contract:
 *   1. `open` is called when the head of a request has come, before its body. It answers at once (refusals, before a
 *   body is read in vain), or returns an exchange that says how it wants the body.
 *   2. Each exchange answers exactly once: by `send`, or by `begin`, `write`… and `end`. It may do so later, in any
 *   turn; the next request of the connection waits for it.
 *   3. Bytes handed in are valid during the call. Bytes handed out must not change afterwards.
 *   4. `gone` is called at most once, when the peer has left before the answer had ended; answers are ignored then.
 */
import type { Metric } from "../../../kit/metric.ts";

export interface HttpRequest {
  /** In capitals, as `GET`. */
  readonly method: string;
  /** As it was sent: percent-encoded, without the query. Begins with `/`. */
  readonly path: string;
  /** Behind the `?`, as it was sent; empty where there is none. */
  readonly query: string;
  /** The address of the peer, for rules about it. */
  readonly remoteAddress: string;
  /** Value of a field by its name in small letters; fields that come several times are joined by commas. */
  header(name: string): string | undefined;
}

export type HttpFields = readonly (readonly [name: string, value: string])[];

export interface HttpAnswer {
  readonly status: number;
  readonly contentType?: string | undefined;
  readonly fields?: HttpFields | undefined;
  /** Text goes out as UTF-8. */
  readonly body?: string | Uint8Array | undefined;
}

export interface HttpResponder {
  send(answer: HttpAnswer): void;
  /** Begins an answer of unknown length. */
  begin(answer: Omit<HttpAnswer, "body">): void;
  /** False: wait for the exchange's `ready` before writing more. */
  write(bytes: Uint8Array): boolean;
  end(): void;
  /** Breaks an answer off that was begun and cannot be ended: the peer must not take it for whole. */
  abort(): void;
  /** A streamed body goes on, after `data` had returned false. */
  resumeBody(): void;
}

export interface HttpExchange {
  /** `collect`: the body comes as a whole, by `handle`. `stream`: in pieces, by `data`, then `end`. */
  readonly body: "collect" | "stream";
  /** A longer body is refused with 413, before it is read where its length is announced. */
  readonly bodyBytesMax: number;
  handle?(body: Uint8Array): void;
  /** False pauses the body until `resumeBody`. */
  data?(bytes: Uint8Array): boolean;
  end?(): void;
  /** The peer takes bytes again. */
  ready?(): void;
  gone?(): void;
}

export interface HttpApplication {
  open(request: HttpRequest, responder: HttpResponder): HttpExchange | HttpAnswer;
  metrics(): Metric[];
}

/**
 * HttpProtocol: one connection's side of HTTP/1.1, sans I/O: bytes in, answers out.
 *
 *   1. Requests are read where their bytes come in (request-reader.ts); only unfinished lines, and what comes behind a
 *      request that waits for its answer, are kept, within budgets that all connections share.
 *   2. One request of a connection is answered at a time, so answers come in order and a read that is sent behind a
 *      write sees it. Other connections go on meanwhile.
 *   3. A body goes to the application as a whole or in pieces, as the exchange asks for; one that nobody wants, since
 *      the answer came before it, ends the connection behind the answer.
 *   4. After so many requests of one turn the rest waits for the next, so that a connection that pipelines does not
 *      keep others waiting.
 *   5. What is no HTTP, or beyond a limit, is answered with the status that says so, and the connection closes: behind
 *      such bytes nobody knows where the next request begins.
 * Source: RFC 9110 and 9112; uWebSockets for requests in place; Node's http for the order of pipelined answers.
 */
import { assert } from "../../../../../kit/assert.ts";
import { errorCodeOf } from "../../../../../kit/errors.ts";
import type { HttpAnswer, HttpExchange, HttpResponder } from "../../http-application.ts";
import { InboundBuffer } from "../../inbound-buffer.ts";
import {
  type AnswerFrame, continueLine, lastChunk, writeAnswer, writeChunk, writeStreamHead,
} from "./answer-writer.ts";
import type { HttpContext, HttpHost } from "./http-context.ts";
import { fault, reasonPhrases, type RequestFault } from "./request-fault.ts";
import { RequestReader } from "./request-reader.ts";

const textType = "text/plain; charset=utf-8";
const nothing = Buffer.alloc(0);

/** What a connection is waiting for; times are counted by it. */
export type HttpWait = "first" | "head" | "body" | "answer" | "idle" | "closed";

export class HttpProtocol implements HttpResponder {
  readonly #context: HttpContext;
  readonly #host: HttpHost;
  readonly #reader: RequestReader;
  readonly #inbound: InboundBuffer;
  /** A body that did not come in one piece. */
  readonly #body: InboundBuffer;
  #exchange: HttpExchange | undefined;
  /** The answer has ended, or has not begun; between them it is streamed. */
  #answering: "none" | "due" | "streaming" = "none";
  #requestEnded = true;
  #bodyBytes = 0;
  #bodyPaused = false;
  #closing = false;
  #draining = false;
  #closed = false;
  #served = 0;
  #turnRequests = 0;
  #yielded = false;
  #working = false;
  #waitSinceUs: number;
  #headUs = 0;

  constructor(context: HttpContext, host: HttpHost, remoteAddress: string) {
    this.#context = context;
    this.#host = host;
    this.#reader = new RequestReader(context.limits);
    this.#reader.head.remoteAddress = remoteAddress;
    this.#inbound = new InboundBuffer(context.inbound);
    this.#body = new InboundBuffer(context.inbound);
    this.#waitSinceUs = context.clock.monotonicUs();
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Bytes that came and were not read yet. */
  get keptBytes(): number {
    return this.#inbound.length;
  }

  get bodyBytes(): number {
    return this.#bodyBytes;
  }

  /** Since when the present wait lasts. */
  get waitSinceUs(): number {
    return this.#waitSinceUs;
  }

  get wait(): HttpWait {
    if (this.#closed) return "closed";
    if (this.#answering !== "none" && (this.#requestEnded || this.#bodyPaused)) return "answer";
    if (this.#answering !== "none") return "body";
    if (this.#reader.begun || this.#inbound.length > 0) return "head";
    return this.#served === 0 ? "first" : "idle";
  }

  /** Whether bytes that come now could not be used. */
  get wantsPause(): boolean {
    if (this.#closed) return false;
    return this.#host.blocked() || this.#bodyPaused || this.#yielded ||
      (this.#inbound.length > 0 && !this.#mayRead());
  }

  receive(bytes: Uint8Array): void {
    this.#context.metrics.bytesReceived += bytes.length;
    if (this.#closed) return;
    if (this.wait === "first" || this.wait === "idle") this.#waitSinceUs = this.#context.clock.monotonicUs();
    this.#turnRequests = 0;
    if (this.#inbound.length === 0 && this.#mayRead()) {
      const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
      const at = this.#work(buffer, 0, buffer.length);
      if (!this.#closed && at < buffer.length) this.#keep(bytes, at);
      return;
    }
    if (this.#inbound.length + bytes.length > this.#context.limits.pipelineBytesMax && !this.#mayRead()) {
      return this.#refuse(fault(503, "too many bytes came behind a request that was being answered"));
    }
    if (this.#keep(bytes, 0) && this.#mayRead()) this.#workOnKept();
  }

  /** Goes on with what was kept. */
  proceed(): void {
    if (this.#closed || this.#working) return;
    this.#yielded = false;
    this.#turnRequests = 0;
    if (this.#answering === "streaming" && !this.#host.blocked()) this.#exchange?.ready?.();
    if (this.#inbound.length > 0 && this.#mayRead()) this.#workOnKept();
  }

  /** Ends the connection as soon as no request is under way. */
  drain(): void {
    this.#draining = true;
    if (this.#answering === "none" && !this.#closed && !this.#reader.begun) this.#close();
  }

  disconnected(): void {
    const exchange = this.#answering === "none" ? undefined : this.#exchange;
    this.#close();
    exchange?.gone?.();
  }

  /** A time limit has passed. */
  timeOut(): void {
    const wait = this.wait;
    this.#context.metrics.timeouts++;
    if (wait === "head" || wait === "body" || wait === "first") {
      this.#refuse(fault(408, "the request took too long to come"));
    } else this.#close();
  }

  /** Answers outside of every request, and closes. */
  refuseConnection(refusal: RequestFault): void {
    this.#refuse(refusal);
  }

  #mayRead(): boolean {
    if (this.#closed || this.#yielded || this.#bodyPaused || this.#host.blocked()) return false;
    return this.#answering === "none" || !this.#requestEnded;
  }

  #keep(bytes: Uint8Array, from: number): boolean {
    if (this.#inbound.append(bytes, from, bytes.length)) return true;
    this.#refuse(fault(503, "the memory for unfinished requests is used up; try again later"));
    return false;
  }

  #workOnKept(): void {
    const inbound = this.#inbound;
    const at = this.#work(inbound.bytes, inbound.start, inbound.end);
    if (!this.#closed) inbound.consume(at);
  }

  /** Reads from bytes until they end, or until something must be waited for; returns how far it came. */
  #work(bytes: Buffer, start: number, end: number): number {
    let at = start;
    this.#working = true;
    try {
      while (this.#mayRead()) {
        at = this.#reader.next(bytes, at, end);
        if (this.#reader.event === "more") break;
        this.#take(bytes);
      }
    } finally {
      this.#working = false;
    }
    return at;
  }

  #take(bytes: Buffer): void {
    const reader = this.#reader;
    switch (reader.event) {
      case "head":
        return this.#takeHead();
      case "data":
        return this.#takeData(bytes.subarray(reader.dataStart, reader.dataEnd));
      case "end":
        return this.#takeEnd(nothing);
      default:
        this.#context.metrics.malformed++;
        return this.#refuse(reader.fault as RequestFault);
    }
  }

  #takeHead(): void {
    const { application, clock } = this.#context;
    const { head } = this.#reader;
    this.#answering = "due";
    this.#requestEnded = false;
    this.#bodyBytes = 0;
    this.#headUs = clock.monotonicUs();
    this.#waitSinceUs = this.#headUs;
    let opened: HttpExchange | HttpAnswer;
    try {
      opened = application.open(head, this);
    } catch (error) {
      return this.#failInside(error);
    }
    if ("status" in opened) {
      // Where a body may follow, nobody knows whether it does: a client that expects a go-ahead may leave it out.
      if ((head.bodyLength ?? 0) !== 0) this.#closing = true;
      return this.send(opened);
    }
    this.#exchange = opened;
    if (head.bodyLength !== undefined && head.bodyLength > opened.bodyBytesMax) return this.#refuseBody();
    if (head.expectsContinue && head.bodyLength !== undefined && head.bodyLength !== 0) this.#write(continueLine);
  }

  #refuseBody(): void {
    const bytesMax = this.#exchange?.bodyBytesMax ?? 0;
    this.#exchange?.gone?.();
    this.#refuse(fault(413, `the body of this request has at most ${bytesMax} bytes`));
  }

  #takeData(data: Buffer): void {
    const exchange = this.#exchange;
    this.#bodyBytes += data.length;
    if (this.#closing || exchange === undefined) return;
    if (this.#bodyBytes > exchange.bodyBytesMax) return this.#refuseBody();
    if (exchange.body === "stream") {
      this.#guard(() => {
        if (exchange.data?.(data) === false) this.#bodyPaused = true;
      });
      return;
    }
    // Most bodies come in one piece, and are used where they lie.
    if (this.#bodyBytes === data.length && data.length === this.#reader.head.bodyLength) return this.#takeEnd(data);
    if (!this.#body.append(data, 0, data.length)) {
      this.#exchange?.gone?.();
      this.#refuse(fault(503, "the memory for unfinished requests is used up; try again later"));
    }
  }

  #takeEnd(whole: Buffer): void {
    if (this.#requestEnded) return;
    this.#requestEnded = true;
    this.#waitSinceUs = this.#context.clock.monotonicUs();
    const exchange = this.#exchange;
    if (this.#answering === "none" || exchange === undefined) return this.#afterAnswer();
    const body = this.#body;
    const collected = whole.length > 0 ? whole : body.bytes.subarray(body.start, body.end);
    this.#guard(() => (exchange.body === "stream" ? exchange.end?.() : exchange.handle?.(collected)));
    if (body.bytes.length > 0) body.release();
  }

  /** Runs the application's code: what it throws is answered, and does not take other connections down. */
  #guard(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.#failInside(error);
    }
  }

  #failInside(error: unknown): void {
    this.#context.log.error("http_request_failed", { path: this.#reader.head.path, error });
    if (this.#answering === "streaming") return this.abort();
    const status = errorCodeOf(error) === "BACKPRESSURE" ? 503 : 500;
    this.#closing = true;
    this.send({ status, contentType: textType, body: `${reasonPhrases[status]}: see the server's log\n` });
  }

  send(answer: HttpAnswer): void {
    if (this.#closed) return;
    assert(this.#answering === "due", "a request is answered once");
    if (this.#draining) this.#closing = true;
    this.#write(writeAnswer(answer, this.#frame()));
    this.#finish(answer.status);
  }

  begin(answer: Omit<HttpAnswer, "body">): void {
    if (this.#closed) return;
    assert(this.#answering === "due", "a request is answered once");
    if (this.#draining || this.#reader.head.minor === 0) this.#closing = true;
    this.#answering = "streaming";
    this.#context.metrics.countAnswer(answer.status);
    this.#write(writeStreamHead(answer, this.#frame()));
  }

  write(bytes: Uint8Array): boolean {
    if (this.#closed) return true;
    assert(this.#answering === "streaming", "an answer begins before it is written");
    if (bytes.length > 0 && this.#reader.head.method !== "HEAD") {
      this.#write(this.#reader.head.minor === 1 ? writeChunk(bytes) : bytes);
    }
    return !this.#host.blocked();
  }

  end(): void {
    if (this.#closed) return;
    assert(this.#answering === "streaming", "an answer begins before it ends");
    if (this.#reader.head.minor === 1 && this.#reader.head.method !== "HEAD") this.#write(lastChunk);
    this.#finish(undefined);
  }

  abort(): void {
    if (this.#closed) return;
    this.#close();
    this.#host.settled();
  }

  resumeBody(): void {
    if (!this.#bodyPaused) return;
    this.#bodyPaused = false;
    this.#waitSinceUs = this.#context.clock.monotonicUs();
    if (this.#working || this.#closed) return;
    this.proceed();
    this.#host.settled();
  }

  #frame(): AnswerFrame {
    const { clock, date } = this.#context;
    const { head } = this.#reader;
    return {
      date: date.textAt(clock.nowMs()),
      minor: head.minor,
      keepAlive: head.keepAlive && !this.#closing,
      // Before a head has come its method is that of the request before.
      omitBody: this.#answering !== "none" && head.method === "HEAD",
    };
  }

  #write(bytes: Uint8Array): void {
    this.#context.metrics.bytesSent += bytes.length;
    this.#host.send(bytes);
  }

  #finish(status: number | undefined): void {
    const { metrics, clock } = this.#context;
    if (status !== undefined) metrics.countAnswer(status);
    metrics.latency.record(clock.monotonicUs() - this.#headUs);
    this.#answering = "none";
    this.#bodyPaused = false;
    // An answer that came before the whole body: what still comes belongs to nobody.
    const bodyDue = !this.#requestEnded && (this.#reader.head.bodyLength ?? 0) !== 0;
    if (!this.#reader.head.keepAlive || bodyDue) this.#closing = true;
    if (this.#requestEnded || this.#closing) this.#afterAnswer();
  }

  #afterAnswer(): void {
    this.#served++;
    this.#exchange = undefined;
    this.#waitSinceUs = this.#context.clock.monotonicUs();
    if (this.#closing) this.#close();
    else if (++this.#turnRequests >= this.#context.limits.turnRequestsMax && !this.#yielded) {
      this.#yielded = true;
      this.#host.yieldTurn();
    }
    if (this.#working) return;
    this.proceed();
    this.#host.settled();
  }

  #refuse({ status, text }: RequestFault): void {
    if (this.#closed) return;
    if (this.#answering === "streaming") return this.abort();
    this.#closing = true;
    const body = `${reasonPhrases[status]}: ${text}\n`;
    this.#write(writeAnswer({ status, contentType: textType, body }, this.#frame()));
    this.#context.metrics.countAnswer(status);
    this.#answering = "none";
    this.#close();
    if (!this.#working) this.#host.settled();
  }

  /** Nothing is read or answered any more; the host sends what is left and ends the connection. */
  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#answering = "none";
    this.#exchange = undefined;
    this.#inbound.release();
    this.#body.release();
  }
}

/** One accepted connection: the world's side of an HttpProtocol. */
import type { Connection } from "../../../../../kit/env/env.ts";
import type { PlacedConnection } from "../../connection-places.ts";
import type { HttpContext, HttpHost } from "./http-context.ts";
import type { HttpLimits } from "./http-limits.ts";
import { HttpProtocol } from "./http-protocol.ts";
import { fault } from "./request-fault.ts";

/** First byte of TLS's handshake. */
const handshakeRecord = 0x16;

type TimeLimit = keyof HttpLimits & `${string}TimeoutMs`;

export class HttpConnection implements HttpHost, PlacedConnection {
  readonly #context: HttpContext;
  readonly #connection: Connection;
  readonly #protocol: HttpProtocol;
  /** Since when the client leaves bytes unread; undefined while it does not. */
  #blockedSinceUs: number | undefined;
  /** What this connection holds of the budget for unread answers. */
  #unreadBytes = 0;
  #endedAtUs: number | undefined;
  #heldSinceUs: number | undefined;
  #paused = false;
  /** Its first bytes have come. */
  #begun = false;
  #gone = false;

  constructor(context: HttpContext, connection: Connection, onGone: () => void) {
    this.#context = context;
    this.#connection = connection;
    this.#protocol = new HttpProtocol(context, this, connection.remoteAddress);
    connection.onData((bytes) => this.#receive(bytes));
    connection.onDrain(() => this.#unblock());
    connection.onClose(() => {
      this.#gone = true;
      this.#giveUnread();
      this.#protocol.disconnected();
      onGone();
    });
  }

  get refused(): boolean {
    return this.#protocol.closed;
  }

  /** Leaves it unread until `release`. */
  hold(): void {
    this.#heldSinceUs = this.#context.clock.monotonicUs();
    this.#steer();
  }

  release(): void {
    if (this.#heldSinceUs === undefined) return;
    this.#heldSinceUs = undefined;
    this.#steer();
  }

  refuse(text: string): void {
    this.#protocol.refuseConnection(fault(503, text));
  }

  send(bytes: Uint8Array): void {
    if (this.#connection.write(bytes)) return;
    this.#blockedSinceUs ??= this.#context.clock.monotonicUs();
    this.#takeUnread();
  }

  blocked(): boolean {
    return this.#blockedSinceUs !== undefined;
  }

  yieldTurn(): void {
    this.#context.clock.defer(() => {
      this.#protocol.proceed();
      this.#steer();
    });
  }

  settled(): void {
    this.#steer();
  }

  drain(): void {
    this.#protocol.drain();
    this.#steer();
  }

  destroy(): void {
    this.#connection.destroy();
  }

  #receive(bytes: Uint8Array): void {
    if (!this.#begun && bytes.length > 0) {
      this.#begun = true;
      if (this.#beginTls(bytes)) return;
    }
    this.#protocol.receive(bytes);
    this.#steer();
  }

  /** HTTPS begins with a handshake record, plain HTTP with a letter. */
  #beginTls(bytes: Uint8Array): boolean {
    const { tls } = this.#context;
    if (tls === undefined) return false;
    if (bytes[0] === handshakeRecord && this.#connection.startTls !== undefined) {
      this.#connection.startTls(tls.identity, bytes);
      return true;
    }
    if (!tls.required) return false;
    this.#protocol.refuseConnection(fault(403, "this server speaks HTTPS only"));
    this.#steer();
    return true;
  }

  #unblock(): void {
    if (this.#blockedSinceUs === undefined) return;
    this.#blockedSinceUs = undefined;
    this.#giveUnread();
    this.#protocol.proceed();
    this.#steer();
  }

  /** Counts what the client leaves unread; one that would take more than is left for all is closed. */
  #takeUnread(): void {
    const more = this.#connection.bufferedBytes - this.#unreadBytes;
    if (more <= 0) return;
    if (this.#context.outbound.tryTake(more)) this.#unreadBytes += more;
    else {
      this.#context.metrics.slowReadersClosed++;
      this.#context.log.warn("http_unread_answers_exceed_memory", { bytes: this.#connection.bufferedBytes });
      // Later: the caller is in the middle of writing an answer.
      this.#context.clock.defer(() => this.#connection.destroy());
    }
  }

  #giveUnread(): void {
    this.#context.outbound.give(this.#unreadBytes);
    this.#unreadBytes = 0;
  }

  /** Reads on, pauses or ends, as the protocol's state asks for. */
  #steer(): void {
    if (this.#gone) return;
    if (this.#protocol.closed) {
      if (this.#endedAtUs !== undefined) return;
      this.#endedAtUs = this.#context.clock.monotonicUs();
      // Reading goes on, so that the client's end is seen; what still comes is dropped.
      if (this.#paused) this.#connection.resume();
      this.#paused = false;
      this.#connection.end();
      return;
    }
    const pause = this.#heldSinceUs !== undefined || this.#protocol.wantsPause;
    if (pause === this.#paused) return;
    this.#paused = pause;
    if (pause) this.#connection.pause();
    else this.#connection.resume();
  }

  checkWaitingTime(nowUs: number): void {
    if (this.#endedAtUs === undefined) {
      const since = this.#heldSinceUs ?? nowUs;
      if (nowUs - since > this.#context.limits.queueTimeoutMs * 1000) {
        this.#context.metrics.connectionsRefused++;
        this.refuse("all connections are taken; try again later");
      }
    } else if (nowUs - this.#endedAtUs > this.#context.limits.lingerTimeoutMs * 1000) this.destroy();
  }

  /** Closes a connection that has used up one of its times. */
  checkTime(nowUs: number): void {
    const { limits, metrics, log } = this.#context;
    // A drain that was announced but never came would leave the connection paused for good.
    if (this.#blockedSinceUs !== undefined && this.#connection.bufferedBytes === 0) this.#unblock();
    const reason = this.#expired(nowUs, limits);
    if (reason === undefined) return;
    log.info("http_connection_timed_out", { limit: reason, ms: limits[reason], wait: this.#protocol.wait });
    if (reason === "slowReaderTimeoutMs") metrics.slowReadersClosed++;
    if (reason === "slowReaderTimeoutMs" || reason === "lingerTimeoutMs") return this.#connection.destroy();
    this.#protocol.timeOut();
    this.#steer();
  }

  #expired(nowUs: number, limits: HttpLimits): TimeLimit | undefined {
    const past = (sinceUs: number, ms: number) => nowUs - sinceUs > ms * 1000;
    const protocol = this.#protocol;
    if (this.#blockedSinceUs !== undefined && past(this.#blockedSinceUs, limits.slowReaderTimeoutMs)) {
      return "slowReaderTimeoutMs";
    }
    if (this.#endedAtUs !== undefined) {
      return past(this.#endedAtUs, limits.lingerTimeoutMs) ? "lingerTimeoutMs" : undefined;
    }
    if (this.blocked()) return undefined;
    switch (protocol.wait) {
      case "first":
      case "head":
        return past(protocol.waitSinceUs, limits.headTimeoutMs) ? "headTimeoutMs" : undefined;
      case "body": {
        const allowedMs = limits.bodyTimeoutMs + (1000 * protocol.bodyBytes) / limits.bodyBytesPerSecondMin;
        return past(protocol.waitSinceUs, allowedMs) ? "bodyTimeoutMs" : undefined;
      }
      case "idle":
        return past(protocol.waitSinceUs, limits.idleTimeoutMs) ? "idleTimeoutMs" : undefined;
      default:
        return undefined;
    }
  }
}

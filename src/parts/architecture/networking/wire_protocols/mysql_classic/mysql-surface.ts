/**
 * The MySQL surface: listens, and moves bytes between connections and their protocol state machines.
 *
 * Each connection is served where its bytes come in; there is no queue between. Reading from a
 * connection pauses when commands queue behind a statement, or while it leaves answers unread. One
 * timer for all connections looks after the time limits. `drain` stops accepting, closes idle
 * connections, and closes the others as their statement has been answered. Beyond loopback, clients must use TLS.
 * Source: Node's net for the socket model; MySQL's connection handling for what is refused when.
 */
import { assert } from "../../../../../kit/assert.ts";
import type { Connection, Env, Listener, Timer } from "../../../../../kit/env/env.ts";
import { LatheError } from "../../../../../kit/errors.ts";
import { isLoopback } from "../../../../../kit/loopback.ts";
import type { Metric } from "../../../../../kit/metric.ts";
import type { Surface } from "../../surface.ts";
import { ConnectionProtocol } from "./connection-protocol.ts";
import type { TlsState } from "./handshake.ts";
import type { MysqlLimits } from "./limits.ts";
import { OutputBuffer } from "./output-buffer.ts";
import { createProtocolContext } from "./protocol-context.ts";
import type { MysqlSurfaceOptions, ProtocolContext, ProtocolHost } from "./protocol-context.ts";
import { writeError } from "./result-writer.ts";
import { protocolError } from "./wire-error.ts";
import type { WireError } from "./wire-error.ts";

const sweepMsMax = 1000;

/** Opens a surface; `listen` binds it. Errors: INVALID_ARGUMENT for limits out of range. */
export function openMysqlSurface(env: Env, options: MysqlSurfaceOptions): Surface {
  return new MysqlSurface(env, createProtocolContext(env, options));
}

class MysqlSurface implements Surface {
  readonly #env: Env;
  readonly #context: ProtocolContext;
  readonly #connections = new Set<MysqlConnection>();
  readonly #sweepMs: number;
  #listener: Listener | undefined;
  #beyondLoopback = false;
  #closed = false;
  #lastConnectionId = 0;
  #sweepTimer: Timer | undefined;
  #emptied: (() => void) | undefined;

  constructor(env: Env, context: ProtocolContext) {
    this.#env = env;
    this.#context = context;
    const { loginTimeoutMs, idleTimeoutMs, slowReaderTimeoutMs, lingerTimeoutMs } = context.limits;
    const shortest = Math.min(loginTimeoutMs, idleTimeoutMs, slowReaderTimeoutMs, lingerTimeoutMs);
    this.#sweepMs = Math.min(sweepMsMax, Math.ceil(shortest / 4));
  }

  async listen(options: { host: string; port: number }): Promise<{ port: number }> {
    if (this.#closed || this.#listener !== undefined) {
      throw new LatheError("CLOSED", "this surface listens already, or was closed; open another one");
    }
    this.#beyondLoopback = !isLoopback(options.host);
    if (this.#beyondLoopback && this.#context.tls === undefined) {
      throw new LatheError(
        "INVALID_ARGUMENT",
        `cannot listen on ${options.host} without TLS; give a certificate, or listen on 127.0.0.1`,
      );
    }
    const listener = await this.#env.network.listen(options, (connection) => this.#accept(connection));
    this.#listener = listener;
    return { port: listener.port };
  }

  async drain(timeoutMs: number): Promise<void> {
    await this.#stopAccepting();
    for (const connection of this.#connections) connection.drain();
    if (this.#connections.size > 0) {
      await new Promise<void>((resolve) => {
        this.#emptied = resolve;
        this.#env.clock.setTimer(timeoutMs, resolve);
      });
    }
    await this.close();
  }

  async close(): Promise<void> {
    await this.#stopAccepting();
    this.#sweepTimer?.cancel();
    this.#sweepTimer = undefined;
    for (const connection of this.#connections) connection.destroy();
  }

  metrics(): Metric[] {
    const { metrics, statements, inbound } = this.#context;
    return metrics.toMetrics(statements.used, inbound.used);
  }

  async #stopAccepting(): Promise<void> {
    this.#closed = true;
    const listener = this.#listener;
    this.#listener = undefined;
    await listener?.close();
  }

  #accept(connection: Connection): void {
    const { metrics, limits } = this.#context;
    if (this.#closed) return connection.destroy();
    if (this.#connections.size >= limits.connectionsMax) {
      metrics.connectionsRefused++;
      return this.#refuse(connection, protocolError("too_many_connections", "Too many connections"));
    }
    const tls = this.#tlsFor(connection);
    if (tls === "required" && connection.startTls === undefined) {
      const message = "this server asks for TLS, which its network does not have";
      return this.#refuse(connection, protocolError("insecure_transport", message));
    }
    metrics.connectionsAccepted++;
    metrics.connectionsOpen++;
    this.#lastConnectionId = (this.#lastConnectionId % 0xffff_ffff) + 1;
    const accepted = new MysqlConnection(this.#context, connection, tls, () => {
      this.#forget(accepted);
    });
    this.#connections.add(accepted);
    accepted.greet(this.#lastConnectionId);
    this.#sweepTimer ??= this.#scheduleSweep();
  }

  /** In place of a greeting the client gets an error, which it shows to its user. */
  #refuse(connection: Connection, error: WireError): void {
    const output = new OutputBuffer(this.#context.slab, (bytes) => void connection.write(bytes));
    writeError(output, error);
    this.#context.metrics.countError(error.number);
    connection.onData(() => {});
    connection.onDrain(() => {});
    const timer = this.#env.clock.setTimer(this.#context.limits.lingerTimeoutMs, () => connection.destroy());
    connection.onClose(() => timer.cancel());
    output.flush();
    connection.end();
  }

  #tlsFor(connection: Connection): TlsState {
    const { tls } = this.#context;
    if (tls === undefined) return "absent";
    if (tls.required || this.#beyondLoopback) return "required";
    return connection.startTls === undefined ? "absent" : "offered";
  }

  #forget(connection: MysqlConnection): void {
    if (!this.#connections.delete(connection)) return;
    this.#context.metrics.connectionsOpen--;
    if (this.#connections.size > 0) return;
    this.#sweepTimer?.cancel();
    this.#sweepTimer = undefined;
    this.#emptied?.();
  }

  #scheduleSweep(): Timer {
    return this.#env.clock.setTimer(this.#sweepMs, () => {
      const nowUs = this.#env.clock.monotonicUs();
      for (const connection of this.#connections) connection.checkTime(nowUs);
      this.#sweepTimer = this.#connections.size > 0 ? this.#scheduleSweep() : undefined;
    });
  }
}

/** One accepted connection: the world's side of a ConnectionProtocol. */
class MysqlConnection implements ProtocolHost {
  readonly #context: ProtocolContext;
  readonly #connection: Connection;
  readonly #protocol: ConnectionProtocol;
  /** Since when the client leaves bytes unread; undefined while it does not. */
  #blockedSinceUs: number | undefined;
  #endedAtUs: number | undefined;
  #paused = false;

  constructor(context: ProtocolContext, connection: Connection, tls: TlsState, onGone: () => void) {
    this.#context = context;
    this.#connection = connection;
    this.#protocol = new ConnectionProtocol(context, this, tls);
    connection.onData((bytes) => this.#receive(bytes));
    connection.onDrain(() => this.#unblock());
    connection.onClose(() => {
      this.#protocol.disconnected();
      onGone();
    });
  }

  greet(connectionId: number): void {
    this.#protocol.greet(connectionId);
  }

  send(bytes: Uint8Array): void {
    const taken = this.#connection.write(bytes);
    if (!taken) this.#blockedSinceUs ??= this.#context.clock.monotonicUs();
  }

  unsentBytes(): number {
    return this.#connection.bufferedBytes;
  }

  blocked(): boolean {
    return this.#blockedSinceUs !== undefined;
  }

  settled(): void {
    this.#steer();
  }

  startTls(received: Uint8Array): void {
    const { tls } = this.#context;
    assert(tls !== undefined && this.#connection.startTls !== undefined, "TLS was agreed on and is not there");
    this.#connection.startTls(tls.identity, received);
  }

  drain(): void {
    this.#protocol.drain();
    this.#steer();
  }

  destroy(): void {
    this.#connection.destroy();
  }

  #receive(bytes: Uint8Array): void {
    const protocol = this.#protocol;
    protocol.receive(bytes);
    if (protocol.busy || protocol.phase === "closed" || this.#blockedSinceUs !== undefined) this.#steer();
  }

  #unblock(): void {
    if (this.#blockedSinceUs === undefined) return;
    this.#blockedSinceUs = undefined;
    this.#protocol.proceed();
    this.#steer();
  }

  /** Reads on, pauses or ends, as the protocol's state asks for. */
  #steer(): void {
    const protocol = this.#protocol;
    if (protocol.phase === "closed") {
      if (this.#endedAtUs !== undefined) return;
      this.#endedAtUs = this.#context.clock.monotonicUs();
      // Reading goes on, so that the client's end is seen; what still comes is dropped.
      if (this.#paused) this.#connection.resume();
      this.#connection.end();
      return;
    }
    // While a statement waits, reading goes on until bytes come behind it, so that a client that
    // goes away meanwhile is noticed.
    const pause = this.#blockedSinceUs !== undefined || (protocol.busy && protocol.keptBytes > 0);
    if (pause === this.#paused) return;
    this.#paused = pause;
    if (pause) this.#connection.pause();
    else this.#connection.resume();
  }

  /** Closes a connection that has used up one of its times. */
  checkTime(nowUs: number): void {
    const { limits, metrics, log } = this.#context;
    const protocol = this.#protocol;
    // A drain that was announced but never came would leave the connection paused for good.
    if (this.#blockedSinceUs !== undefined && this.#connection.bufferedBytes === 0) this.#unblock();
    const reason = this.#expired(nowUs, limits);
    if (reason === undefined) return;
    if (reason === "slowReaderTimeoutMs") metrics.slowReadersClosed++;
    log.info("mysql_connection_timed_out", { limit: reason, ms: limits[reason], phase: protocol.phase });
    this.#connection.destroy();
  }

  #expired(nowUs: number, limits: MysqlLimits): TimeLimit | undefined {
    const past = (sinceUs: number, limit: TimeLimit) => nowUs - sinceUs > limits[limit] * 1000;
    const protocol = this.#protocol;
    if (this.#blockedSinceUs !== undefined && past(this.#blockedSinceUs, "slowReaderTimeoutMs")) {
      return "slowReaderTimeoutMs";
    }
    if (this.#endedAtUs !== undefined) {
      return past(this.#endedAtUs, "lingerTimeoutMs") ? "lingerTimeoutMs" : undefined;
    }
    if (protocol.phase === "login" && past(protocol.loginSinceUs, "loginTimeoutMs")) return "loginTimeoutMs";
    if (!protocol.busy && past(protocol.lastReceivedUs, "idleTimeoutMs")) return "idleTimeoutMs";
    return undefined;
  }
}

type TimeLimit = keyof MysqlLimits & `${string}TimeoutMs`;

/**
 * The MySQL surface: listens, and moves bytes between connections and their protocol state machines.
 *
 * Each connection is served where its bytes come in; there is no queue between. Reading from a
 * connection pauses when commands queue behind a statement, or while it leaves answers unread. One
 * timer for all connections looks after the time limits. Connections beyond the limit wait, unread and without a
 * greeting, until one of the others ends or their time is up. `drain` stops accepting, closes idle
 * connections, and closes the others as their statement has been answered. Beyond loopback, clients must use TLS; over
 * a Unix-domain socket there is none, for its bytes never leave the machine.
 * Source: Node's net for the socket model; MySQL's connection handling for what is refused when.
 */
import { assert } from "../../../../../kit/assert.ts";
import type { Connection, Env, Listener, Timer } from "../../../../../kit/env/env.ts";
import { LatheError } from "../../../../../kit/errors.ts";
import { isLoopback } from "../../../../../kit/loopback.ts";
import type { Metric } from "../../../../../kit/metric.ts";
import { ConnectionPlaces, type PlacedConnection } from "../../connection-places.ts";
import type { ListenAt, Surface } from "../../surface.ts";
import { backlogFor } from "../../surface-limits.ts";
import type { SessionProcess } from "../../../../query_processing/executor.ts";
import { ConnectionProtocol } from "./connection-protocol.ts";
import type { RegisteredConnection } from "./connection-registry.ts";
import type { TlsState } from "./handshake.ts";
import type { MysqlLimits } from "./limits.ts";
import { OutputBuffer } from "./output-buffer.ts";
import { createProtocolContext } from "./protocol-context.ts";
import type { MysqlSurfaceOptions, ProtocolContext, ProtocolHost } from "./protocol-context.ts";
import { writeError } from "./result-writer.ts";
import { protocolError } from "./wire-error.ts";
import type { WireError } from "./wire-error.ts";

/** Opens a surface; `listen` binds it. Errors: INVALID_ARGUMENT for limits out of range. */
export function openMysqlSurface(env: Env, options: MysqlSurfaceOptions): Surface {
  return new MysqlSurface(env, createProtocolContext(env, options));
}

class MysqlSurface implements Surface {
  readonly #env: Env;
  readonly #context: ProtocolContext;
  readonly #places: ConnectionPlaces<MysqlConnection>;
  readonly #listeners: Listener[] = [];
  #beyondLoopback = false;
  #closed = false;
  #lastConnectionId = 0;

  constructor(env: Env, context: ProtocolContext) {
    this.#env = env;
    this.#context = context;
    const { connectionsMax, loginTimeoutMs, idleTimeoutMs, slowReaderTimeoutMs, lingerTimeoutMs, waitingTimeoutMs } =
      context.limits;
    this.#places = new ConnectionPlaces<MysqlConnection>(env.clock, {
      placesMax: connectionsMax,
      shortestLimitMs: Math.min(
        loginTimeoutMs, idleTimeoutMs, slowReaderTimeoutMs, lingerTimeoutMs, waitingTimeoutMs,
      ),
      onServed: (connection) => this.#serve(connection),
    });
  }

  async listen({ host, port, socketPath }: ListenAt): Promise<{ port: number }> {
    if (this.#closed || this.#listeners.length > 0) {
      throw new LatheError("CLOSED", "this surface listens already, or was closed; open another one");
    }
    this.#beyondLoopback = !isLoopback(host);
    if (this.#beyondLoopback && this.#context.tls === undefined) {
      throw new LatheError(
        "INVALID_ARGUMENT",
        `cannot listen on ${host} without TLS; give a certificate, or listen on 127.0.0.1`,
      );
    }
    const { network } = this.#env;
    // The path first: it may be in use, and whoever sees the port open may use either.
    if (socketPath !== undefined) {
      this.#listeners.push(await network.listenOnPath(socketPath, (connection) => this.#accept(connection, "local")));
    }
    try {
      const { connectionsMax, connectionsWaitingMax } = this.#context.limits;
      const backlog = backlogFor(connectionsMax, connectionsWaitingMax);
      const listener = await network.listen({ host, port, backlog }, (connection) => this.#accept(connection));
      this.#listeners.push(listener);
      return { port: listener.port };
    } catch (error) {
      await this.#stopAccepting();
      throw error;
    }
  }

  async drain(timeoutMs: number): Promise<void> {
    await this.#stopAccepting();
    await this.#places.drain(timeoutMs);
    await this.close();
  }

  async close(): Promise<void> {
    await this.#stopAccepting();
    this.#places.destroyAll();
  }

  metrics(): Metric[] {
    const { metrics, statements, inbound, unsent } = this.#context;
    return metrics.toMetrics({
      statements: statements.used, inboundBytes: inbound.used, unsentBytes: unsent.used, waiting: this.#places.waiting,
    });
  }

  async #stopAccepting(): Promise<void> {
    this.#closed = true;
    this.#places.close();
    for (const listener of this.#listeners.splice(0)) await listener.close();
  }

  #accept(connection: Connection, tls: TlsState = this.#tlsFor(connection)): void {
    const { limits } = this.#context;
    if (this.#closed) return connection.destroy();
    if (tls === "required" && connection.startTls === undefined) {
      const message = "this server asks for TLS, which its network does not have";
      return this.#refuse(connection, protocolError("insecure_transport", message));
    }
    if (this.#places.areTaken && this.#places.waiting >= limits.connectionsWaitingMax) {
      this.#context.metrics.connectionsRefused++;
      return this.#refuse(connection, protocolError("too_many_connections", "Too many connections"));
    }
    this.#lastConnectionId = (this.#lastConnectionId % 0xffff_ffff) + 1;
    const accepted = new MysqlConnection(this.#context, connection, this.#lastConnectionId, tls, () => {
      this.#forget(accepted);
    });
    this.#places.add(accepted);
  }

  #serve(accepted: MysqlConnection): void {
    const { metrics, connections } = this.#context;
    metrics.connectionsAccepted++;
    metrics.connectionsOpen++;
    connections.add(accepted.connectionId, accepted);
    accepted.greet();
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
    if (!this.#places.remove(connection)) return;
    const { metrics, connections } = this.#context;
    metrics.connectionsOpen--;
    connections.remove(connection.connectionId);
  }
}

/** One accepted connection: the world's side of a ConnectionProtocol. */
class MysqlConnection implements ProtocolHost, RegisteredConnection, PlacedConnection {
  readonly connectionId: number;
  readonly #context: ProtocolContext;
  readonly #connection: Connection;
  readonly #protocol: ConnectionProtocol;
  /** Since when the client leaves bytes unread; undefined while it does not. */
  #blockedSinceUs: number | undefined;
  #endedAtUs: number | undefined;
  #refusalTimer: Timer | undefined;
  #heldSinceUs = 0;
  #paused = false;
  /** What this connection has taken of the surface's budget for unsent bytes. */
  #unsentTaken = 0;
  #overBudget = false;

  constructor(
    context: ProtocolContext,
    connection: Connection,
    connectionId: number,
    tls: TlsState,
    onGone: () => void,
  ) {
    this.connectionId = connectionId;
    this.#context = context;
    this.#connection = connection;
    this.#protocol = new ConnectionProtocol(context, this, connectionId, tls);
    connection.onData((bytes) => this.#receive(bytes));
    connection.onDrain(() => this.#unblock());
    connection.onClose(() => {
      this.#refusalTimer?.cancel();
      this.#protocol.disconnected();
      this.#countUnsent(0);
      onGone();
    });
  }

  get remoteAddress(): string {
    return this.#connection.remoteAddress;
  }

  /** Reads nothing until it is greeted. */
  hold(): void {
    this.#heldSinceUs = this.#context.clock.monotonicUs();
    this.#paused = true;
    this.#connection.pause();
  }

  greet(): void {
    this.#protocol.greet();
    this.#steer();
  }

  get refused(): boolean {
    return this.#refusalTimer !== undefined;
  }

  /** In place of a greeting. */
  refuse(error: WireError): void {
    const output = new OutputBuffer(this.#context.slab, (bytes) => this.send(bytes));
    writeError(output, error);
    this.#context.metrics.countError(error.number);
    output.flush();
    this.drain();
    const timer = this.#context.clock.setTimer(this.#context.limits.lingerTimeoutMs, () => this.destroy());
    this.#refusalTimer = timer;
  }

  describe(nowUs: number): SessionProcess {
    return this.#protocol.describe(nowUs);
  }

  kill(what: "connection" | "query"): void {
    this.#protocol.kill(what);
  }

  send(bytes: Uint8Array): boolean {
    const sent = this.#connection.writeNow(bytes);
    const taken = sent === "taken";
    if (sent !== "full" && this.#unsentTaken === 0) return taken;
    if (sent === "full") this.#blockedSinceUs ??= this.#context.clock.monotonicUs();
    this.#countUnsent(this.#connection.bufferedBytes);
    return taken;
  }

  /** Takes from the shared budget, or gives back. */
  #countUnsent(bytes: number): void {
    const { unsent } = this.#context;
    const more = bytes - this.#unsentTaken;
    this.#overBudget = more > unsent.left;
    if (this.#overBudget) return;
    if (more > 0) unsent.take(more);
    else unsent.give(-more);
    this.#unsentTaken = bytes;
  }

  unsentTooMuch(): boolean {
    return this.#overBudget;
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
    if (protocol.waiting || protocol.phase === "closed" || this.#blockedSinceUs !== undefined) this.#steer();
  }

  #unblock(): void {
    if (this.#blockedSinceUs === undefined) return;
    this.#blockedSinceUs = undefined;
    this.#countUnsent(this.#connection.bufferedBytes);
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
    const pause = this.#blockedSinceUs !== undefined || (protocol.waiting && protocol.keptBytes > 0);
    if (pause === this.#paused) return;
    this.#paused = pause;
    if (pause) this.#connection.pause();
    else this.#connection.resume();
  }

  checkWaitingTime(nowUs: number): void {
    const { limits, metrics } = this.#context;
    if (this.refused || nowUs - this.#heldSinceUs <= limits.waitingTimeoutMs * 1000) return;
    metrics.connectionsRefused++;
    this.refuse(protocolError("too_many_connections", "Too many connections"));
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
    const protocol = this.#protocol;
    const blocked = this.#blockedSinceUs;
    if (blocked !== undefined && nowUs - blocked > limits.slowReaderTimeoutMs * 1000) return "slowReaderTimeoutMs";
    const ended = this.#endedAtUs;
    if (ended !== undefined) return nowUs - ended > limits.lingerTimeoutMs * 1000 ? "lingerTimeoutMs" : undefined;
    if (protocol.phase === "login" && nowUs - protocol.loginSinceUs > limits.loginTimeoutMs * 1000) {
      return "loginTimeoutMs";
    }
    const idle = !protocol.busy && nowUs - protocol.lastReceivedUs > limits.idleTimeoutMs * 1000;
    return idle ? "idleTimeoutMs" : undefined;
  }
}

type TimeLimit = keyof MysqlLimits & `${string}TimeoutMs`;

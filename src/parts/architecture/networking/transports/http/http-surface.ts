/**
 * The HTTP surface: listens, and moves bytes between connections and their protocol state machines.
 *
 *   1. Up to `connectionsMax` connections are served; further ones wait unread in a queue, oldest first, and are served
 *      as others end. A full queue, or a wait that is too long, is answered with 503.
 *   2. Reading from a connection pauses while its bytes could not be used: it leaves answers unread, pipelines behind
 *      a request that waits, or sends a body faster than it is stored. A reader that stays slow is closed; so is one
 *      whose unread answers would exceed what all slow readers together may hold.
 *   3. One timer for all connections looks after the time limits.
 *   4. `drain` stops accepting, closes idle connections, and the others behind the answer that is due.
 *   5. A client that begins with a TLS handshake is spoken to in HTTPS, on the same port; the network's own.
 * Source: Node's net for the socket model; nginx and Apache's mod_reqtimeout for which waits are bounded.
 */
import type { Connection, Env, Listener, Timer } from "../../../../../kit/env/env.ts";
import { LatheError } from "../../../../../kit/errors.ts";
import type { Metric } from "../../../../../kit/metric.ts";
import type { Surface } from "../../surface.ts";
import { HttpConnection } from "./http-connection.ts";
import { createHttpContext, type HttpContext, type HttpSurfaceOptions } from "./http-context.ts";

const sweepMsMax = 1000;

/** Opens a surface; `listen` binds it. Errors: INVALID_ARGUMENT for limits out of range. */
export function openHttpSurface(env: Env, options: HttpSurfaceOptions): Surface {
  return new HttpSurface(env, createHttpContext(env, options));
}

class HttpSurface implements Surface {
  readonly #env: Env;
  readonly #context: HttpContext;
  readonly #connections = new Set<HttpConnection>();
  /** In the order in which they came. */
  readonly #queue = new Set<HttpConnection>();
  readonly #sweepMs: number;
  #listener: Listener | undefined;
  #closed = false;
  #sweepTimer: Timer | undefined;
  #emptied: (() => void) | undefined;

  constructor(env: Env, context: HttpContext) {
    this.#env = env;
    this.#context = context;
    const { headTimeoutMs, bodyTimeoutMs, idleTimeoutMs, slowReaderTimeoutMs, lingerTimeoutMs, queueTimeoutMs } =
      context.limits;
    const shortest = Math.min(
      headTimeoutMs, bodyTimeoutMs, idleTimeoutMs, slowReaderTimeoutMs, lingerTimeoutMs, queueTimeoutMs,
    );
    this.#sweepMs = Math.min(sweepMsMax, Math.ceil(shortest / 4));
  }

  async listen(options: { host: string; port: number }): Promise<{ port: number }> {
    if (this.#closed || this.#listener !== undefined) {
      throw new LatheError("CLOSED", "this surface listens already, or was closed; open another one");
    }
    const listener = await this.#env.network.listen(options, (connection) => this.#accept(connection));
    this.#listener = listener;
    return { port: listener.port };
  }

  async drain(timeoutMs: number): Promise<void> {
    await this.#stopAccepting();
    for (const connection of this.#queue) connection.destroy();
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
    for (const connection of [...this.#queue, ...this.#connections]) connection.destroy();
  }

  metrics(): Metric[] {
    const { metrics, inbound, outbound } = this.#context;
    return metrics.toMetrics(inbound.used, outbound.used);
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
    metrics.connectionsAccepted++;
    const accepted = new HttpConnection(this.#context, connection, () => this.#forget(accepted));
    this.#sweepTimer ??= this.#scheduleSweep();
    if (this.#connections.size < limits.connectionsMax) return this.#serve(accepted);
    accepted.hold();
    this.#queue.add(accepted);
    metrics.connectionsQueued = this.#queue.size;
    if (this.#queue.size <= limits.queuedConnectionsMax) return;
    metrics.connectionsRefused++;
    accepted.refuse("too many connections; try again later");
  }

  #serve(connection: HttpConnection): void {
    this.#connections.add(connection);
    this.#context.metrics.connectionsOpen = this.#connections.size;
  }

  #forget(connection: HttpConnection): void {
    const { metrics } = this.#context;
    if (this.#queue.delete(connection)) metrics.connectionsQueued = this.#queue.size;
    if (!this.#connections.delete(connection)) return;
    this.#admit();
    metrics.connectionsOpen = this.#connections.size;
    if (this.#connections.size === 0) this.#emptied?.();
  }

  /** The oldest that waits takes the place of one that ended. */
  #admit(): void {
    for (const waiting of this.#queue) {
      if (this.#connections.size >= this.#context.limits.connectionsMax || this.#closed) return;
      if (waiting.refused) continue;
      this.#queue.delete(waiting);
      this.#context.metrics.connectionsQueued = this.#queue.size;
      this.#serve(waiting);
      waiting.release();
    }
  }

  #scheduleSweep(): Timer {
    return this.#env.clock.setTimer(this.#sweepMs, () => {
      const nowUs = this.#env.clock.monotonicUs();
      for (const connection of this.#connections) connection.checkTime(nowUs);
      for (const connection of this.#queue) connection.checkQueueTime(nowUs);
      const some = this.#connections.size + this.#queue.size > 0;
      this.#sweepTimer = some ? this.#scheduleSweep() : undefined;
    });
  }
}

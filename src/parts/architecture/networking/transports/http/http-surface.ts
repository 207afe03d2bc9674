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
import type { Connection, Env, Listener } from "../../../../../kit/env/env.ts";
import { LatheError } from "../../../../../kit/errors.ts";
import type { Metric } from "../../../../../kit/metric.ts";
import { ConnectionPlaces } from "../../connection-places.ts";
import type { Surface } from "../../surface.ts";
import { backlogFor } from "../../surface-limits.ts";
import { HttpConnection } from "./http-connection.ts";
import { createHttpContext, type HttpContext, type HttpSurfaceOptions } from "./http-context.ts";

/** Opens a surface; `listen` binds it. Errors: INVALID_ARGUMENT for limits out of range. */
export function openHttpSurface(env: Env, options: HttpSurfaceOptions): Surface {
  return new HttpSurface(env, createHttpContext(env, options));
}

class HttpSurface implements Surface {
  readonly #env: Env;
  readonly #context: HttpContext;
  readonly #places: ConnectionPlaces<HttpConnection>;
  #listener: Listener | undefined;
  #closed = false;

  constructor(env: Env, context: HttpContext) {
    this.#env = env;
    this.#context = context;
    const {
      connectionsMax, headTimeoutMs, bodyTimeoutMs, idleTimeoutMs, slowReaderTimeoutMs, lingerTimeoutMs, queueTimeoutMs,
    } = context.limits;
    this.#places = new ConnectionPlaces<HttpConnection>(env.clock, {
      placesMax: connectionsMax,
      shortestLimitMs: Math.min(
        headTimeoutMs, bodyTimeoutMs, idleTimeoutMs, slowReaderTimeoutMs, lingerTimeoutMs, queueTimeoutMs,
      ),
      onServed: (connection) => connection.release(),
    });
  }

  async listen(options: { host: string; port: number }): Promise<{ port: number }> {
    if (this.#closed || this.#listener !== undefined) {
      throw new LatheError("CLOSED", "this surface listens already, or was closed; open another one");
    }
    const { connectionsMax, queuedConnectionsMax } = this.#context.limits;
    const listening = { ...options, backlog: backlogFor(connectionsMax, queuedConnectionsMax) };
    const listener = await this.#env.network.listen(listening, (connection) => this.#accept(connection));
    this.#listener = listener;
    return { port: listener.port };
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
    const { metrics, inbound, outbound } = this.#context;
    return metrics.toMetrics(inbound.used, outbound.used);
  }

  async #stopAccepting(): Promise<void> {
    this.#closed = true;
    this.#places.close();
    const listener = this.#listener;
    this.#listener = undefined;
    await listener?.close();
  }

  #accept(connection: Connection): void {
    const { metrics, limits } = this.#context;
    if (this.#closed) return connection.destroy();
    metrics.connectionsAccepted++;
    const accepted = new HttpConnection(this.#context, connection, () => {
      this.#places.remove(accepted);
      this.#count();
    });
    this.#places.add(accepted);
    this.#count();
    if (this.#places.waiting <= limits.queuedConnectionsMax) return;
    metrics.connectionsRefused++;
    accepted.refuse("too many connections; try again later");
  }

  #count(): void {
    const { metrics } = this.#context;
    metrics.connectionsOpen = this.#places.served;
    metrics.connectionsQueued = this.#places.waiting;
  }
}

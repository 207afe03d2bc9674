/**
 * `/metrics`: what a product counts, as Prometheus text over HTTP/1.1.
 *
 *   1. A connection is taken unless `connectionsMax` are open; then it is closed at once.
 *   2. Its request head is read (`http-request-head.ts`), within `requestTimeoutMs`.
 *   3. GET or HEAD of /metrics is answered with the metrics of that moment, of /health with `ok` (the
 *   event loop turns); anything else with 404, 405, 400 or 431.
 *   4. Every answer closes its connection: a scraper comes every few seconds, and nothing is left to
 *   keep track of. There is no authentication, because figures are no data; bind it to an address that
 *   only the scraper reaches. Source: Prometheus' exposition formats; RFC 9110 and 9112.
 */
import type { Connection, Env, Listener } from "../../../../kit/env/env.ts";
import { LatheError } from "../../../../kit/errors.ts";
import type { Metric } from "../../../../kit/metric.ts";
import { prometheusContentType, renderPrometheus } from "../../../../kit/prometheus.ts";
import type { Surface } from "../../networking/surface.ts";
import { RequestHeadReader } from "./http-request-head.ts";

export interface MetricsEndpointOptions {
  readonly metrics: () => readonly Metric[];
  /** Open connections. Default: 16. */
  readonly connectionsMax?: number;
  /** From accept to the end of the request's head. Default: 5000. */
  readonly requestTimeoutMs?: number;
}

const reasons: Readonly<Record<number, string>> = {
  200: "OK", 400: "Bad Request", 404: "Not Found", 405: "Method Not Allowed",
  431: "Request Header Fields Too Large", 500: "Internal Server Error",
};

export function openMetricsEndpoint(env: Env, options: MetricsEndpointOptions): Surface {
  return new MetricsEndpoint(env, options);
}

class MetricsEndpoint implements Surface {
  readonly #env: Env;
  readonly #source: () => readonly Metric[];
  readonly #connectionsMax: number;
  readonly #requestTimeoutMs: number;
  readonly #connections = new Set<Connection>();
  #listener: Listener | undefined;
  #scrapes = 0;
  #refused = 0;

  constructor(env: Env, { metrics, connectionsMax = 16, requestTimeoutMs = 5000 }: MetricsEndpointOptions) {
    this.#env = env;
    this.#source = metrics;
    this.#connectionsMax = connectionsMax;
    this.#requestTimeoutMs = requestTimeoutMs;
  }

  async listen(options: { host: string; port: number }): Promise<{ port: number }> {
    if (this.#listener !== undefined) throw new LatheError("CLOSED", "this endpoint listens already; open another one");
    this.#listener = await this.#env.network.listen(options, (connection) => this.#accept(connection));
    return { port: this.#listener.port };
  }

  /** A scrape takes a moment; there is nothing to wait for. */
  async drain(): Promise<void> {
    await this.close();
  }

  async close(): Promise<void> {
    await this.#listener?.close();
    for (const connection of this.#connections) connection.destroy();
  }

  metrics(): Metric[] {
    return [
      { kind: "counter", name: "metrics_scrapes_total", help: "Answers of /metrics", value: this.#scrapes },
      { kind: "counter", name: "metrics_refused_total", help: "Connections over the limit", value: this.#refused },
    ];
  }

  #accept(connection: Connection): void {
    if (this.#connections.size >= this.#connectionsMax) {
      this.#refused++;
      connection.onData(() => undefined);
      connection.onClose(() => undefined);
      connection.destroy();
      return;
    }
    this.#connections.add(connection);
    const timer = this.#env.clock.setTimer(this.#requestTimeoutMs, () => connection.destroy());
    const reader = new RequestHeadReader();
    let answered = false;
    connection.onClose(() => {
      timer.cancel();
      this.#connections.delete(connection);
    });
    connection.onData((bytes) => {
      if (answered) return;
      const head = reader.take(bytes);
      if (head.kind === "incomplete") return;
      answered = true;
      connection.write(head.kind === "bad" ? answer(head.status, "", true) : this.#answerTo(head.method, head.path));
      connection.end();
    });
  }

  #answerTo(method: string, path: string): Uint8Array {
    const withBody = method !== "HEAD";
    if (path !== "/metrics" && path !== "/health") return answer(404, "only /metrics and /health are here\n", withBody);
    if (method !== "GET" && method !== "HEAD") return answer(405, "GET or HEAD\n", withBody);
    if (path === "/health") return answer(200, "ok\n", withBody);
    try {
      const text = renderPrometheus([...this.#source(), ...this.metrics()]);
      this.#scrapes++;
      return answer(200, text, withBody);
    } catch (error) {
      this.#env.log.error("metrics", { message: (error as Error).message });
      return answer(500, "see the log\n", withBody);
    }
  }
}

function answer(status: number, text: string, withBody: boolean): Uint8Array {
  const body = new TextEncoder().encode(text);
  const head = [
    `HTTP/1.1 ${status} ${reasons[status]}`,
    `Content-Type: ${status === 200 ? prometheusContentType : "text/plain; charset=utf-8"}`,
    `Content-Length: ${body.length}`,
    ...(status === 405 ? ["Allow: GET, HEAD"] : []),
    "Connection: close",
    "\r\n",
  ].join("\r\n");
  const headBytes = new TextEncoder().encode(head);
  const bytes = new Uint8Array(headBytes.length + (withBody ? body.length : 0));
  bytes.set(headBytes);
  if (withBody) bytes.set(body, headBytes.length);
  return bytes;
}

/** What the HTTP surface counts, and its form for Prometheus. */
import { Histogram } from "../../../../../kit/histogram.ts";
import type { Metric } from "../../../../../kit/metric.ts";

export class HttpMetrics {
  connectionsOpen = 0;
  connectionsAccepted = 0;
  connectionsQueued = 0;
  connectionsRefused = 0;
  bytesReceived = 0;
  bytesSent = 0;
  slowReadersClosed = 0;
  timeouts = 0;
  malformed = 0;
  /** By hundreds of the status. */
  readonly #answers = new Float64Array(6);
  /** From the end of a request's head to the end of its answer, in microseconds. */
  readonly latency = new Histogram();

  countAnswer(status: number): void {
    this.#answers[Math.floor(status / 100)]++;
  }

  get answersTotal(): number {
    return this.#answers.reduce((sum, count) => sum + count, 0);
  }

  toMetrics(inboundBytes: number, outboundBytes: number): Metric[] {
    const metrics: Metric[] = [
      gauge("http_connections", "Connections that are served.", this.connectionsOpen),
      gauge("http_queued_connections", "Connections that wait to be served.", this.connectionsQueued),
      counter("http_connections_accepted_total", "Connections accepted.", this.connectionsAccepted),
      counter("http_connections_refused_total", "Connections refused by a limit.", this.connectionsRefused),
      counter("http_received_bytes_total", "Bytes received.", this.bytesReceived),
      counter("http_sent_bytes_total", "Bytes handed to the network.", this.bytesSent),
      counter("http_slow_readers_closed_total", "Connections closed with unread answers.", this.slowReadersClosed),
      counter("http_timeouts_total", "Connections closed because a request took too long to come.", this.timeouts),
      counter("http_malformed_requests_total", "Requests that are no HTTP, or beyond a limit.", this.malformed),
      gauge("http_inbound_buffer_bytes", "Memory of unfinished heads and bodies.", inboundBytes),
      gauge("http_outbound_buffer_bytes", "Answers that slow readers leave unread.", outboundBytes),
    ];
    this.#answers.forEach((count, hundreds) => {
      if (count === 0) return;
      const labels = { status: `${hundreds}xx` };
      metrics.push({ kind: "counter", name: "http_answers_total", help: "Answers by status.", value: count, labels });
    });
    metrics.push(this.latency.toMetric({
      name: "http_request_seconds", help: "Time from a request's head to its answer.", scale: 1e-6,
    }));
    return metrics;
  }
}

function counter(name: string, help: string, value: number): Metric {
  return { kind: "counter", name, help, value };
}

function gauge(name: string, help: string, value: number): Metric {
  return { kind: "gauge", name, help, value };
}

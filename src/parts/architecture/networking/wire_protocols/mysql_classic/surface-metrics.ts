/** What the MySQL surface counts, and its form for Prometheus. */
import { Histogram } from "../../../../../kit/histogram.ts";
import type { Metric } from "../../../../../kit/metric.ts";
import { commandNames } from "./command-code.ts";

/** What is measured now rather than counted. */
export interface SurfaceGauges {
  readonly statements: number;
  readonly inboundBytes: number;
  readonly unsentBytes: number;
  readonly waiting: number;
}

export class SurfaceMetrics {
  connectionsOpen = 0;
  connectionsAccepted = 0;
  connectionsRefused = 0;
  authenticationFailures = 0;
  bytesReceived = 0;
  bytesSent = 0;
  slowReadersClosed = 0;
  /** By command byte. */
  readonly #commands = new Float64Array(256);
  readonly #errors = new Map<number, number>();
  /**
   * From the arrival of a command's last byte, or the end of the one before it, to its answer; in
   * microseconds.
   */
  readonly commandLatency = new Histogram();

  countCommand(code: number): void {
    this.#commands[code]++;
  }

  countError(number: number): void {
    this.#errors.set(number, (this.#errors.get(number) ?? 0) + 1);
  }

  /** Commands of all kinds since the start. */
  get commandsTotal(): number {
    return this.#commands.reduce((sum, count) => sum + count, 0);
  }

  toMetrics(now: SurfaceGauges): Metric[] {
    const metrics: Metric[] = [
      gauge("mysql_connections", "Open connections.", this.connectionsOpen),
      gauge("mysql_connections_waiting", "Connections that wait for one of the open ones to end.", now.waiting),
      counter("mysql_connections_accepted_total", "Connections accepted.", this.connectionsAccepted),
      counter("mysql_connections_refused_total", "Connections refused by the limit.", this.connectionsRefused),
      counter("mysql_authentication_failures_total", "Logins refused.", this.authenticationFailures),
      counter("mysql_received_bytes_total", "Bytes received.", this.bytesReceived),
      counter("mysql_sent_bytes_total", "Bytes handed to the network.", this.bytesSent),
      counter("mysql_slow_readers_closed_total", "Connections closed with unread results.", this.slowReadersClosed),
      gauge("mysql_prepared_statements", "Prepared statements of all connections.", now.statements),
      gauge("mysql_inbound_buffer_bytes", "Memory of half-sent packets and long data.", now.inboundBytes),
      gauge("mysql_unsent_result_bytes", "Bytes of results that clients have not taken.", now.unsentBytes),
    ];
    let unknown = 0;
    this.#commands.forEach((count, code) => {
      const command = commandNames.get(code);
      if (command === undefined) unknown += count;
      else if (count > 0) metrics.push(commands(command, count));
    });
    if (unknown > 0) metrics.push(commands("unknown", unknown));
    for (const [number, count] of this.#errors) {
      const labels = { number: String(number) };
      metrics.push(counter("mysql_errors_total", "Error packets by number.", count, labels));
    }
    metrics.push(this.commandLatency.toMetric({
      name: "mysql_command_seconds",
      help: "Time from a command's arrival to its answer.",
      scale: 1e-6,
    }));
    return metrics;
  }
}

function commands(command: string, count: number): Metric {
  return counter("mysql_commands_total", "Commands by kind.", count, { command });
}

function counter(name: string, help: string, value: number, labels?: Record<string, string>): Metric {
  return { kind: "counter", name, help, value, ...(labels === undefined ? {} : { labels }) };
}

function gauge(name: string, help: string, value: number): Metric {
  return { kind: "gauge", name, help, value };
}

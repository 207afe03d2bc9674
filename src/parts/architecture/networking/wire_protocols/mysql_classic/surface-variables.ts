/** What the MySQL surface answers for to SHOW VARIABLES and SHOW STATUS, under the names that MySQL gives it. */
import type { ColumnValue } from "../../../catalog/table.ts";
import type { ProtocolContext } from "./protocol-context.ts";

export function surfaceVariables(context: ProtocolContext): ReadonlyMap<string, ColumnValue> {
  const { limits, serverVersion, tls, facts } = context;
  const whole = (value: number) => BigInt(Math.floor(value));
  return new Map<string, ColumnValue>([
    ["connect_timeout", whole(limits.loginTimeoutMs / 1000)],
    ["have_ssl", tls === undefined ? "DISABLED" : "YES"],
    ["interactive_timeout", whole(limits.idleTimeoutMs / 1000)],
    ["max_allowed_packet", whole(limits.packetBytesMax)],
    ["max_connections", whole(limits.connectionsMax)],
    ["max_prepared_stmt_count", whole(limits.statementsTotalMax)],
    ["net_write_timeout", whole(limits.slowReaderTimeoutMs / 1000)],
    ["require_secure_transport", tls?.required === true ? "ON" : "OFF"],
    ["version", serverVersion],
    ["wait_timeout", whole(limits.idleTimeoutMs / 1000)],
    ...(facts?.variables() ?? []),
  ]);
}

export function surfaceStatus(context: ProtocolContext): ReadonlyMap<string, ColumnValue> {
  const { clock, facts, metrics, startedMs, statements } = context;
  const seconds = Math.max(0, Math.floor((clock.nowMs() - startedMs) / 1000));
  return new Map<string, ColumnValue>([
    ["Bytes_received", BigInt(metrics.bytesReceived)],
    ["Bytes_sent", BigInt(metrics.bytesSent)],
    ["Connections", BigInt(metrics.connectionsAccepted)],
    ["Prepared_stmt_count", BigInt(statements.used)],
    ["Questions", BigInt(metrics.commandsTotal)],
    ["Threads_connected", BigInt(metrics.connectionsOpen)],
    ["Uptime", BigInt(seconds)],
    ...(facts?.status() ?? []),
  ]);
}

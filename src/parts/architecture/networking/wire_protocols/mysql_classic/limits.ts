/**
 * Every limit of the MySQL surface, in one table: what it bounds, its default and its range.
 *
 * A limit is met in one of three ways: the request is refused with an error packet, reading from
 * the connection pauses, or the connection closes. Which one is said with each row.
 * Source: MySQL's system variables (max_connections, max_allowed_packet, max_prepared_stmt_count,
 * connect_timeout, wait_timeout, net_write_timeout), PostgreSQL's MAX_STARTUP_PACKET_LENGTH.
 */
import { type LimitsOf, resolveSurfaceLimits, type SurfaceLimitTable } from "../../surface-limits.ts";

const mebibyte = 1024 * 1024;

export const mysqlLimitTable = {
  connectionsMax: {
    default: 512, min: 1, max: 100_000,
    meaning: "open connections, counted before the handshake; one more waits, then is refused with 1040",
  },
  connectionsWaitingMax: {
    default: 128, min: 0, max: 100_000,
    meaning: "connections that wait, without a greeting, for one of the open ones to end; one more: 1040",
  },
  loginBytesMax: {
    default: 10_000, min: 256, max: 65_536,
    meaning: "bytes of a packet before authentication has ended; a larger one: 1153 and close",
  },
  packetBytesMax: {
    default: 64 * mebibyte, min: 1024, max: 1024 * mebibyte,
    meaning: "bytes of a command with all its frames; a larger one closes the connection with 1153",
  },
  inboundBytesMax: {
    default: 256 * mebibyte, min: 4096, max: 16_384 * mebibyte,
    meaning: "bytes of incomplete packets and long data held for all connections; beyond it, 1041 and close",
  },
  pipelineBytesMax: {
    default: mebibyte, min: 1024, max: 64 * mebibyte,
    meaning: "bytes that may arrive behind a running statement although reading is paused; beyond it, close",
  },
  statementsMax: {
    default: 4096, min: 1, max: 1_000_000,
    meaning: "prepared statements of one connection; one more is refused with 1461",
  },
  statementsTotalMax: {
    default: 16_382, min: 1, max: 1_000_000,
    meaning: "prepared statements of all connections; one more is refused with 1461",
  },
  statementBytesMax: {
    default: 16 * mebibyte, min: 1024, max: 1024 * mebibyte,
    meaning: "bytes that the prepared statements of one connection are taken to need; beyond it, 1461",
  },
  statementBytesTotalMax: {
    default: 256 * mebibyte, min: 1024, max: 16_384 * mebibyte,
    meaning: "bytes that the prepared statements of all connections are taken to need; beyond it, 1461",
  },
  turnUs: {
    default: 2000, min: 100, max: 10_000_000,
    meaning: "time for which one connection's commands, or a text's statements, run before others have their turn",
  },
  longDataBytesMax: {
    default: 16 * mebibyte, min: 16, max: 1024 * mebibyte,
    meaning: "bytes of COM_STMT_SEND_LONG_DATA held for one connection; the execution is refused with 1153",
  },
  resultBufferBytesMax: {
    default: 64 * mebibyte, min: 4096, max: 1024 * mebibyte,
    meaning: "bytes of a result that its connection has not taken; beyond it the result ends with 3170",
  },
  resultBufferBytesTotalMax: {
    default: 512 * mebibyte, min: 4096, max: 16_384 * mebibyte,
    meaning: "bytes of results that all connections together have not taken; beyond it a result ends with 3170",
  },
  waitingTimeoutMs: {
    default: 5_000, min: 10, max: 600_000,
    meaning: "time for which a connection waits for one of the open ones to end; then 1040",
  },
  loginTimeoutMs: {
    default: 10_000, min: 10, max: 600_000,
    meaning: "time from accept to the end of authentication; then close",
  },
  idleTimeoutMs: {
    default: 28_800_000, min: 10, max: 31_536_000_000,
    meaning: "time without a command, and without progress of one that is half sent; then close",
  },
  slowReaderTimeoutMs: {
    default: 60_000, min: 10, max: 3_600_000,
    meaning: "time for which a client may leave a result unread; then close",
  },
  lingerTimeoutMs: {
    default: 5_000, min: 10, max: 600_000,
    meaning: "time for a client to close its side after the server has closed its own; then reset",
  },
} as const satisfies SurfaceLimitTable;

export type MysqlLimits = LimitsOf<typeof mysqlLimitTable>;

/** From the defaults and what was given. Errors: INVALID_ARGUMENT for an unknown name or a value out of range. */
export function resolveLimits(given: Partial<MysqlLimits> = {}): MysqlLimits {
  return resolveSurfaceLimits("MySQL", mysqlLimitTable, given);
}

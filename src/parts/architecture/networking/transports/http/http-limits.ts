/**
 * Every limit of the HTTP surface, in one table: what it bounds, its default and its range.
 *
 * A limit is met in one of three ways: the request is refused with a status, reading from the connection pauses, or
 * the connection closes. Which one is said with each row.
 * Source: nginx (large_client_header_buffers, client_header_timeout, client_body_timeout, keepalive_timeout), Apache's
 * mod_reqtimeout (least rate of a body), Node's http (headersTimeout, maxHeadersCount).
 */
import { type LimitsOf, resolveSurfaceLimits, type SurfaceLimitTable } from "../../surface-limits.ts";

const mebibyte = 1024 * 1024;

export const httpLimitTable = {
  connectionsMax: {
    default: 1024, min: 1, max: 100_000,
    meaning: "connections that are served; further ones wait in a queue, unread",
  },
  queuedConnectionsMax: {
    default: 1024, min: 0, max: 100_000,
    meaning: "connections that wait to be served; one more is answered with 503 and closed",
  },
  queueTimeoutMs: {
    default: 10_000, min: 10, max: 600_000,
    meaning: "time for which a connection may wait to be served; then 503 and close",
  },
  lineBytesMax: {
    default: 8192, min: 128, max: mebibyte,
    meaning: "bytes of the request line (414) and of any other line of a head or trailer (431)",
  },
  headBytesMax: {
    default: 16_384, min: 256, max: mebibyte,
    meaning: "bytes of a head, and of the trailers; beyond it 431 and close",
  },
  fieldsMax: {
    default: 64, min: 1, max: 10_000,
    meaning: "fields of a head, and of the trailers; beyond it 431 and close",
  },
  chunkLineBytesMax: {
    default: 256, min: 16, max: 8192,
    meaning: "bytes of a chunk's size with its extensions; beyond it 400 and close",
  },
  inboundBytesMax: {
    default: 128 * mebibyte, min: 4096, max: 16_384 * mebibyte,
    meaning: "bytes of unfinished heads and bodies held for all connections; beyond it 503 and close",
  },
  outboundBytesMax: {
    default: 128 * mebibyte, min: 4096, max: 16_384 * mebibyte,
    meaning: "bytes of answers that slow readers leave unread, over all connections; beyond it, close",
  },
  pipelineBytesMax: {
    default: mebibyte, min: 1024, max: 64 * mebibyte,
    meaning: "bytes that may arrive behind a request that is being answered although reading is paused; then close",
  },
  turnRequestsMax: {
    default: 32, min: 1, max: 10_000,
    meaning: "requests of one connection that are answered in one turn; others are served before it goes on",
  },
  headTimeoutMs: {
    default: 10_000, min: 10, max: 600_000,
    meaning: "time from the first byte of a request (of a fresh connection: from its accept) to the end of its head; " +
      "then 408 and close",
  },
  bodyTimeoutMs: {
    default: 20_000, min: 10, max: 600_000,
    meaning: "time for a body, beside one second per `bodyBytesPerSecondMin` of it; then 408 and close",
  },
  bodyBytesPerSecondMin: {
    default: 1024, min: 1, max: 1024 * mebibyte,
    meaning: "least rate of a body, see bodyTimeoutMs",
  },
  idleTimeoutMs: {
    default: 60_000, min: 10, max: 86_400_000,
    meaning: "time between two requests of a connection; then close",
  },
  slowReaderTimeoutMs: {
    default: 30_000, min: 10, max: 3_600_000,
    meaning: "time for which a client may leave an answer unread; then close",
  },
  lingerTimeoutMs: {
    default: 2_000, min: 10, max: 600_000,
    meaning: "time for a client to close its side after the server has closed its own; then reset",
  },
} as const satisfies SurfaceLimitTable;

export type HttpLimits = LimitsOf<typeof httpLimitTable>;

/** From the defaults and what was given. Errors: INVALID_ARGUMENT for an unknown name or a value out of range. */
export function resolveHttpLimits(given: Partial<HttpLimits> = {}): HttpLimits {
  return resolveSurfaceLimits("HTTP", httpLimitTable, given);
}

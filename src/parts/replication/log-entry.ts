/**
 * The bytes of a log entry, the same in every durable log and on the wire between replicas. Integers
 * are little-endian.
 *
 * | offset | bytes | field |
 * |-------:|------:|-------|
 * |      0 |     1 | version of this layout: 1 |
 * |      1 |     8 | the proposer's wall clock, milliseconds since the epoch |
 * |      9 |     8 | term |
 * |     17 |     8 | client id |
 * |     25 |     8 | request id |
 * |     33 |     … | command, to the end |
 *
 * Checksums are the log's and the transport's concern.
 */
import { assert } from "../../kit/assert.ts";
import { readU64LE, writeU64LE } from "../../kit/bytes.ts";
import { LatheError } from "../../kit/errors.ts";
import type { LogEntry } from "./replicated-log.ts";

export const logEntryHeaderBytes = 33;

const layoutVersion = 1;

export function encodeLogEntry(entry: LogEntry): Uint8Array {
  const { timestampMs, term, clientId, requestId, command } = entry;
  const isNumber = (value: number) => Number.isSafeInteger(value) && value >= 0;
  assert([timestampMs, term, clientId, requestId].every(isNumber), "the numbers of a log entry are in [0, 2^53)");
  const bytes = new Uint8Array(logEntryHeaderBytes + command.length);
  bytes[0] = layoutVersion;
  writeU64LE(bytes, 1, timestampMs);
  writeU64LE(bytes, 9, term);
  writeU64LE(bytes, 17, clientId);
  writeU64LE(bytes, 25, requestId);
  bytes.set(command, logEntryHeaderBytes);
  return bytes;
}

/** The command is a view of `bytes`. Errors: FORMAT_UNKNOWN, CORRUPTION. */
export function decodeLogEntry(bytes: Uint8Array): LogEntry {
  if (bytes.length < logEntryHeaderBytes) {
    throw new LatheError("CORRUPTION", `a log entry has ${bytes.length} bytes, less than its header`);
  }
  if (bytes[0] !== layoutVersion) {
    throw new LatheError(
      "FORMAT_UNKNOWN",
      `a log entry has layout ${bytes[0]}, this product reads ${layoutVersion}: ` +
        "open the data with the product that wrote it",
    );
  }
  const [timestampMs, term, clientId, requestId] = [1, 9, 17, 25].map((offset) => readU64LE(bytes, offset));
  if (![timestampMs, term, clientId, requestId].every(Number.isSafeInteger)) {
    throw new LatheError("CORRUPTION", "a log entry has a number above 2^53");
  }
  return { timestampMs, term, clientId, requestId, command: bytes.subarray(logEntryHeaderBytes) };
}

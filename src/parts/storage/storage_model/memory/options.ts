/** Options of the memory engine, their defaults, and the knobs that set them (`catalog/knobs/memory.yaml`). */
import { LatheError } from "../../../../kit/errors.ts";
import { noSelectionHash } from "../../../../kit/file-header.ts";
import type { ExpiryTime } from "../../expiry-clock.ts";

export interface MemoryOptions {
  /** Where the files are; created where missing. */
  readonly directory: string;
  /** Stands in the header of every file. Default: none, for stores of no product. */
  readonly selectionHash?: string | undefined;
  /** By what time entries expire (expiry-clock.ts). Default: the clock. */
  readonly expiryTime?: ExpiryTime | undefined;
  /** What live entries and their indexes may count; beyond it puts are refused. */
  readonly bytesMax?: number | undefined;
  /** A snapshot is due when so many bytes were applied since the last, and as many as there are data. */
  readonly snapshotBytesMin?: number | undefined;
  /** How long snapshots may fail (a full disk) before writers that wait for one get its error. */
  readonly troubleLimitMs?: number | undefined;
  /**
   * Where the caller's log may be behind what is applied: resolves once it is durable up to an index. No snapshot comes
   * into force before, for the log must never end before the state. Default: the log is never behind.
   */
  readonly logDurable?: ((index: number) => Promise<void> | undefined) | undefined;
}

export interface ResolvedOptions {
  readonly directory: string;
  readonly selectionHash: string;
  readonly expiryTime: ExpiryTime;
  readonly bytesMax: number;
  readonly snapshotBytesMin: number;
  readonly troubleLimitMs: number;
  readonly logDurable: (index: number) => Promise<void> | undefined;
}

/** References of 32 bits to 8 bytes each reach 32 GiB, of which half as much again as the limit is reserved. */
const bytesMaxMax = 2 ** 34;

/** Errors: INVALID_ARGUMENT. */
export function resolveOptions(options: MemoryOptions): ResolvedOptions {
  const { directory, selectionHash = noSelectionHash, expiryTime = "clock" } = options;
  const { bytesMax = 2 ** 28, snapshotBytesMin = 2 ** 26, troubleLimitMs = 10_000 } = options;
  const { logDurable = () => undefined } = options;
  const inRange = (name: string, value: number, min: number, max: number) => {
    if (Number.isSafeInteger(value) && value >= min && value <= max) return;
    throw new LatheError("INVALID_ARGUMENT", `${name} is ${value}; it must be a whole number from ${min} to ${max}`);
  };
  inRange("bytesMax", bytesMax, 2 ** 16, bytesMaxMax);
  inRange("snapshotBytesMin", snapshotBytesMin, 1024, 2 ** 40);
  inRange("troubleLimitMs", troubleLimitMs, 1, 86_400_000);
  return { directory, selectionHash, expiryTime, bytesMax, snapshotBytesMin, troubleLimitMs, logDurable };
}

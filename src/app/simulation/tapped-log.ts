/** A durable log that tells which write got which index. Writes are recognised by their bytes. */
import { errorCodeOf } from "../../kit/errors.ts";
import type { Metric } from "../../kit/metric.ts";
import type { DurableLog, LogRecord } from "../../parts/core/durable-log.ts";
import { SimulatedCrash } from "../../simulation/simulated-disk.ts";
import type { Tap, Write } from "../../simulation/store-subject.ts";

export class TappedLog implements DurableLog {
  readonly #log: DurableLog;
  readonly #tap: Tap;
  /** What an entry holds behind a header of so many bytes. */
  readonly #headerBytes: number;
  readonly #writes = new Map<string, Write>();

  constructor(log: DurableLog, tap: Tap, headerBytes: number) {
    this.#log = log;
    this.#tap = tap;
    this.#headerBytes = headerBytes;
  }

  /** Announces the bytes of a write. Two writes with the same bytes do the same, so they may be mistaken. */
  expect(bytes: Uint8Array, write: Write): void {
    this.#writes.set(textOf(bytes), write);
  }

  get firstIndex(): number {
    return this.#log.firstIndex;
  }

  get lastIndex(): number {
    return this.#log.lastIndex;
  }

  get syncedIndex(): number {
    return this.#log.syncedIndex;
  }

  append(entry: Uint8Array): number {
    const write = this.#writes.get(textOf(entry.subarray(this.#headerBytes))) ?? { id: 0, changes: [], timeMs: 0 };
    // Told before: a crash inside the call may still bring the entry to the disk.
    const index = this.#log.lastIndex + 1;
    const undo = this.#tap.appended(index, write);
    let given: number;
    try {
      given = this.#log.append(entry);
    } catch (error) {
      // Refused; where the machine went off meanwhile, it may be there.
      if (errorCodeOf(error) !== undefined && !(error instanceof SimulatedCrash)) undo();
      throw error;
    }
    if (given !== index) throw new Error(`entry ${index} got index ${given}`);
    return given;
  }

  sync(): Promise<void> {
    return this.#log.sync();
  }

  writeOut(): void {
    this.#log.writeOut();
  }

  read(fromIndex: number): Iterable<LogRecord> {
    return this.#log.read(fromIndex);
  }

  truncatePrefix(index: number): void {
    this.#log.truncatePrefix(index);
  }

  truncateSuffix(index: number): Promise<void> {
    return this.#log.truncateSuffix(index);
  }

  metrics(): Metric[] {
    return this.#log.metrics();
  }

  close(): Promise<void> {
    return this.#log.close();
  }
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}

/**
 * SnapshotWriter: writes the entries as of one index to a file, bit by bit, while the store goes on, so that the log up
 * to there can be given up.
 *
 *   1. A view of the present index is taken; what is written later does not touch what it sees.
 *   2. The owner walks some entries in key order into a block of shared memory, has a job write it on another thread,
 *   lets other input have its turn, and goes on. Blocks are small, because filling one is what others wait for.
 *   3. The last block is flushed with the file's name; then CURRENT is made to name it; only then `durableIndex` moves,
 *   and the log may be truncated. Files that are not named are removed at the end.
 *   4. A snapshot is due when as many bytes were applied since the last as there are data, and some at least: so
 *   writing costs at most about twice what the log does, and a restart replays at most as much as it loads.
 *   5. Four times as much, and writers wait for the snapshot under way. A snapshot that failed leaves what was in force
 *   in force; it is tried again after a pause.
 * Source: Redis' point-in-time snapshots, with versions in the place of fork(2).
 */
import type { Env } from "../../../../kit/env/env.ts";
import { errorCodeOf, LatheError } from "../../../../kit/errors.ts";
import { fileHeaderBytes } from "../../../../kit/file-header.ts";
import { RangeCopier } from "../../../../kit/range-copier.ts";
import { batchHeaderBytes } from "../../write-batch.ts";
import { type CurrentState, writeCurrentSync } from "./current-file.ts";
import { MemoryCursor } from "./memory-cursor.ts";
import type { ResolvedOptions } from "./options.ts";
import type { RecordStore } from "./record-store.ts";
import { blockHeaderBytes, encodeEnd, endBlockBytes, snapshotName } from "./snapshot-file.ts";
import {
  type BlockInput, blockJobReference, removeJobReference, type SwitchInput, switchJobReference,
} from "./snapshot-jobs.ts";

const blockBytes = 1 << 17;
/** Between two flushes of the file, so that the last one is short. */
const flushedBytes = 1 << 22;
const overdueFactor = 4;
const retryPauseMs = 1000;

export class SnapshotWriter {
  readonly #env: Env;
  readonly #store: RecordStore;
  readonly #options: ResolvedOptions;
  readonly #appliedIndex: () => number;
  readonly #copier = new RangeCopier();
  #current: CurrentState;
  /** What snapshots say of the log behind them from now on. */
  #limitBytes: number;
  #isAdmitted: boolean;
  /** The highest number that a file has, or had. */
  #lastNumber: number;
  #running: Promise<void> | undefined;
  #bytesSince = 0;
  #isClosing = false;
  #isPausing = false;
  #troubleSinceUs: number | undefined;
  snapshots = 0;
  failures = 0;
  writtenBytes = 0;

  constructor(env: Env, store: RecordStore, options: ResolvedOptions, found: {
    current: CurrentState;
    lastNumber: number;
    appliedIndex: () => number;
  }) {
    this.#env = env;
    this.#store = store;
    this.#options = options;
    this.#current = found.current;
    this.#lastNumber = found.lastNumber;
    this.#limitBytes = found.current.limitBytes;
    this.#isAdmitted = found.current.isAdmitted;
    this.#appliedIndex = found.appliedIndex;
  }

  get current(): CurrentState {
    return this.#current;
  }

  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  /** Resolves when the snapshot under way has ended, well or not; undefined where there is none. */
  get ended(): Promise<void> | undefined {
    return this.#running?.catch(() => undefined);
  }

  /** Bytes applied since the snapshot in force. */
  get bytesSince(): number {
    return this.#bytesSince;
  }

  /** Counts what was applied; begins a snapshot when one is due. */
  note(bytes: number): void {
    this.#bytesSince += bytes;
    if (this.#bytesSince < this.#dueBytes() || this.#running !== undefined || this.#isPausing) return;
    this.#run().catch(() => undefined);
  }

  /** Resolves when what is applied now is in the snapshot in force. Errors: DISK_FULL, IO_ERROR, CLOSED. */
  async flush(): Promise<void> {
    const index = this.#appliedIndex();
    while (this.#current.index < index) await this.#run();
  }

  /** Writes a snapshot even where nothing was applied since. */
  async rewrite(): Promise<void> {
    await this.#running?.catch(() => undefined);
    if (this.#appliedIndex() > 0) await this.#run();
  }

  /**
   * Notes, in force at once, what live entries may come to from now on. Behind a log whose batches were judged when
   * they were applied, a snapshot of what came of them is written first.
   */
  async adoptLimit(): Promise<void> {
    const isBehind = !this.#isAdmitted;
    this.#isAdmitted = true;
    this.#limitBytes = Math.max(this.#options.bytesMax, this.#store.liveBytes);
    if (isBehind) await this.flush();
    await this.#running?.catch(() => undefined);
    if (this.#current.isAdmitted && this.#current.limitBytes >= this.#limitBytes) return;
    const { directory, selectionHash } = this.#options;
    const state = { ...this.#current, limitBytes: this.#limitBytes, isAdmitted: true };
    writeCurrentSync(this.#env.disk, directory, selectionHash, state);
    this.#current = state;
  }

  async settle(): Promise<void> {
    while (this.#running !== undefined || this.#bytesSince >= this.#dueBytes()) await this.#run();
  }

  /** Undefined while there is room in the log, as far as this is concerned. */
  backpressure(): Promise<void> | undefined {
    return this.#isOverdue() ? this.#waitForRoom() : undefined;
  }

  /** Ends what is under way, without waiting for its last entry. */
  async close(): Promise<void> {
    this.#isClosing = true;
    await this.#running?.catch(() => undefined);
  }

  #dueBytes(): number {
    return Math.max(this.#options.snapshotBytesMin, this.#store.liveBytes);
  }

  #isOverdue(): boolean {
    return this.#bytesSince >= overdueFactor * this.#dueBytes();
  }

  async #waitForRoom(): Promise<void> {
    while (this.#isOverdue()) {
      try {
        await this.#run();
      } catch (error) {
        const { clock } = this.#env;
        const sinceUs = this.#troubleSinceUs ?? clock.monotonicUs();
        if (this.#isClosing || clock.monotonicUs() - sinceUs > this.#options.troubleLimitMs * 1000) {
          throw troubleError(error);
        }
        await new Promise<void>((resolve) => clock.setTimer(retryPauseMs / 10, resolve).keepAlive());
      }
    }
  }

  /** One snapshot at a time: the one under way, or a new one. */
  #run(): Promise<void> {
    this.#running ??= this.#attempt().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #attempt(): Promise<void> {
    if (this.#isClosing) throw new LatheError("CLOSED", "the store is closed");
    try {
      await this.#write();
      this.#troubleSinceUs = undefined;
    } catch (error) {
      const { clock, log } = this.#env;
      if (!this.#isClosing) {
        this.failures++;
        this.#troubleSinceUs ??= clock.monotonicUs();
        log.warn("memory_snapshot_failed", { code: errorCodeOf(error), directory: this.#options.directory });
      }
      this.#isPausing = true;
      clock.setTimer(retryPauseMs, () => {
        this.#isPausing = false;
      });
      throw error;
    }
  }

  async #write(): Promise<void> {
    const { directory, selectionHash } = this.#options;
    const { threads, disk } = this.#env;
    const snapshotNumber = ++this.#lastNumber;
    const timeMs = this.#store.expiry.nowMs();
    const [limitBytes, isAdmitted] = [this.#limitBytes, this.#isAdmitted];
    const state = { snapshotNumber, index: this.#appliedIndex(), timeMs, limitBytes, isAdmitted };
    const bytesBefore = this.#bytesSince;
    const path = `${directory}/${snapshotName(snapshotNumber)}`;
    try {
      await this.#writeFile(path, state);
      await this.#options.logDurable(state.index);
    } catch (error) {
      try {
        if (disk.exists(path)) disk.unlink(path);
      } catch {
        // It is removed after the next snapshot, or at the next opening.
      }
      throw error;
    }
    // Where this fails, the new file may be in force or not; it stays until a later one is for certain.
    const input: SwitchInput = { directory, selectionHash, state };
    await threads.run<SwitchInput, void>(switchJobReference, input);
    this.#current = state;
    this.#bytesSince -= bytesBefore;
    this.snapshots++;
    await threads.run<SwitchInput, void>(removeJobReference, input);
  }

  async #writeFile(path: string, state: CurrentState): Promise<void> {
    const walk = new MemoryCursor(this.#store, {}, state.index, () => undefined, state.timeMs);
    try {
      const shared = new SharedArrayBuffer(blockBytes);
      let position = fileHeaderBytes;
      let unflushed = 0;
      let entryCount = 0;
      for (let isMore = walk.next(); isMore; ) {
        const block = this.#recordBytes(walk.record) > blockBytes - blockHeaderBytes
          ? new SharedArrayBuffer(blockHeaderBytes + this.#recordBytes(walk.record))
          : shared;
        const bytes = new Uint8Array(block);
        let length = blockHeaderBytes;
        while (isMore && length + this.#recordBytes(walk.record) <= bytes.length) {
          length = this.#copyRecord(walk.record, bytes, length);
          entryCount++;
          isMore = walk.next();
        }
        unflushed += length;
        const flush = unflushed >= flushedBytes ? "file" : "nothing";
        if (flush === "file") unflushed = 0;
        await this.#writeBlock({ path, block, length, position, isSealed: false, flush });
        position += length;
      }
      const block = new SharedArrayBuffer(endBlockBytes);
      new Uint8Array(block).set(encodeEnd({ index: state.index, entryCount, timeMs: state.timeMs }));
      await this.#writeBlock({ path, block, length: endBlockBytes, position, isSealed: true, flush: "name" });
    } finally {
      walk.close();
    }
  }

  async #writeBlock(input: Omit<BlockInput, "directory" | "selectionHash">): Promise<void> {
    const { directory, selectionHash } = this.#options;
    await this.#env.threads.run<BlockInput, void>(blockJobReference, { ...input, directory, selectionHash });
    this.writtenBytes += input.length;
    if (this.#isClosing) throw new LatheError("CLOSED", "the store is closed");
    await new Promise<void>((resolve) => this.#env.clock.defer(resolve));
  }

  #recordBytes(ref: number): number {
    const { heap } = this.#store;
    return batchHeaderBytes + heap.keyLengthOf(ref) + heap.valueLengthOf(ref);
  }

  /** As an operation of a batch; returns its end. */
  #copyRecord(ref: number, target: Uint8Array, at: number): number {
    const { heap } = this.#store;
    const keyLength = heap.keyLengthOf(ref);
    const valueLength = heap.valueLengthOf(ref);
    target[at] = heap.kindOf(ref);
    target[at + 1] = keyLength;
    target[at + 2] = keyLength >>> 8;
    target[at + 3] = valueLength;
    target[at + 4] = valueLength >>> 8;
    target[at + 5] = valueLength >>> 16;
    target[at + 6] = valueLength >>> 24;
    const start = heap.keyStartOf(ref);
    this.#copier.copy(heap.sourceOf(ref), start, start + keyLength + valueLength, target, at + batchHeaderBytes);
    return at + batchHeaderBytes + keyLength + valueLength;
  }
}

function troubleError(cause: unknown): LatheError {
  const code = errorCodeOf(cause) ?? "IO_ERROR";
  if (code === "CLOSED") return cause as LatheError;
  const what =
    code === "DISK_FULL" ? "the disk is full; make room, the store goes on by itself" : "writing snapshots fails";
  return new LatheError(code, `no more writes for now: ${what} (${(cause as Error).message})`, { cause });
}

/**
 * SegmentSupply: segment files that are ready to be used, so that an append never waits for an allocation.
 *
 *   1. Retired segments are prepared for another life while fewer than `recycledSegments` are ready;
 *   the rest is removed.
 *   2. When the log asks ahead and none is ready, a new file is allocated.
 *   Both happen on a background thread, one at a time and oldest first, so that a crash leaves a log
 *   without holes.
 *   3. If the log needs one and none is ready, it is prepared on the spot; this is counted, for it
 *   stalls the writers.
 *   4. The first segment of a new log is small, as the start of a store waits for it; the next one is asked
 *   for early.
 */
import type { Env } from "../../../kit/env/env.ts";
import { errorCodeOf } from "../../../kit/errors.ts";
import { type PrepareSegmentInput, prepareSegment, type RemoveSegmentInput } from "./prepare-segment-job.ts";
import { encodeSegmentHeader } from "./segment-format.ts";

export interface SegmentSupplyOptions {
  readonly directory: string;
  readonly segmentBytes: number;
  readonly recycledSegments: number;
  readonly selectionHash: string;
}

export interface PreparedSegment {
  readonly name: string;
  readonly salt: number;
  readonly bytes: number;
}

/** Allocated and flushed within some milliseconds; 32 MiB take a hundred. */
const firstSegmentBytesMax = 4 << 20;

const moduleUrl = new URL("./prepare-segment-job.ts", import.meta.url).href;

export class SegmentSupply {
  /** How often a writer had to wait for an allocation. */
  inlinePreparations = 0;
  readonly #env: Env;
  readonly #options: SegmentSupplyOptions;
  readonly #ready: PreparedSegment[] = [];
  readonly #retiredNames: string[];
  #nextSpare: number;
  #work: Promise<void> | undefined;
  #closed = false;

  constructor(env: Env, options: SegmentSupplyOptions, retiredNames: readonly string[]) {
    this.#env = env;
    this.#options = options;
    this.#retiredNames = [...retiredNames];
    const numbers = retiredNames.map((name) => Number(/^spare-(\d+)\.wal$/.exec(name)?.[1] ?? 0));
    this.#nextSpare = Math.max(0, ...numbers) + 1;
    this.#start(false);
  }

  get readySegments(): number {
    return this.#ready.length;
  }

  /** Gives a segment file away. It must be closed, and the log must do without it from now on. */
  retire(name: string): void {
    this.#retiredNames.push(name);
    this.#start(false);
  }

  /** To be called some time before `take`. */
  prepareAhead(): void {
    if (this.#ready.length === 0) this.#start(true);
  }

  /** Errors: DISK_FULL, IO_ERROR; a later call may succeed. */
  take(): PreparedSegment {
    const ready = this.#ready.shift();
    if (ready !== undefined) return ready;
    this.inlinePreparations++;
    return this.#prepareHere(this.#options.segmentBytes);
  }

  /**
   * The first segment of a new log, which nobody can have asked for ahead: a small one, for a start waits for it.
   * Errors: DISK_FULL, IO_ERROR.
   */
  takeFirst(): PreparedSegment {
    return this.#prepareHere(Math.min(firstSegmentBytesMax, this.#options.segmentBytes));
  }

  #prepareHere(bytes: number): PreparedSegment {
    const prepared = this.#plan(undefined, bytes);
    const { disk } = this.#env;
    try {
      for (const step of prepareSegment({ disk, clock: this.#env.clock }, prepared.input)) void step;
    } catch (error) {
      removeQuietly(() => disk.unlink(`${this.#options.directory}/${prepared.name}`));
      throw error;
    }
    return prepared;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#work;
  }

  #start(freshWanted: boolean): void {
    if (this.#work !== undefined || this.#closed) return;
    if (this.#retiredNames.length === 0 && !freshWanted) return;
    this.#work = this.#workOff(freshWanted).finally(() => (this.#work = undefined));
  }

  async #workOff(freshWanted: boolean): Promise<void> {
    try {
      for (let fresh = freshWanted; !this.#closed; ) {
        if (this.#retiredNames.length > 0) await this.#workOffRetired();
        else if (fresh && this.#ready.length === 0) await this.#prepare(undefined);
        else return;
        // A segment that was retired meanwhile makes a fresh one needless.
        fresh &&= this.#ready.length === 0;
      }
    } catch (error) {
      // Nothing is lost: `take` prepares a segment itself, and reports what it meets.
      this.#env.log.warn("wal.segment_not_prepared", { directory: this.#options.directory, error });
    }
  }

  /** Its name leaves the queue when it is done: after a failure nothing younger may go before it. */
  async #workOffRetired(): Promise<void> {
    const [name] = this.#retiredNames;
    try {
      await this.#recycleOrRemove(name);
    } catch (error) {
      // An attempt that failed half-way may have moved the file away already.
      if (errorCodeOf(error) !== "NOT_FOUND") throw error;
    }
    this.#retiredNames.shift();
  }

  async #recycleOrRemove(name: string): Promise<void> {
    const { directory, segmentBytes, recycledSegments } = this.#options;
    const sizeFits = this.#env.disk.size(`${directory}/${name}`) === segmentBytes;
    if (sizeFits && this.#ready.length < recycledSegments) return this.#prepare(name);
    const job = { moduleUrl, exportName: "removeSegment" };
    await this.#env.threads.run<RemoveSegmentInput, void>(job, { directory, name });
  }

  async #prepare(recycledName: string | undefined): Promise<void> {
    const { name, salt, bytes, input } = this.#plan(recycledName, this.#options.segmentBytes);
    await this.#env.threads.run<PrepareSegmentInput, void>({ moduleUrl, exportName: "prepareSegment" }, input);
    this.#ready.push({ name, salt, bytes });
  }

  #plan(recycledName: string | undefined, bytes: number): PreparedSegment & { input: PrepareSegmentInput } {
    const { directory, selectionHash } = this.#options;
    const name = `spare-${this.#nextSpare++}.wal`;
    const salt = this.#env.random.u32();
    const header = encodeSegmentHeader(salt, selectionHash);
    return { name, salt, bytes, input: { directory, spareName: name, recycledName, segmentBytes: bytes, header } };
  }
}

function removeQuietly(remove: () => void): void {
  try {
    remove();
  } catch {
    // The error that brought us here says more; what stays is a spare, which the next open takes up.
  }
}

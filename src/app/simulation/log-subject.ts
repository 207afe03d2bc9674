/**
 * The write-ahead log alone as a subject: its entries are folded into a map in memory.
 *
 * A `flush` stands for a state machine that made its state durable elsewhere: the contents up to there are kept beside
 * the disk, and the log's prefix is given up.
 */
import { LatheError } from "../../kit/errors.ts";
import { noSelectionHash } from "../../kit/file-header.ts";
import { openWal } from "../../parts/core/wal/wal.ts";
import type { Change } from "../../simulation/store-operation.ts";
import { valueOf } from "../../simulation/store-operation.ts";
import type { Entry, OpenStore, StoreSubject, Write } from "../../simulation/store-subject.ts";
import { callEvent, callPlace, jobEvents, logPlaces } from "./coverage-events.ts";
import { drawEngineKnobs, logOptionsOf } from "./engine-knobs.ts";
import { TappedLog } from "./tapped-log.ts";

type Contents = Map<number, Uint8Array>;

interface Kept {
  contents: Contents;
  index: number;
}

export function createLogSubject(): StoreSubject {
  const kept: Kept = { contents: new Map(), index: 0 };
  return {
    name: "log",
    changes: ["put", "delete"],
    unsyncedWrites: false,
    hasLog: true,
    checkpoints: false,
    lifetimes: false,
    truncations: true,
    drawTuning: undefined,
    repair: undefined,
    drawKnobs: drawEngineKnobs,
    callEvent,
    callPlace,
    places: logPlaces,
    jobEvents,
    readCheckpoint: () => Promise.reject(new Error("a log has no checkpoints")),
    open: async (env, knobs, tap) => {
      const options = { directory: "/data/log", selectionHash: noSelectionHash, ...logOptionsOf(knobs) };
      const log = new TappedLog(await openWal(env, options), tap, 0);
      return new FoldedLog(log, kept);
    },
  };
}

class FoldedLog implements OpenStore {
  readonly #log: TappedLog;
  readonly #kept: Kept;
  #contents: Contents;
  appliedIndex: number;

  constructor(log: TappedLog, kept: Kept) {
    if (log.firstIndex > kept.index + 1) throw new Error(`the log begins at ${log.firstIndex}, behind ${kept.index}`);
    if (log.lastIndex < kept.index) {
      const places = `it ends at ${log.lastIndex}, the state beside it at ${kept.index}`;
      throw new LatheError("CORRUPTION", `the end of the log was lost: ${places}`);
    }
    this.#log = log;
    this.#kept = kept;
    this.#contents = new Map(kept.contents);
    this.appliedIndex = Math.max(kept.index, log.lastIndex);
    if (log.lastIndex <= kept.index) return;
    for (const { entry } of log.read(Math.max(log.firstIndex, kept.index + 1))) apply(this.#contents, decode(entry));
  }

  get durableIndex(): number {
    return this.#kept.index;
  }

  async write(write: Write): Promise<{ index: number; refused: boolean }> {
    const bytes = Buffer.from(JSON.stringify(write));
    this.#log.expect(bytes, write);
    const index = this.#log.append(bytes);
    await this.#log.sync();
    this.#applyUpTo(index);
    return { index, refused: false };
  }

  getSync(key: number): Uint8Array | undefined {
    return this.#contents.get(key);
  }

  get(key: number): Promise<Uint8Array | undefined> {
    return Promise.resolve(this.#contents.get(key));
  }

  scan(from: number, to: number): Entry[] {
    return entriesOf(this.#contents, from, to);
  }

  view() {
    const contents = new Map(this.#contents);
    return { scan: (from: number, to: number) => entriesOf(contents, from, to), release: () => {} };
  }

  async flush(): Promise<void> {
    await this.#log.sync();
    this.#kept.contents = new Map(this.#contents);
    this.#kept.index = this.appliedIndex;
    this.#log.truncatePrefix(this.appliedIndex);
  }

  async compactAll(): Promise<void> {}

  checkpoint(): Promise<number> {
    return Promise.reject(new Error("a log has no checkpoints"));
  }

  async settle(): Promise<void> {}

  tune(): void {}

  async truncateFrom(index: number): Promise<void> {
    await this.#log.truncateSuffix(index);
    if (this.appliedIndex < index) return;
    this.#contents = new Map(this.#kept.contents);
    this.appliedIndex = this.#kept.index;
    this.#applyUpTo(index - 1);
  }

  metrics() {
    return this.#log.metrics();
  }

  close(): Promise<void> {
    return this.#log.close();
  }

  /** In the order of the log: several writes may share a flush. */
  #applyUpTo(index: number): void {
    if (index <= this.appliedIndex) return;
    for (const record of this.#log.read(this.appliedIndex + 1)) {
      if (record.index > index) break;
      apply(this.#contents, decode(record.entry));
      this.appliedIndex = record.index;
    }
  }
}

function decode(entry: Uint8Array): Write {
  return JSON.parse(Buffer.from(entry).toString()) as Write;
}

function apply(contents: Contents, { id, changes }: Write): void {
  for (const [place, change] of (changes as readonly Change[]).entries()) {
    if (change.kind === "put") contents.set(change.key, valueOf(id, place, change.bytes));
    else if (change.kind === "delete") contents.delete(change.key);
  }
}

function entriesOf(contents: Contents, from: number, to: number): Entry[] {
  const found = [...contents].filter(([key]) => key >= from && key < to);
  return found.map(([key, value]) => ({ key, value })).sort((a, b) => a.key - b.key);
}

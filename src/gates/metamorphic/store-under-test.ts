/**
 * The store that a metamorphic program runs on, as far as programs need it: the shape of the StorageEngine port,
 * and the world in which it lives (files, time, power).
 *
 * The workshop knows parts by their ports only, and a candidate brings its own copies of them; so what is needed is
 * written down here once more, as structure.
 */
import type { Change, Feature } from "./operation.ts";

export interface StoreSnapshot {
  readonly index: number;
  release(): void;
}

export interface StoreRange {
  gte?: Uint8Array | undefined;
  lt?: Uint8Array | undefined;
  reverse?: boolean;
  snapshot?: StoreSnapshot;
}

export interface StoreCursor {
  next(): boolean;
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  close(): void;
}

/** An encoded batch of the product's own class. */
export interface StoreBatch {
  readonly count: number;
}

export interface Store {
  readonly appliedIndex: number;
  readonly durableIndex: number;
  getSync(key: Uint8Array, snapshot?: StoreSnapshot): Uint8Array | undefined;
  get(key: Uint8Array, snapshot?: StoreSnapshot): Promise<Uint8Array | undefined>;
  getMany(keys: readonly Uint8Array[], snapshot?: StoreSnapshot): Promise<(Uint8Array | undefined)[]>;
  applySync(batch: StoreBatch, index: number): void;
  backpressure(): Promise<void> | undefined;
  write(batch: StoreBatch, options?: { sync?: boolean }): Promise<number>;
  scan(range: StoreRange): StoreCursor;
  snapshot(): StoreSnapshot;
  flush(): Promise<void>;
  compactAll(): Promise<void>;
  settle(): Promise<void>;
  checkpoint(directory: string): Promise<void>;
  close(): Promise<void>;
}

/** Where stores live. One world is made per run of a program. */
export interface StoreWorld {
  /** Whether the engine keeps a log; without one the caller replays what it wrote. */
  readonly ownLog: boolean;
  /** Opens the store under test, or a copy of it made by `checkpoint`. */
  open(copy?: string): Promise<Store>;
  /** Directory for a checkpoint. */
  directoryOf(copy: string): string;
  batchOf(changes: readonly Change[], nowMs: number): StoreBatch;
  /** Puts the named compaction agent in its place; names that it does not know change nothing. */
  replaceAgent(store: Store, name: string): void;
  /** Changes an option of the running engine; what it refuses, and engines without live options, change nothing. */
  tune(store: Store, option: string, value: number | string): void;
  /**
   * Reads every byte of the closed store and repairs it into a copy of that name. Returns what was found wrong with it,
   * or false where the product cannot repair.
   */
  repair(copy: string): readonly string[] | false;
  /** The time that the store is given, in milliseconds. */
  nowMs(): number;
  wait(ms: number): void;
  /** Lets background work make a step. */
  turn(): Promise<void>;
  /** Makes what the engine's log has taken durable. */
  syncLog(): Promise<void>;
  /** Closes the engine's log, where it keeps one. */
  closeLog(): Promise<void>;
  /** Loses power: the store object is dead afterwards. False where this world cannot. */
  losePower(): boolean;
  /** Lets the world go on until the promise settles. Rejects with TIMEOUT where it never would. */
  drive<Value>(promise: Promise<Value>): Promise<Value>;
  dispose(): Promise<void>;
}

/** Makes worlds for a product's engine. */
export interface StoreMaker {
  readonly features: readonly Feature[];
  /** What its options can be. */
  readonly knobSets: KnobSets;
  create(knobs: KnobSet, seed: number): StoreWorld;
  close(): Promise<void>;
}

/** Knob sets for an engine of one kind. */
export interface KnobSets {
  readonly standard: readonly KnobSet[];
  /** `next` is uniform in [0, 1). */
  draw(name: string, next: () => number): KnobSet;
}

/** How a run is set up. Options are the engine's own, by name; one that an engine does not know changes nothing. */
export interface KnobSet {
  readonly name: string;
  /**
   * `simulated`: virtual time, a disk that forgets, jobs one after the other. `concurrent`: the same with jobs side by
   * side and times drawn from the seed. `real`: files and threads.
   */
  readonly world: "simulated" | "concurrent" | "real";
  /** Who keeps the log: the caller, or the engine. */
  readonly log: "caller" | "engine";
  readonly options: Readonly<Record<string, number | string | boolean>>;
}

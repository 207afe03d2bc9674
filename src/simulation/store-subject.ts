/**
 * The port behind which a store stands that is to be simulated: an engine, or a whole node.
 *
 * A subject tells the order of its writes through the tap: `appended(index, …)` when a write got its place in the log
 * (or was applied, where there is no log). From then on, a recovery may bring it back.
 */
import type { Metric } from "../kit/metric.ts";
import type { DiskCall } from "./disk-call.ts";
import type { SimulatedEnv } from "./simulated-env.ts";
import type { Change } from "./store-operation.ts";

export type ScenarioKnobs = Readonly<Record<string, number | string>>;

export interface Write {
  readonly id: number;
  readonly changes: readonly Change[];
  /** When it was made, by the wall clock: lifetimes count from here. */
  readonly timeMs: number;
}

export interface Tap {
  /** Call the result where the log refused the entry after all. */
  appended(index: number, write: Write): () => void;
}

export interface Entry {
  readonly key: number;
  readonly value: Uint8Array;
  /** Known to the model alone: gone from then on. */
  readonly expiresAtMs?: number | undefined;
}

export interface ReadView {
  /** Entries with from ≤ key < to, ascending. */
  scan(from: number, to: number): Entry[];
  release(): void;
}

export interface OpenStore {
  /** Reads show the writes up to this index. */
  readonly appliedIndex: number;
  /** What survives a crash beyond what was acknowledged. */
  readonly durableIndex: number;
  /** Resolves when acknowledged. */
  write(write: Write, sync: boolean): Promise<{ index: number; refused: boolean }>;
  getSync(key: number): Uint8Array | undefined;
  get(key: number): Promise<Uint8Array | undefined>;
  scan(from: number, to: number, reverse: boolean): Entry[];
  /** A view of the store as it is now, which stays the same. */
  view(): ReadView;
  flush(): Promise<void>;
  compactAll(): Promise<void>;
  /** Makes an openable copy; returns the index up to which it reaches. */
  checkpoint(directory: string): Promise<number>;
  settle(): Promise<void>;
  /** Changes options while it is open. */
  tune(knobs: ScenarioKnobs): void;
  /** Gives up the entries from an index on; they never come back once the promise resolves. */
  truncateFrom(index: number): Promise<void>;
  metrics(): Metric[];
  close(): Promise<void>;
}

export interface StoreSubject {
  readonly name: string;
  /** Kinds of changes that it knows. */
  readonly changes: readonly Change["kind"][];
  /** Whether a write may be acknowledged before it is durable, when it says so. */
  readonly unsyncedWrites: boolean;
  /** Whether it keeps what it acknowledged without a flush. */
  readonly hasLog: boolean;
  /** Where what it acknowledged may be lost with the power: of how long a time, in ms. Undefined: nothing may. */
  readonly lossWindowMs?: (knobs: ScenarioKnobs) => number;
  readonly checkpoints: boolean;
  /** Whether puts may have a lifetime. */
  readonly lifetimes: boolean;
  /** Whether its log can be truncated from its end. */
  readonly truncations: boolean;
  /** Knobs to change while it is open; undefined where that cannot be done. */
  readonly drawTuning: ((next: () => number) => ScenarioKnobs) | undefined;
  /** Repairs a damaged store into a directory and returns what is there then; undefined where there is no repair. */
  readonly repair: ((env: SimulatedEnv, knobs: ScenarioKnobs) => Promise<Entry[]>) | undefined;
  /** Knobs small enough that rare events are common. */
  drawKnobs(next: () => number): ScenarioKnobs;
  open(env: SimulatedEnv, knobs: ScenarioKnobs, tap: Tap): Promise<OpenStore>;
  /** The contents of a checkpoint, all of it. */
  readCheckpoint(env: SimulatedEnv, knobs: ScenarioKnobs, directory: string): Promise<Entry[]>;
  /** The coverage event that a disk call is, or undefined; `opening`: after a crash or restart. */
  callEvent(call: DiskCall, opening: boolean): string | undefined;
  /** What part of the store a call belongs to, in a word. */
  callPlace(call: DiskCall): string;
  /** Those that faults are aimed at. */
  readonly places: readonly string[];
  /** Names of coverage events in the output of a job. */
  jobEvents(name: string, input: unknown, output: unknown): string[];
}

/**
 * The generator of metamorphic programs: the same seed gives the same program.
 *
 *   1. Draw the character of the program: how many keys and of which shapes, how large values are, how much is
 *      deleted, how often background work is asked for. Programs differ more than operations within one do.
 *   2. Draw operations by weight, with names of snapshots, cursors and checkpoints that are mostly there.
 *   3. End with readings of everything, after settling, compacting and opening again.
 * Source of the idea: swarm testing (Groce et al. 2012); Pebble's metamorphic generator.
 */
import { seededNumbers } from "../../simulation/simulated-env.ts";
import { liveOptions } from "./knob-sets.ts";
import type { Change, Feature, Operation, OperationFile, Range } from "./operation.ts";

export interface GeneratorOptions {
  readonly features: readonly Feature[];
  /** Operations before the closing readings; drawn from the seed where undefined. */
  readonly length?: number | undefined;
}

/** Raised when the same seed begins to give another program: recorded seeds then mean something else. */
export const generatorVersion = 2;

export function generateOperations(seed: number, options: GeneratorOptions): OperationFile {
  return new Generator(seed, options).file();
}

type Weights = Readonly<Record<string, number>>;

class Generator {
  readonly #seed: number;
  readonly #next: () => number;
  readonly #features: readonly Feature[];
  readonly #length: number;
  readonly #keys: readonly string[];
  readonly #valueMax: number;
  readonly #deleteShare: number;
  readonly #batchMax: number;
  readonly #weights: Weights;
  #values = 0;
  #names = 0;
  #snapshots: string[] = [];
  #cursors: string[] = [];
  #checkpoints: string[] = [];

  constructor(seed: number, { features, length }: GeneratorOptions) {
    this.#seed = seed;
    this.#next = seededNumbers(seed);
    this.#features = features;
    this.#length = length ?? 60 + this.#below(240);
    this.#keys = this.#drawKeys();
    this.#valueMax = [0, 8, 40, 40, 300, 300, 3000, 20_000][this.#below(8)];
    this.#deleteShare = [0.02, 0.1, 0.1, 0.3, 0.6][this.#below(5)];
    // Many large values in one batch cost much time and show little.
    this.#batchMax = Math.min([1, 4, 4, 12, 60][this.#below(5)], this.#valueMax > 1000 ? 4 : Infinity);
    this.#weights = this.#drawWeights();
  }

  file(): OperationFile {
    const operations: Operation[] = [];
    while (operations.length < this.#length) operations.push(this.#operation());
    for (const name of this.#checkpoints) operations.push({ kind: "open-checkpoint", name });
    for (const at of this.#snapshots) operations.push({ kind: "scan", reverse: this.#chance(0.5), at });
    for (const name of this.#cursors) operations.push({ kind: "next", name, count: 1000 });
    const everything: Operation[] = [
      { kind: "scan", reverse: false },
      { kind: "scan", reverse: true },
      { kind: "get-many", keys: this.#keys },
    ];
    for (const kind of ["settle", "reopen", "compact", "crash"] as const) operations.push({ kind }, ...everything);
    return { seed: this.#seed, features: this.#features, operations };
  }

  #drawKeys(): string[] {
    const count = [3, 15, 60, 60, 250][this.#below(5)];
    const shape = this.#below(5);
    const found = new Set<string>();
    for (let i = 0; found.size < count; i++) {
      const digits = String(i).padStart(4, "0");
      if (shape === 0) found.add(`k${digits}`);
      else if (shape === 1) found.add(this.#randomBytes(1 + this.#below(4)));
      // Keys that are one another's prefixes.
      else if (shape === 2) found.add("k\u0000ÿ".slice(0, 1 + this.#below(3)) + "a".repeat(this.#below(i + 2)));
      else if (shape === 3) found.add(`${"long-prefix-".repeat(10)}${digits}${"x".repeat(this.#below(200))}`);
      else found.add(this.#chance(0.5) ? `u${digits}` : this.#randomBytes(1 + this.#below(12)));
    }
    return [...found];
  }

  #drawWeights(): Weights {
    const weights: Record<string, number> = {
      write: 40, get: 14, "get-promised": 6, "get-many": 5, scan: 8, cursor: 4, next: 8, close: 2, snapshot: 4,
      release: 3, flush: 3, "flush-begin": 2, compact: 1, "compact-begin": 1, settle: 1, turns: 5, checkpoint: 1,
      "open-checkpoint": 1, reopen: 1, crash: 1.5, agent: 1.5,
      "write-apart": 3, "reopen-now": 1, repair: 0.5, tune: 3,
    };
    if (this.#features.includes("ttl")) weights.wait = 4;
    // Some kinds are left out of a program, and some are common in it.
    for (const kind of Object.keys(weights)) {
      const luck = this.#next();
      if (kind !== "write" && luck < 0.15) weights[kind] = 0;
      else if (luck > 0.88) weights[kind] *= 4;
    }
    return weights;
  }

  #operation(): Operation {
    const total = Object.values(this.#weights).reduce((sum, weight) => sum + weight, 0);
    let left = this.#next() * total;
    let chosen = "write";
    for (const [kind, weight] of Object.entries(this.#weights)) {
      chosen = kind;
      left -= weight;
      if (left < 0) break;
    }
    return this.#make(chosen as Operation["kind"]);
  }

  #make(kind: Operation["kind"]): Operation {
    switch (kind) {
      case "write":
        return { kind, sync: this.#chance(0.8), changes: this.#changes() };
      case "get":
      case "get-promised":
        return { kind, key: this.#key(), at: this.#snapshot(0.25) };
      case "get-many":
        return { kind, keys: Array.from({ length: 1 + this.#below(8) }, () => this.#key()), at: this.#snapshot(0.25) };
      case "scan":
        return this.#chance(0.4) ? { kind, ...this.#range(), limit: 1 + this.#below(20) } : { kind, ...this.#range() };
      case "cursor": {
        const name = this.#newName("c");
        this.#cursors.push(name);
        return { kind, name, ...this.#range() };
      }
      case "next":
        return { kind, name: this.#pick(this.#cursors) ?? "c0", count: 1 + this.#below(12) };
      case "turns":
        return { kind, count: 1 + this.#below(12) };
      case "wait":
        return { kind, ms: [1, 10, 500, 1000, 5000][this.#below(5)] };
      case "agent":
        return { kind, name: ["default", "lazy", "eager", "other"][this.#below(4)] };
      case "write-apart":
        return { kind, changes: this.#changesApart() };
      case "tune": {
        const [option, values] = liveOptions[this.#below(liveOptions.length)];
        return { kind, option, value: values[this.#below(values.length)] };
      }
      default:
        return this.#makeNamed(kind);
    }
  }

  #makeNamed(kind: Operation["kind"]): Operation {
    switch (kind) {
      case "snapshot":
        this.#snapshots.push(this.#newName("s"));
        return { kind, name: this.#snapshots[this.#snapshots.length - 1] };
      case "checkpoint":
        this.#checkpoints.push(this.#newName("p"));
        return { kind, name: this.#checkpoints[this.#checkpoints.length - 1] };
      case "release":
        return { kind, name: this.#take(this.#snapshots) ?? "s0" };
      case "close":
        return { kind, name: this.#take(this.#cursors) ?? "c0" };
      case "open-checkpoint":
        return { kind, name: this.#pick(this.#checkpoints) ?? "p0" };
      case "reopen":
      case "reopen-now":
      case "repair":
      case "crash":
        this.#snapshots = [];
        this.#cursors = [];
        return { kind };
      default:
        return { kind } as Operation;
    }
  }

  #changes(): Change[] {
    const count = 1 + this.#below(this.#batchMax);
    return Array.from({ length: this.#chance(0.01) ? 0 : count }, () => this.#change());
  }

  /** Changes of different keys, so that their order does not count. */
  #changesApart(): Change[] {
    const keys = new Set(Array.from({ length: 2 + this.#below(7) }, () => this.#key()));
    return Array.from(keys, (key) =>
      this.#chance(this.#deleteShare) ? { kind: "delete", key } : { kind: "put", key, value: this.#value() },
    );
  }

  #change(): Change {
    if (this.#features.includes("range-delete") && this.#chance(0.06)) {
      const [from, to] = [this.#bound(), this.#bound()].sort((a, b) => (a < b ? -1 : 1));
      return { kind: "deleteRange", from, to };
    }
    if (this.#chance(this.#deleteShare)) return { kind: "delete", key: this.#key() };
    const put = { kind: "put", key: this.#key(), value: this.#value() } as const;
    if (!this.#features.includes("ttl") || !this.#chance(0.2)) return put;
    return { ...put, ttlMs: [1, 10, 500, 1000, 5000][this.#below(5)] };
  }

  /** Says which write it is from, so that a stale one is told apart. */
  #value(): string {
    const text = `v${++this.#values}.`;
    const length = this.#chance(0.1) ? 0 : this.#below(this.#valueMax + 1);
    return text.repeat(Math.ceil(length / text.length) || 0).slice(0, length);
  }

  #key(): string {
    return this.#keys[this.#below(this.#keys.length)];
  }

  /** A key, or what lies just before or after one. */
  #bound(): string {
    const key = this.#key();
    const luck = this.#next();
    if (luck < 0.6) return key;
    if (luck < 0.75) return `${key}\u0000`;
    if (luck < 0.9 && key.length > 1) return key.slice(0, -1);
    return this.#randomBytes(1 + this.#below(3));
  }

  #range(): Range {
    let from = this.#chance(0.3) ? undefined : this.#bound();
    let to = this.#chance(0.3) ? undefined : this.#bound();
    // Mostly the right way round.
    if (from !== undefined && to !== undefined && from > to && this.#chance(0.9)) [from, to] = [to, from];
    return { from, to, reverse: this.#chance(0.4), at: this.#snapshot(0.25) };
  }

  #snapshot(share: number): string | undefined {
    return this.#chance(share) ? this.#pick(this.#snapshots) : undefined;
  }

  #newName(letter: string): string {
    return `${letter}${++this.#names}`;
  }

  #pick(names: readonly string[]): string | undefined {
    return names.length === 0 ? undefined : names[this.#below(names.length)];
  }

  #take(names: string[]): string | undefined {
    return names.length === 0 ? undefined : names.splice(this.#below(names.length), 1)[0];
  }

  #randomBytes(length: number): string {
    return Array.from({ length }, () => String.fromCharCode(this.#below(256))).join("");
  }

  #chance(share: number): boolean {
    return this.#next() < share;
  }

  #below(bound: number): number {
    return Math.floor(this.#next() * bound);
  }
}

/**
 * Scenarios drawn from a seed: knobs, schedule, operations, faults.
 *
 * Every seed draws its own weights ("swarm testing", Groce et al. 2012): one is all range deletes and flushes, another
 * never flushes by hand; one disk is fast, another slow enough that writers stall. Faults are drawn per life, so that
 * some strike a recovery. Nothing here depends on what happens when the scenario runs, so any part of it can be left
 * out: that is what makes shrinking possible.
 */
import { type Fault, faultKinds, isHonest } from "./fault-plan.ts";
import { seededNumbers } from "./seeded-numbers.ts";
import type { Schedule } from "./simulated-env.ts";
import type { Change, StoreOperation } from "./store-operation.ts";
import type { ScenarioKnobs, StoreSubject } from "./store-subject.ts";

export interface Scenario {
  readonly subject: string;
  readonly seed: number;
  readonly knobs: ScenarioKnobs;
  readonly schedule: Schedule | undefined;
  readonly operations: readonly StoreOperation[];
  /** Per life of the store, from the first. */
  readonly faults: readonly (readonly Fault[])[];
  readonly capacityBytes: number | undefined;
}

const operationsMax = 130;
const livesMax = 5;

export function drawScenario(subject: StoreSubject, seed: number): Scenario {
  const next = seededNumbers(seed ^ 0x2545f491);
  const knobs = subject.drawKnobs(next);
  const schedule = drawSchedule(next);
  const operations = new OperationSource(subject, next).draw(25 + Math.floor(next() ** 2 * (operationsMax - 25)));
  // A stream of its own: what is not aimed stays what it is, however others are.
  const aim = seededNumbers(seed ^ 0x51ed270b);
  const places = aim() < 0.3 ? subject.places : [];
  const faults = Array.from({ length: livesMax }, (_, life) =>
    drawFaults(next, life).flatMap((fault) => (places.length === 0 ? [fault] : aimed(fault, places, aim))),
  );
  const capacityBytes = next() < 0.06 ? 20_000 + Math.floor(next() * 60_000) : undefined;
  return { subject: subject.name, seed, knobs, schedule, operations, faults, capacityBytes };
}

function drawSchedule(next: () => number): Schedule {
  const pick = (choices: readonly number[]) => choices[Math.floor(next() * choices.length)];
  return {
    callUs: pick([0, 20, 20, 200, 5000]),
    jobStepUs: pick([0, 50, 1000, 30_000, 200_000]),
    deferUs: pick([0, 10, 300]),
    timerLateUs: pick([0, 1000, 20_000]),
    concurrency: pick([1, 1, 2, 3]),
    clockJumps: pick([0, 0, 0, 0.01]),
    threadDeaths: pick([0, 0, 0, 0, 0.02]),
  };
}

/** Mostly one fault a life or none; lying devices are the minority, because they end what can be demanded. */
function drawFaults(next: () => number, life: number): Fault[] {
  const faults: Fault[] = [];
  while (faults.length < 2 && next() < (faults.length === 0 ? 0.75 : 0.15)) {
    const honest = next() < 0.88;
    const kinds = faultKinds.filter((kind) => isHonest(kind) === honest);
    const kind = honest && next() < 0.55 ? "crash" : kinds[Math.floor(next() * kinds.length)];
    // As likely during the first ten calls of a life, its recovery, as among the next hundred or thousand.
    const call = 1 + Math.floor(10 ** (next() * (life === 0 ? 2.8 : 2.6)));
    faults.push({ kind, call, persistent: next() < 0.15 });
  }
  return faults;
}

/**
 * Most of the faults at one place, since of the calls of a life few are those of the manifest. Half of them are
 * followed by a loss of power, before anybody can have mended what they left.
 */
function aimed(fault: Fault, places: readonly string[], next: () => number): Fault[] {
  if (next() < 0.2) return [fault];
  const place = places[Math.floor(next() * places.length)];
  const one = { ...fault, call: 1 + Math.floor(10 ** (next() * 1.5)), place };
  if (next() < 0.5) return [one];
  return [one, { kind: "crash", call: Math.ceil(10 ** next()), persistent: false, after: true }];
}

class OperationSource {
  readonly #subject: StoreSubject;
  readonly #next: () => number;
  readonly #keys: number;
  readonly #bytesMax: number;
  readonly #changesMax: number;
  readonly #waits: number;
  readonly #syncs: number;
  /** Share of the puts that expire. */
  readonly #lifetimes: number;
  readonly #weights: readonly (readonly [StoreOperation["kind"], number])[];
  #writes = 0;

  constructor(subject: StoreSubject, next: () => number) {
    this.#subject = subject;
    this.#next = next;
    this.#keys = 4 + Math.floor(next() ** 2 * 150);
    this.#bytesMax = [8, 60, 60, 250, 1500][Math.floor(next() * 5)];
    this.#changesMax = 1 + Math.floor(next() ** 2 * 12);
    this.#waits = next();
    this.#syncs = subject.unsyncedWrites ? [1, 0.8, 0.3][Math.floor(next() * 3)] : 1;
    this.#lifetimes = subject.lifetimes ? [0, 0, 0.1, 0.6][Math.floor(next() * 4)] : 0;
    const rarely = (weight: number) => (next() < 0.4 ? 0 : weight * next());
    this.#weights = [
      ["write", 10],
      ["get", 3 * next()],
      ["scan", rarely(1)],
      ["snapshot", rarely(0.6)],
      ["readSnapshot", 0.6],
      ["release", 0.3],
      ["flush", rarely(0.5)],
      ["compactAll", rarely(0.2)],
      ["checkpoint", subject.checkpoints ? rarely(0.8) : 0],
      ["tune", subject.drawTuning === undefined ? 0 : rarely(0.3)],
      ["truncate", subject.truncations ? rarely(0.5) : 0],
      ["settle", rarely(0.4)],
      ["drain", rarely(0.6)],
      ["pause", rarely(1)],
      ["reopen", rarely(0.12)],
      ["kill", rarely(0.12)],
      ["crash", rarely(0.12)],
    ];
  }

  draw(count: number): StoreOperation[] {
    return Array.from({ length: count }, () => this.#one());
  }

  #one(): StoreOperation {
    const kind = this.#kind();
    switch (kind) {
      case "write":
        return this.#write();
      case "get":
        return { kind, key: this.#key(), pooled: this.#next() < 0.4 };
      case "scan":
        return { kind, ...this.#range(), reverse: this.#next() < 0.4 };
      case "readSnapshot":
        return { kind, which: Math.floor(this.#next() * 4), ...this.#range() };
      case "release":
        return { kind, which: Math.floor(this.#next() * 4) };
      case "tune":
        return { kind, knobs: this.#subject.drawTuning?.(this.#next) ?? {} };
      case "truncate":
        return { kind, entries: 1 + Math.floor(this.#next() ** 2 * 12) };
      case "pause":
        return { kind, ms: Math.floor(10 ** (this.#next() * 3.5)) };
      default:
        return { kind };
    }
  }

  #kind(): StoreOperation["kind"] {
    const total = this.#weights.reduce((sum, [, weight]) => sum + weight, 0);
    let luck = this.#next() * total;
    for (const [kind, weight] of this.#weights) if ((luck -= weight) < 0) return kind;
    return "write";
  }

  #write(): StoreOperation {
    const count = 1 + Math.floor(this.#next() * this.#changesMax);
    const changes = Array.from({ length: count }, () => this.#change());
    const sync = this.#next() < this.#syncs;
    return { kind: "write", id: ++this.#writes, changes, sync, wait: this.#next() < this.#waits };
  }

  #change(): Change {
    const luck = this.#next();
    const knows = (kind: Change["kind"]) => this.#subject.changes.includes(kind);
    if (luck < 0.2) return { kind: "delete", key: this.#key() };
    if (luck < 0.24 && knows("deleteRange")) return { kind: "deleteRange", ...this.#range() };
    const bytes = Math.floor(this.#next() * (this.#bytesMax + 1));
    if (luck > 0.95 && knows("insert")) return { kind: "insert", key: this.#key(), bytes };
    const put = { kind: "put", key: this.#key(), bytes } as const;
    return this.#next() < this.#lifetimes ? { ...put, lifetimeMs: Math.floor(10 ** (this.#next() * 5)) } : put;
  }

  #key(): number {
    return Math.floor(this.#next() ** 1.5 * this.#keys);
  }

  #range(): { from: number; to: number } {
    const from = this.#key();
    return { from, to: from + 1 + Math.floor(this.#next() ** 2 * this.#keys) };
  }
}

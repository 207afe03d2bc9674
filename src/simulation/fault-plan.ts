/**
 * Faults of one life of a store, and the nemesis that carries them out.
 *
 * Honest faults leave no excuse: whatever was acknowledged must be there afterwards.
 *   crash     power lost before the n-th changing call
 *   torn      power lost during it: a write is torn at sectors, a rename or removal has happened or not
 *   ioError   the n-th call, reads included, fails with IO_ERROR
 *   diskFull  the n-th call that may need space fails with DISK_FULL
 *   syncError the n-th flush fails, and what it should have kept is given up (it may stay readable for a while)
 * Lying devices may lose what was acknowledged; then the store must notice, or stand as of an earlier moment:
 *   lostWrite, lostSync   told done, not done
 *   misdirected           a write reaches other sectors of its file
 *   flippedWrite, flippedRead   one bit is another
 *   shortRead             a read ends early
 * `place`: a fault that is aimed at one part of the store, such as its manifest, counts the calls of that part alone.
 * `after`: counts from when the fault before it has struck: power goes while what that one left is not mended yet.
 * `persistent`: from the n-th call on, every call of that kind.
 */
import type { DiskCall, DiskCallKind, DiskNemesis, DiskVerdict } from "./disk-call.ts";

export const faultKinds = [
  "crash", "torn", "ioError", "diskFull", "syncError",
  "lostWrite", "lostSync", "misdirected", "flippedWrite", "flippedRead", "shortRead",
] as const;

export type FaultKind = (typeof faultKinds)[number];

export interface Fault {
  readonly kind: FaultKind;
  /** Number of the call that it strikes, from 1, among those that it can strike. */
  readonly call: number;
  readonly persistent: boolean;
  /** Strikes and counts calls of this part of the store alone (`StoreSubject.callPlace`). */
  readonly place?: string;
  /** Counts from when the fault before it in its list has struck. */
  readonly after?: boolean;
}

interface Rule {
  readonly calls: ReadonlySet<DiskCallKind>;
  readonly verdict: DiskVerdict;
  readonly honest: boolean;
}

const changing: ReadonlySet<DiskCallKind> = new Set([
  "open", "create", "write", "truncate", "sync", "syncDirectory", "rename", "unlink", "link",
]);
const growing: ReadonlySet<DiskCallKind> = new Set(["create", "write", "rename", "link", "sync"]);
const reading: ReadonlySet<DiskCallKind> = new Set(["read"]);
const writing: ReadonlySet<DiskCallKind> = new Set(["write"]);
const syncing: ReadonlySet<DiskCallKind> = new Set(["sync", "syncDirectory"]);
const failing: ReadonlySet<DiskCallKind> = new Set([...changing, "read", "list"]);

const rules: Readonly<Record<FaultKind, Rule>> = {
  crash: { calls: changing, verdict: { kind: "crash" }, honest: true },
  torn: { calls: changing, verdict: { kind: "torn" }, honest: true },
  ioError: { calls: failing, verdict: { kind: "error", code: "IO_ERROR" }, honest: true },
  diskFull: { calls: growing, verdict: { kind: "error", code: "DISK_FULL" }, honest: true },
  syncError: { calls: syncing, verdict: { kind: "error", code: "IO_ERROR" }, honest: true },
  lostWrite: { calls: writing, verdict: { kind: "lost" }, honest: false },
  lostSync: { calls: syncing, verdict: { kind: "lost" }, honest: false },
  misdirected: { calls: writing, verdict: { kind: "misdirected" }, honest: false },
  flippedWrite: { calls: writing, verdict: { kind: "flipped" }, honest: false },
  flippedRead: { calls: reading, verdict: { kind: "flipped" }, honest: false },
  shortRead: { calls: reading, verdict: { kind: "short" }, honest: false },
};

export function isHonest(kind: FaultKind): boolean {
  return rules[kind].honest;
}

/** Carries out the faults of one life and remembers which have struck. */
export class FaultPlan {
  readonly #placeOf: (call: DiskCall) => string;
  readonly #faults: readonly { readonly fault: Fault; seen: number; struck: number }[];
  #ended = false;
  #roomMade = false;
  /** Calls of every kind so far. */
  readonly calls = new Map<DiskCallKind, number>();

  constructor(faults: readonly Fault[], placeOf: (call: DiskCall) => string = () => "") {
    this.#placeOf = placeOf;
    this.#faults = faults.map((fault) => ({ fault, seen: 0, struck: 0 }));
  }

  readonly nemesis: DiskNemesis = (call: DiskCall) => {
    this.calls.set(call.kind, (this.calls.get(call.kind) ?? 0) + 1);
    if (this.#ended) return undefined;
    let verdict: DiskVerdict | undefined;
    for (const [at, state] of this.#faults.entries()) {
      const { fault } = state;
      if (fault.after === true && this.#faults[at - 1]?.struck === 0) continue;
      const rule = rules[fault.kind];
      if (!rule.calls.has(call.kind)) continue;
      if (fault.place !== undefined && fault.place !== this.#placeOf(call)) continue;
      state.seen++;
      if (state.seen !== fault.call && !(fault.persistent && state.seen > fault.call)) continue;
      if (this.#roomMade && fault.kind === "diskFull") continue;
      state.struck++;
      verdict ??= rule.verdict;
    }
    return verdict;
  };

  /** Kinds that have struck. */
  get struck(): FaultKind[] {
    return this.#faults.filter(({ struck }) => struck > 0).map(({ fault }) => fault.kind);
  }

  /** From now on there is room. */
  makeRoom(): void {
    this.#roomMade = true;
  }

  /** From now on nothing fails. */
  end(): void {
    this.#ended = true;
  }
}

/**
 * Operation: one thing that a metamorphic program asks of a store. Programs name snapshots, cursors and
 * checkpoints, so that any operation can be left out and the rest still means something.
 *
 * Keys and values are byte strings: one character per byte (latin1), so that `<` on them is the order of
 * memcmp.
 */
export interface PutChange {
  readonly kind: "put";
  readonly key: string;
  readonly value: string;
  /** Milliseconds after which it expires; undefined: never. */
  readonly ttlMs?: number | undefined;
}

export interface DeleteChange {
  readonly kind: "delete";
  readonly key: string;
}

/** Deletes the keys from `from` up to, not including, `to`. */
export interface DeleteRangeChange {
  readonly kind: "deleteRange";
  readonly from: string;
  readonly to: string;
}

export type Change = PutChange | DeleteChange | DeleteRangeChange;

export interface Range {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly reverse: boolean;
  /** Name of a snapshot; undefined: the present. */
  readonly at?: string | undefined;
}

export type Operation =
  | { readonly kind: "write"; readonly changes: readonly Change[]; readonly sync: boolean }
  /** Every change is a batch of its own, and all are written at once; no two are of one key. */
  | { readonly kind: "write-apart"; readonly changes: readonly Change[] }
  | { readonly kind: "get" | "get-promised"; readonly key: string; readonly at?: string | undefined }
  | { readonly kind: "get-many"; readonly keys: readonly string[]; readonly at?: string | undefined }
  | ({ readonly kind: "scan"; readonly limit?: number | undefined } & Range)
  | ({ readonly kind: "cursor"; readonly name: string } & Range)
  | { readonly kind: "next"; readonly name: string; readonly count: number }
  | { readonly kind: "close"; readonly name: string }
  | { readonly kind: "snapshot" | "release"; readonly name: string }
  | { readonly kind: "checkpoint" | "open-checkpoint"; readonly name: string }
  /** `…-begin` starts the work and does not wait for it. */
  | { readonly kind: "flush" | "flush-begin" | "compact" | "compact-begin" | "settle" | "reopen" | "crash" }
  /** Closes at once, with work under way and cursors and snapshots held, and opens again. */
  | { readonly kind: "reopen-now" }
  /** Flushes, closes, reads every byte, repairs the store into a copy, reads that, and opens the store again. */
  | { readonly kind: "repair" }
  /** Changes an option of the running engine, where that is possible. */
  | { readonly kind: "tune"; readonly option: string; readonly value: number | string }
  /** Lets background work make some steps. */
  | { readonly kind: "turns"; readonly count: number }
  /** Puts another compaction agent in the place of the present one. */
  | { readonly kind: "agent"; readonly name: string }
  /** Lets time pass. */
  | { readonly kind: "wait"; readonly ms: number };

/** What a program needs of a store beyond the port's core. */
export const featureNames = ["range-delete", "ttl"] as const;
export type Feature = (typeof featureNames)[number];

/** A program with where it comes from. */
export interface OperationFile {
  readonly seed: number;
  readonly features: readonly Feature[];
  readonly operations: readonly Operation[];
}

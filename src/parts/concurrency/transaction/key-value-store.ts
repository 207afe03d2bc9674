/**
 * KeyValueStore: one table of keys and values, as surfaces without a query language use it.
 *
 * Contract:
 *   1. A write is one command of the replicated log: all of its changes or none, durable before it resolves.
 *   2. Conditions are evaluated when the command is applied, all of them on the state before it.
 *   3. The version of a row is the log index of the write that made it: it rises, and no two writes share one.
 *   4. An item is gone from its expiry on. Reads judge by the clock, but never by an earlier time than that of the
 *   last write; conditions by the time of their log entry.
 *   5. Reads are synchronous and see every write that was answered. Bytes handed out are valid until the caller's
 *   next call on the store.
 *   6. The rows are those of an ordinary table, so that other surfaces see the same data.
 */
import type { Metric } from "../../../kit/metric.ts";

export interface KeyValueItem {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly version: bigint;
  /** Milliseconds since the epoch; undefined: it stays. */
  readonly expiresAtMs: number | undefined;
}

/** Undefined: no condition. `absent`: no such key. `present`: any version. Otherwise one of these versions. */
export type WriteCondition = "absent" | "present" | readonly bigint[];

export interface KeyValueChange {
  readonly key: Uint8Array | string;
  /** Undefined deletes the key; deleting one that is not there changes nothing. */
  readonly value: Uint8Array | string | undefined;
  /** From the time of the log entry on. */
  readonly ttlMs?: number | undefined;
  readonly condition?: WriteCondition | undefined;
}

export type WriteResult =
  | { readonly kind: "written"; readonly version: bigint }
  /** Nothing was changed: the condition of this change did not hold. */
  | { readonly kind: "refused"; readonly change: number; readonly version: bigint | undefined };

export interface KeyRange {
  /** Inclusive lower bound; undefined: from the first key. */
  readonly from?: Uint8Array | undefined;
  /** Only keys behind this one. */
  readonly after?: Uint8Array | undefined;
  /** Exclusive upper bound. */
  readonly to?: Uint8Array | undefined;
  readonly prefix?: Uint8Array | undefined;
}

export interface KeyValueView {
  release(): void;
}

export interface KeyValueStore {
  readonly keyBytesMax: number;
  readonly valueBytesMax: number;
  /** Bytes of all changes of one write together. */
  readonly writeBytesMax: number;
  /** Creates the table where it is missing. Called once, after recovery and before any other call. */
  prepare(): Promise<void>;
  /** Errors: CORRUPTION. */
  get(key: Uint8Array): KeyValueItem | undefined;
  /**
   * Errors: LIMIT_EXCEEDED for keys and values beyond the limits, INVALID_ARGUMENT for an empty key or a wrong ttl,
   * NOT_FOUND where the table was dropped meanwhile, BACKPRESSURE, and the log's.
   */
  write(changes: readonly KeyValueChange[]): Promise<WriteResult>;
  /**
   * Visits items in key order until the visitor returns false; the state is that of the call's turn, or of the view's.
   * What has expired is left out by the time of the call, also of a view.
   */
  scan(range: KeyRange, visit: (item: KeyValueItem) => boolean, view?: KeyValueView): void;
  /** The state as of now, for several scans. It pins files until it is released. Errors: BACKPRESSURE. */
  view(): KeyValueView;
  metrics(): Metric[];
}

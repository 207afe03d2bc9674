/**
 * What a scenario does to a store: plain data, so that a failing one can be shrunk, kept in a file and run again.
 * Keys are small numbers and values follow from where they were written; each subject encodes them in its own way.
 */
export type Change =
  /** Expires `lifetimeMs` after the write was made, where that is given. */
  | { readonly kind: "put"; readonly key: number; readonly bytes: number; readonly lifetimeMs?: number }
  /** As put, but the whole write is refused where the key is there. */
  | { readonly kind: "insert"; readonly key: number; readonly bytes: number }
  | { readonly kind: "delete"; readonly key: number }
  /** Keys from `from` up to, but without, `to`. */
  | { readonly kind: "deleteRange"; readonly from: number; readonly to: number };

export type StoreOperation =
  /** One atomic batch. Without `wait` the next operation starts in the same turn. */
  | {
      readonly kind: "write";
      readonly id: number;
      readonly changes: readonly Change[];
      readonly sync: boolean;
      readonly wait: boolean;
    }
  | { readonly kind: "get"; readonly key: number; readonly pooled: boolean }
  | { readonly kind: "scan"; readonly from: number; readonly to: number; readonly reverse: boolean }
  | { readonly kind: "snapshot" }
  /** Reads a range through a snapshot or an open cursor taken before; `which` counts from the oldest. */
  | { readonly kind: "readSnapshot"; readonly which: number; readonly from: number; readonly to: number }
  | { readonly kind: "release"; readonly which: number }
  | { readonly kind: "flush" | "compactAll" | "checkpoint" | "settle" | "drain" }
  | { readonly kind: "pause"; readonly ms: number }
  /** Changes options while the store is open. */
  | { readonly kind: "tune"; readonly knobs: Readonly<Record<string, number | string>> }
  /** Gives the last `entries` entries of the log up, as a replica does whose leader has others; writes wait for it. */
  | { readonly kind: "truncate"; readonly entries: number }
  /** Closed and opened; the process killed; power lost. */
  | { readonly kind: "reopen" | "kill" | "crash" };

/** Whether a value is one that a put of this key may have left, by any of the operations. */
export function wasEverPut(operations: readonly StoreOperation[], key: number, value: Uint8Array): boolean {
  return operations.some(
    (operation) =>
      operation.kind === "write" &&
      operation.changes.some((change, place) => {
        if ((change.kind !== "put" && change.kind !== "insert") || change.key !== key) return false;
        return change.bytes === value.length && Buffer.compare(valueOf(operation.id, place, change.bytes), value) === 0;
      }),
  );
}

/** The value that a change of a write puts: it says where it comes from, to its last byte. */
export function valueOf(write: number, change: number, length: number): Uint8Array {
  const stamp = Buffer.from(`${write}.${change};`, "latin1");
  const value = new Uint8Array(length);
  for (let at = 0; at < length; at += stamp.length) value.set(stamp.subarray(0, length - at), at);
  return value;
}

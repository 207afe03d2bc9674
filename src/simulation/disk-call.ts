/** Calls of a simulated disk, and what may become of one. Whoever injects faults answers the first with the second. */
import type { ErrorCode } from "../kit/errors.ts";

export type DiskCallKind =
  | "open" | "create" | "read" | "list" | "write" | "truncate" | "sync" | "syncDirectory"
  | "rename" | "unlink" | "link";

export interface DiskCall {
  readonly kind: DiskCallKind;
  readonly path: string;
  readonly position: number;
  readonly length: number;
}

export type DiskVerdict =
  /** The call fails. A failed write may have left some of its sectors; a failed sync gives up what it should keep. */
  | { readonly kind: "error"; readonly code: ErrorCode }
  /** Power is lost before the call has any effect. */
  | { readonly kind: "crash" }
  /** Power is lost while the call is under way: a write is torn, names change or do not. */
  | { readonly kind: "torn" }
  /** Told done, nothing was done: a write or sync that the device lost. */
  | { readonly kind: "lost" }
  /** A write that reaches other sectors of the same file. */
  | { readonly kind: "misdirected" }
  /** One bit of what is written, or of what is read, is another. */
  | { readonly kind: "flipped" }
  /** A read that gives less than there is. */
  | { readonly kind: "short" };

export type DiskNemesis = (call: DiskCall) => DiskVerdict | undefined;

/** Calls that change something or make it durable. */
export function isChange(kind: DiskCallKind): boolean {
  return kind !== "read" && kind !== "list";
}

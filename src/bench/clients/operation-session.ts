/** OperationSession: one client of a workload on one connection, whatever protocol the connection speaks. */
import type { Operation } from "../../workload/workload.ts";

export interface Outcome {
  /** What the server or the connection refused; undefined where all went well. */
  readonly error: Error | undefined;
  /** The first wrong answer among the rows and results, or undefined. */
  readonly wrong: string | undefined;
  /** How often it was begun again because of a conflict with another transaction; 0 where left out. */
  readonly conflicts?: number;
}

export interface OperationSession {
  /**
   * Runs an operation; `done` is called exactly once, always after this call has returned unless the
   * connection is gone.
   */
  start(operation: Operation, done: (operation: Operation, outcome: Outcome) => void): void;
  close(): void;
}

/** Whether the connection can be used no more: everything but an error that the server itself reported. */
export function isConnectionLost({ error }: Outcome): boolean {
  const code = (error as { code?: string } | undefined)?.code;
  return error !== undefined && code !== "MYSQL" && code !== "HTTP";
}

/**
 * The open connections of a surface, as their sessions see each other: for SHOW PROCESSLIST and KILL.
 */
import type { SessionProcess } from "../../../../query_processing/executor.ts";

export interface RegisteredConnection {
  describe(nowUs: number): SessionProcess;
  kill(what: "connection" | "query"): void;
}

export class ConnectionRegistry {
  readonly #byId = new Map<number, RegisteredConnection>();

  get size(): number {
    return this.#byId.size;
  }

  add(connectionId: number, connection: RegisteredConnection): void {
    this.#byId.set(connectionId, connection);
  }

  remove(connectionId: number): void {
    this.#byId.delete(connectionId);
  }

  has(connectionId: number): boolean {
    return this.#byId.has(connectionId);
  }

  describe(nowUs: number): SessionProcess[] {
    return Array.from(this.#byId.values(), (connection) => connection.describe(nowUs));
  }

  /** Whether there is such a connection. */
  kill(connectionId: number, what: "connection" | "query"): boolean {
    const connection = this.#byId.get(connectionId);
    connection?.kill(what);
    return connection !== undefined;
  }
}

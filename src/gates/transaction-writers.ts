/**
 * Open transactions on connections of a product that is to be killed, for products that have them: what
 * `simulation/session-workload.ts` does and judges, over the wire.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Ask, SessionHistory } from "../simulation/session-workload.ts";
import { seededNumbers } from "../simulation/simulated-env.ts";
import type { GateConnection } from "./gate-connection.ts";

const cells = 24;
const conflictErrno = 1213;

/** Whether clients of the product may think within a transaction. */
export function hasOpenTransactions(productDirectory: string): boolean {
  return existsSync(join(productDirectory, "parts", "concurrency", "transaction", "model", "single_node_acid"));
}

export class TransactionWriters {
  readonly #history = new SessionHistory(cells);
  readonly #seed: number;
  /** A statement was refused that must not be. */
  failure: string | undefined;
  stopped = false;

  constructor(seed: number) {
    this.#seed = seed;
  }

  get acknowledged(): number {
    return this.#history.acknowledged;
  }

  get unclear(): number {
    return this.#history.unclear;
  }

  prepare(connection: GateConnection): Promise<void> {
    return this.#history.prepare(askOf(connection));
  }

  /** Transactions until stopped or disconnected. */
  async run(connection: GateConnection, number: number): Promise<void> {
    const next = seededNumbers(this.#seed * 131 + number);
    const ask = askOf(connection);
    while (!this.stopped) {
      try {
        await this.#history.transact(ask, next);
      } catch (error) {
        if (error instanceof Refusal) this.failure ??= error.message;
        return;
      }
    }
  }

  judge(connection: GateConnection): Promise<string | undefined> {
    return this.#history.judge(askOf(connection));
  }
}

class Refusal extends Error {}

function askOf(connection: GateConnection): Ask {
  return async (sql) => {
    const [{ rows, error }] = await connection.query(sql);
    if (error?.errno === conflictErrno) return "conflict";
    if (error !== undefined) throw new Refusal(`${sql.slice(0, 60)} was refused with ${error.errno}: ${error.message}`);
    return rows;
  };
}

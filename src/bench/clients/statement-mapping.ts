/**
 * StatementMapping: how the operations of a benchmark become MySQL statements. One per benchmark, so that
 * each looks to the server as the benchmark's own client does.
 */
import type { LoadBatch, Operation, OperationStep } from "../../workload/workload.ts";
import type { MySqlClient, PreparedHandle } from "./mysql-client.ts";

export interface StatementMapping {
  /** Prepares what the operations need on this connection. */
  prepare(client: MySqlClient): Promise<void>;
  /** Writes a single step into the client's request; returns the statement where it is a prepared one. */
  writeStep(client: MySqlClient, step: OperationStep): PreparedHandle | undefined;
  /**
   * Writes a whole transaction as one text: its results are those of START TRANSACTION, of each step, and
   * of COMMIT.
   */
  writeTransaction(client: MySqlClient, operation: Operation): void;
  /** Writes a batch of the load as one INSERT of several rows. */
  writeLoad(client: MySqlClient, batch: LoadBatch): void;
}

/**
 * InteractiveTransactions: transactions that stay open between the packets of a client.
 *
 * Contract:
 *   1. An open transaction sees one moment and its own writes; nobody else sees those before its commit.
 *   2. `commit` gives one command, which first checks, when it is applied, that what the transaction has read is still
 *   the same, and then writes. Committed transactions are serializable in the order of the log; a refused one has
 *   changed nothing (reason "conflict") and may be run again from its beginning.
 *   With snapshot isolation the check is of less: the rows that it writes or has matched to write (the first to commit
 *   wins), and what it has read to lock. Updates are not lost; two that read what the other writes may both commit.
 *   3. One that has written nothing has no command and is never refused.
 *   4. Steps of one statement take place as a whole or not at all; a refused statement leaves the transaction open.
 * Source: Kung and Robinson 1981 (optimistic concurrency control), Silo, FoundationDB, TiDB's optimistic transactions.
 */
import type { Metric } from "../../../kit/metric.ts";
import type { StorageEngine } from "../../storage/engine.ts";
import type { Command, CommandResult, CommandStep, StepResult } from "./command.ts";

/** What transactions promise where nothing else is asked for. */
export type TransactionIsolation = "serializable" | "snapshot";

export interface InteractiveTransactions {
  readonly isolation: TransactionIsolation;
  /** Errors: LIMIT_EXCEEDED where too many are open. */
  begin(options?: BeginOptions): InteractiveTransaction;
  metrics(): Metric[];
}

export interface BeginOptions {
  /** It is to be serializable where others have snapshot isolation. */
  readonly serializable?: boolean | undefined;
  /** It will not write; nothing of what it reads is kept. */
  readonly readOnly?: boolean | undefined;
  /** Its moment is now, not that of its first statement. */
  readonly now?: boolean | undefined;
}

export interface LostTransaction {
  /** conflict: it may be run again as it is. */
  readonly reason: "conflict" | "limit_exceeded";
  readonly message: string;
}

export interface InteractiveTransaction {
  readonly readOnly: boolean;
  /** What its reads see; where it is serializable, what it asks for is kept, to be looked at again at the commit. */
  readonly view: Pick<StorageEngine, "getSync" | "scan">;
  /** The same for reads that lock (FOR UPDATE): what they ask for is looked at again in any case. */
  readonly lockingView: Pick<StorageEngine, "getSync" | "scan">;
  /**
   * Why the transaction has ended by itself, or must end now; undefined while it may go on. To be asked before each
   * statement, which then counts as a sign of life.
   */
  lost(): LostTransaction | undefined;
  /** Steps that must be proposed and answered (`reserved`) before `run` can number all rows; undefined where none. */
  unnumbered(steps: readonly CommandStep[]): CommandStep | undefined;
  reserved(step: CommandStep, result: StepResult): void;
  /** Errors: LIMIT_EXCEEDED where it has written too much, and the engine's. */
  run(steps: readonly CommandStep[]): CommandResult;
  /** What is written after it can be undone by name; another of that name is forgotten. Errors: LIMIT_EXCEEDED. */
  savepoint(name: string): void;
  /** Undoes the writes since, and forgets the savepoints since; what was read still counts. False: no such one. */
  rollbackTo(name: string): boolean;
  /** Forgets it and the savepoints since. False: no such one. */
  release(name: string): boolean;
  /** Ends it. The command that makes its writes, or undefined where there are none. */
  commit(): Command | undefined;
  /** Ends it, if it has not ended. */
  rollback(): void;
}

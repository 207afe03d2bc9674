/**
 * ReplicatedLog: commands in, outcomes out, in one order that all replicas share.
 *
 * Contract:
 *   1. An entry is a deterministic command with the proposer's time, term, client and request id.
 *   Conditions and expiry are evaluated when the entry is applied, with the entry's own time: one log
 *   applied to two replicas gives equal states.
 *   2. `propose` resolves after the entry is durable (on a quorum, under Raft) and applied here;
 *   commands are applied in log order. Rejects with the state machine's error where applying it fails
 *   (the entry then changed nothing).
 *   3. The applied index is the engine's sequence number.
 * Source: Ongaro and Ousterhout 2014, section 5; etcd's raft library.
 */
import type { Metric } from "../../kit/metric.ts";

export interface ReplicatedLog {
  readonly appliedIndex: number;
  /**
   * Proposes a command (encoded, see `concurrency/transaction/command.ts`). Errors: BACKPRESSURE,
   * CLOSED, and the log's.
   */
  propose(command: Uint8Array): Promise<CommandOutcome>;
  /** Undefined where a read now is linearizable; otherwise a promise to wait for. */
  readBarrier(): Promise<void> | undefined;
  /**
   * Applies what the log holds and the state machine lacks; called once by the wiring before the
   * surfaces open.
   */
  recover(): Promise<{ replayedEntries: number }>;
  metrics(): Metric[];
  close(): Promise<void>;
}

/**
 * What applying one command gave. Expected refusals (a duplicate key) are values, with the state
 * unchanged.
 */
export interface CommandOutcome {
  readonly index: number;
  readonly result: unknown;
}

/** Where entries are applied. Must be deterministic in (state, index, entry). */
export interface StateMachine {
  /** Index of the last entry whose effect the state holds. */
  readonly appliedIndex: number;
  /** Highest index whose effect survives a crash without the log: the log may be truncated up to it. */
  readonly durableIndex: number;
  apply(index: number, entry: LogEntry): unknown;
  /** Told once by `recover` when everything was replayed: what follows is new. Errors: the engine's. */
  recovered?(): Promise<void>;
  /** As the engine's: undefined while there is room. */
  backpressure(): Promise<void> | undefined;
}

export interface LogEntry {
  /**
   * The proposer's wall clock in milliseconds since the epoch; never less than that of the entry
   * before.
   */
  readonly timestampMs: number;
  readonly term: number;
  readonly clientId: number;
  readonly requestId: number;
  readonly command: Uint8Array;
}

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
 *   4. Whether there is room for a command is asked before it is logged (`StateMachine.admit`): one that is refused for
 *   want of room has no index and no entry, so that no replay, with more room or less, can decide otherwise.
 * Source: Ongaro and Ousterhout 2014, section 5; etcd's raft library.
 */
import type { Metric } from "../../kit/metric.ts";
import type { Demand } from "../storage/engine.ts";

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

/** What is admitted and not applied yet. */
export interface InFlight extends Demand {
  readonly commands: number;
  readonly commandBytes: number;
}

/** Where entries are applied. Must be deterministic in (state, index, entry). */
export interface StateMachine {
  /** Index of the last entry whose effect the state holds. */
  readonly appliedIndex: number;
  /** Highest index whose effect survives a crash without the log: the log may be truncated up to it. */
  readonly durableIndex: number;
  apply(index: number, entry: LogEntry): unknown;
  /**
   * Asked in the order of the log before an entry is logged: what applying it demands of the room there is, at most,
   * when what is in flight was applied before it. Undefined: that can only be told when nothing is in flight; or, where
   * nothing is, `backpressure` is there to wait for. Errors: LIMIT_EXCEEDED where there is no room for it.
   */
  admit?(entry: LogEntry, inFlight: InFlight): Demand | undefined;
  /** Told once by `recover` when everything up to an index was replayed: what follows is new. Errors: the engine's. */
  recovered?(index: number): Promise<void>;
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

/**
 * A ReplicatedLog of one node: the write-ahead log is the log, durable here is durable.
 *
 *   1. `propose` queues the command. The first one of a turn asks to run at the end of the turn's
 *   input, so that what other connections send in the same turn shares its flush; it waits for nothing
 *   else.
 *   2. A round appends all that waits, begins the device flush, and meanwhile applies the group whose
 *   flush has ended before. Flush and apply thus overlap, and groups grow by themselves when the device
 *   is slow.
 *   3. When its flush has ended, a group is applied in log order; each proposal resolves with its outcome. With a
 *   `SyncPolicy` a group is applied when the policy lets it be answered, and each entry asks once more at its turn.
 *   4. Before a command is logged the state machine says whether there is room for it. Where that can only be told when
 *   nothing is in flight, the command and those behind it wait until everything before them is applied. What is
 *   refused is not in the log; what is in the log is applied, now and at every replay.
 *   5. Whenever the state machine has made more of its state durable, the log's prefix up to there is
 *   given up. Invariants:
 *   1. Nothing is applied that is not durable (with a policy: that may not be answered yet); hence a read of
 *   the applied state is linearizable without a barrier.
 *   2. Entry times never go backwards, also across restarts (the last entry is kept for that).
 *   3. After a failed flush, or an entry that could not be applied for a reason outside of it, or a state machine
 *   whose own files fail for long, nothing is accepted any more: the order of the log would be broken. What is durable
 *   is applied at the next start.
 *   4. A state machine without room for long (a full disk) breaks nothing: what is logged waits, what is not is
 *   refused, and both go on when there is room again.
 *   Source: etcd's apply loop, VoltDB's command log, LevelDB's writer queue; Redis' maxmemory, which is asked before a
 *   command runs, and not at all for what the append-only file or a master sends.
 */
import { assert } from "../../../kit/assert.ts";
import type { Env } from "../../../kit/env/env.ts";
import { errorCodeOf, LatheError } from "../../../kit/errors.ts";
import { Histogram } from "../../../kit/histogram.ts";
import type { Metric } from "../../../kit/metric.ts";
import type { DurableLog } from "../../core/durable-log.ts";
import type { SyncPolicy } from "../../recovery/sync-policy.ts";
import { decodeLogEntry, encodeLogEntry } from "../log-entry.ts";
import { type Demand, noDemand } from "../../storage/engine.ts";
import type { CommandOutcome, LogEntry, ReplicatedLog, StateMachine } from "../replicated-log.ts";
import { type Proposal, ProposalQueue } from "./proposal-queue.ts";

export interface SingleNodeLogOptions {
  /** Owned from now on: closed by `close`. */
  log: DurableLog;
  stateMachine: StateMachine;
  /** When entries may be applied and answered. Owned, too. Default: when they are durable. */
  syncPolicy?: SyncPolicy | undefined;
  /** Commands that may wait to be logged; beyond, BACKPRESSURE. Default: 4096. */
  proposalsMax?: number;
  /** Bytes of commands that may wait. Default: 64 MiB. */
  proposalBytesMax?: number;
}

interface LoggedProposal {
  readonly proposal: Proposal;
  readonly index: number;
  readonly entry: LogEntry;
  readonly entryBytes: number;
  readonly demand: Demand;
}

/** One node knows no elections and no retries of clients. */
const singleTerm = 1;
const noClient = 0;
/** Between two looks whether there is room again; the state machine says no as often as its own work fails. */
const noRoomPauseMs = 20;

/**
 * Errors that follow from the entry alone: every replica meets them, so the log goes on without the
 * entry's effect.
 */
const refusals = new Set([
  "CONSTRAINT", "INVALID_ARGUMENT", "LIMIT_EXCEEDED", "NOT_FOUND", "NOT_SELECTED", "ALREADY_EXISTS",
]);

export function openSingleNodeLog(env: Env, options: SingleNodeLogOptions): ReplicatedLog {
  return new SingleNodeLog(env, options);
}

class SingleNodeLog implements ReplicatedLog {
  readonly #env: Env;
  readonly #log: DurableLog;
  readonly #stateMachine: StateMachine;
  readonly #syncPolicy: SyncPolicy | undefined;
  readonly #waiting: ProposalQueue;
  #running: Promise<void> | undefined;
  #appliedIndex = 0;
  #lastTimestampMs = 0;
  #recovered = false;
  #closed = false;
  #failure: unknown;
  #proposals = 0;
  #refused = 0;
  /** The sum over what is logged and not applied. */
  readonly #inFlight = { commands: 0, commandBytes: 0, puts: 0, entries: 0, bytes: 0 };
  readonly #commitUs = new Histogram();

  constructor(env: Env, options: SingleNodeLogOptions) {
    const { log, stateMachine, syncPolicy, proposalsMax = 4096, proposalBytesMax = 64 << 20 } = options;
    this.#env = env;
    this.#log = log;
    this.#syncPolicy = syncPolicy;
    this.#stateMachine = stateMachine;
    this.#waiting = new ProposalQueue({ proposalsMax, bytesMax: proposalBytesMax });
  }

  get appliedIndex(): number {
    return this.#appliedIndex;
  }

  propose(command: Uint8Array): Promise<CommandOutcome> {
    return new Promise((resolve, reject) => {
      assert(this.#recovered, "recover() comes before the first command");
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#closed) throw new LatheError("CLOSED", "the log is closed");
      try {
        this.#waiting.push({ command, proposedUs: this.#env.clock.monotonicUs(), resolve, reject });
      } catch (error) {
        this.#refused++;
        throw error;
      }
      this.#proposals++;
      if (this.#running === undefined) this.#start();
    });
  }

  readBarrier(): undefined {
    return undefined;
  }

  async recover(): Promise<{ replayedEntries: number }> {
    assert(!this.#recovered, "recover() is called once");
    this.#checkReach();
    this.#appliedIndex = this.#stateMachine.appliedIndex;
    let replayedEntries = 0;
    // From the last applied entry on, because its time bounds the times to come.
    const from = Math.max(this.#log.firstIndex, Math.min(this.#appliedIndex, this.#log.lastIndex));
    for (const { index, entry: bytes } of this.#log.read(from)) {
      const entry = decodeLogEntry(bytes);
      this.#lastTimestampMs = Math.max(this.#lastTimestampMs, entry.timestampMs);
      if (index <= this.#appliedIndex) continue;
      const room = this.#stateMachine.backpressure();
      if (room !== undefined) await room;
      this.#replay(index, entry);
      replayedEntries++;
    }
    await this.#stateMachine.recovered?.(this.#appliedIndex);
    this.#recovered = true;
    this.#truncate();
    return { replayedEntries };
  }

  /** Without those of the durable log, which are its own to tell. */
  metrics(): Metric[] {
    const counter = (name: string, help: string, value: number): Metric => ({ kind: "counter", name, help, value });
    const gauge = (name: string, help: string, value: number): Metric => ({ kind: "gauge", name, help, value });
    return [
      counter("log_proposals_total", "Commands proposed.", this.#proposals),
      counter("log_refused_total", "Commands refused because too many were waiting.", this.#refused),
      gauge("log_waiting_proposals", "Commands that wait to be logged.", this.#waiting.length),
      gauge("log_applied_index", "Index of the last applied entry.", this.#appliedIndex),
      this.#commitUs.toMetric({
        name: "log_commit_seconds", help: "Time from proposing a command to its outcome.", scale: 1e-6,
      }),
    ];
  }

  /** Ends what was proposed before, then closes the log. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#running;
    this.#syncPolicy?.close();
    await this.#log.close();
  }

  /** The log must hold everything that the state lacks, and must not end before the state. */
  #checkReach(): void {
    const { firstIndex, lastIndex } = this.#log;
    const { appliedIndex } = this.#stateMachine;
    if (appliedIndex + 1 >= firstIndex && appliedIndex <= lastIndex) return;
    throw new LatheError(
      "CORRUPTION",
      `the state holds entries up to ${appliedIndex}, but the log holds ${firstIndex} to ${lastIndex}: ` +
        "log and state do not belong together; restore both from one copy",
      { details: { appliedIndex, firstIndex, lastIndex } },
    );
  }

  #replay(index: number, entry: LogEntry): void {
    try {
      this.#stateMachine.apply(index, entry);
    } catch (error) {
      if (!refusals.has(errorCodeOf(error) ?? "")) throw error;
    }
    this.#appliedIndex = index;
  }

  #start(): void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#running = promise;
    this.#env.clock.defer(() => void this.#run().then(resolve));
  }

  /** Rounds until nothing waits. Never rejects: what fails goes to the proposals. */
  async #run(): Promise<void> {
    let durable: LoggedProposal[] = [];
    while (durable.length > 0 || this.#waiting.length > 0) {
      if (this.#isPressed()) {
        await this.#applyGroup(durable);
        durable = [];
        // Those that came meanwhile have yet to be refused, or logged, by the next round.
        if (!(await this.#room())) continue;
      }
      const group = this.#appendWaiting();
      const flushed = group.length > 0 ? this.#flush(group) : undefined;
      await this.#applyGroup(durable);
      durable = (await flushed) === true ? group : [];
      if (this.#failure !== undefined) this.#rejectAll(group);
    }
    // In the same step as the check: a command proposed after it starts the next run.
    this.#running = undefined;
  }

  /** Resolves with whether the group may be applied: the device has it, or the policy says so. Never rejects. */
  async #flush(group: readonly LoggedProposal[]): Promise<boolean> {
    try {
      if (this.#syncPolicy === undefined) await this.#log.sync();
      else await this.#syncPolicy.answerable(group.reduce((sum, { entryBytes }) => sum + entryBytes, 0));
      return true;
    } catch (error) {
      this.#fail(error);
      return false;
    }
  }

  /** Whether there is no room just now. The promise behind that may be rejected before anybody waits for it. */
  #isPressed(): boolean {
    const pressure = this.#stateMachine.backpressure();
    pressure?.catch(() => undefined);
    return pressure !== undefined;
  }

  /**
   * Waits for room; resolves with whether there may be some. Where there is none for long (a full disk), those that are
   * not logged yet are refused: they changed nothing and may try again.
   */
  async #room(): Promise<boolean> {
    try {
      await this.#stateMachine.backpressure();
      return true;
    } catch (error) {
      // Room may be made on a full disk. What else fails for so long may never end, and clients would wait for it; nor
      // does the wait of a state machine for a log that has failed.
      const failure = this.#syncPolicy?.failure;
      if (failure !== undefined) this.#fail(failure);
      if (this.#closed || errorCodeOf(error) !== "DISK_FULL") this.#fail(error);
      for (const proposal of this.#waiting.takeAll()) proposal.reject(error);
      await new Promise<void>((resolve) => this.#env.clock.setTimer(noRoomPauseMs, resolve).keepAlive());
      return false;
    }
  }

  #appendWaiting(): LoggedProposal[] {
    const logged: LoggedProposal[] = [];
    const later: Proposal[] = [];
    const timestampMs = Math.max(this.#env.clock.nowMs(), this.#lastTimestampMs);
    for (const proposal of this.#waiting.takeAll()) {
      const { command } = proposal;
      const entry = { timestampMs, term: singleTerm, clientId: noClient, requestId: 0, command };
      try {
        if (this.#failure !== undefined) throw this.#failure;
        // What the state machine was asked at a time is not asked for an earlier one afterwards.
        this.#lastTimestampMs = timestampMs;
        const demand = later.length > 0 ? undefined : this.#admit(entry);
        if (demand === undefined) {
          later.push(proposal);
          continue;
        }
        const bytes = encodeLogEntry(entry);
        const one = { proposal, index: this.#log.append(bytes), entry, entryBytes: bytes.length, demand };
        logged.push(one);
        this.#count(one, 1);
      } catch (error) {
        // Too large, or no room for another segment: this command is not in the log, others may be.
        proposal.reject(error);
      }
    }
    this.#waiting.putBack(later);
    assert(later.length === 0 || this.#inFlight.commands > 0 || this.#isPressed(), "what waits has what to wait for");
    return logged;
  }

  #admit(entry: LogEntry): Demand | undefined {
    return this.#stateMachine.admit === undefined ? noDemand : this.#stateMachine.admit(entry, this.#inFlight);
  }

  /** Adds a command to what is in flight, or, with -1, takes it out. */
  #count({ entry, demand }: LoggedProposal, sign: 1 | -1): void {
    const sum = this.#inFlight;
    sum.commands += sign;
    if (sum.commands === 0) Object.assign(sum, { commandBytes: 0, ...noDemand });
    else {
      sum.commandBytes += sign * entry.command.length;
      sum.puts += sign * demand.puts;
      sum.entries += sign * demand.entries;
      sum.bytes += sign * demand.bytes;
    }
  }

  async #applyGroup(group: readonly LoggedProposal[]): Promise<void> {
    for (const one of group) {
      const { proposal, index, entry } = one;
      // What is logged has its place: it is applied before whatever comes later, however long there is no room.
      while (this.#failure === undefined && this.#isPressed() && !(await this.#room()));
      const due = this.#failure === undefined ? this.#syncPolicy?.due() : undefined;
      if (due !== undefined) await due.catch((error: unknown) => this.#fail(error));
      if (this.#failure === undefined) this.#apply(proposal, index, entry);
      else proposal.reject(this.#failure);
      this.#count(one, -1);
    }
    if (group.length > 0 && this.#failure === undefined) this.#truncate();
  }

  #apply(proposal: Proposal, index: number, entry: LogEntry): void {
    try {
      const result = this.#stateMachine.apply(index, entry);
      this.#appliedIndex = index;
      proposal.resolve({ index, result });
    } catch (error) {
      if (refusals.has(errorCodeOf(error) ?? "")) this.#appliedIndex = index;
      else this.#fail(error);
      proposal.reject(error);
    }
    this.#commitUs.record(this.#env.clock.monotonicUs() - proposal.proposedUs);
  }

  /** The last entry stays: a restart needs its time. */
  #truncate(): void {
    const index = Math.min(this.#stateMachine.durableIndex, this.#appliedIndex, this.#log.lastIndex - 1);
    if (index < this.#log.firstIndex) return;
    try {
      this.#log.truncatePrefix(index);
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#env.log.error("log.failed", { appliedIndex: this.#appliedIndex, error });
  }

  #rejectAll(group: readonly LoggedProposal[]): void {
    for (const { proposal } of group) proposal.reject(this.#failure);
  }
}

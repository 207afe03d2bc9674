/** A ReplicatedLog for the tests of parts that propose commands: beside the port, as `map-engine.fixture.ts` is. */
import type { CommandOutcome, ReplicatedLog, StateMachine } from "./replicated-log.ts";

/** Applies what is proposed in the same turn and keeps it, so that it can be applied elsewhere. */
export class InstantLog implements ReplicatedLog {
  readonly commands: Uint8Array[] = [];
  barrier: (() => Promise<void>) | undefined;
  readonly #stateMachine: StateMachine;
  #index: number;

  constructor(stateMachine: StateMachine) {
    this.#stateMachine = stateMachine;
    this.#index = stateMachine.appliedIndex;
  }

  get appliedIndex(): number {
    return this.#index;
  }

  async propose(command: Uint8Array): Promise<CommandOutcome> {
    this.commands.push(command);
    const index = ++this.#index;
    return { index, result: this.#stateMachine.apply(index, entryOf(index, command)) };
  }

  readBarrier(): Promise<void> | undefined {
    return this.barrier?.();
  }

  async recover(): Promise<{ replayedEntries: number }> {
    return { replayedEntries: 0 };
  }

  metrics(): [] {
    return [];
  }

  async close(): Promise<void> {}
}

export function entryOf(index: number, command: Uint8Array) {
  return { timestampMs: index, term: 1, clientId: 1, requestId: index, command };
}

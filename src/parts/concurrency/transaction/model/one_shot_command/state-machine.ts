/**
 * The state machine of one-shot commands: applies log entries to an engine.
 *
 * Algorithm of `apply`:
 *   1. Decode the command; run its steps against the engine and an overlay of its own writes (`command-run.ts`).
 *   2. A refused step drops the overlay: the result names the step and the reason, the state is as before.
 *   3. Otherwise all writes, those of index entries too, and the ranges of what was dropped, go to the engine as one
 *      batch under the entry's index, then, in the same turn, into the row cache and the catalog, so that no reader
 *      sees one without the other.
 * `admit`, before an entry is logged: where the engine has a limit, and what the command demands at most
 * (`command-demand.ts`) may not fit, the command is run without its effect once nothing is in flight, and the engine
 * says whether just that batch fits.
 * Invariants:
 *   1. Deterministic in (state, index, entry): no clock, no randomness, no limit that depends on a setting. Whether a
 *      row comes from the cache or the engine makes no difference.
 *   2. An entry's effect is in the engine as a whole or not at all, and at most once (`index` must rise).
 *   3. With a row cache no batch holds an entry that expires or a range delete: reads fill and ask the cache without a
 *      time, and it is told of rows by key. Asserted before a batch is applied. The ranges of dropped tables and
 *      indexes are no exception in effect: nobody asks for their keys again.
 *   4. A refused or empty command writes nothing, so after a crash it may be applied again, with the same outcome.
 * Source: VoltDB and Calvin (deterministic one-shot transactions), etcd's apply loop.
 */
import { assert } from "../../../../../kit/assert.ts";
import type { Table } from "../../../../architecture/catalog/table.ts";
import type { IndexWrites } from "../../../../indexing/secondary-indexes.ts";
import type { InFlight, LogEntry, StateMachine } from "../../../../replication/replicated-log.ts";
import { type Demand, noDemand } from "../../../../storage/engine.ts";
import { WriteBatch } from "../../../../storage/write-batch.ts";
import type { Command, CommandResult, StepResult } from "../../command.ts";
import { decodeCommand } from "./command-codec.ts";
import { AdmittedCommands } from "./admitted-commands.ts";
import { changesTables, demandOf, unknownDemand } from "./command-demand.ts";
import type { CommandDoors } from "./command-doors.ts";
import { CommandRun } from "./command-run.ts";
import { Overlay } from "./overlay.ts";
import { StepRefused } from "./step-refused.ts";

const keptBatchBytesMax = 4 * 1024 * 1024;

export function createStateMachine(doors: CommandDoors): CommandStateMachine {
  return new CommandStateMachine(doors);
}

export class CommandStateMachine implements StateMachine {
  readonly #doors: CommandDoors;
  readonly #overlay = new Overlay();
  readonly #indexWrites: IndexWrites | undefined;
  #batch = new WriteBatch(16 * 1024);
  /** Commands that were decoded when they were admitted, until they are applied. */
  readonly #admitted = new AdmittedCommands();
  #appliedIndex: number;

  constructor(doors: CommandDoors) {
    this.#doors = doors;
    this.#indexWrites = doors.indexes?.createWrites(doors.layout);
    this.#appliedIndex = doors.engine.appliedIndex;
  }

  get appliedIndex(): number {
    return this.#appliedIndex;
  }

  get durableIndex(): number {
    return this.#doors.engine.durableIndex;
  }

  async recovered(index: number): Promise<void> {
    await this.#doors.engine.recovered?.(index);
  }

  backpressure(): Promise<void> | undefined {
    return this.#doors.engine.backpressure();
  }

  /** Errors: CORRUPTION, LIMIT_EXCEEDED. */
  admit(entry: LogEntry, inFlight: InFlight): Demand | undefined {
    const { engine, catalog } = this.#doors;
    const { room } = engine;
    if (room === undefined) return noDemand;
    if (inFlight.commands === 0) this.#admitted.clear();
    const command = decodeCommand(entry.command, "bytes");
    let demand = demandOf(command, entry.command.length, catalog, room.entryBytesHighest, inFlight);
    if (demand === undefined || (demand.entries > 0 && !room.holds(demand, inFlight))) {
      if (inFlight.commands > 0) return undefined;
      demand = this.#tryOut(command, entry.timestampMs);
    }
    if (demand !== undefined) this.#admitted.push(entry, command);
    return demand;
  }

  /** Errors: CORRUPTION for a command that cannot be read, and the engine's; the state is then unchanged. */
  apply(index: number, entry: LogEntry): CommandResult {
    assert(index > this.#appliedIndex, `entry ${index} comes after ${this.#appliedIndex} was applied`);
    const { run, result } = this.#run(this.#admitted.take(entry) ?? decodeCommand(entry.command, "bytes"));
    if (result.ok) this.#commit(run, index);
    this.#appliedIndex = index;
    return result;
  }

  /** Runs the steps up to the first that is refused; nothing is changed yet. */
  #run(command: Command): { run: CommandRun; result: CommandResult } {
    const run = new CommandRun(this.#doors, this.#overlay, this.#indexWrites);
    this.#overlay.begin();
    this.#indexWrites?.begin();
    const steps: StepResult[] = [];
    for (const step of command.steps) {
      try {
        steps.push(run.step(step));
      } catch (thrown) {
        if (!(thrown instanceof StepRefused)) throw thrown;
        return { run, result: { ok: false, step: steps.length, error: thrown.error } };
      }
    }
    return { run, result: { ok: true, steps } };
  }

  /** What the command demands as the state is now. */
  #tryOut(command: Command, timeMs: number): Demand | undefined {
    const { run, result } = this.#run(command);
    if (!result.ok) return noDemand;
    const batch = this.#fill(run);
    if (batch.count === 0) return noDemand;
    const demand = this.#doors.engine.room?.admit(batch, timeMs);
    return demand === undefined || !changesTables(command) ? demand : unknownDemand;
  }

  /** Behind everything else in the batch, which it covers too. One range per table or index, however large. */
  #free(tables: readonly Table[]): void {
    const { engine, layout } = this.#doors;
    if (!engine.capabilities.rangeDelete) return;
    for (const table of tables) {
      const prefix = layout.encodeKey(table, []);
      this.#batch.deleteRange(prefix, layout.prefixEnd(prefix));
    }
  }

  #fill(run: CommandRun): WriteBatch {
    const batch = this.#batch;
    batch.clear();
    this.#overlay.forEach((key, value) => {
      if (value === undefined) batch.delete(key);
      else batch.put(key, value);
    });
    this.#indexWrites?.addTo(batch);
    for (const { key, value } of run.draft?.writes() ?? []) {
      if (value === undefined) batch.delete(key);
      else batch.put(key, value);
    }
    const isPlain = batch.expiringCount === 0 && batch.rangeDeleteCount === 0;
    assert(this.#doors.cache === undefined || isPlain, "rows behind a row cache do not expire and do not go by range");
    // What a row cache still holds of a dropped table is out of reach: ids are never used again.
    if (run.freed.length > 0) this.#free(run.freed);
    return batch;
  }

  #commit(run: CommandRun, index: number): void {
    const { engine, cache, catalog } = this.#doors;
    const batch = this.#fill(run);
    if (batch.count > 0) engine.applySync(batch, index);
    if (batch.byteLength > keptBatchBytesMax) this.#batch = new WriteBatch(16 * 1024);
    if (cache !== undefined) {
      this.#overlay.forEach((key, value) => {
        if (value === undefined) cache.invalidate(key);
        else cache.update(key, value);
      });
    }
    if (run.draft !== undefined) catalog.commit(run.draft);
  }
}

/**
 * The state machine of one-shot commands: applies log entries to an engine.
 *
 * Algorithm of `apply`:
 *   1. Decode the command; run its steps against the engine and an overlay of its own writes (`command-run.ts`).
 *   2. A refused step drops the overlay: the result names the step and the reason, the state is as before.
 *   3. Otherwise all writes, those of index entries too, and the ranges of what was dropped, go to the engine as one
 *      batch under the entry's index, then, in the same turn, into the row cache and the catalog, so that no reader
 *      sees one without the other.
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
import type { LogEntry, StateMachine } from "../../../../replication/replicated-log.ts";
import { WriteBatch } from "../../../../storage/write-batch.ts";
import type { CommandResult, StepResult } from "../../command.ts";
import { decodeCommand } from "./command-codec.ts";
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

  async recovered(): Promise<void> {
    await this.#doors.engine.recovered?.();
  }

  backpressure(): Promise<void> | undefined {
    return this.#doors.engine.backpressure();
  }

  /** Errors: CORRUPTION for a command that cannot be read, and the engine's; the state is then unchanged. */
  apply(index: number, entry: LogEntry): CommandResult {
    assert(index > this.#appliedIndex, `entry ${index} comes after ${this.#appliedIndex} was applied`);
    const command = decodeCommand(entry.command, "bytes");
    const run = new CommandRun(this.#doors, this.#overlay, this.#indexWrites);
    this.#overlay.begin();
    this.#indexWrites?.begin();
    const results: StepResult[] = [];
    for (const step of command.steps) {
      try {
        results.push(run.step(step));
      } catch (thrown) {
        if (!(thrown instanceof StepRefused)) throw thrown;
        this.#appliedIndex = index;
        return { ok: false, step: results.length, error: thrown.error };
      }
    }
    this.#commit(run, index);
    this.#appliedIndex = index;
    return { ok: true, steps: results };
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

  #commit(run: CommandRun, index: number): void {
    const { engine, cache, catalog } = this.#doors;
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
    assert(cache === undefined || isPlain, "rows behind a row cache do not expire and do not go by range");
    // What a row cache still holds of a dropped table is out of reach: ids are never used again.
    if (run.freed.length > 0) this.#free(run.freed);
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

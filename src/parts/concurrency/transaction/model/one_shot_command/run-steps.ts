/**
 * RunSteps: the StepRunner of this part: steps on a reader's view, with an overlay that is dropped afterwards.
 *
 * Invariant: one run at a time, each within a turn; overlay and entry writes are used again and again.
 */
import type { CatalogStore } from "../../../../architecture/catalog/catalog-store.ts";
import type { IndexWrites, SecondaryIndexes } from "../../../../indexing/secondary-indexes.ts";
import type { RowLayout } from "../../../../storage/layout/row-layout.ts";
import { batchKindPut, WriteBatch } from "../../../../storage/write-batch.ts";
import type { CommandResult, CommandStep, StepResult } from "../../command.ts";
import type { NumberSource, StepReader, StepRunner, StepWrites } from "../../step-runner.ts";
import { CommandRun } from "./command-run.ts";
import { Overlay } from "./overlay.ts";
import { StepRefused } from "./step-refused.ts";

export interface StepRunnerDoors {
  readonly catalog: CatalogStore;
  readonly layout: RowLayout;
  /** Only where the leaf was selected. */
  readonly indexes?: SecondaryIndexes | undefined;
}

export function createStepRunner(doors: StepRunnerDoors): StepRunner {
  return new RunSteps(doors);
}

class RunSteps implements StepRunner {
  readonly #doors: StepRunnerDoors;
  readonly #overlay = new Overlay();
  readonly #indexWrites: IndexWrites | undefined;
  readonly #entries = new WriteBatch(1024);

  constructor(doors: StepRunnerDoors) {
    this.#doors = doors;
    this.#indexWrites = doors.indexes?.createWrites(doors.layout);
  }

  run(steps: readonly CommandStep[], reader: StepReader, numbers: NumberSource, writes: StepWrites): CommandResult {
    const run = new CommandRun({ ...this.#doors, engine: reader, numbers }, this.#overlay, this.#indexWrites);
    this.#overlay.begin();
    this.#indexWrites?.begin();
    const results: StepResult[] = [];
    for (const step of steps) {
      try {
        results.push(run.step(step));
      } catch (thrown) {
        if (!(thrown instanceof StepRefused)) throw thrown;
        return { ok: false, step: results.length, error: thrown.error };
      }
    }
    this.#overlay.forEach((key, value) => writes.row(key, value));
    if (this.#indexWrites === undefined) return { ok: true, steps: results };
    this.#entries.clear();
    this.#indexWrites.addTo(this.#entries);
    this.#entries.forEach((kind, bytes, keyStart, keyEnd, valueEnd) => {
      const value = kind === batchKindPut ? bytes.subarray(keyEnd, valueEnd) : undefined;
      writes.entry(bytes.subarray(keyStart, keyEnd), value);
    });
    return { ok: true, steps: results };
  }
}

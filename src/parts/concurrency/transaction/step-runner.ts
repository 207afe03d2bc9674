/**
 * StepRunner: runs steps of commands on what a reader shows, and says what they would write.
 *
 * Purpose: an open transaction works on its own view by the same code, and so with the same meaning, as the state
 * machine works on the engine. Nothing is changed by a run; a step that is refused leaves no writes.
 */
import type { Table } from "../../architecture/catalog/table.ts";
import type { EngineCapabilities, StorageEngine } from "../../storage/engine.ts";
import type { CommandResult, CommandStep } from "./command.ts";

/** Where steps read. Bytes are valid as those of an engine are. */
export interface StepReader extends Pick<StorageEngine, "getSync" | "scan"> {
  readonly capabilities: EngineCapabilities;
  /** Whether a row that a statement leaves as it is counts as written by it. */
  readonly keepsUnchanged?: boolean | undefined;
}

/** Numbers for rows that come without one; see AUTO_INCREMENT in `command.ts`. */
export interface NumberSource {
  /** Undefined where none is left. */
  next(table: Table): bigint | undefined;
  /** A row has come with a number: later ones are above it. */
  came(table: Table, number: bigint): void;
}

export interface StepWrites {
  /** A row; undefined where it is deleted. The bytes are valid during the call. */
  row(key: Uint8Array, value: Uint8Array | undefined): void;
  /** An entry of an index. */
  entry(key: Uint8Array, value: Uint8Array | undefined): void;
}

export interface StepRunner {
  /** Steps of one statement. `writes` is called for each write once all steps have been accepted. */
  run(steps: readonly CommandStep[], reader: StepReader, numbers: NumberSource, writes: StepWrites): CommandResult;
}

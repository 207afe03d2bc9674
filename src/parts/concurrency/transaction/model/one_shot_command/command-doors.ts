/** What commands are run on: the engine with what stands beside it, or, for a StepRunner, anything that can be read. */
import type { CatalogStore } from "../../../../architecture/catalog/catalog-store.ts";
import type { SecondaryIndexes } from "../../../../indexing/secondary-indexes.ts";
import type { StorageEngine } from "../../../../storage/engine.ts";
import type { RowLayout } from "../../../../storage/layout/row-layout.ts";
import type { Cache } from "../../../../storage/page_io/cache.ts";
import type { NumberSource, StepReader } from "../../step-runner.ts";

export interface CommandDoors {
  readonly engine: StorageEngine;
  readonly catalog: CatalogStore;
  readonly layout: RowLayout;
  readonly cache?: Cache | undefined;
  /** Only where the leaf was selected. */
  readonly indexes?: SecondaryIndexes | undefined;
  /** Numbers for rows without one; without it they come from the table's counter. */
  readonly numbers?: NumberSource | undefined;
}

/** What a run of steps needs: of an engine only that it can be read. */
export interface RunDoors extends Omit<CommandDoors, "engine"> {
  readonly engine: StepReader;
}

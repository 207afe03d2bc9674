/**
 * CommandDemand: what a command puts and deletes at most, told from the command and the tables alone, without running
 * it; so that commands can be admitted while others before them are not applied yet.
 *
 *   1. Rows that come with the command are as long as its bytes say: keys at most twice that, because 00 is written as
 *   two bytes, and a constant per column.
 *   2. A row that is rewritten, or whose entries in indexes go, is found by its whole key: how many rows a range holds
 *   only a run can tell. It is no longer than the longest entry of the engine and what commands in flight, this one
 *   included, may have added to it.
 *   3. An entry of an index is no longer than the row with its bytes doubled; a changed row may lose and get one per
 *   index.
 * Invariant: at least what the run puts into its batch (`indexed-demand.test.ts` of the secondary indexes).
 */
import type { Catalog, Table } from "../../../../architecture/catalog/table.ts";
import type { InFlight } from "../../../../replication/replicated-log.ts";
import type { Demand } from "../../../../storage/engine.ts";
import { type Command, type CommandStep, isSelection, type RowPredicate, type RowSelection } from "../../command.ts";

/** So much at most, whatever it is: nobody is admitted behind it. */
export const unknownDemand: Demand = { puts: 2 ** 30, entries: 2 ** 31, bytes: 2 ** 50 };

const columnBytes = 16;
const rowBytes = 64;

/** Whether a command changes tables: what follows it is judged by tables that are not there yet. */
export function changesTables({ steps }: Command): boolean {
  return steps.some(({ kind }) => ["createTable", "dropTable", "createIndex", "dropIndex"].includes(kind));
}

/** Undefined where only a run can tell. `bytes` is the length of the command, `entryBytesHighest` the engine's. */
export function demandOf(
  { steps }: Command, bytes: number, catalog: Catalog, entryBytesHighest: number, inFlight: InFlight,
): Demand | undefined {
  const sum = { puts: 0, entries: 0, bytes: 0 };
  const given = 2 * bytes;
  const known = entryBytesHighest + 2 * (inFlight.commandBytes + bytes);
  for (const step of steps) {
    if (step.kind === "read" || step.kind === "validate") continue;
    const table = tableOf(step) === undefined ? undefined : catalog.byId(tableOf(step) as number);
    if (table === undefined) return undefined;
    const indexes = table.indexes?.length ?? 0;
    const perRow = rowBytes + columnBytes * table.columns.length;
    const rows = rowsOf(step, table);
    if (rows === undefined) return undefined;
    const isNew = step.kind === "insert" && (step.onDuplicate === undefined || step.onDuplicate === "ignore");
    if (step.kind !== "delete") sum.puts += rows * (1 + indexes) + 1;
    sum.entries += rows * (1 + 2 * indexes) + 1;
    // The one beside the rows: the counter of a table whose rows get numbers.
    sum.bytes += rowBytes + (isNew ? 0 : rows * (known + perRow) * (1 + 4 * indexes));
    sum.bytes += (given + rows * perRow) * (1 + 2 * indexes);
  }
  return sum;
}

function tableOf(step: CommandStep): number | undefined {
  if (step.kind === "insert" || step.kind === "write" || step.kind === "reserve") return step.tableId;
  return step.kind === "update" || step.kind === "delete" ? step.target.tableId : undefined;
}

/** How many rows a step changes at most; undefined where it may be any. */
function rowsOf(step: CommandStep, table: Table): number | undefined {
  if (step.kind === "insert" || step.kind === "write") return step.rows.length;
  if (step.kind === "reserve") return 0;
  return step.kind === "update" || step.kind === "delete" ? keysOf(step.target, table) : undefined;
}

/** How many keys a target names, where it names whole ones. */
function keysOf(target: RowPredicate | RowSelection, { primaryKey }: Table): number | undefined {
  if (!isSelection(target)) return target.keyPrefix.length === primaryKey.length ? 1 : undefined;
  if (target.indexId !== undefined) return undefined;
  const whole = target.alternatives.every(({ keyPrefix }) => keyPrefix.length === primaryKey.length);
  return whole ? target.alternatives.length : undefined;
}

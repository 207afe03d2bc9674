/**
 * TransactionPlan: the statements of a transaction in order, and from which earlier one each takes its row or values.
 *
 *   1. A step that comes several times is as many statements. The n-th takes what it shares from the n-th of the other
 *      step, or from the last one there; of its own step from the first.
 *   2. Rows that follow from another step must be there: backwards, step by step, `rowsMax` bounds from how many rows a
 *      step may choose, so that all steps that depend on it find theirs.
 *   3. Where a step deletes the row of an earlier one, that one chooses as a DELETE does.
 */
import type { OperationSpec, TransactionStepSpec } from "../../contract/contract.ts";
import { stepOperation } from "../../contract/own-operations.ts";
import { linksOf, sameRowAs } from "../../contract/shared-columns.ts";
import type { OwnTable } from "./own-table.ts";

export interface PlannedStatement {
  /** The same object for all statements of a step. */
  readonly operation: OperationSpec;
  /** The statement whose row this one touches. */
  readonly sameRow: number | undefined;
  /** Values that are those of columns of earlier statements. */
  readonly values: readonly { readonly statement: number; readonly from: string; readonly to: string }[];
  /** Rows among which it may choose, from the first. */
  readonly rowsMax: number;
  readonly chosenAsDeleted: boolean;
}

/** Undefined where the steps share nothing. */
export function transactionPlan(
  transaction: OperationSpec, tables: readonly OwnTable[],
): readonly PlannedStatement[] | undefined {
  const { steps = [] } = transaction;
  if (!steps.some(({ shares }) => shares !== undefined)) return undefined;
  const same = steps.map((step) => sameRowAs(step, steps, tables));
  const limits = rowLimits(steps, same, tables);
  const deleted = new Set(same.flatMap((source, at) =>
    source !== undefined && steps[at].operation === "DELETE" && steps[source].operation !== "INSERT" ? source : []));
  const starts: number[] = [];
  let count = 0;
  for (const { times = 1 } of steps) {
    starts.push(count);
    count += times;
  }
  return steps.flatMap((step, at): PlannedStatement[] => {
    const operation = stepOperation(transaction, step);
    const row = same[at];
    const links = row === undefined ? linksOf(step) : [];
    const statementOf = (source: number, number: number) =>
      starts[source] + (source === at ? 0 : Math.min(number, (steps[source].times ?? 1) - 1));
    return Array.from({ length: step.times ?? 1 }, (_, number) => ({
      operation, rowsMax: limits[at], chosenAsDeleted: deleted.has(at),
      sameRow: row === undefined ? undefined : statementOf(row, number),
      values: links.filter(({ source }) => source !== at || number > 0)
        .map(({ source, from, to }) => ({ statement: statementOf(source, number), from, to })),
    }));
  });
}

function rowLimits(
  steps: readonly TransactionStepSpec[], same: readonly (number | undefined)[], tables: readonly OwnTable[],
): number[] {
  const tableOf = ({ table }: TransactionStepSpec) => tables.find(({ name }) => name === table);
  const limits = steps.map(() => Infinity);
  for (let at = steps.length - 1; at >= 0; at--) {
    const row = same[at];
    if (row !== undefined) {
      limits[row] = Math.min(limits[row], limits[at]);
      continue;
    }
    const table = tableOf(steps[at]);
    if (table === undefined || steps[at].operation === "INSERT") continue;
    for (const { source, from, to } of linksOf(steps[at])) {
      const other = tableOf(steps[source]);
      if (other === undefined) continue;
      const groups = Math.max(1, Math.floor(Math.min(limits[at], table.rows) / table.rowsSharing([to])));
      limits[source] = Math.min(limits[source], groups * other.rowsSharing([from]));
    }
  }
  return limits;
}

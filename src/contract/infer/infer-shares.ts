/**
 * What the steps of a kind of transaction share, told from how often their values agreed (`traces/shared-values.ts`).
 *
 *   1. A pair of columns is shared where at least `agreeMin` of the transactions agree, and where agreement by chance
 *      is out of the question: with p the share of agreements with the transaction before, p^n is below one in a
 *      million.
 *   2. Columns that have always the same value (one warehouse, one tenant) agree by chance alone: they count only
 *      beside another column that ties the same two rows together.
 *   3. Of an INSERT beside an INSERT one side at least is part of a key: two texts that are the same are no key.
 *   4. The row of an earlier step on the same table comes first, else each column is that of the earliest step. What no
 *      driver could drive is left out and told, since the rest of the transaction can be driven all the same.
 */
import type { SharedPair } from "../../traces/shared-values.ts";
import type { TransactionKind } from "../../traces/session-transactions.ts";
import type { SharedColumn, TableSpec, TransactionStepSpec } from "../contract.ts";
import { sameRowAs, touchedColumns, undrivenShares } from "../shared-columns.ts";
import type { InferredTable } from "./infer-tables.ts";

/** Fewer transactions do not tell a rule. */
export const transactionsMin = 10;
const agreeMin = 0.95;
/** −ln of the chance at which agreement is no longer taken for one: about one in a million. */
const certainty = 14;

interface Candidate extends SharedColumn {
  readonly at: number;
  readonly of: string;
  readonly certain: boolean;
}

/** `leftOut`: gets what is shared and cannot be driven, for people. */
export function withShares(
  kind: TransactionKind, steps: readonly TransactionStepSpec[], tables: readonly InferredTable[], leftOut: Set<string>,
): TransactionStepSpec[] {
  const found: TransactionStepSpec[] = [...steps];
  const all = kind.shared.pairs.flatMap((pair) => candidateOf(pair, kind, steps, tables) ?? []);
  const tied = new Set(all.flatMap(({ at, step, certain }) => (certain ? `${at} ${step}` : [])));
  const candidates = all.filter(({ at, step, certain }) => certain || tied.has(`${at} ${step}`));
  for (const at of steps.keys()) {
    const mine = candidates.filter((one) => one.at === at).toSorted((one, other) => one.step - other.step);
    if (mine.length === 0) continue;
    const shares = sameRow(found, at, mine, tables) ?? oneByOne(found, at, mine, tables, leftOut);
    if (shares.length > 0) found[at] = sharing(found[at], shares);
  }
  return found;
}

function candidateOf(
  pair: SharedPair, kind: TransactionKind, steps: readonly TransactionStepSpec[],
  tables: readonly InferredTable[],
): Candidate | undefined {
  const { step: at, source, seen, same, chance, compared } = pair;
  if (seen < transactionsMin || same < agreeMin * seen) return undefined;
  const columnOf = (step: number, place: number) => {
    const table = tables.find(({ name }) => name === steps[step].table);
    const name = kind.steps[step].shape.linked[place];
    if (table === undefined || name === undefined) return undefined;
    const column = contractColumn(table, name);
    return column !== undefined && touchedColumns(steps[step], table).includes(column) ? { table, column } : undefined;
  };
  const to = columnOf(at, pair.column);
  const from = columnOf(source, pair.from);
  if (to === undefined || from === undefined) return undefined;
  const stored = steps[at].operation === "INSERT";
  const unique = to.table.source.keys.filter((key) => key.unique);
  if (stored && unique.some(({ columns }) => columns.some(sameName(to.column)))) return undefined;
  if (stored && steps[source].operation === "INSERT" && !isKey(to) && !isKey(from)) return undefined;
  const chanceShare = Math.max(1, chance) / Math.max(1, compared);
  const certain = seen * -Math.log(Math.min(1, chanceShare)) >= certainty;
  const alike = same === seen && to.column === from.column && to.table === from.table;
  if (!certain && !alike) return undefined;
  return { at, column: to.column, step: source + 1, of: from.column, certain };
}

/** The shares by which a step touches the very row of another. */
function sameRow(
  steps: readonly TransactionStepSpec[], at: number, candidates: readonly Candidate[], tables: readonly TableSpec[],
): readonly Candidate[] | undefined {
  const key = tables.find(({ name }) => name === steps[at].table)?.primaryKey ?? [];
  for (const source of new Set(candidates.map(({ step }) => step))) {
    const mine = candidates.filter(({ step, column, of }) => step === source && column === of && key.includes(column));
    const tried = steps.with(at, sharing(steps[at], mine));
    if (mine.length > 0 && sameRowAs(tried[at], tried, tables) !== undefined) return mine;
  }
  return undefined;
}

function oneByOne(
  steps: readonly TransactionStepSpec[], at: number, candidates: readonly Candidate[], tables: readonly TableSpec[],
  leftOut: Set<string>,
): readonly Candidate[] {
  let taken: Candidate[] = [];
  for (const one of candidates.filter(({ certain }) => certain)) {
    if (taken.some(({ column }) => column === one.column)) continue;
    const more = [...taken, one];
    const why = undrivenShares(steps.with(at, sharing(steps[at], more)), tables);
    if (why.length === 0) taken = more;
    else leftOut.add(`what steps of a transaction share, since no driver drives it yet: ${why[0].replace(/,$/, "")}`);
  }
  return taken;
}

function sharing({ skew, ...step }: TransactionStepSpec, candidates: readonly Candidate[]): TransactionStepSpec {
  const shares = candidates.map(({ column, step: number, of }): SharedColumn => (
    { column, step: number, ...(of === column ? {} : { of }) }
  ));
  // Which rows an INSERT makes was never drawn; those of others follow from what they share.
  return { ...step, ...(skew !== undefined && step.operation === "INSERT" ? { skew } : {}), shares };
}

/** Columns that an INSERT does not name go by their number. */
function contractColumn({ source, columns }: InferredTable, name: string): string | undefined {
  const written = /^\d+$/.test(name) && !source.columns.some((one) => one.name === name)
    ? source.columns[Number(name)]?.name : name;
  return written === undefined ? undefined : columns.find((one) => sameName(one.source)(written))?.name;
}

function isKey({ table, column }: { readonly table: InferredTable; readonly column: string }): boolean {
  return table.primaryKey.includes(column) || table.indexes.some(({ columns }) => columns.includes(column));
}

function sameName(name: string): (other: string) => boolean {
  return (other) => other.toLowerCase() === name.toLowerCase();
}

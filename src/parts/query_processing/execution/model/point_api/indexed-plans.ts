/**
 * IndexedPlans: what the planner can do with secondary indexes, in products that have them.
 *
 *   reads        the index with the longest run of equalities, if the primary key has none; see `chooseIndex`.
 *   definitions  KEY in CREATE TABLE, CREATE INDEX, DROP INDEX.
 * A row with a NULL in an indexed column has no entry, so an index serves only where the condition rules NULL out for
 * each of its columns that may be NULL.
 */
import type { ColumnValue, Table, TableIndex } from "../../../../architecture/catalog/table.ts";
import type { CommandStep } from "../../../../concurrency/transaction/command.ts";
import type { SecondaryIndexes } from "../../../../indexing/secondary-indexes.ts";
import type {
  CreateIndexStatement,
  DropIndexStatement,
  IndexDefinition,
  SelectStatement,
} from "../../../../parser/statement.ts";
import { SqlError } from "../../../executor.ts";
import { type AccessPath, accessPath, findColumn } from "./access-path.ts";
import { GatheredRead } from "./gathered-read.ts";
import { IndexedRead, IndexedSource, type IndexTarget } from "./indexed-read.ts";
import { keyOrder } from "./key-order.ts";
import type { IndexedPlans, Plan, RowView, RunDoors } from "./plan.ts";
import { isGathered, isServed } from "./select-kind.ts";
import { type RangeOptions, RangeRead } from "./range-read.ts";
import { addReadSteps, type SelectionSource } from "./read-steps.ts";
import { type SelectedColumns, selectedColumns } from "./selected-columns.ts";
import { DefinitionPlan } from "./write-plan.ts";

const indexesMax = 64;

export function createIndexedPlans(indexes: SecondaryIndexes): IndexedPlans {
  return {
    select: (doors, table, statement) => planSelect(doors, indexes, table, statement),
    target(doors, table, statement) {
      const chosen = chosenIndex(doors, indexes, table, statement);
      if (chosen === undefined) return undefined;
      const { index, entries } = chosen.target;
      return { indexId: index.id, entries, path: chosen.path };
    },
    declared: declaredIndexes,
    define: planDefinition,
  };
}

function planSelect(
  doors: RunDoors,
  indexes: SecondaryIndexes,
  table: Table,
  statement: SelectStatement,
): Plan | undefined {
  const chosen = chosenIndex(doors, indexes, table, statement);
  if (chosen === undefined) return undefined;
  const { target, path } = chosen;
  const order = keyOrder(target.entries, path, statement);
  const filtered = path.filters.length > 0 || path.alternatives?.some(({ filters }) => filters.length > 0) === true;
  const filteredCount = statement.items === "count" && filtered;
  if (isGathered(statement) || filteredCount || !isServed(doors, order)) {
    const open = (view: RowView | undefined) => new IndexedSource(doors, target, view);
    const source = { keys: target.entries, indexId: target.index.id, open };
    return new GatheredRead(doors, table, source, path, withCountItem(statement));
  }
  const columns = selectedColumns(table, statement.items);
  const { items, limit, offset, countName } = statement;
  const reverse = order === "backward";
  if (items !== "count") return new IndexedRead(doors, target, path, columns, { limit, offset, reverse });
  return new CountOfEntries(doors, target, path, columns, { limit, offset, countName });
}

function chosenIndex(
  doors: RunDoors,
  indexes: SecondaryIndexes,
  table: Table,
  statement: SelectStatement,
): Chosen | undefined {
  return chooseIndex(doors, indexes, table, statement, true) ?? sortedIndex(doors, indexes, table, statement);
}

/** COUNT(*) as a list of one aggregate, which is how a pipeline takes it. */
function withCountItem(statement: SelectStatement): SelectStatement {
  if (statement.items !== "count") return statement;
  return { ...statement, items: [{ column: "*", alias: statement.countName, aggregate: "COUNT" }] };
}

/** Where nothing gives rows in order: an index to read and sort, unless the primary key has a path of its own. */
function sortedIndex(
  doors: RunDoors,
  indexes: SecondaryIndexes,
  table: Table,
  statement: SelectStatement,
): Chosen | undefined {
  if (servedBy(doors, table, statement, false) !== undefined) return undefined;
  return chooseIndex(doors, indexes, table, statement, false);
}

interface Chosen {
  readonly target: IndexTarget;
  readonly path: AccessPath;
}

/** Counts entries as rows; as a step it counts the rows themselves. */
class CountOfEntries extends RangeRead {
  readonly #steps: SelectionSource;

  constructor(
    doors: RunDoors,
    { table, index, entries }: IndexTarget,
    path: AccessPath,
    columns: SelectedColumns,
    options: RangeOptions,
  ) {
    super(doors, entries, path, columns, options);
    this.#steps = { table, path, indexId: index.id };
  }

  override addSteps(parameters: readonly ColumnValue[], base: number, steps: CommandStep[]): void {
    addReadSteps(this.#steps, parameters, base, steps);
  }
}

/**
 * Undefined where the primary key serves as well or better, or where no index serves at all. `ordered`: rows must come
 * in the order of the statement.
 */
function chooseIndex(
  doors: RunDoors,
  indexes: SecondaryIndexes,
  table: Table,
  statement: SelectStatement,
  ordered: boolean,
): Chosen | undefined {
  if (statement.where === undefined) return undefined;
  const primary = servedBy(doors, table, statement, ordered);
  if (primary !== undefined && primary.prefixLength > 0) return undefined;
  let best: { target: IndexTarget; path: AccessPath; score: number } | undefined;
  for (const index of table.indexes ?? []) {
    const entries = indexes.entriesOf(table, index);
    const path = servedBy(doors, entries, statement, ordered);
    if (path === undefined || !rulesNullOut(table, index, entries, path)) continue;
    if (primary !== undefined && path.prefixLength === 0) continue;
    const score = 2 * path.prefixLength + (path.bounds.length > 0 ? 1 : 0);
    if (best === undefined || score > best.score) best = { target: { indexes, table, index, entries }, path, score };
  }
  return best;
}

/** The path over these keys, or undefined where they do not serve the condition and, where `ordered`, the order. */
function servedBy(
  doors: RunDoors,
  table: Table,
  statement: SelectStatement,
  ordered: boolean,
): AccessPath | undefined {
  try {
    const path = accessPath(table, statement.where, true);
    const gathered = !ordered || isGathered(statement);
    return gathered || isServed(doors, keyOrder(table, path, statement)) ? path : undefined;
  } catch (thrown) {
    const { code, reason } = thrown as Partial<SqlError>;
    if (code === "SQL" && (reason === "not_selected" || reason === "not_served")) return undefined;
    throw thrown;
  }
}

function rulesNullOut(table: Table, index: TableIndex, entries: Table, path: AccessPath): boolean {
  const { alternatives } = path;
  if (alternatives !== undefined) return alternatives.every((one) => rulesNullOut(table, index, entries, one));
  const constrained = new Set(entries.primaryKey.slice(0, path.prefixLength));
  for (const { ordinal } of path.filters) constrained.add(ordinal);
  // Of a row comparison only the first column is sure not to be NULL where it holds.
  for (const { afterPrefix } of path.bounds) constrained.add(entries.primaryKey[afterPrefix ? path.prefixLength : 0]);
  return index.columns.every((ordinal) => !table.columns[ordinal].nullable || constrained.has(ordinal));
}

/** Indexes declared with a table: names made unique as MySQL does where none was given. Throws SqlError. */
function declaredIndexes(table: Table, definitions: readonly IndexDefinition[]): TableIndex[] {
  if (definitions.length > indexesMax) {
    throw new SqlError("limit_exceeded", `a table has more than ${indexesMax} indexes`);
  }
  const names = new Set<string>();
  return definitions.map((definition) => {
    if (names.has(definition.name.toLowerCase())) {
      throw new SqlError("index_exists", `Duplicate key name '${definition.name}'`);
    }
    names.add(definition.name.toLowerCase());
    return { id: 0, name: definition.name, columns: indexedColumns(table, definition) };
  });
}

function indexedColumns(table: Table, { columns }: IndexDefinition): number[] {
  const ordinals = columns.map((name) => findColumn(table, name));
  if (new Set(ordinals).size !== ordinals.length) {
    throw new SqlError("syntax", "an index names a column twice");
  }
  return ordinals;
}

function planDefinition(table: Table, statement: CreateIndexStatement | DropIndexStatement): Plan {
  if (statement.kind === "dropIndex") {
    const { name, ifExists } = statement;
    return new DefinitionPlan([{ kind: "dropIndex", table: table.name, name, ifExists }]);
  }
  const { index, ifNotExists } = statement;
  if ((table.indexes ?? []).length >= indexesMax) {
    throw new SqlError("limit_exceeded", `a table has more than ${indexesMax} indexes`);
  }
  const columns = indexedColumns(table, index);
  return new DefinitionPlan([{ kind: "createIndex", table: table.name, name: index.name, columns, ifNotExists }]);
}

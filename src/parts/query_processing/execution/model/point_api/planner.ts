/**
 * Planner: a statement and the catalog to a plan.
 *
 *   SELECT   the whole key given (also by IN): PointRead; a part of it, bounds, or nothing: RangeRead.
 *   COUNT    RangeRead that counts.
 *   others   aggregates, DISTINCT, ORDER BY other than the key's order: GatheredRead.
 *   indexes  where the product has them and the key does not serve: `indexed-plans.ts`.
 *   writes   steps of a command (`write-plan.ts`); they need at least the beginning of the key.
 * A whole table is read only where the statement says so (no WHERE); see `access-path.ts` for what is refused.
 */
import type { Column, Table } from "../../../../architecture/catalog/table.ts";
import type { CommandStep } from "../../../../concurrency/transaction/command.ts";
import type {
  ColumnDefinition,
  Condition,
  CreateTableStatement,
  DeleteStatement,
  IndexDefinition,
  InsertStatement,
  Operand,
  SelectStatement,
  Statement,
  UpdateStatement,
} from "../../../../parser/statement.ts";
import { notSelected, SqlError } from "../../../executor.ts";
import { type AccessPath, accessPath, findColumn } from "./access-path.ts";
import { planAssignments } from "./assignment-source.ts";
import { CatalogQueryPlan } from "./catalog-query-plan.ts";
import { GatheredRead } from "./gathered-read.ts";
import { keyOrder } from "./key-order.ts";
import type { Plan, RowView, RunDoors } from "./plan.ts";
import { PointRead } from "./point-read.ts";
import type { SelectionSource } from "./read-steps.ts";
import { RangeRead } from "./range-read.ts";
import { isGathered, isServed } from "./select-kind.ts";
import { selectedColumns } from "./selected-columns.ts";
import { nothingToDo, planKill, planSelectValues, planSet, planUse } from "./session-plan.ts";
import { ShowPlan } from "./show-plan.ts";
import { type ValueSource, valueSource } from "./value-source.ts";
import { coerce } from "./value-coercion.ts";
import { DefinitionPlan, DeletePlan, type DuplicateSource, InsertPlan, UpdatePlan } from "./write-plan.ts";

const indexLeaf = "indexing/equality/kv_secondary";
const unlessMax = 64;
const tablesMax = 10_000;
const nullOperand: Operand = { kind: "constant", value: null };

/** Throws SqlError. */
export function planStatement(doors: RunDoors, statement: Statement): Plan {
  switch (statement.kind) {
    case "select": {
      const plan = planSelect(doors, statement);
      if (plan.kind === "read") plan.locks = statement.locks === true;
      return plan;
    }
    case "insert":
      return planInsert(doors, statement);
    case "update":
      return planUpdate(doors, statement);
    case "delete":
      return new DeletePlan(writeTarget(doors, findTable(doors, statement.table), statement));
    case "createTable":
      return planCreateTable(doors, statement);
    case "dropTable": {
      const { ifExists, tables } = statement;
      return new DefinitionPlan(tables.map((name): CommandStep => ({ kind: "dropTable", name, ifExists })));
    }
    case "createIndex":
    case "dropIndex": {
      if (doors.indexedPlans === undefined) throw notSelected(indexLeaf, "a secondary index");
      return doors.indexedPlans.define(findTable(doors, statement.table), statement);
    }
    case "selectValues":
      return planSelectValues(statement, doors.bounds);
    case "set":
      return planSet(doors, statement);
    case "show":
      return new ShowPlan(doors, statement);
    case "catalogQuery":
      return new CatalogQueryPlan(doors, statement.query);
    case "kill":
      return planKill(statement);
    case "use":
      return planUse(statement.database);
    case "empty":
      return nothingToDo;
    case "savepoint":
      return { ...statement, label: "transaction", shape: undefined };
    case "lockTables":
      return lockPlan(statement.tables.map((name) => findTable(doors, name)));
    case "flushLogs":
      return { kind: "flush", label: "session", shape: undefined };
    case "unlockTables":
      return lockPlan([]);
    case "begin":
    case "commit":
    case "rollback": {
      const { kind, readOnly, now } = statement;
      return { kind, label: "transaction", shape: undefined, readOnly, now };
    }
  }
}

function lockPlan(tables: readonly Table[]): Plan {
  return { kind: "lock", label: "session", shape: undefined, tables };
}

function findTable(doors: RunDoors, name: string): Table {
  const table = doors.catalog.find(name);
  if (table === undefined) {
    throw new SqlError("unknown_table", `Table '${doors.bounds.databaseName}.${name}' doesn't exist`);
  }
  return table;
}

function planSelect(doors: RunDoors, statement: SelectStatement): Plan {
  const table = findTable(doors, statement.table);
  const indexed = table.indexes === undefined ? undefined : doors.indexedPlans?.select(doors, table, statement);
  if (indexed !== undefined) return indexed;
  const path = accessPath(table, statement.where, true);
  const order = keyOrder(table, path, statement);
  if (isGathered(statement) || !isServed(doors, order)) {
    const source = { keys: table, indexId: undefined, open: (view: RowView | undefined) => view ?? doors.engine };
    return new GatheredRead(doors, table, source, path, statement);
  }
  const columns = selectedColumns(table, statement.items);
  const { items, limit, offset } = statement;
  const counts = items === "count";
  if (path.point && !counts && offset === undefined) return new PointRead(doors, table, path, columns, limit);
  const reverse = order === "backward";
  const countName = counts ? statement.countName : undefined;
  return new RangeRead(doors, table, path, columns, { limit, offset, reverse, countName });
}

function planInsert(doors: RunDoors, statement: InsertStatement): Plan {
  const table = findTable(doors, statement.table);
  const empty = statement.columns === undefined && statement.rows.every((row) => row.length === 0);
  const names = empty ? [] : (statement.columns ?? table.columns.map(({ name }) => name));
  const ordinals = names.map((name) => findColumn(table, name));
  if (new Set(ordinals).size !== ordinals.length) {
    throw new SqlError("syntax", "a column is named twice in an INSERT");
  }
  const places = table.columns.map((_, ordinal) => ordinals.indexOf(ordinal));
  const rows = statement.rows.map((row, i) => {
    if (row.length !== ordinals.length) {
      throw new SqlError("wrong_value_count", `Column count doesn't match value count at row ${i + 1}`);
    }
    return table.columns.map((column, ordinal): ValueSource => {
      const place = places[ordinal];
      // NULL in the column that counts by itself asks for the next number.
      const counts = ordinal === table.autoIncrement;
      const target = counts ? { ...column, nullable: true } : column;
      const given = place < 0 ? undefined : row[place];
      if (given !== undefined && given.kind !== "default") return valueSource(target, given, "store");
      if (column.defaultValue !== undefined) {
        return valueSource(column, { kind: "constant", value: column.defaultValue }, "store");
      }
      if (target.nullable) return valueSource(target, nullOperand, "store");
      throw new SqlError("null_not_allowed", `Field '${column.name}' doesn't have a default value`);
    });
  });
  return new InsertPlan(table, rows, planUnless(doors, statement.unless), planDuplicates(table, statement));
}

function planDuplicates(table: Table, { onDuplicate }: InsertStatement): DuplicateSource | undefined {
  return typeof onDuplicate === "object" ? planAssignments(table, onDuplicate) : onDuplicate;
}

/** NOT EXISTS: each alternative of an OR becomes a predicate of its own, with its own key prefix. */
function planUnless(doors: RunDoors, unless: InsertStatement["unless"]): { table: Table; path: AccessPath }[] {
  if (unless === undefined) return [];
  const table = findTable(doors, unless.table);
  const alternatives: (Condition | undefined)[] = [];
  const add = (condition: Condition | undefined) => {
    if (condition?.kind === "or") for (const inner of condition.conditions) add(inner);
    else alternatives.push(condition);
  };
  add(unless.where);
  if (alternatives.length > unlessMax) {
    throw new SqlError("limit_exceeded", `OR has more than ${unlessMax} alternatives`);
  }
  return alternatives.map((condition) => ({ table, path: accessPath(table, condition, false) }));
}

function planUpdate(doors: RunDoors, statement: UpdateStatement): Plan {
  const table = findTable(doors, statement.table);
  return new UpdatePlan(writeTarget(doors, table, statement), planAssignments(table, statement.set));
}

/** The rows that a statement changes: by an index where that serves better, in an order and up to a limit. */
function writeTarget(doors: RunDoors, table: Table, statement: UpdateStatement | DeleteStatement): SelectionSource {
  const { where, orderBy = [], limit } = statement;
  if (where === undefined && limit === undefined) {
    throw notSelected("query_processing/scans/sequential", `${statement.kind.toUpperCase()} without a condition`);
  }
  const asSelect: SelectStatement = {
    kind: "select", table: statement.table, items: "all", countName: "", where, orderBy, limit,
  };
  const indexed = table.indexes === undefined ? undefined : doors.indexedPlans?.target(doors, table, asSelect);
  const path = indexed?.path ?? accessPath(table, where, true);
  const order = keyOrder(indexed?.entries ?? table, path, asSelect);
  const plain = { table, path, indexId: indexed?.indexId, limit };
  if (isServed(doors, order)) return { ...plain, reverse: order === "backward" };
  if (where === undefined) {
    const what = "a write without a condition, in another order than the key's";
    throw notSelected("query_processing/scans/sequential", what);
  }
  const sorted = orderBy.map(({ column, descending }) => ({ ordinal: findColumn(table, column), descending }));
  return { ...plain, order: sorted };
}

function planCreateTable(doors: RunDoors, statement: CreateTableStatement): Plan {
  const { catalog } = doors;
  if (catalog.list().length >= tablesMax) {
    throw new SqlError("limit_exceeded", `there are ${tablesMax} tables already`);
  }
  const names = statement.columns.map(({ name }) => name.toLowerCase());
  if (new Set(names).size !== names.length) throw new SqlError("syntax", "two columns have one name");
  if (statement.columns.length === 0) throw new SqlError("syntax", "a table has at least one column");
  if (statement.primaryKey.length === 0) {
    throw notSelected("indexing/organization/nonclustered_rowid", "a table without a primary key");
  }
  const primaryKey = statement.primaryKey.map((name) => {
    const ordinal = names.indexOf(name.toLowerCase());
    if (ordinal < 0) throw new SqlError("unknown_column", `Key column '${name}' doesn't exist in table`);
    return ordinal;
  });
  if (new Set(primaryKey).size !== primaryKey.length) {
    throw new SqlError("syntax", "a key column is named twice");
  }
  const columns = statement.columns.map((column, ordinal) => plannedColumn(column, primaryKey.includes(ordinal)));
  const plain: Table = { id: 0, name: statement.table, columns, primaryKey };
  const indexed = statement.indexes === undefined ? plain : withIndexes(doors, plain, statement.indexes);
  const table = withCounter(indexed, statement);
  return new DefinitionPlan([{ kind: "createTable", table, ifNotExists: statement.ifNotExists }]);
}

function plannedColumn(definition: ColumnDefinition, inKey: boolean): Column {
  const { name, type, lengthMax, nullable, fixed, defaultValue } = definition;
  let column: Column = { name, type, nullable: nullable && !inKey };
  if (lengthMax !== undefined) column = { ...column, lengthMax };
  if (fixed === true) column = { ...column, fixed };
  if (defaultValue === undefined) return column;
  return { ...column, defaultValue: coerce(column, defaultValue, "store") };
}

/** AUTO_INCREMENT: one column of integers, the first of the primary key or of an index. */
function withCounter(table: Table, { columns }: CreateTableStatement): Table {
  const counting = columns.flatMap((column, ordinal) => (column.autoIncrement === true ? [ordinal] : []));
  if (counting.length === 0) return table;
  const [autoIncrement] = counting;
  const leads = [table.primaryKey, ...(table.indexes ?? []).map((index) => index.columns)].some(
    ([first]) => first === autoIncrement,
  );
  const { type, defaultValue, name } = table.columns[autoIncrement];
  if (counting.length > 1 || !leads || defaultValue !== undefined || (type !== "int" && type !== "bigint")) {
    const rule = "there can be one, of integers without a default, and it must begin a key";
    throw new SqlError("auto_column", `Incorrect AUTO_INCREMENT column '${name}': ${rule}`);
  }
  const definition = table.columns[autoIncrement];
  const numbered = table.columns.map((column) => (column === definition ? { ...column, nullable: false } : column));
  return { ...table, columns: numbered, autoIncrement };
}

function withIndexes(doors: RunDoors, table: Table, definitions: readonly IndexDefinition[]): Table {
  if (doors.indexedPlans === undefined) throw notSelected(indexLeaf, "a secondary index");
  return { ...table, indexes: doors.indexedPlans.declared(table, definitions) };
}

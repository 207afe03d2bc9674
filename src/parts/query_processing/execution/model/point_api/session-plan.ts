/**
 * What the server says of itself: `SELECT @@x`, `SELECT DATABASE()`, SHOW, SET, USE.
 *
 * Sessions have no state here: SET and USE are accepted and change nothing, except where that would promise something
 * (autocommit off is a transaction that stays open). Variables answer with what is true of this server.
 */
import type { Catalog, ColumnValue, Table } from "../../../../architecture/catalog/table.ts";
import type { SelectValuesStatement, SessionStatement, SessionValue } from "../../../../parser/statement.ts";
import { type ResultColumn, type ResultShape, type ResultSink, SqlError } from "../../../executor.ts";
import { notSelected } from "./access-path.ts";
import type { ExecutorLimits, SessionPlan } from "./plan.ts";

const interactive = "concurrency/transaction/model/single_node_acid";

/** Answers with fixed rows. */
class ValuesPlan implements SessionPlan {
  readonly kind = "session";
  readonly label = "session";
  readonly shape: ResultShape;
  readonly #rows: () => readonly (readonly ColumnValue[])[];

  constructor(columns: readonly ResultColumn[], rows: () => readonly (readonly ColumnValue[])[]) {
    this.shape = { columns };
    this.#rows = rows;
  }

  run(sink: ResultSink): void {
    const rows = this.#rows();
    sink.rows(this.shape);
    for (const row of rows) sink.valueRow(row);
    sink.end();
  }
}

class DonePlan implements SessionPlan {
  readonly kind = "session";
  readonly label = "session";
  readonly shape = undefined;

  run(sink: ResultSink): void {
    sink.done({ affectedRows: 0, matchedRows: 0, info: "" });
  }
}

export const nothingToDo: SessionPlan = new DonePlan();

export function planSelectValues(statement: SelectValuesStatement, limits: ExecutorLimits): SessionPlan {
  const variables = serverVariables(limits);
  const row = statement.items.map(({ value }) => sessionValue(value, limits, variables));
  const columns = statement.items.map(({ name }, i) => columnOf(name, row[i]));
  return new ValuesPlan(columns, () => [row]);
}

function columnOf(name: string, value: ColumnValue): ResultColumn {
  const nullable = value === null;
  if (typeof value === "bigint") {
    return { name, type: "bigint", lengthMax: undefined, nullable, tableName: "" };
  }
  if (typeof value === "number") {
    const type = Number.isSafeInteger(value) ? "bigint" : "double";
    return { name, type, lengthMax: undefined, nullable, tableName: "" };
  }
  const type = value instanceof Uint8Array ? "varbinary" : "varchar";
  return { name, type, lengthMax: 1024, nullable, tableName: "" };
}

function textColumn(name: string): ResultColumn {
  return { name, type: "varchar", lengthMax: 65_535, nullable: true, tableName: "" };
}

function sessionValue(
  value: SessionValue,
  limits: ExecutorLimits,
  variables: ReadonlyMap<string, ColumnValue>,
): ColumnValue {
  if (value.kind === "constant") {
    return typeof value.value === "number" && Number.isSafeInteger(value.value) ? BigInt(value.value) : value.value;
  }
  if (value.kind === "variable") {
    const found = variables.get(value.name);
    if (found === undefined) throw new SqlError("unknown_column", `Unknown system variable '${value.name}'`);
    return found;
  }
  switch (value.name) {
    case "database":
    case "schema":
      return limits.databaseName;
    case "version":
      return limits.serverVersion;
    case "user":
    case "current_user":
    case "session_user":
    case "system_user":
      return "lathe@localhost";
    case "connection_id":
    case "last_insert_id":
      return 0n;
    default:
      throw notSelected("parser/syntax/functions/string", `the function ${value.name}`);
  }
}

/** System variables that drivers read on connect. */
function serverVariables(limits: ExecutorLimits): ReadonlyMap<string, ColumnValue> {
  const character = "utf8mb4";
  const variables: [string, ColumnValue][] = [
    ["autocommit", 1n],
    ["auto_increment_increment", 1n],
    ["character_set_client", character],
    ["character_set_connection", character],
    ["character_set_database", character],
    ["character_set_results", character],
    ["character_set_server", character],
    ["collation_connection", "utf8mb4_bin"],
    ["collation_database", "utf8mb4_bin"],
    ["collation_server", "utf8mb4_bin"],
    ["init_connect", ""],
    ["interactive_timeout", 28_800n],
    ["license", "Apache-2.0"],
    ["lower_case_table_names", 0n],
    ["max_allowed_packet", 67_108_864n],
    ["net_write_timeout", 60n],
    ["performance_schema", 0n],
    ["query_cache_size", 0n],
    ["query_cache_type", "OFF"],
    ["sql_mode", "STRICT_TRANS_TABLES"],
    ["system_time_zone", "UTC"],
    ["time_zone", "SYSTEM"],
    ["transaction_isolation", "SERIALIZABLE"],
    ["tx_isolation", "SERIALIZABLE"],
    ["transaction_read_only", 0n],
    ["version", limits.serverVersion],
    ["version_comment", "Lathe"],
    ["wait_timeout", 28_800n],
  ];
  return new Map(variables);
}

type SetStatement = Extract<SessionStatement, { kind: "set" }>;
type ShowStatement = Extract<SessionStatement, { kind: "show" }>;

export function planSet(statement: SetStatement): SessionPlan {
  for (const { name, value } of statement.assignments) {
    const off = ["0", "off", "false"].includes(value.toLowerCase());
    if (name === "autocommit" && off) throw notSelected(interactive, "SET autocommit = 0");
  }
  return nothingToDo;
}

export function planShow(statement: ShowStatement, catalog: Catalog, limits: ExecutorLimits): SessionPlan {
  const matching = (names: readonly string[]) => names.filter((name) => like(name, statement.like));
  switch (statement.what) {
    case "tables": {
      const column = textColumn(`Tables_in_${limits.databaseName}`);
      return new ValuesPlan([column], () => matching(catalog.list().map(({ name }) => name)).map((name) => [name]));
    }
    case "databases":
      return new ValuesPlan([textColumn("Database")], () => matching([limits.databaseName]).map((name) => [name]));
    case "variables":
    case "status": {
      const variables = statement.what === "variables" ? serverVariables(limits) : new Map<string, ColumnValue>();
      const rows = matching([...variables.keys()]).map((name) => [name, String(variables.get(name))]);
      return new ValuesPlan([textColumn("Variable_name"), textColumn("Value")], () => rows);
    }
    case "warnings": {
      const code: ResultColumn = { name: "Code", type: "int", lengthMax: undefined, nullable: false, tableName: "" };
      return new ValuesPlan([textColumn("Level"), code, textColumn("Message")], () => []);
    }
    case "columns": {
      const table = tableOf(catalog, statement.table);
      const rows = describeTable(table).filter(([name]) => like(String(name), statement.like));
      return new ValuesPlan(["Field", "Type", "Null", "Key", "Default", "Extra"].map(textColumn), () => rows);
    }
    case "createTable": {
      const table = tableOf(catalog, statement.table);
      const rows = [[table.name, createTableText(table)]];
      return new ValuesPlan(["Table", "Create Table"].map(textColumn), () => rows);
    }
  }
}

function tableOf(catalog: Catalog, name: string | undefined): Table {
  const table = name === undefined ? undefined : catalog.find(name);
  if (table === undefined) throw new SqlError("unknown_table", `Table '${name}' doesn't exist`);
  return table;
}

function typeText(column: Table["columns"][number]): string {
  const type = column.fixed === true ? "char" : column.type;
  return column.lengthMax === undefined ? type : `${type}(${column.lengthMax})`;
}

function describeTable(table: Table): ColumnValue[][] {
  return table.columns.map((column, ordinal) => {
    const indexed = table.indexes?.some((index) => index.columns[0] === ordinal) === true;
    const key = table.primaryKey.includes(ordinal) ? "PRI" : indexed ? "MUL" : "";
    const extra = table.autoIncrement === ordinal ? "auto_increment" : "";
    const fallback = column.defaultValue === undefined ? null : plainText(column.defaultValue);
    return [column.name, typeText(column), column.nullable ? "YES" : "NO", key, fallback, extra];
  });
}

export function createTableText(table: Table): string {
  const quoted = (name: string) => `\`${name.replaceAll("`", "``")}\``;
  const columns = table.columns.map((column, ordinal) => {
    const { defaultValue } = column;
    const fallback = defaultValue === undefined ? "" : ` DEFAULT ${quotedText(defaultValue)}`;
    const counts = table.autoIncrement === ordinal ? " AUTO_INCREMENT" : "";
    return `  ${quoted(column.name)} ${typeText(column)}${column.nullable ? "" : " NOT NULL"}${counts}${fallback}`;
  });
  const key = table.primaryKey.map((ordinal) => quoted(table.columns[ordinal].name)).join(",");
  const indexes = (table.indexes ?? []).map(({ name, columns: ordinals }) => {
    return `  KEY ${quoted(name)} (${ordinals.map((ordinal) => quoted(table.columns[ordinal].name)).join(",")})`;
  });
  return `CREATE TABLE ${quoted(table.name)} (\n${[...columns, `  PRIMARY KEY (${key})`, ...indexes].join(",\n")}\n)`;
}

function plainText(value: ColumnValue): ColumnValue {
  return typeof value === "bigint" || typeof value === "number" ? String(value) : value;
}

function quotedText(value: ColumnValue): string {
  if (value === null) return "NULL";
  if (value instanceof Uint8Array) return `X'${Buffer.from(value).toString("hex")}'`;
  return `'${String(value).replaceAll("\\", "\\\\").replaceAll("'", "''")}'`;
}

/** LIKE with % and _, without case, in time linear in name times pattern. */
export function like(name: string, pattern: string | undefined): boolean {
  if (pattern === undefined) return true;
  const text = name.toLowerCase();
  const wanted = pattern.replaceAll("\\_", "\u0001").replaceAll("\\%", "\u0002").toLowerCase();
  let reached = new Set([0]);
  for (const character of wanted) {
    const next = new Set<number>();
    for (const at of reached) {
      if (character === "%") for (let i = at; i <= text.length; i++) next.add(i);
      else if (at < text.length && (character === "_" || text[at] === literalOf(character))) next.add(at + 1);
    }
    reached = next;
  }
  return reached.has(text.length);
}

function literalOf(character: string): string {
  if (character === "\u0001") return "_";
  return character === "\u0002" ? "%" : character;
}

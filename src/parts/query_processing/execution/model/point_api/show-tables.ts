/**
 * SHOW: each form as a virtual table, filtered by LIKE on its first column or by a condition over all of them.
 *
 * Source: the SHOW statements of MySQL's manual, with the columns that clients read by name.
 */
import type { Table } from "../../../../architecture/catalog/table.ts";
import type { SessionStatement } from "../../../../parser/statement.ts";
import { notServed, SqlError } from "../../../executor.ts";
import { createTableText, defaultOf, extraOf, indexesOf, keyOf, quotedName, typeText } from "./column-description.ts";
import { informationSchemaNames, informationSchemaTable, schemaName } from "./information-schema.ts";
import { serverVariables } from "./server-variables.ts";
import { type CatalogView, textColumn, type VirtualTable, virtualTable } from "./virtual-table.ts";

export type ShowStatement = Extract<SessionStatement, { kind: "show" }>;

type Form = (statement: ShowStatement, view: CatalogView) => VirtualTable;

const collation = "utf8mb4_bin";
const privileges = "select,insert,update,references";

/** The rows of a table of information_schema under SHOW's names for some of its columns. */
function renamed(source: string, columns: string, names: readonly string[]): Form {
  return () => {
    const table = informationSchemaTable(source) as VirtualTable;
    const ordinals = names.map((name) => table.columns.findIndex((column) => column.name === name));
    return virtualTable(source, columns, (view) =>
      table.rows(view).map((row) => ordinals.map((ordinal) => row[ordinal])));
  };
}

const forms: Readonly<Record<string, Form>> = {
  tables: ({ full, database, like }, view) => {
    const label = textColumn(`Tables_in_${database ?? view.database}${suffixOf(like)}`);
    const columns = full ? [label, textColumn("Table_type")] : [label];
    return virtualTable("TABLES", columns, ({ catalog }) => {
      const system = database?.toLowerCase() === schemaName;
      const names = system ? informationSchemaNames() : catalog.list().map(({ name }) => name);
      return names.map((name) => (full ? [name, system ? "SYSTEM VIEW" : "BASE TABLE"] : [name]));
    });
  },
  databases: ({ like }) => {
    const columns = [textColumn(`Database${suffixOf(like)}`)];
    return virtualTable("SCHEMATA", columns, ({ database }) => [[schemaName], [database]]);
  },
  variables: () => virtualTable("VARIABLES", "Variable_name Value", ({ limits, session }) =>
    Array.from(serverVariables(limits, session), ([name, value]) => [name, String(value)]).sort(byFirst)),
  status: () => virtualTable("STATUS", "Variable_name Value", ({ session }) =>
    Array.from(session?.status() ?? [], ([name, value]) => [name, String(value)])),
  warnings: () => virtualTable("WARNINGS", "Level Code# Message"),
  columns: (statement, view) => {
    const table = tableOf(view, statement.table);
    const rows = table.columns.map((column, ordinal) => [
      column.name, typeText(column), column.type === "varchar" ? collation : null, column.nullable ? "YES" : "NO",
      keyOf(table, ordinal), defaultOf(column), extraOf(table, ordinal), privileges, "",
    ]);
    if (statement.full) {
      return virtualTable("COLUMNS", "Field Type Collation Null Key Default Extra Privileges Comment", () => rows);
    }
    return virtualTable("COLUMNS", "Field Type Null Key Default Extra", () =>
      rows.map(([field, type, , ...rest]) => [field, type, ...rest.slice(0, 4)]));
  },
  createTable: (statement, view) => {
    const table = tableOf(view, statement.table);
    return virtualTable("TABLES", "Table Create~Table", () => [[table.name, createTableText(table)]]);
  },
  createDatabase: ({ database }, view) => {
    const name = database ?? view.database;
    const text = `CREATE DATABASE ${quotedName(name)} /*!40100 DEFAULT CHARACTER SET utf8mb4 COLLATE ${collation} */`;
    return virtualTable("SCHEMATA", "Database Create~Database", () => [[name, text]]);
  },
  indexes: (statement, view) => {
    const table = tableOf(view, statement.table);
    const columns =
      "Table Non_unique# Key_name Seq_in_index# Column_name Collation Cardinality# Sub_part# Packed Null Index_type " +
      "Comment Index_comment Visible Expression";
    return virtualTable("STATISTICS", columns, () => indexesOf(table).flatMap(({ name, unique, columns: ordinals }) =>
      ordinals.map((ordinal, at) => [
        table.name, unique ? 0n : 1n, name, BigInt(at + 1), table.columns[ordinal].name, "A", null, null, null,
        table.columns[ordinal].nullable ? "YES" : "", "BTREE", "", "", "YES", null,
      ])));
  },
  tableStatus: () => virtualTable(
    "TABLES",
    "Name! Engine Version# Row_format Rows# Avg_row_length# Data_length# Max_data_length# Index_length# Data_free# " +
      "Auto_increment# Create_time Update_time Check_time Collation Checksum# Create_options Comment",
    ({ catalog }) => catalog.list().map(({ name }) => [
      name, "Lathe", 10n, "Dynamic", ...Array.from({ length: 10 }, () => null), collation, null, "", "",
    ]),
  ),
  engines: renamed(
    "ENGINES", "Engine Support Comment Transactions XA Savepoints",
    ["ENGINE", "SUPPORT", "COMMENT", "TRANSACTIONS", "XA", "SAVEPOINTS"],
  ),
  characterSets: renamed(
    "CHARACTER_SETS", "Charset Description Default~collation Maxlen#",
    ["CHARACTER_SET_NAME", "DESCRIPTION", "DEFAULT_COLLATE_NAME", "MAXLEN"],
  ),
  collations: renamed(
    "COLLATIONS", "Collation Charset Id# Default Compiled Sortlen# Pad_attribute",
    ["COLLATION_NAME", "CHARACTER_SET_NAME", "ID", "IS_DEFAULT", "IS_COMPILED", "SORTLEN", "PAD_ATTRIBUTE"],
  ),
  processlist: renamed(
    "PROCESSLIST", "Id# User Host db Command Time# State Info",
    ["ID", "USER", "HOST", "DB", "COMMAND", "TIME", "STATE", "INFO"],
  ),
  plugins: () => virtualTable("PLUGINS", "Name Status Type Library License"),
  privileges: () => virtualTable("PRIVILEGES", "Privilege Context Comment"),
  grants: (_, { session }) => {
    const user = session?.user ?? "lathe@localhost";
    const quoted = user.split("@").map(quotedName).join("@");
    return virtualTable("GRANTS", [textColumn(`Grants for ${user}`)], () =>
      [[`GRANT ALL PRIVILEGES ON *.* TO ${quoted}`]]);
  },
  triggers: () => virtualTable(
    "TRIGGERS",
    "Trigger Event Table! Statement Timing Created sql_mode Definer character_set_client collation_connection " +
      "Database~Collation",
  ),
  events: () => virtualTable(
    "EVENTS",
    "Db! Name Definer Time~zone Type Execute~at Interval~value Interval~field Starts Ends Status Originator# " +
      "character_set_client collation_connection Database~Collation",
  ),
  routines: () => virtualTable(
    "ROUTINES",
    "Db! Name Type Definer Modified Created Security_type Comment character_set_client collation_connection " +
      "Database~Collation",
  ),
  openTables: () => virtualTable("OPEN_TABLES", "Database! Table! In_use# Name_locked#"),
};

/** Errors: SqlError unknown_table, not_served. */
export function showTable(statement: ShowStatement, view: CatalogView): VirtualTable {
  const form = Object.hasOwn(forms, statement.what) ? forms[statement.what] : undefined;
  if (form === undefined) throw notServed(`SHOW ${statement.what}`);
  return form(statement, view);
}

function suffixOf(like: string | undefined): string {
  return like === undefined ? "" : ` (${like})`;
}

function byFirst([one]: readonly string[], [other]: readonly string[]): number {
  return one < other ? -1 : 1;
}

function tableOf({ catalog, database }: CatalogView, name: string | undefined): Table {
  const table = name === undefined ? undefined : catalog.find(name);
  if (table === undefined) throw new SqlError("unknown_table", `Table '${database}.${name}' doesn't exist`);
  return table;
}

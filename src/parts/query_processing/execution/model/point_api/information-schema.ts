/**
 * information_schema: the tables of the catalog, their columns and keys, and what the server says of itself.
 *
 * There is one database; its name is what the session calls it. What this server cannot have (views, triggers, foreign
 * keys, …) is there as a table without rows, so that tools that ask for all of it get an answer.
 * Source: the tables of MySQL 8.0's INFORMATION_SCHEMA that mysqldump, DBeaver, Kysely and drizzle-kit read.
 */
import type { Column, ColumnValue, Table } from "../../../../architecture/catalog/table.ts";
import { defaultOf, extraOf, indexesOf, keyOf, typeText } from "./column-description.ts";
import { serverVariables } from "./server-variables.ts";
import { type CatalogView, type VirtualTable, virtualTable } from "./virtual-table.ts";

const def = "def";
const characterSet = "utf8mb4";
const collation = "utf8mb4_bin";
const privileges = "select,insert,update,references";
export const schemaName = "information_schema";

type Row = readonly ColumnValue[];

const numericPrecision: Readonly<Record<string, bigint>> = { bigint: 19n, int: 10n, double: 22n };

function columnRow(view: CatalogView, table: Table, column: Column, ordinal: number): Row {
  const isText = column.type === "varchar";
  const length = column.lengthMax === undefined ? null : BigInt(column.lengthMax);
  const octets = length === null ? null : length * (isText ? 4n : 1n);
  const precision = numericPrecision[column.type] ?? null;
  const scale = precision === null || column.type === "double" ? null : 0n;
  return [
    def, view.database, table.name, column.name, BigInt(ordinal + 1), defaultOf(column),
    column.nullable ? "YES" : "NO", dataType(column), length, octets, precision, scale, null,
    isText ? characterSet : null, isText ? collation : null, typeText(column), keyOf(table, ordinal),
    extraOf(table, ordinal), privileges, "", "", null,
  ];
}

function dataType(column: Column): string {
  return typeText(column).replace(/\(.*$/, "");
}

function virtualColumnRow(table: VirtualTable, ordinal: number): Row {
  const { name, type } = table.columns[ordinal];
  const text = type === "varchar";
  return [
    def, schemaName, table.name, name, BigInt(ordinal + 1), null, "YES", type, text ? 65_535n : null,
    text ? 262_140n : null, text ? null : 19n, text ? null : 0n, null, text ? characterSet : null,
    text ? collation : null, text ? "varchar(65535)" : "bigint", "", "", "select", "", "", null,
  ];
}

function tableRow(schema: string, name: string, type: string, engine: string | null): Row {
  return [
    def, schema, name, type, engine, 10n, engine === null ? null : "Dynamic", null, null, null, null, null, null, null,
    null, null, null, engine === null ? null : collation, null, "", "",
  ];
}

function statisticsRows(view: CatalogView): Row[] {
  return view.catalog.list().flatMap((table) => indexesOf(table).flatMap(({ name, unique, columns }) =>
    columns.map((ordinal, at): Row => [
      def, view.database, table.name, unique ? 0n : 1n, view.database, name, BigInt(at + 1),
      table.columns[ordinal].name, "A", null, null, null, table.columns[ordinal].nullable ? "YES" : "", "BTREE", "",
      "", "YES", null,
    ])));
}

const tables: readonly VirtualTable[] = [
  virtualTable(
    "SCHEMATA",
    "CATALOG_NAME SCHEMA_NAME! DEFAULT_CHARACTER_SET_NAME DEFAULT_COLLATION_NAME SQL_PATH DEFAULT_ENCRYPTION",
    ({ database }) => [schemaName, database].map((name) => [def, name, characterSet, collation, null, "NO"]),
  ),
  virtualTable(
    "TABLES",
    "TABLE_CATALOG TABLE_SCHEMA! TABLE_NAME! TABLE_TYPE ENGINE VERSION# ROW_FORMAT TABLE_ROWS# AVG_ROW_LENGTH# " +
      "DATA_LENGTH# MAX_DATA_LENGTH# INDEX_LENGTH# DATA_FREE# AUTO_INCREMENT# CREATE_TIME UPDATE_TIME CHECK_TIME " +
      "TABLE_COLLATION CHECKSUM# CREATE_OPTIONS TABLE_COMMENT",
    ({ catalog, database }) => [
      ...catalog.list().map(({ name }) => tableRow(database, name, "BASE TABLE", "Lathe")),
      ...tables.map(({ name }) => tableRow(schemaName, name, "SYSTEM VIEW", null)),
    ],
  ),
  virtualTable(
    "COLUMNS",
    "TABLE_CATALOG TABLE_SCHEMA! TABLE_NAME! COLUMN_NAME ORDINAL_POSITION# COLUMN_DEFAULT IS_NULLABLE DATA_TYPE " +
      "CHARACTER_MAXIMUM_LENGTH# CHARACTER_OCTET_LENGTH# NUMERIC_PRECISION# NUMERIC_SCALE# DATETIME_PRECISION# " +
      "CHARACTER_SET_NAME COLLATION_NAME COLUMN_TYPE COLUMN_KEY EXTRA PRIVILEGES COLUMN_COMMENT " +
      "GENERATION_EXPRESSION SRS_ID#",
    (view) => [
      ...view.catalog.list().flatMap((table) =>
        table.columns.map((column, ordinal) => columnRow(view, table, column, ordinal))),
      ...tables.flatMap((table) => table.columns.map((_, ordinal) => virtualColumnRow(table, ordinal))),
    ],
  ),
  virtualTable(
    "STATISTICS",
    "TABLE_CATALOG TABLE_SCHEMA! TABLE_NAME! NON_UNIQUE# INDEX_SCHEMA! INDEX_NAME SEQ_IN_INDEX# COLUMN_NAME " +
      "COLLATION CARDINALITY# SUB_PART# PACKED NULLABLE INDEX_TYPE COMMENT INDEX_COMMENT IS_VISIBLE EXPRESSION",
    statisticsRows,
  ),
  virtualTable(
    "KEY_COLUMN_USAGE",
    "CONSTRAINT_CATALOG CONSTRAINT_SCHEMA! CONSTRAINT_NAME TABLE_CATALOG TABLE_SCHEMA! TABLE_NAME! COLUMN_NAME " +
      "ORDINAL_POSITION# POSITION_IN_UNIQUE_CONSTRAINT# REFERENCED_TABLE_SCHEMA! REFERENCED_TABLE_NAME! " +
      "REFERENCED_COLUMN_NAME",
    ({ catalog, database }) => catalog.list().flatMap((table) => table.primaryKey.map((ordinal, at): Row => [
      def, database, "PRIMARY", def, database, table.name, table.columns[ordinal].name, BigInt(at + 1), null, null,
      null, null,
    ])),
  ),
  virtualTable(
    "TABLE_CONSTRAINTS",
    "CONSTRAINT_CATALOG CONSTRAINT_SCHEMA! CONSTRAINT_NAME TABLE_SCHEMA! TABLE_NAME! CONSTRAINT_TYPE ENFORCED",
    ({ catalog, database }) =>
      catalog.list().map(({ name }) => [def, database, "PRIMARY", database, name, "PRIMARY KEY", "YES"]),
  ),
  virtualTable(
    "ENGINES",
    "ENGINE SUPPORT COMMENT TRANSACTIONS XA SAVEPOINTS",
    () => [["Lathe", "DEFAULT", "Tables of this product", "YES", "NO", "NO"]],
  ),
  virtualTable(
    "CHARACTER_SETS",
    "CHARACTER_SET_NAME DEFAULT_COLLATE_NAME DESCRIPTION MAXLEN#",
    () => [[characterSet, collation, "UTF-8 Unicode", 4n], ["binary", "binary", "Binary pseudo charset", 1n]],
  ),
  virtualTable(
    "COLLATIONS",
    "COLLATION_NAME CHARACTER_SET_NAME ID# IS_DEFAULT IS_COMPILED SORTLEN# PAD_ATTRIBUTE",
    () => [
      [collation, characterSet, 46n, "Yes", "Yes", 1n, "NO PAD"],
      ["binary", "binary", 63n, "Yes", "Yes", 1n, "NO PAD"],
    ],
  ),
  virtualTable(
    "COLLATION_CHARACTER_SET_APPLICABILITY",
    "COLLATION_NAME CHARACTER_SET_NAME",
    () => [[collation, characterSet], ["binary", "binary"]],
  ),
  virtualTable(
    "PROCESSLIST",
    "ID# USER HOST DB! COMMAND TIME# STATE INFO",
    ({ session }) => (session?.processes() ?? []).map((one): Row => [
      BigInt(one.connectionId), one.user, one.host, one.database === "" ? null : one.database, one.command,
      BigInt(one.seconds), one.command === "Query" ? "executing" : "", one.info ?? null,
    ]),
  ),
  ...["GLOBAL_VARIABLES", "SESSION_VARIABLES"].map((name) =>
    virtualTable(name, "VARIABLE_NAME VARIABLE_VALUE", ({ limits, session }) =>
      Array.from(serverVariables(limits, session), ([variable, value]): Row => [variable, String(value)]))),
  ...["GLOBAL_STATUS", "SESSION_STATUS"].map((name) =>
    virtualTable(name, "VARIABLE_NAME VARIABLE_VALUE", ({ session }) =>
      Array.from(session?.status() ?? [], ([variable, value]): Row => [variable, String(value)]))),
  virtualTable(
    "SCHEMA_PRIVILEGES", "GRANTEE TABLE_CATALOG TABLE_SCHEMA! PRIVILEGE_TYPE IS_GRANTABLE",
  ),
  virtualTable(
    "USER_PRIVILEGES", "GRANTEE TABLE_CATALOG PRIVILEGE_TYPE IS_GRANTABLE",
    ({ session }) => [[session?.user ?? "", def, "ALL PRIVILEGES", "NO"]],
  ),
  // From here on: what this server does not have.
  virtualTable("CHECK_CONSTRAINTS", "CONSTRAINT_CATALOG CONSTRAINT_SCHEMA! CONSTRAINT_NAME CHECK_CLAUSE"),
  virtualTable("COLUMN_PRIVILEGES", "GRANTEE TABLE_CATALOG TABLE_SCHEMA! TABLE_NAME! COLUMN_NAME PRIVILEGE_TYPE"),
  virtualTable(
    "EVENTS",
    "EVENT_CATALOG EVENT_SCHEMA! EVENT_NAME DEFINER TIME_ZONE EVENT_BODY EVENT_DEFINITION EVENT_TYPE EXECUTE_AT " +
      "INTERVAL_VALUE INTERVAL_FIELD SQL_MODE STARTS ENDS STATUS ON_COMPLETION CREATED LAST_ALTERED LAST_EXECUTED " +
      "EVENT_COMMENT ORIGINATOR# CHARACTER_SET_CLIENT COLLATION_CONNECTION DATABASE_COLLATION",
  ),
  virtualTable(
    "FILES",
    "FILE_ID# FILE_NAME FILE_TYPE TABLESPACE_NAME TABLE_CATALOG TABLE_SCHEMA! TABLE_NAME! LOGFILE_GROUP_NAME ENGINE " +
      "TOTAL_EXTENTS# EXTENT_SIZE# INITIAL_SIZE# EXTRA",
  ),
  virtualTable(
    "PARAMETERS",
    "SPECIFIC_CATALOG SPECIFIC_SCHEMA! SPECIFIC_NAME ORDINAL_POSITION# PARAMETER_MODE PARAMETER_NAME DATA_TYPE " +
      "CHARACTER_MAXIMUM_LENGTH# NUMERIC_PRECISION# NUMERIC_SCALE# DTD_IDENTIFIER ROUTINE_TYPE",
  ),
  virtualTable(
    "PARTITIONS",
    "TABLE_CATALOG TABLE_SCHEMA! TABLE_NAME! PARTITION_NAME SUBPARTITION_NAME PARTITION_ORDINAL_POSITION# " +
      "PARTITION_METHOD PARTITION_EXPRESSION PARTITION_DESCRIPTION TABLE_ROWS# TABLESPACE_NAME",
  ),
  virtualTable("PLUGINS", "PLUGIN_NAME PLUGIN_VERSION PLUGIN_STATUS PLUGIN_TYPE PLUGIN_LIBRARY PLUGIN_LICENSE"),
  virtualTable(
    "REFERENTIAL_CONSTRAINTS",
    "CONSTRAINT_CATALOG CONSTRAINT_SCHEMA! CONSTRAINT_NAME UNIQUE_CONSTRAINT_CATALOG UNIQUE_CONSTRAINT_SCHEMA! " +
      "UNIQUE_CONSTRAINT_NAME MATCH_OPTION UPDATE_RULE DELETE_RULE TABLE_NAME! REFERENCED_TABLE_NAME!",
  ),
  virtualTable(
    "ROUTINES",
    "SPECIFIC_NAME ROUTINE_CATALOG ROUTINE_SCHEMA! ROUTINE_NAME ROUTINE_TYPE DATA_TYPE ROUTINE_BODY " +
      "ROUTINE_DEFINITION IS_DETERMINISTIC SQL_DATA_ACCESS SECURITY_TYPE CREATED LAST_ALTERED SQL_MODE " +
      "ROUTINE_COMMENT DEFINER DTD_IDENTIFIER",
  ),
  virtualTable("TABLE_PRIVILEGES", "GRANTEE TABLE_CATALOG TABLE_SCHEMA! TABLE_NAME! PRIVILEGE_TYPE IS_GRANTABLE"),
  virtualTable("TABLESPACES", "TABLESPACE_NAME ENGINE TABLESPACE_TYPE LOGFILE_GROUP_NAME"),
  virtualTable(
    "TRIGGERS",
    "TRIGGER_CATALOG TRIGGER_SCHEMA! TRIGGER_NAME EVENT_MANIPULATION EVENT_OBJECT_CATALOG EVENT_OBJECT_SCHEMA! " +
      "EVENT_OBJECT_TABLE! ACTION_ORDER# ACTION_CONDITION ACTION_STATEMENT ACTION_ORIENTATION ACTION_TIMING CREATED " +
      "SQL_MODE DEFINER CHARACTER_SET_CLIENT COLLATION_CONNECTION DATABASE_COLLATION",
  ),
  virtualTable(
    "VIEWS",
    "TABLE_CATALOG TABLE_SCHEMA! TABLE_NAME! VIEW_DEFINITION CHECK_OPTION IS_UPDATABLE DEFINER SECURITY_TYPE " +
      "CHARACTER_SET_CLIENT COLLATION_CONNECTION",
  ),
];

const byName = new Map(tables.map((table) => [table.name, table]));

/** A table of information_schema by its name, in whatever case. */
export function informationSchemaTable(name: string): VirtualTable | undefined {
  return byName.get(name.toUpperCase());
}

export function informationSchemaNames(): string[] {
  return [...byName.keys()].sort();
}

/** How tables and their columns are told: in MySQL's words for types, keys and definitions. */
import type { Column, ColumnValue, Table } from "../../../../architecture/catalog/table.ts";

export function typeText(column: Column): string {
  const type = column.fixed === true ? "char" : column.type;
  return column.lengthMax === undefined ? type : `${type}(${column.lengthMax})`;
}

/** `PRI`, `MUL` (the first column of an index) or nothing. */
export function keyOf(table: Table, ordinal: number): string {
  if (table.primaryKey.includes(ordinal)) return "PRI";
  return table.indexes?.some((index) => index.columns[0] === ordinal) === true ? "MUL" : "";
}

export function extraOf(table: Table, ordinal: number): string {
  return table.autoIncrement === ordinal ? "auto_increment" : "";
}

export function defaultOf({ defaultValue }: Column): ColumnValue {
  if (defaultValue === undefined) return null;
  return typeof defaultValue === "bigint" || typeof defaultValue === "number" ? String(defaultValue) : defaultValue;
}

export function quotedName(name: string): string {
  return `\`${name.replaceAll("`", "``")}\``;
}

/** The primary key and the secondary indexes, as SHOW INDEX and STATISTICS list them. */
export function indexesOf(table: Table): readonly { name: string; unique: boolean; columns: readonly number[] }[] {
  const secondary = (table.indexes ?? []).map(({ name, columns }) => ({ name, unique: false, columns }));
  return [{ name: "PRIMARY", unique: true, columns: table.primaryKey }, ...secondary];
}

export function createTableText(table: Table): string {
  const columns = table.columns.map((column, ordinal) => {
    const { defaultValue } = column;
    const fallback = defaultValue === undefined ? "" : ` DEFAULT ${quotedText(defaultValue)}`;
    const counts = table.autoIncrement === ordinal ? " AUTO_INCREMENT" : "";
    const always = column.nullable ? "" : " NOT NULL";
    return `  ${quotedName(column.name)} ${typeText(column)}${always}${counts}${fallback}`;
  });
  const listed = (ordinals: readonly number[]) =>
    ordinals.map((ordinal) => quotedName(table.columns[ordinal].name)).join(",");
  const indexes = (table.indexes ?? []).map(({ name, columns: ordinals }) => {
    return `  KEY ${quotedName(name)} (${listed(ordinals)})`;
  });
  const lines = [...columns, `  PRIMARY KEY (${listed(table.primaryKey)})`, ...indexes];
  return `CREATE TABLE ${quotedName(table.name)} (\n${lines.join(",\n")}\n)`;
}

function quotedText(value: ColumnValue): string {
  if (value === null) return "NULL";
  if (value instanceof Uint8Array) return `X'${Buffer.from(value).toString("hex")}'`;
  return `'${String(value).replaceAll("\\", "\\\\").replaceAll("'", "''")}'`;
}

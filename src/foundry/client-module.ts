/**
 * `client.ts` of a product: a typed client, generated from the contract's tables.
 *
 * Over HTTP it stands alone (fetch). Over MySQL it is a thin layer of types over a connection that its user brings
 * (mysql2's, or anything with its `execute`); plain SQL stays as good as it was. Where a product has both, the HTTP
 * client is written, and the other as `mysql-client.ts`.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Column, Contract, TableSpec } from "../contract/contract.ts";
import { keyValueTableOf } from "../contract/key-value-table.ts";
import { LatheError } from "../kit/errors.ts";
import { sourceRoot } from "./part-descriptor.ts";

/** Files by path. */
export function clientModules(contract: Contract): Map<string, string> {
  const { protocols } = contract.surface;
  const files = new Map<string, string>();
  const overHttp = protocols.includes("http");
  if (overHttp) files.set("client.ts", httpClient(contract));
  if (protocols.includes("mysql")) files.set(overHttp ? "mysql-client.ts" : "client.ts", mysqlClient(contract));
  return files;
}

function httpClient(contract: Contract): string {
  const table = keyValueTableOf(contract.data.tables);
  if (table === undefined) throw new LatheError("INVALID_ARGUMENT", `${contract.name} has no key-value table`);
  return readFileSync(join(sourceRoot, "foundry", "http-client.template"), "utf8")
    .replaceAll("PRODUCT_NAME", contract.name)
    .replaceAll("CLIENT_NAME", `${pascal(contract.name)}Client`)
    .replace("KEY_BYTES_MAX", String(table.columns[0].lengthMax))
    .replace("VALUE_BYTES_MAX", String(table.columns[1].lengthMax));
}

function mysqlClient(contract: Contract): string {
  const { tables } = contract.data;
  const template = readFileSync(join(sourceRoot, "foundry", "mysql-client.template"), "utf8");
  return template
    .replaceAll("PRODUCT_NAME", contract.name)
    .replaceAll("CLIENT_NAME", `${pascal(contract.name)}Client`)
    .replace("/* ROW_TYPES */", tables.map(rowTypes).join("\n\n"))
    .replace("/* TABLE_FIELDS */", tables.map(tableField).join("\n"))
    .replace("/* TABLE_OPENINGS */", tables.map(tableOpening).join("\n"));
}

export function rowTypes({ name, columns, primaryKey }: TableSpec): string {
  const field = (column: Column) => `  readonly ${propertyName(column.name)}: ${typeOf(column)};`;
  const keys = columns.filter((column) => primaryKey.includes(column.name));
  return [
    `/** A row of \`${name}\`. */`,
    `export interface ${pascal(name)}Row {`, ...columns.map(field), "}", "",
    `/** Primary key of \`${name}\`. */`,
    `export interface ${pascal(name)}Key {`, ...keys.map(field), "}",
  ].join("\n");
}

function tableField({ name }: TableSpec): string {
  return `  readonly ${propertyName(name)}: Table<${pascal(name)}Row, ${pascal(name)}Key>;`;
}

function tableOpening({ name, columns, primaryKey }: TableSpec): string {
  const shown = columns.map(({ name: column, type }) => `      { name: ${JSON.stringify(column)}, type: "${type}" },`);
  return [
    `    this.${propertyName(name)} = new Table(connection, {`,
    `      name: ${JSON.stringify(name)}, primaryKey: ${JSON.stringify(primaryKey)},`,
    "      columns: [", ...shown.map((line) => `  ${line}`), "      ],",
    "    });",
  ].join("\n");
}

function typeOf({ type, nullable }: Column): string {
  const types = { bigint: "bigint", int: "number", double: "number", varchar: "string", varbinary: "Uint8Array" };
  return nullable ? `${types[type]} | null` : types[type];
}

export function propertyName(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name);
}

/** `taobench-o` becomes `TaobenchO`. */
export function pascal(name: string): string {
  return name.split(/[^A-Za-z0-9]+/).filter((word) => word !== "").map((word) => word[0].toUpperCase() + word.slice(1))
    .join("");
}

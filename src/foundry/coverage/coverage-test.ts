/**
 * `test/coverage.test.ts` of a product: its surfaces are asked what the contract has (tables, rows by key, in order and
 * by index, changes, transactions, keys that expire, metrics), while calls of functions are counted. A part of which no
 * function runs then is dead, and the test names it with its leaves.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Column, Contract, TableSpec } from "../../contract/contract.ts";
import { keyValueTableOf } from "../../contract/key-value-table.ts";
import { pascal, propertyName } from "../client-module.ts";
import { isLibrary, type SelectedParts } from "../composition.ts";
import { embeddedRows } from "../embedded-rows.ts";
import { sourceRoot } from "../part-descriptor.ts";

/** Files by path. */
export function coverageFiles(contract: Contract, selected: SelectedParts): Map<string, string> {
  return new Map([
    ["test/request-coverage.ts", readTemplate("request-coverage.template")],
    ["test/coverage.test.ts", isLibrary(selected) ? embeddedTest(contract) : serverTest(contract, selected)],
  ]);
}

function readTemplate(name: string): string {
  return readFileSync(join(sourceRoot, "foundry", "coverage", name), "utf8");
}

function embeddedTest(contract: Contract): string {
  const { table, types, functions } = embeddedRows(contract);
  const imported = `import { open, ${types.map((type) => `type ${type}`).join(", ")} } from "../product.ts";`;
  return readTemplate("coverage-embedded.template")
    .replaceAll("PRODUCT_NAME", contract.name)
    .replace("/* PRODUCT_IMPORT */", imported)
    .replace("/* ROW_FUNCTIONS */", functions.join("\n"))
    .replaceAll("store.TABLE", `store.${table}`);
}

function serverTest(contract: Contract, { metricsEndpoint }: SelectedParts): string {
  const { protocols } = contract.surface;
  const [overMysql, overHttp] = [protocols.includes("mysql"), protocols.includes("http")];
  const client = `${pascal(contract.name)}Client`;
  const sqlClient = overHttp ? [`import { ${client} as SqlClient } from "../mysql-client.ts";`]
    : [`import { ${client} } from "../client.ts";`];
  return [
    "/**",
    ` * Every part of ${contract.name} is run by a request: what none reaches has no place in a product.`,
    " */",
    'import assert from "node:assert/strict";',
    'import { test } from "node:test";',
    ...(overHttp ? [`import { ${client} } from "../client.ts";`] : []),
    ...(overMysql ? sqlClient : []),
    ...(overHttp ? ['import { issueToken } from "../product.ts";'] : []),
    ...(overMysql ? ['import { MysqlConnection } from "./mysql-connection.ts";'] : []),
    'import { OpenedProduct } from "./opened-product.ts";',
    'import { RequestCoverage, unreachedParts } from "./request-coverage.ts";',
    "",
    'test("every part is run by a request", async () => {',
    '  await using store = await OpenedProduct.open(undefined, "as the contract says");',
    ...(overHttp ? ["  const access = { tokenSecret: store.env.random.bytes(32), tokenRequired: true };"] : []),
    `  const bound = await store.serve(${overHttp ? "{ access }" : ""});`,
    "  const coverage = await RequestCoverage.start();",
    ...(overMysql ? ["  await askOverMysql(bound.mysqlPort ?? 0);"] : []),
    ...(overHttp ? [
      '  const request = { scopes: ["read", "write"], subject: "test", days: 1, file: undefined };',
      "  const token = issueToken(access.tokenSecret, request, store.env.clock.nowMs());",
      "  await askOverHttp(bound.httpPort ?? 0, token);",
    ] : []),
    ...(metricsEndpoint === undefined ? [] : [
      "  const metrics = await fetch(`http://127.0.0.1:${bound.metricsPort}/metrics`);",
      "  assert.match(await metrics.text(), /^# TYPE /m);",
    ]),
    "  assert.deepEqual(unreachedParts(await coverage.stop()), []);",
    "});",
    "",
    ...(overMysql ? [...mysqlRequests(contract, overHttp ? "SqlClient" : client), ""] : []),
    ...(overHttp ? [...httpRequests(client), ""] : []),
  ].join("\n");
}

function mysqlRequests(contract: Contract, client: string): string[] {
  const served = contract.surface.protocols.includes("http") ? keyValueTableOf(contract.data.tables)?.name : undefined;
  return [
    "async function askOverMysql(port: number): Promise<void> {",
    '  using connection = await MysqlConnection.open({ port, user: "test", password: "secret" });',
    `  const client = new ${client}(connection);`,
    ...contract.data.tables.flatMap((table) => tableRequests(table, table.name === served)),
    ...(contract.consistency.transactions === "interactive" ? transactionRequests(contract.data.tables[0]) : []),
    "}",
  ];
}

function tableRequests(table: TableSpec, isThere: boolean): string[] {
  const { name, columns, primaryKey, indexes = [] } = table;
  const property = `client.${propertyName(name)}`;
  const keys = columns.filter((column) => primaryKey.includes(column.name));
  const others = columns.filter((column) => !primaryKey.includes(column.name));
  const changed = others.find(({ nullable }) => !nullable) ?? others[0];
  const byName = (column: string) => columns.find((one) => one.name === column) as Column;
  return [
    ...(isThere ? [] : [`  await connection.query(${JSON.stringify(createStatement(table))});`]),
    `  await ${property}.insert(${row(columns, 1)}, ${row(columns, 2)});`,
    `  assert.ok(await ${property}.find(${row(keys, 1)}) !== undefined);`,
    `  assert.equal((await ${property}.list(${valueOf(byName(primaryKey[0]), 1)})).length, 2);`,
    ...(changed === undefined ? [] : [`  await ${property}.update(${row(keys, 1)}, ${row([changed], 3)});`]),
    ...indexes.map(({ columns: [first] }) => {
      const sql = `SELECT ${quoted(primaryKey[0])} FROM ${quoted(name)} WHERE ${quoted(first)} = ?`;
      return `  await connection.execute(${JSON.stringify(sql)}, [${valueOf(byName(first), 2)}]);`;
    }),
    `  assert.equal(await ${property}.delete(${row(keys, 2)}), 1);`,
  ];
}

function transactionRequests({ name, primaryKey }: TableSpec): string[] {
  const read = `SELECT ${quoted(primaryKey[0])} FROM ${quoted(name)} LIMIT 1`;
  const nobody = primaryKey.map((column) => `${quoted(column)} = 0`).join(" AND ");
  const change = `DELETE FROM ${quoted(name)} WHERE ${nobody}`;
  return [
    '  await connection.query("BEGIN");',
    `  await connection.query(${JSON.stringify(read)});`,
    `  await connection.query(${JSON.stringify(change)});`,
    '  await connection.query("COMMIT");',
  ];
}

function httpRequests(client: string): string[] {
  return [
    "async function askOverHttp(port: number, token: string): Promise<void> {",
    `  const client = new ${client}({ url: \`http://127.0.0.1:\${port}\`, token });`,
    '  const etag = await client.put("one", "first", { ttlSeconds: 60 });',
    '  await client.put("one", "second", { ifMatch: etag });',
    '  assert.equal((await client.get("one"))?.text(), "second");',
    '  await client.delete("one");',
    '  assert.equal(await client.get("one"), undefined);',
    "}",
  ];
}

function createStatement({ name, columns, primaryKey, indexes = [] }: TableSpec): string {
  const lines = columns.map((column) => {
    const length = column.type === "varchar" || column.type === "varbinary" ? `(${column.lengthMax})` : "";
    return `${quoted(column.name)} ${column.type.toUpperCase()}${length}${column.nullable ? "" : " NOT NULL"}`;
  });
  const listed = (names: readonly string[]) => `(${names.map(quoted).join(", ")})`;
  const keys = indexes.map((index) => `KEY ${quoted(index.name)} ${listed(index.columns)}`);
  return `CREATE TABLE ${quoted(name)} (${[...lines, `PRIMARY KEY ${listed(primaryKey)}`, ...keys].join(", ")})`;
}

function quoted(name: string): string {
  return `\`${name}\``;
}

function row(columns: readonly Column[], n: number): string {
  // A row of a key-value table that expired in 1970 would be hidden.
  const valueIn = (column: Column) => (column.name === "expires_ms" && column.nullable ? "null" : valueOf(column, n));
  return `{ ${columns.map((column) => `${propertyName(column.name)}: ${valueIn(column)}`).join(", ")} }`;
}

/** A value as TypeScript source, larger for a larger number. */
function valueOf({ type, lengthMax = 1 }: Column, n: number): string {
  if (type === "bigint") return `${n}n`;
  if (type === "int" || type === "double") return String(n);
  const letter = lengthMax > 0 ? String.fromCharCode(96 + n) : "";
  return type === "varchar" ? JSON.stringify(letter) : `Buffer.from(${JSON.stringify(letter)})`;
}

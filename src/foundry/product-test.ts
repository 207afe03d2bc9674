/**
 * `test/product.test.ts`: the product opens, serves, keeps its directory to itself, and refuses wrong knobs. Products
 * with a MySQL surface are asked over it, others over HTTP.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Column, Contract } from "../contract/contract.ts";
import { pascal, propertyName } from "./client-module.ts";
import { sourceRoot } from "./part-descriptor.ts";
import { isLibrary, type SelectedParts } from "./composition.ts";

/** A row of the first table for every number, in the order of the numbers. */
function embeddedTestModule({ name, data }: Contract): string {
  const [{ name: table, columns, primaryKey }] = data.tables;
  const valueOf = ({ type, lengthMax = 1 }: Column) => {
    if (type === "bigint") return "BigInt(n)";
    if (type === "int" || type === "double") return "n";
    const letters = "String.fromCharCode(97 + n)";
    if (type === "varchar") return lengthMax > 0 ? letters : '""';
    return "Uint8Array.of(n)";
  };
  const fields = (shown: readonly Column[]) =>
    shown.map((column) => `${propertyName(column.name)}: ${valueOf(column)}`).join(", ");
  const keys = columns.filter((column) => primaryKey.includes(column.name));
  const functions = [
    `const rowOf = (n: number): ${pascal(table)}Row => ({ ${fields(columns)} });`,
    `const keyOf = (n: number): ${pascal(table)}Key => ({ ${fields(keys)} });`,
  ];
  const types = `import type { ${pascal(table)}Key, ${pascal(table)}Row } from "../product.ts";`;
  return readFileSync(join(sourceRoot, "foundry", "embedded-test.template"), "utf8")
    .replaceAll("PRODUCT_NAME", name)
    .replace('import { open } from "../product.ts";', `import { open } from "../product.ts";\n${types}`)
    .replace("/* ROW_FUNCTIONS */", functions.join("\n"))
    .replaceAll("store.TABLE", `store.${propertyName(table)}`)
    .replaceAll("again.TABLE", `again.${propertyName(table)}`);
}

export function productTestModule(contract: Contract, selected: SelectedParts): string {
  if (isLibrary(selected)) return embeddedTestModule(contract);
  const name = contract.surface.protocols.includes("mysql") ? "product-test.template" : "product-test-http.template";
  const template = readFileSync(join(sourceRoot, "foundry", name), "utf8");
  return template.replaceAll("PRODUCT_NAME", contract.name);
}

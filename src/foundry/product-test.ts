/**
 * `test/product.test.ts`: the product opens, serves, keeps its directory to itself, and refuses wrong knobs. Products
 * with a MySQL surface are asked over it, others over HTTP.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Contract } from "../contract/contract.ts";
import { sourceRoot } from "./part-descriptor.ts";

export function productTestModule(contract: Contract): string {
  const name = contract.surface.protocols.includes("mysql") ? "product-test.template" : "product-test-http.template";
  const template = readFileSync(join(sourceRoot, "foundry", name), "utf8");
  return template.replaceAll("PRODUCT_NAME", contract.name);
}

/** `test/product.test.ts`: the product opens, serves, keeps its directory to itself, and refuses wrong knobs. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Contract } from "../contract/contract.ts";
import { sourceRoot } from "./part-descriptor.ts";

export function productTestModule(contract: Contract): string {
  const template = readFileSync(join(sourceRoot, "foundry", "product-test.template"), "utf8");
  return template.replaceAll("PRODUCT_NAME", contract.name);
}

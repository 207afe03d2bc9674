/**
 * `test/product.test.ts`: the product opens, serves, keeps its directory to itself, and refuses wrong knobs. Products
 * with a MySQL surface are asked over it, others over HTTP.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Contract } from "../contract/contract.ts";
import { embeddedRows } from "./embedded-rows.ts";
import { sourceRoot } from "./part-descriptor.ts";
import { isLibrary, type SelectedParts } from "./composition.ts";

function embeddedTestModule(contract: Contract): string {
  const { table, types, functions } = embeddedRows(contract);
  const imported = `import type { ${types.join(", ")} } from "../product.ts";`;
  return readFileSync(join(sourceRoot, "foundry", "embedded-test.template"), "utf8")
    .replaceAll("PRODUCT_NAME", contract.name)
    .replace('import { open } from "../product.ts";', `import { open } from "../product.ts";\n${imported}`)
    .replace("/* ROW_FUNCTIONS */", functions.join("\n"))
    .replaceAll("store.TABLE", `store.${table}`)
    .replaceAll("again.TABLE", `again.${table}`);
}

export function productTestModule(contract: Contract, selected: SelectedParts): string {
  if (isLibrary(selected)) return embeddedTestModule(contract);
  const name = contract.surface.protocols.includes("mysql") ? "product-test.template" : "product-test-http.template";
  const template = readFileSync(join(sourceRoot, "foundry", name), "utf8");
  const text = selected.metricsEndpoint === undefined ? withoutMetricsEndpoint(template) : template;
  return text.replaceAll("PRODUCT_NAME", contract.name);
}

/** A product without the endpoint refuses a port for it; its own figures it has all the same. */
function withoutMetricsEndpoint(template: string): string {
  const asked = / *const response = await fetch\([^\n]*\/metrics`\);\n(?: *assert[^\n]*\bresponse\b[^\n]*\n)+/;
  return template.replace(asked, "").replaceAll(" metricsPort: 0,", "");
}

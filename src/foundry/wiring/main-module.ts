/** Writes `main.js` and `serve.ts`, by which a server is started. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Contract } from "../../contract/contract.ts";
import type { SelectedParts } from "../composition.ts";
import { sourceRoot } from "../part-descriptor.ts";
import { literal } from "./literal.ts";

/** Where `main.js` keeps what it makes, within a product. */
export const compiledCodeName = ".cache";

const template = join(sourceRoot, "foundry", "wiring", "main.template");

/** `main.js`: loads `serve.ts` quickly. */
export function mainModule({ name }: Pick<Contract, "name">): string {
  return readFileSync(template, "utf8").replaceAll("PRODUCT", () => name);
}

/** `serve.ts`: what `main.js` runs. */
export function serveModule(contract: Contract, selected: SelectedParts): string {
  const description = descriptionOf(contract);
  const overHttp = selected.httpSurface !== undefined;
  const strict = selected.syncPolicy === undefined;
  const names = [
    "open", "productName", "productVersion", "selectionHash",
    ...(overHttp ? ["issueToken"] : []), ...(strict ? ["fastRefusal"] : []),
  ].sort();
  return [
    `/** What \`main.js\` runs: ${contract.name} with its knobs, doors to the world, and command line. */`,
    'import { createNodeEnv } from "./kit/env/node-env.ts";',
    'import { serveMain } from "./kit/serve-main.ts";',
    'import { knobTable } from "./knobs.ts";',
    `import { ${names.join(", ")} } from "./product.ts";`,
    "",
    "/** `listening` is called once the server listens. Ends with the process. */",
    "export const serve = (listening: () => void): Promise<void> => serveMain({",
    "  name: productName,",
    `  description: ${JSON.stringify(description)},`,
    "  version: productVersion,",
    "  selectionHash,",
    "  directory: import.meta.dirname,",
    "  knobTable,",
    "  open,",
    "  createEnv: createNodeEnv,",
    "  listening,",
    ...(strict ? ["  fastRefusal,"] : []),
    ...(overHttp ? httpDefinition(selected) : []),
    "});",
    "",
  ].join("\n");
}

function httpDefinition({ mysqlSurface }: SelectedParts): string[] {
  const surfaces = [...(mysqlSurface === undefined ? [] : ["mysql"]), "http"];
  return [`  surfaces: ${literal(surfaces)},`, "  issueToken,"];
}

export function descriptionOf(contract: Contract): string {
  return contract.description.trim() || `a database for the workload ${contract.name}`;
}

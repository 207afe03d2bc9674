/** Writes `main.ts` and `serve.ts`, by which a server is started. */
import type { Contract } from "../../contract/contract.ts";
import type { SelectedParts } from "../composition.ts";
import { literal } from "./literal.ts";

/** `main.ts`: makes loading quick before anything else is imported. */
export function mainModule({ name }: Contract): string {
  return [
    `/** Serves ${name} on this machine: \`node main.ts --help\`. */`,
    'import { quickenLoading } from "./kit/program-loading.ts";',
    "",
    "// Before all else: what is imported from here on is compiled once, and not at every start.",
    "quickenLoading(import.meta.dirname);",
    `await import(${JSON.stringify("./serve.ts")});`,
    "",
  ].join("\n");
}

/** `serve.ts`: what `main.ts` runs. */
export function serveModule(contract: Contract, selected: SelectedParts): string {
  const description = descriptionOf(contract);
  const overHttp = selected.httpSurface !== undefined;
  const strict = selected.syncPolicy === undefined;
  const names = [
    "open", "productName", "productVersion", "selectionHash",
    ...(overHttp ? ["issueToken"] : []), ...(strict ? ["fastRefusal"] : []),
  ].sort();
  return [
    `/** What \`main.ts\` runs: ${contract.name} with its knobs, doors to the world, and command line. */`,
    'import { createNodeEnv } from "./kit/env/node-env.ts";',
    'import { serveMain } from "./kit/serve-main.ts";',
    'import { knobTable } from "./knobs.ts";',
    `import { ${names.join(", ")} } from "./product.ts";`,
    "",
    "await serveMain({",
    "  name: productName,",
    `  description: ${JSON.stringify(description)},`,
    "  version: productVersion,",
    "  selectionHash,",
    "  directory: import.meta.dirname,",
    "  knobTable,",
    "  open,",
    "  createEnv: createNodeEnv,",
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

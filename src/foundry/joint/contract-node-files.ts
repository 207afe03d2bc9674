/**
 * What a product carries for its contract nodes: `contracts/<name>.md` says what the members keep together and where
 * that is wired, `test/contracts/<name>.test.ts` tests it across modules, and a line in `product.ts` stands over the
 * wiring.
 *
 * The specification has the paper's five parts: shared protocol, specifications of the members, primitives, glue, test
 * points. Source: SpecDB, sections 4.2 and 4.3.
 */
import type { Contract } from "../../contract/contract.ts";
import type { FeatureModel } from "../../model/feature-model.ts";
import { loadSpecification } from "../../model/specification.ts";
import { embeddedRows } from "../embedded-rows.ts";
import { implementedLeaves, type PartDescriptor } from "../part-descriptor.ts";
import { type ContractSpec, specifyContract } from "../plan/contract-spec.ts";
import type { ContractNode } from "../plan/decycle.ts";
import type { Plan } from "../plan/plan.ts";
import { readTemplate, type TestDoor, type TestPoint, testPointOf, testPointText } from "./test-point.ts";

export interface NodeFilesInput {
  readonly contract: Contract;
  readonly plan: Plan;
  readonly model: FeatureModel;
  readonly embedded: boolean;
  /** Of the product. */
  readonly parts: readonly PartDescriptor[];
  /** Of the product. */
  readonly productText: string;
}

/** Texts by path: specifications, joint tests and what these use, and `product.ts` with its lines over the wiring. */
export function contractNodeFiles(input: NodeFilesInput): Map<string, string> {
  const { contract, plan, model } = input;
  const door = doorOf(input);
  const files = new Map<string, string>();
  for (const node of plan.contractNodes) {
    const name = node.path.slice(node.path.indexOf("/") + 1);
    const points = pointsOf(node, door);
    const spec = specifyContract(plan, node, model, () => undefined);
    files.set(`contracts/${name}.md`, nodeSpecification(spec, points, door, input));
    if (points.length > 0) files.set(`test/contracts/${name}.test.ts`, jointTest(name, points, contract, door));
  }
  for (const [path, text] of fixtures(input, door)) files.set(path, text.replaceAll("PRODUCT_NAME", contract.name));
  files.set("product.ts", markWiring(input.productText, plan.contractNodes, door));
  return files;
}

/** Through which door a product's joint tests ask: a library's tables, keys where no part reads SQL, else SQL. */
function doorOf({ embedded, productText }: Pick<NodeFilesInput, "embedded" | "productText">): TestDoor {
  if (embedded) return "embedded";
  return productText.includes("get keyValues()") ? "key-value" : "sql";
}

/** What tests of a product open it by, and hold or cut, by path. */
function fixtures({ contract, plan, embedded, productText }: NodeFilesInput, door: TestDoor): [string, string][] {
  const points = plan.contractNodes.flatMap((node) => pointsOf(node, door));
  const files: [string, string][] = [["test/killed-files.ts", readTemplate("killed-files.template")]];
  if (points.some(({ anyDoor }) => anyDoor)) {
    files.push(["test/held-calls.ts", readTemplate("held-calls.template")]);
    files.push(["test/stored-values.ts", storedValues(contract, door)]);
  }
  if (!embedded) {
    const fixture = openedProduct(door);
    // A product without the endpoint refuses a port for it.
    const served = productText.includes("#serveMetrics(") ? fixture : fixture.replace(" metricsPort: 0,", "");
    files.push(["test/opened-product.ts", served]);
  }
  if (contract.surface.protocols.includes("mysql")) {
    files.push(["test/mysql-connection.ts", readTemplate("mysql-connection.template")]);
  }
  return files;
}

/** The fixture of server products, with methods for the door. */
function openedProduct(door: TestDoor): string {
  const sql = door === "sql";
  const value = sql ? 'type Value = QueryResult["rows"][number][number];\n\n' : "";
  const text = readTemplate("opened-product.template")
    .replace("BoundPorts, DOOR_TYPE,", sql ? "BoundPorts," : "BoundPorts, KeyValueDoor,")
    .replace("Product, ServeOptions", sql ? "Product, QueryResult, ServeOptions" : "Product, ServeOptions")
    .replace("/* VALUE_TYPE */", () => value)
    .replace("  /* DOOR */\n", () => readTemplate(`opened-product-${door}.template`));
  const assert = 'import assert from "node:assert/strict";\n';
  return sql ? text : text.replace("import { mkdtempSync", `${assert}import { mkdtempSync`);
}

/** The fixture of tests that have one text for all doors. */
function storedValues(contract: Contract, door: TestDoor): string {
  const rows = door === "embedded" ? embeddedRows(contract) : undefined;
  const createEnv = rows === undefined ? "createNodeEnv" : "createEmbeddedEnv";
  const open = rows === undefined ? "open" : [...rows.types.map((type) => `type ${type}`), "open"].join(", ");
  const productTypes = door === "sql" ? "KnobValues, Product" : "KeyValueDoor, KnobValues, Product";
  const imports = [
    'import type { Env, Job, JobContext, JobReference, Threads } from "../kit/env/env.ts";',
    `import { ${createEnv} } from "../kit/env/${rows === undefined ? "node-env" : "node-embedded-env"}.ts";`,
    rows === undefined
      ? `import type { ${productTypes} } from "../kit/product.ts";`
      : 'import type { KnobValues } from "../kit/knob-values.ts";',
    `import { ${open} } from "../product.ts";`,
  ];
  return readTemplate("stored-values.template")
    .replace("/* IMPORTS */", () => imports.join("\n"))
    .replace("/* DOOR */", () => readTemplate(`stored-values-${door}.template`))
    .replace("/* ROW_FUNCTIONS */", () => [...rows?.functions ?? [], rows?.wideFunction ?? ""].join("\n"))
    .replaceAll("CREATE_ENV", createEnv)
    .replaceAll("#store.TABLE", `#store.${rows?.table}`);
}

/** Test points of a node's edges, each template once: edges to two caches have one text. */
function pointsOf({ invariants }: ContractNode, door: TestDoor): TestPoint[] {
  const points = invariants.flatMap(({ members }) => testPointOf(members) ?? []);
  const usable = points.filter(({ doors }) => doors.includes(door));
  return usable.filter(({ name }, at) => usable.findIndex((other) => other.name === name) === at);
}

function jointTest(name: string, points: readonly TestPoint[], contract: Contract, door: TestDoor): string {
  const texts = points.map((point) => testPointText(point, door));
  // A library's own texts open it themselves.
  const rows = door === "embedded" && points.some(({ anyDoor }) => !anyDoor) ? embeddedRows(contract) : undefined;
  const doors = rows === undefined ? [] : [readTemplate("new-directory.template"), rows.functions.join("\n")];
  const blocks = [...doors, ...texts].map((text) => text.trimEnd());
  const body = blocks.join("\n\n").replaceAll("PRODUCT_NAME", contract.name);
  const test = rows === undefined ? body : body.replaceAll("store.TABLE", `store.${rows.table}`)
    .replaceAll("replayed.TABLE", `replayed.${rows.table}`);
  const used = points.filter(({ anyDoor }) => rows === undefined || anyDoor).map(({ imports }) => imports);
  return [
    `/** What the members of contract/${name} keep together, tested across them: see \`contracts/${name}.md\`. */`,
    ...importsOf(rows === undefined ? used : [...used, embeddedImports(rows.types)], texts),
    "",
    test,
    "",
  ].join("\n");
}

function importsOf(wanted: readonly TestPoint["imports"][], texts: readonly string[]): string[] {
  const names = new Map<string, Set<string>>([["node:test", new Set(["test"])]]);
  for (const imports of wanted) {
    for (const [module, used] of Object.entries(imports)) {
      names.set(module, new Set([...(names.get(module) ?? []), ...used]));
    }
  }
  const nameOf = (name: string) => name.replace(/^type /, "");
  const sorted = (used: ReadonlySet<string>) => [...used].sort((one, other) => (nameOf(one) < nameOf(other) ? -1 : 1));
  const lines = [...names].map(([module, used]) => `import { ${sorted(used).join(", ")} } from "${module}";`);
  const rank = (line: string) => (line.includes('"node:') ? 0 : 1);
  lines.sort((one, other) => rank(one) - rank(other) || (moduleOf(one) < moduleOf(other) ? -1 : 1));
  const fs = texts.some((text) => /\bfs\./.test(text)) ? ['import fs from "node:fs";'] : [];
  const assert = texts.some((text) => text.includes("assert.")) ? ['import assert from "node:assert/strict";'] : [];
  return [...assert, ...fs, ...lines];
}

function moduleOf(line: string): string {
  return line.slice(line.indexOf('"'));
}

function embeddedImports(types: readonly string[]): TestPoint["imports"] {
  return {
    "node:fs": ["mkdtempSync", "rmSync"],
    "node:os": ["tmpdir"],
    "node:path": ["join"],
    "node:test": ["after", "test"],
    "../../product.ts": [...types.map((type) => `type ${type}`), "open"],
    "../killed-files.ts": ["filesAsKilled"],
  };
}

function nodeSpecification(
  spec: ContractSpec, points: readonly TestPoint[], door: TestDoor, { productText, parts }: NodeFilesInput,
): string {
  const title = spec.form === "unit" ? "built as one" : "each built at its own place, then joined";
  const lines = [
    `# ${spec.path}`, "",
    `${spec.members.length} members, ${title}, in layer ${spec.layer} of \`plan.json\`. What stands here belongs to ` +
      "none of them alone: who changes one of them keeps it.", "",
    "## 1. Shared protocol", "",
    ...spec.sharedProtocol.map(({ text, members }) => `- ${text} (${members.join(" = ")})`), "",
    "## 2. Specifications of the members", "",
    ...spec.members.flatMap(({ path, description }) => memberSpecification(path, description, parts)),
    "## 3. Primitives", "", "What each member offers to those that are built before the glue:", "",
    ...spec.members.map(({ path, primitiveFor }) =>
      `- ${path}: ${primitiveFor.length === 0 ? "to the glue alone" : `to ${primitiveFor.join(", ")}`}`), "",
    "## 4. Glue", "", "Wired in `product.ts`:", "",
    ...wiredLines(points, productText), "",
    "## 5. Test points that cross modules", "",
    ...testPointLines(spec, points, door),
  ];
  return `${lines.join("\n").trimEnd()}\n`;
}

/**
 * The specification of a leaf as the catalog has it, below a heading of its own, with where it is in the product. Which
 * tests of the library show its guarantees is left out: not all of them are in a product.
 */
function memberSpecification(path: string, description: string, parts: readonly PartDescriptor[]): string[] {
  const own = parts.filter((part) => implementedLeaves(part).includes(path)).map((part) => `\`parts/${part.path}\``);
  const where = own.length === 0 ? [] : [`In ${own.join(" and ")}.`, ""];
  const sections = [...loadSpecification(path)?.sections ?? []].flatMap(([name, text]) => {
    return [`#### ${name}`, "", text.replace(/\n +Test: [^\n]*/g, ""), ""];
  });
  return [`### ${path}`, "", ...where, ...(sections.length === 0 ? [`${description}.`, ""] : sections)];
}

function wiredLines(points: readonly TestPoint[], productText: string): string[] {
  const calls = [...new Set(points.map(({ wiredBy }) => wiredBy))];
  const lines = productText.split("\n").filter((line) => calls.some((call) => line.includes(call) && !isImport(line)));
  return lines.length === 0 ? ["- inside one part"] : ["```ts", ...lines.map((line) => line.trim()), "```"];
}

function testPointLines(
  { path, sharedProtocol }: ContractSpec, points: readonly TestPoint[], door: TestDoor,
): string[] {
  const file = `test/contracts/${path.slice(path.indexOf("/") + 1)}.test.ts`;
  return sharedProtocol.flatMap(({ text, members }) => {
    const point = points.find(({ name }) => name === testPointOf(members)?.name);
    if (point === undefined) return [`- ${text}: no statement of this product can break it`];
    const titles = [...testPointText(point, door).matchAll(/^test\("(.*)", async/gm)].map(([, title]) => title);
    return titles.map((title) => `- \`${file}\`: ${title}`);
  });
}

/** A line of comment over every line that wires a contract node. */
export function markWiring(productText: string, nodes: readonly ContractNode[], door: TestDoor): string {
  const callsOf = nodes.map((node) => ({ node, calls: pointsOf(node, door).map(({ wiredBy }) => wiredBy) }));
  return productText.split("\n").flatMap((line) => {
    if (isImport(line)) return [line];
    const wired = callsOf.filter(({ calls }) => calls.some((call) => line.includes(call)));
    const indent = line.slice(0, line.length - line.trimStart().length);
    const fileOf = ({ path }: ContractNode) => `${path.replace("contract/", "contracts/")}.md`;
    return [...wired.map(({ node }) => `${indent}// Wires ${node.path}: see ${fileOf(node)}.`), line];
  }).join("\n");
}

function isImport(line: string): boolean {
  return line.startsWith("import ") || line.startsWith("export ");
}

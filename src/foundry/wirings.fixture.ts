/**
 * Many wirings in one project of the compiler: `kit/` and `parts/` once, every wiring in a folder of its own beside.
 *
 * Steps: draw selections until so many wirings are there of which no two are the same but for names; write each into
 * `wiring-N/` with its imports led out of it; write the source that any of them reaches.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Contract } from "../contract/contract.ts";
import { loadKnobCatalog } from "../knobs/catalog.ts";
import { ConfigurationSpace } from "../model/counting/configuration-space.ts";
import { RandomNumbers } from "../model/random-numbers.ts";
import { knobsOf, sourceEntries, wiringFiles } from "./build.ts";
import { wiredComposition } from "./composition.ts";
import { contractOf } from "./drawn-product.fixture.ts";
import { rewriteImports } from "./import-scanner.ts";
import { libraryModel } from "./library-model.ts";
import { sourceRoot } from "./part-descriptor.ts";
import { tsconfigFile } from "./product-package.ts";
import { ContractSpace } from "./select/contract-space.ts";
import { designSpace, noOverrides } from "./select/design-space.ts";
import { sourceClosure } from "./source-closure.ts";
import { layeredTree } from "./source-tree.ts";

const libraryEvery = 20;

export interface Wiring {
  readonly leaves: readonly string[];
  readonly roles: readonly string[];
  readonly files: ReadonlyMap<string, string>;
  /** Modules of the library that it imports. */
  readonly entries: readonly string[];
}

/** Distinct in `product.ts`, whatever their names and hashes. */
export function drawWirings(count: number, seed: number): Wiring[] {
  const space = designSpace();
  const narrowed = libraryModel(space.model, space.library);
  const drawing = new ConfigurationSpace(narrowed);
  // Libraries are few among all: without a share of their own none would be drawn.
  const library = { chosen: ["architecture/model/embedded_library"], excluded: [] };
  const drawingLibraries = new ConfigurationSpace(narrowed, library);
  const random = new RandomNumbers(seed);
  const seen = new Set<string>();
  const wirings: Wiring[] = [];
  for (let draw = 0; wirings.length < count; draw++) {
    const drawn = (draw % libraryEvery === 0 ? drawingLibraries : drawing).draw(random);
    const leaves = drawn.filter((path) => space.model.feature(path).kind === "leaf");
    const wiring = wiringOf(contractOf("drawn", leaves, draw), leaves);
    const text = wiring.files.get("product.ts") ?? "";
    if (seen.has(text)) continue;
    seen.add(text);
    wirings.push(wiring);
  }
  return wirings;
}

/** Those of a contract that are distinct among so many draws of what it leaves open. */
export function contractWirings(contract: Contract, draws: number, seed: number): Wiring[] {
  const { reasoner, picks } = new ContractSpace(contract, noOverrides, designSpace());
  const drawing = new ConfigurationSpace(reasoner.model, picks);
  const random = new RandomNumbers(seed);
  const wirings = Array.from({ length: draws }, () => {
    const drawn = drawing.draw(random);
    return wiringOf(contract, drawn.filter((path) => reasoner.model.feature(path).kind === "leaf"));
  });
  return [...new Map(wirings.map((wiring) => [wiring.files.get("product.ts"), wiring])).values()];
}

const catalog = loadKnobCatalog();

/** Errors: those of `wiredComposition`. */
export function wiringOf(contract: Contract, leaves: readonly string[]): Wiring {
  const { selected } = wiredComposition(leaves, designSpace().library);
  const files = wiringFiles(contract, selected, "0".repeat(64), knobsOf(catalog, selected));
  return { leaves, roles: Object.keys(selected), files, entries: sourceEntries(selected) };
}

/** What the compiler says against the project in a directory. */
export function compile(directory: string): string {
  const compiler = join(sourceRoot, "..", "node_modules", "typescript", "bin", "tsc");
  const run = spawnSync(process.execPath, [compiler, "--pretty", "false", "-p", directory], { encoding: "utf8" });
  return `${run.stdout}${run.stderr}`.trim();
}

/** Makes the directory a project that `tsc -p` checks. Returns the number of source files of the library in it. */
export function writeWirings(directory: string, wirings: readonly Wiring[]): number {
  const tree = layeredTree(sourceRoot, designSpace().library);
  const entries = new Set(wirings.flatMap((one) => one.entries));
  const closure = sourceClosure(tree, [...entries]);
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), text);
  };
  for (const path of closure) write(path, tree.read(path) ?? "");
  wirings.forEach(({ files }, number) => {
    for (const [path, text] of files) {
      if (!path.endsWith(".ts")) continue;
      write(`wiring-${number + 1}/${path}`, rewriteImports(text, (specifier) => {
        return /^\.\/(kit|parts)\//.test(specifier) ? `.${specifier}` : specifier;
      }));
    }
  });
  write("package.json", '{ "type": "module" }');
  const { compilerOptions } = JSON.parse(tsconfigFile()) as { compilerOptions: object };
  const typeRoots = [join(sourceRoot, "..", "node_modules", "@types")];
  const settings = { compilerOptions: { ...compilerOptions, typeRoots }, include: ["wiring-*/*.ts", "planted/*.ts"] };
  write("tsconfig.json", JSON.stringify(settings));
  return [...closure].length;
}

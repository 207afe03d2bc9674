/**
 * Builds a product: contract → leaves → parts and plan → source → a directory that stands alone.
 *
 * Steps:
 *   1. select leaves (`select/`), find the parts that implement them (`composition.ts`), plan the leaves (`plan/`);
 *   2. wire them: `product.ts`, `main.js`, `knobs.ts` (`wiring/`), and a typed client (`client-module.ts`);
 *   3. copy what can be reached from there, and the tests that need nothing more;
 *   4. write it as a whole (`product-directory.ts`); knob values that the owner of an older build had set are kept.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Contract } from "../contract/contract.ts";
import { memoryEngineBytes } from "../contract/engine-choice.ts";
import { compiledCodeName } from "./wiring/main-module.ts";
import { LatheError } from "../kit/errors.ts";
import { defaultsOf, resolveKnobs } from "../kit/knob-table.ts";
import type { KnobValues } from "../kit/product.ts";
import { formatKnobFile } from "../knobs/assignment.ts";
import type { Knob } from "../knobs/knob.ts";
import { type Composition, isLibrary, type SelectedParts, wiredComposition } from "./composition.ts";
import { coverageFiles } from "./coverage/coverage-test.ts";
import { contractNodeFiles } from "./joint/contract-node-files.ts";
import { refuseMissingLeaves } from "./missing-leaves.ts";
import { type DroppedKnob, ownerKnobs } from "./owner-knobs.ts";
import { type PartDescriptor, sourceRoot } from "./part-descriptor.ts";
import { loadWaves } from "./plan/load-waves.ts";
import { makePlan, type Plan } from "./plan/plan.ts";
import { expandSelection } from "./plan/plan-input.ts";
import {
  type FileChanges, type PutAside, replaceProduct, type ReplaceReport, surveyProduct,
} from "./product-directory.ts";
import { packageFile, tsconfigFile } from "./product-package.ts";
import { productReadme } from "./product-readme.ts";
import { productTestModule } from "./product-test.ts";
import { type DesignSpace, designSpace, selectFor } from "./select/design-space.ts";
import type { FeatureSelection } from "./select/feature-selection.ts";
import type { Overrides } from "./select/select-features.ts";
import { makeSelection, type Selection } from "./selection.ts";
import { type SourceSize, sourceSize } from "./source-size.ts";
import { productTests, sourceClosure } from "./source-closure.ts";
import { layeredTree } from "./source-tree.ts";
import { clientModules } from "./client-module.ts";
import { checkTypes } from "./type-check.ts";
import { embeddedEntries, embeddedModule } from "./wiring/embedded-module.ts";
import { embeddedTypes } from "./wiring/embedded-types.ts";
import { knobsModule } from "./wiring/knobs-module.ts";
import { mainModule, serveModule } from "./wiring/main-module.ts";
import { productModule } from "./wiring/product-module.ts";
import { wiringEntries } from "./wiring/slots.ts";

export interface BuildInput {
  readonly contract: Contract;
  /** The contract's own text, which keeps its comments. */
  readonly contractText: string;
  readonly knobCatalog: readonly Knob[];
  /** Values other than the defaults, for example a study's winner. */
  readonly knobs?: KnobValues;
  /** Replace a product that its owner edited. */
  readonly force?: boolean;
  /** Features to select or to leave out, whatever the rules say. */
  readonly overrides?: Overrides;
  /** Made before, for this contract; else the rules decide. */
  readonly selection?: FeatureSelection;
  /** Catalog and parts, other than Lathe's own. */
  readonly space?: DesignSpace;
}

export interface BuildReport {
  readonly directory: string;
  readonly product: string;
  readonly selectionHash: string;
  readonly parts: number;
  readonly leaves: number;
  /** Of the plan. */
  readonly layers: number;
  /** Contract nodes of the plan. */
  readonly contracts: number;
  readonly knobs: number;
  readonly files: number;
  readonly filesAdded: number;
  readonly filesChanged: number;
  readonly filesRemoved: number;
  /** Same bytes as before, and left as they were. */
  readonly filesUnchanged: number;
  /** Paths, where there was a product before. */
  readonly changes: Omit<FileChanges, "unchanged"> | undefined;
  readonly bytes: number;
  /** Of its own code, without tests. */
  readonly source: SourceSize;
  /** `source.lines`. */
  readonly lines: number;
  readonly replaced: boolean;
  readonly setAside: readonly PutAside[];
  /** Knobs whose values were taken over from the product that was there. */
  readonly carriedKnobs: readonly string[];
  /** Values of the owner's that this product cannot take over. */
  readonly droppedKnobs: readonly DroppedKnob[];
  /** Parts of the user's directories that no selected leaf asked for, by the leaf with which they are taken. */
  readonly partsUnused: readonly string[];
}

/** A product before it is written. */
export interface AssembledProduct {
  readonly name: string;
  readonly selected: SelectedParts;
  readonly selection: Selection;
  readonly plan: Plan;
  readonly knobs: readonly Knob[];
  /** Every generated file by path. */
  readonly files: ReadonlyMap<string, string>;
  /** Knobs whose values were taken over from the product that is there. */
  readonly carriedKnobs: readonly string[];
  readonly droppedKnobs: readonly DroppedKnob[];
  readonly partsUnused: readonly string[];
  /** What the knobs have where nobody sets them. */
  readonly knobDefaults: KnobValues;
}

/**
 * Errors: NOT_SELECTED where no part serves the contract; INVALID_ARGUMENT for knobs; ALREADY_EXISTS where something is
 * in the way; READ_ONLY, PERMISSION and DISK_FULL from the file system. Nothing is left half written.
 */
export function buildProduct(input: BuildInput, directory: string): BuildReport {
  return writeProduct(assembleProduct(input, directory), directory, { force: input.force ?? false });
}

/** Reads the knob values of the product that is in the directory, and writes nothing. Errors: as `buildProduct`. */
export function assembleProduct(input: BuildInput, directory: string): AssembledProduct {
  const { contract, knobCatalog, space = designSpace() } = input;
  const { selected, selection, plan } = composeProduct(input, space);
  const knobs = knobsOf(knobCatalog, selected);
  const granted = grantedKnobs(contract, selected);
  const { carried, dropped: droppedKnobs } = ownerKnobs(directory, knobs, granted);
  const values = resolveKnobs(knobs, { ...granted, ...carried, ...input.knobs });
  const carriedKnobs = Object.keys(carried);
  const knobDefaults = { ...defaultsOf(knobs), ...granted };
  const isTaken = ({ path }: PartDescriptor) => selection.parts.some((part) => part.path === path);
  const own = space.library.filter(({ origin }) => origin !== undefined);
  const partsUnused = own.filter((part) => !isTaken(part)).map(({ path }) => path);
  const kept = { carriedKnobs, droppedKnobs, partsUnused, knobDefaults };
  const assembled = { name: contract.name, selected, selection, plan, knobs, ...kept };
  const files = assembleFiles({ ...input, space }, assembled, values);
  const strangers = own.filter(isTaken);
  if (strangers.length > 0) checkTypes(files, strangers.map(({ path }) => path));
  return { ...assembled, files };
}

/** What a product is made of, before any of its sources is read. */
export interface ComposedProduct extends Composition {
  readonly selection: Selection;
  readonly plan: Plan;
}

/**
 * Errors: those of `selectFeatures` and `wiredComposition`; NOT_SELECTED with every leaf that has no part; those of
 * `makePlan`.
 */
export function composeProduct(
  input: Pick<BuildInput, "contract" | "overrides" | "selection">,
  space: DesignSpace = designSpace(),
): ComposedProduct {
  const { model, library } = space;
  const features = input.selection ?? selectFor(input.contract, input.overrides, space);
  refuseMissingLeaves(features, space);
  const composition = wiredComposition(features.leaves, library);
  const plan = planLeaves(features, model);
  if (plan.unmet.length > 0) {
    const lines = plan.unmet.map(({ from, to, reason }) => `  ${from} requires ${to} (${reason})`);
    throw new LatheError("INVALID_ARGUMENT", `the selection lacks what its leaves require:\n${lines.join("\n")}`);
  }
  return { ...composition, selection: makeSelection(features, composition), plan };
}

/** Errors: those of `expandSelection` and `makePlan`. */
export function planLeaves({ contract, leaves }: FeatureSelection, model: DesignSpace["model"]): Plan {
  const { unmet, ...planned } = expandSelection(model, leaves);
  return makePlan(planned, { name: contract, mode: "strict", waves: loadWaves(), unmet });
}

/** Generated files whose edits are carried over and need no force. */
export const carriedFiles: readonly string[] = ["knobs.yaml"];

/** `held`: the caller holds the place. Errors: those of `replaceProduct`. */
export function writeProduct(
  assembled: AssembledProduct, directory: string, { force = false, held = false } = {},
): BuildReport {
  const { name, selection, files, knobDefaults } = assembled;
  const options = { force, held, carried: carriedFiles, knobDefaults };
  return reportOf(assembled, directory, replaceProduct(directory, name, selection.hash, files, options));
}

/** What `writeProduct` would do and report, without a byte written. Errors: those of `surveyProduct`. */
export function surveyBuild(assembled: AssembledProduct, directory: string, force = false): BuildReport {
  return reportOf(assembled, directory, surveyProduct(directory, assembled.files, { force, carried: carriedFiles }));
}

function reportOf(
  assembled: AssembledProduct, directory: string, { replaced, changes, setAside }: ReplaceReport,
): BuildReport {
  const { name, selection, plan, knobs, files, carriedKnobs, droppedKnobs, partsUnused } = assembled;
  const { added, changed, removed, unchanged } = changes;
  const source = sourceSize(files);
  return {
    directory,
    product: name,
    selectionHash: selection.hash,
    parts: selection.parts.length,
    leaves: selection.leaves.length,
    layers: plan.layers.length,
    contracts: plan.contracts,
    knobs: knobs.length,
    files: files.size,
    filesAdded: added.length,
    filesChanged: changed.length,
    filesRemoved: removed.length,
    filesUnchanged: unchanged.length,
    changes: replaced ? { added, changed, removed } : undefined,
    source,
    lines: source.lines,
    bytes: [...files.values()].reduce((sum, text) => sum + Buffer.byteLength(text), 0),
    replaced,
    setAside,
    carriedKnobs,
    droppedKnobs,
    partsUnused,
  };
}

/** Every generated file by path. Pure apart from reading the parts library. */
export function assembleFiles(
  input: BuildInput,
  { selected, selection, plan, knobs }: Pick<AssembledProduct, "selected" | "selection" | "plan" | "knobs">,
  values: KnobValues,
): Map<string, string> {
  const { contract } = input;
  const parts = Object.values(selected);
  const files = new Map<string, string>();
  // Written last, for it tells how large the rest is.
  files.set("README.md", "");
  files.set("package.json", packageFile(contract, selected));
  files.set("tsconfig.json", tsconfigFile());
  const compiled = selected.embeddedLibrary === undefined ? `${compiledCodeName}/\n` : "";
  files.set(".gitignore", `data/\nnode_modules/\n${compiled}`);
  files.set("contract.yaml", input.contractText.replace(/^# yaml-language-server:.*\n/m, ""));
  files.set("selection.json", `${JSON.stringify(selection, null, 2)}\n`);
  files.set("plan.json", `${JSON.stringify(plan, null, 2)}\n`);
  const embedded = isLibrary(selected);
  const reading = embedded
    ? "Read when the store is opened; `open(directory, { knobs })` overrides them, and `npm pack` takes them along."
    : "Read at start; --knobs FILE and --knob name=value override them.";
  files.set("knobs.yaml", formatKnobFile(knobs, values, [`Knobs of ${contract.name}. ${reading}`]));
  for (const [path, text] of wiringFiles(contract, selected, selection.hash, knobs)) files.set(path, text);

  const tree = layeredTree(sourceRoot, (input.space ?? designSpace()).library);
  const closure = sourceClosure(tree, sourceEntries(selected));
  for (const path of [...closure].sort()) files.set(path, tree.read(path) ?? "");
  const folders = parts.map((part) => `parts/${part.path}`);
  for (const [path, text] of productTests(tree, folders, closure)) files.set(path, text);
  files.set("test/product.test.ts", productTestModule(contract, selected));
  const { model } = input.space ?? designSpace();
  const productText = files.get("product.ts") ?? "";
  for (const [path, text] of contractNodeFiles({ contract, plan, model, embedded, parts, productText })) {
    files.set(path, text);
  }
  for (const [path, text] of coverageFiles(contract, selected)) files.set(path, text);
  files.set("README.md", productReadme(contract, selected, selection, knobs, sourceSize(files)));
  return files;
}

/** Modules written for this product: what wires its parts, and what its users import. */
export function wiringFiles(
  contract: Contract, selected: SelectedParts, selectionHash: string, knobs: readonly Knob[],
): Map<string, string> {
  const write = isLibrary(selected) ? embeddedFiles : serverFiles;
  return new Map([["knobs.ts", knobsModule(knobs)], ...write(contract, selected, selectionHash, knobs)]);
}

/** Modules of the library that the wiring imports. */
export function sourceEntries(selected: SelectedParts): string[] {
  return isLibrary(selected) ? embeddedEntries(selected) : wiringEntries(selected);
}

function serverFiles(
  contract: Contract, selected: SelectedParts, selectionHash: string, knobs: readonly Knob[],
): Map<string, string> {
  return new Map([
    ["product.ts", productModule(contract, selected, selectionHash, knobs)],
    ["main.js", mainModule(contract)],
    ["serve.ts", serveModule(contract, selected)],
    ...clientModules(contract),
  ]);
}

function embeddedFiles(
  contract: Contract, selected: SelectedParts, selectionHash: string, knobs: readonly Knob[],
): Map<string, string> {
  return new Map([
    ["product.ts", embeddedModule(contract, selected, selectionHash, knobs)],
    ["product.d.ts", embeddedTypes(contract)],
    ["pack.ts", readFileSync(join(sourceRoot, "foundry", "embedded-pack.template"), "utf8")],
  ]);
}

/** Knobs of the selected parts, in the catalog's order. Errors: NOT_FOUND where the catalog lacks one. */
export function knobsOf(catalog: readonly Knob[], selected: SelectedParts): Knob[] {
  const names = new Set(Object.values(selected).flatMap((part) => part.knobs));
  const knobs = catalog.filter((knob) => names.has(knob.name));
  const missing = [...names].filter((name) => !catalog.some((knob) => knob.name === name));
  if (missing.length > 0) {
    throw new LatheError("NOT_FOUND", `parts name knobs that catalog/knobs lacks: ${missing.join(", ")}`);
  }
  return knobs;
}

/** Values that follow from the contract instead of the defaults. */
function grantedKnobs(contract: Contract, { engine }: SelectedParts): KnobValues {
  if (engine?.path !== "storage/storage_model/memory") return {};
  return { "memory.bytes_max": memoryEngineBytes(contract) };
}

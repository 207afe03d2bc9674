/**
 * The layers in which a product is built: which parts are laid down with which nodes of the plan, with which files,
 * and which suites can run from then on.
 *
 * Steps of `layOut`:
 *   1. a part is laid down in the layer of the last of its leaves: what any of them needs is due by then;
 *   2. its files are those of its folder, and what they import: `kit/` and ports. A file that several parts need comes
 *      with the first. An import of a file of a part that comes later is an error that names both;
 *   3. a suite runs in the layer where everything that it imports has been laid down, its own part included, so one
 *      that sets two parts beside one another waits for the second.
 * What is left (wiring, tests of the product as a whole) is no layer's. Invariant: every source file is in one place.
 * Source: SpecDB, section 4.3.
 */
import { LatheError } from "../../kit/errors.ts";
import { scanImports } from "../import-scanner.ts";
import { implementedLeaves, type PartDescriptor } from "../part-descriptor.ts";
import type { Plan } from "../plan/plan.ts";
import { resolveImport, testPackages } from "../source-closure.ts";

export interface Suite {
  /** Path in the product. */
  readonly file: string;
  /** Name of the part whose suite it is. */
  readonly part: string;
  /** Files of the product that it is made of, itself included. Sorted. */
  readonly closure: readonly string[];
}

export interface BuildLayer {
  /** From 1. */
  readonly number: number;
  /** Leaves and contract nodes, as the plan has them. */
  readonly nodes: readonly string[];
  readonly parts: readonly PartDescriptor[];
  /** What is laid down here. Sorted. */
  readonly files: readonly string[];
  readonly suites: readonly Suite[];
}

/** `files`: every generated file of the product by path. Errors: INVALID_ARGUMENT, NOT_FOUND. */
export function layOut(
  plan: Pick<Plan, "layers" | "contractNodes">,
  parts: readonly PartDescriptor[],
  files: ReadonlyMap<string, string>,
): BuildLayer[] {
  const { layers } = plan;
  const layerOfPart = partLayers(plan, parts);
  const layerOfFile = new Map<string, number>();
  const laid = layers.map((_, at): string[] => {
    const here = parts.filter((part) => layerOfPart.get(part) === at);
    return layDown(at, here, parts, layerOfPart, files, layerOfFile);
  });
  const suites = findSuites(parts, files);
  const layerOfSuite = (suite: Suite) => {
    const owner = parts.find((part) => part.name === suite.part) as PartDescriptor;
    // What no part owns and none has asked for yet (a door to the world, fixtures) comes with the suite itself.
    const needed = suite.closure.map((file) => layerOfFile.get(file) ?? (isGenerated(file) ? layers.length : 0));
    return Math.max(layerOfPart.get(owner) ?? 0, ...needed);
  };
  const numbered = suites.map((suite) => ({ suite, at: layerOfSuite(suite) }));
  const late = numbered.find(({ at }) => at >= layers.length);
  if (late !== undefined) {
    throw new LatheError("INVALID_ARGUMENT", `${late.suite.file} is the suite of a part and imports the wiring`);
  }
  return layers.map((nodes, at) => ({
    number: at + 1,
    nodes,
    parts: parts.filter((part) => layerOfPart.get(part) === at),
    files: laid[at].sort(),
    suites: numbered.filter((one) => one.at === at).map(({ suite }) => suite),
  }));
}

/** Index of the layer of each part. A leaf inside a unit stands where its contract node does. */
function partLayers(
  { layers, contractNodes }: Pick<Plan, "layers" | "contractNodes">,
  parts: readonly PartDescriptor[],
): Map<PartDescriptor, number> {
  const layerOfNode = new Map(layers.flatMap((nodes, at) => nodes.map((node) => [node, at] as const)));
  for (const { path, form, members } of contractNodes) {
    if (form !== "unit") continue;
    for (const member of members) layerOfNode.set(member, layerOfNode.get(path) ?? 0);
  }
  return new Map(parts.map((part) => {
    const due = implementedLeaves(part).map((leaf) => layerOfNode.get(leaf) ?? 0);
    return [part, Math.max(0, ...due)] as const;
  }));
}

/** The part in whose folder a file stands; undefined for `kit/`, ports and what was generated. */
export function ownerOf(file: string, parts: readonly PartDescriptor[]): PartDescriptor | undefined {
  const owners = parts.filter(({ path }) => file.startsWith(`parts/${path}/`));
  return owners.sort((one, other) => other.path.length - one.path.length)[0];
}

function layDown(
  at: number,
  here: readonly PartDescriptor[],
  parts: readonly PartDescriptor[],
  layerOfPart: ReadonlyMap<PartDescriptor, number>,
  files: ReadonlyMap<string, string>,
  layerOfFile: Map<string, number>,
): string[] {
  const laid: string[] = [];
  const waiting = [...files.keys()].filter((file) => {
    const owner = ownerOf(file, parts);
    return owner !== undefined && here.includes(owner);
  });
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (layerOfFile.has(file)) continue;
    layerOfFile.set(file, at);
    laid.push(file);
    for (const target of importsOf(file, files)) {
      const owner = ownerOf(target, parts);
      const later = owner === undefined ? at : (layerOfPart.get(owner) ?? at);
      if (later > at) {
        const by = ownerOf(file, parts)?.name ?? file;
        throw new LatheError(
          "INVALID_ARGUMENT",
          `${by} (layer ${at + 1}) imports ${target} of ${owner?.name} (layer ${later + 1}): a part builds on kit, ` +
            "ports and the parts of earlier layers; let it ask through a port, or give the leaves an edge",
          { details: { part: by, file, imports: target, of: owner?.name } },
        );
      }
      waiting.push(target);
    }
  }
  return laid;
}

/** Files of the product that a file mentions. Errors: NOT_FOUND where one is missing. */
function importsOf(file: string, files: ReadonlyMap<string, string>): string[] {
  const text = files.get(file);
  if (text === undefined || !file.endsWith(".ts")) return [];
  return scanImports(text).flatMap(({ specifier }) => {
    if (testPackages.includes(specifier)) return [];
    const target = resolveImport(file, specifier);
    if (target === undefined) return [];
    if (!files.has(target)) throw new LatheError("NOT_FOUND", `${file} imports ${specifier}, which the product lacks`);
    return [target];
  });
}

/** Suites of single parts, which stand below `test/parts` and `test/conformance/parts`. */
function findSuites(parts: readonly PartDescriptor[], files: ReadonlyMap<string, string>): Suite[] {
  return [...files.keys()].sort().flatMap((file): Suite[] => {
    const inside = /^test\/(?:conformance\/)?(parts\/.*\.test\.ts)$/.exec(file)?.[1];
    const owner = inside === undefined ? undefined : ownerOf(inside, parts);
    return owner === undefined ? [] : [{ file, part: owner.name, closure: closureOf(file, files) }];
  });
}

/** What a file is made of, itself included. Sorted. */
export function closureOf(entry: string, files: ReadonlyMap<string, string>): string[] {
  const closure = new Set<string>();
  const waiting = [entry];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (closure.has(file)) continue;
    closure.add(file);
    waiting.push(...importsOf(file, files));
  }
  return [...closure].sort();
}

/** Made for this product, as its wiring is. */
function isGenerated(file: string): boolean {
  return !/^(kit|parts|test)\//.test(file);
}

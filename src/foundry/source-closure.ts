/**
 * The files that a product needs: what can be reached by imports from its entries, and nothing else.
 *
 * Invariants: a closure holds only files of `kit/` and `parts/`; tests are never reached; no package is imported. A
 * violation is an error here, before anything is written, because a product must stand alone.
 */
import { posix } from "node:path";
import { LatheError } from "../kit/errors.ts";
import { rewriteImports, scanImports } from "./import-scanner.ts";
import type { SourceTree } from "./source-tree.ts";

/** Paths are relative to the root of the tree, with `/`. */
export function sourceClosure(tree: SourceTree, entries: readonly string[]): Set<string> {
  const closure = new Set<string>();
  const waiting = [...entries];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (closure.has(path)) continue;
    closure.add(path);
    for (const { specifier } of scanImports(readSource(tree, path))) {
      const target = resolveImport(path, specifier);
      if (target === undefined) continue;
      if (!isProductFile(target)) {
        throw new LatheError(
          "INVALID_ARGUMENT",
          `${path} imports ${specifier}: a product holds only files of kit/ and parts/`,
        );
      }
      waiting.push(target);
    }
  }
  return closure;
}

/** The file that a specifier means, below the source root; undefined for modules of Node itself. */
export function resolveImport(from: string, specifier: string): string | undefined {
  if (specifier.startsWith("node:")) return undefined;
  return specifier.startsWith(".") ? posix.join(posix.dirname(from), specifier) : `package ${specifier}`;
}

function isProductFile(path: string): boolean {
  return /^(kit|parts)\//.test(path) && !/\.(test|fuzz|bench|conformance)\.ts$/.test(path);
}

/**
 * Tests of the selected parts that a product can carry: those that need nothing but the product, Node, files beside
 * them (conformance suites, doubles) and `testPackages`. New texts by path: below `test/parts` what runs with Node
 * alone, below `test/conformance/parts` what needs a package.
 */
export function productTests(
  tree: SourceTree,
  folders: readonly string[],
  product: ReadonlySet<string>,
): Map<string, string> {
  const files = new Map<string, string>();
  for (const folder of folders) {
    for (const name of tree.list(folder)) {
      // A suffix before `.test.ts` names something beyond Node that a test needs.
      if (!/^[^.]+\.test\.ts$/.test(name)) continue;
      const closure = testClosure(tree, `${folder}/${name}`, product);
      const place = closure?.needsPackages ? "test/conformance" : "test";
      for (const path of closure?.files ?? []) {
        files.set(`${place}/${path}`, rewriteForTest(tree, path, place, product));
      }
    }
  }
  return files;
}

/** Packages that tests of a product may use; `package.json` of the product lists them for development. */
export const testPackages: readonly string[] = ["fast-check"];

interface TestClosure {
  readonly files: ReadonlySet<string>;
  readonly needsPackages: boolean;
}

/** Files beyond the product that a test needs, itself first; undefined where it needs more than a product has. */
function testClosure(tree: SourceTree, test: string, product: ReadonlySet<string>): TestClosure | undefined {
  const files = new Set<string>();
  const waiting = [test];
  let needsPackages = false;
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (files.has(path) || product.has(path)) continue;
    const source = /^(kit|parts)\//.test(path) ? tree.read(path) : undefined;
    if (source === undefined) return undefined;
    // A test that reads files of its own (golden files) stays in the workshop.
    if (/\bimport\.meta\.(dirname|filename|url)\b/.test(source)) return undefined;
    files.add(path);
    for (const { specifier } of scanImports(source)) {
      if (testPackages.includes(specifier)) needsPackages = true;
      else {
        const target = resolveImport(path, specifier);
        if (target !== undefined) waiting.push(target);
      }
    }
  }
  return { files, needsPackages };
}

function rewriteForTest(
  tree: SourceTree, path: string, place: string, product: ReadonlySet<string>,
): string {
  return rewriteImports(readSource(tree, path), (specifier) => {
    const target = resolveImport(path, specifier);
    if (target === undefined || !product.has(target)) return specifier;
    return posix.relative(posix.dirname(`${place}/${path}`), target);
  });
}

function readSource(tree: SourceTree, path: string): string {
  const text = tree.read(path);
  if (text === undefined) throw new LatheError("NOT_FOUND", `a part imports ${path}, which does not exist`);
  return text;
}

/**
 * ProgramImage: a program of many modules as one file that can be run without loading them one by one.
 *
 * A product is some 250 modules of TypeScript. To find, read, strip, compile and link each takes Node several times as
 * long as the rest of a start does. `main.js` runs the image where it is one of the sources that are there, and has it
 * made here where it is not.
 *   1. From the entry on, every import of the form `./….ts` is followed. Types are stripped, lines stay.
 *   2. Each module becomes a function: its imports become constants out of `$import` (other modules) and `$builtin`
 *   (Node's own), its exports the object that it returns, `import.meta` the object `$meta`.
 *   3. Modules stand in the order in which they are run: those that are imported first.
 *   4. A module of the image before whose source is the same is taken over, as it was.
 * No image is made of a program that is beyond these rules, and Node loads it as ever: modules that import each other
 * in a circle, packages, default exports, exports of another form than a declaration, variables that are exported
 * (their changes would not be seen), `await` outside of functions.
 * Invariant: sources are the truth. A module holds a digest of the source that it was made of.
 * Source: what bundlers (webpack, Rollup) make of modules, by far simpler rules.
 */
import { hash } from "node:crypto";
import { readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { join, posix } from "node:path";
import { findModuleSyntax } from "./module-syntax.ts";

export interface ImageModule {
  /** Within the program, with `/`. */
  readonly path: string;
  readonly digest: string;
  /** Names that it takes of each module that it imports, in the order in which they are run. */
  readonly imports: Readonly<Record<string, readonly string[]>>;
  readonly exports: readonly string[];
  /** What stands before the module's own text, on its first line. */
  readonly columns: number;
  /** An expression that gives the module's function. */
  readonly code: string;
}

const prefix = '(function ($import, $builtin, $meta) { "use strict"; ';

const importStatement =
  /import\s*(?:(?:\{([^}]*)\}|\*\s*as\s+([\w$]+))\s*from\s*)?(?:"([^"\n]+)"|'([^'\n]+)')\s*;?(?!\s*(?:with|assert)\b)/y;
const exportStatement = /export(\s+(?:(?:async\s+)?function\s*\*?|class|const)\s+([\w$]+))/y;
const importedName = /^([\w$]+)(?:\s+as\s+([\w$]+))?$/;

/** The modules in the order in which they are run; undefined for a program that no image can be made of. */
export function makeProgramImage(
  root: string, entry: string, before: readonly ImageModule[] = [],
): ImageModule[] | undefined {
  const known = new Map(before.map((module) => [module.path, module]));
  const done = new Map<string, ImageModule>();
  const under = new Set<string>();
  const visit = (path: string): boolean => {
    if (done.has(path)) return true;
    // A circle: who of it runs first would see the others unfinished.
    if (under.has(path) || path.startsWith("../")) return false;
    under.add(path);
    const source = readFileSync(join(root, path));
    const digest = hash("sha256", source, "base64");
    const old = known.get(path);
    const module = old?.digest === digest ? old : moduleOf(path, source.toString("utf8"), digest);
    if (module === undefined || !Object.keys(module.imports).every(visit)) return false;
    done.set(path, module);
    return true;
  };
  if (!quietly(() => visit(entry))) return undefined;
  // A name that is not there is Node's to tell of.
  const exportsOf = (path: string) => done.get(path)?.exports ?? [];
  const modules = [...done.values()];
  const taken = modules.flatMap(({ imports }) => Object.entries(imports));
  return taken.every(([path, names]) => names.every((name) => exportsOf(path).includes(name))) ? modules : undefined;
}

function moduleOf(path: string, source: string, digest: string): ImageModule | undefined {
  const code = stripTypeScriptTypes(source, { mode: "strip" });
  const places = findModuleSyntax(code);
  if (places === undefined) return undefined;
  const imports: Record<string, string[]> = {};
  const exports: string[] = [];
  let text = "";
  let at = 0;
  for (const place of places) {
    if (place.at < at) return undefined;
    text += code.slice(at, place.at);
    const replaced = replacement(code, place.kind, place.at, path, imports, exports);
    if (replaced === undefined) return undefined;
    text += replaced.text;
    at = replaced.end;
  }
  text += code.slice(at);
  const whole = `${prefix}${text}\nreturn { ${exports.join(", ")} };\n})`;
  return { path, digest, imports, exports, columns: prefix.length, code: whole };
}

/** What takes the place of a statement, and where the text goes on. */
function replacement(
  code: string, kind: "import" | "export" | "meta", at: number, path: string,
  imports: Record<string, string[]>, exports: string[],
): { readonly text: string; readonly end: number } | undefined {
  if (kind === "meta") return { text: "$meta", end: at + "import.meta".length };
  const pattern = kind === "import" ? importStatement : exportStatement;
  pattern.lastIndex = at;
  const found = pattern.exec(code);
  if (found === null) return undefined;
  const end = at + found[0].length;
  if (kind === "export") {
    exports.push(found[2]);
    return { text: `      ${found[1]}`, end };
  }
  const [all, names, whole, first, second] = found;
  const parts = (names ?? "").split(",").map((name) => name.trim()).filter((name) => name !== "");
  const taken = parts.map((name) => importedName.exec(name));
  const object = importedObject(first ?? second, path, taken.map((name) => name?.[1] ?? ""), imports);
  if (object === undefined || taken.includes(null)) return undefined;
  const taking = taken.map((name) => (name?.[2] === undefined ? name?.[1] : `${name[1]}: ${name[2]}`)).join(", ");
  const target = whole ?? (names === undefined ? "" : `{ ${taking} }`);
  const lines = "\n".repeat(all.split("\n").length - 1);
  return { text: `${target === "" ? "" : `const ${target} = `}${object};${lines}`, end };
}

/** What gives a module's exports; undefined for one that is neither of the program nor Node's own. */
function importedObject(
  specifier: string, path: string, names: readonly string[], imports: Record<string, string[]>,
): string | undefined {
  if (specifier.startsWith("node:")) return `$builtin(${JSON.stringify(specifier)})`;
  if (!/^\.\.?\/.*\.ts$/.test(specifier)) return undefined;
  const target = posix.join(posix.dirname(path), specifier);
  (imports[target] ??= []).push(...names);
  return `$import(${JSON.stringify(target)})`;
}

/** Node says once per process that stripping types may change; whoever starts a product need not hear of it. */
function quietly<Result>(work: () => Result): Result {
  const { emitWarning } = process;
  process.emitWarning = () => undefined;
  try {
    return work();
  } finally {
    process.emitWarning = emitWarning;
  }
}

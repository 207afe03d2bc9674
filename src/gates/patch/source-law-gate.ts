/**
 * Source-law gate: what a patch adds keeps the laws of products, as far as text shows it.
 *
 *   1. Every changed file parses once its types are taken off.
 *   2. It imports files that the product has, in `parts/` of Node only what is pure, in `kit/` only what the product's
 *      kit used before, and no package.
 *   3. What is added makes no code of text, loads no modules by computed names, and in `parts/` does not reach past Env
 *      (clocks, timers, chance, globals, the network).
 * Limits: a lint on text that tells honest authors early; it is no wall. What runs is watched by the containment gate.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { join } from "node:path";
import { scanImports } from "../../foundry/import-scanner.ts";
import { resolveImport } from "../../foundry/source-closure.ts";
import type { Gate, GateSubject } from "../gate.ts";
import { verdictOf } from "../run-gates.ts";
import type { PatchSummary } from "./apply-patch.ts";

const name = "source-law";
const pureModules = new Set(["node:crypto", "node:zlib", "node:assert", "node:assert/strict"]);

const everywhere: readonly (readonly [RegExp, string])[] = [
  [/\beval\s*\(|\bnew\s+Function\b|\bFunction\s*\(/, "makes code of text"],
  [/\bimport\s*\(\s*(?!")/, "loads a module by a computed name"],
  [/\brequire\s*\(|\bcreateRequire\b|\bgetBuiltinModule\b/, "loads modules past import"],
  [/\bprocess\s*\.\s*(binding|dlopen|_linkedBinding)\b/, "loads modules past import"],
];
const inParts: readonly (readonly [RegExp, string])[] = [
  [/\bDate\b|\bperformance\b|\bset(Timeout|Interval|Immediate)\b|\bqueueMicrotask\b/, "asks another clock than Env's"],
  [/\bMath\s*\.\s*random\b/, "draws chance past Env"],
  [/\bprocess\b|\bglobalThis\b|\bglobal\b/, "reaches for the process"],
  [/\bfetch\s*\(|\bWebSocket\b|\bEventSource\b/, "reaches for the network"],
];

/** `original` is the product without the patch. */
export function sourceLawGate(original: string, patch: PatchSummary): Gate {
  return {
    name,
    description: "what the patch adds parses, imports what products may, and reaches the world through Env alone",
    stage: "product",
    timeoutMs: 90_000,
    run: (subject) => {
      const verdict = verdictOf(name, performance.now());
      const changed = patch.files.filter(({ kind }) => kind !== "delete").map(({ path }) => path);
      const offences = changed.flatMap((path) => offencesOf(original, subject, path));
      const evidence = { files: changed.length, offences: offences.slice(0, 20) };
      return Promise.resolve(
        offences.length > 0
          ? verdict.reject(offences.slice(0, 3).join("; "), evidence)
          : verdict.admit(`${changed.length} changed files keep the laws of products`, evidence),
      );
    },
  };
}

function offencesOf(original: string, { productDirectory }: GateSubject, path: string): string[] {
  const text = readFileSync(join(productDirectory, path), "utf8");
  try {
    stripTypeScriptTypes(text);
  } catch (error) {
    return [`${path} does not parse: ${(error as Error).message.split("\n")[0]}`];
  }
  const before = join(original, path);
  const known = new Set(existsSync(before) ? readFileSync(before, "utf8").split("\n") : []);
  const added = text.split("\n").flatMap((line, at) => (known.has(line) ? [] : [{ code: codeOf(line), at: at + 1 }]));
  const forbidden = path.startsWith("parts/") ? [...everywhere, ...inParts] : everywhere;
  const words = added.flatMap(({ code, at }) =>
    forbidden.filter(([pattern]) => pattern.test(code)).map(([, what]) => `${path}:${at} ${what}`),
  );
  return [...importOffences(original, productDirectory, path, text), ...words];
}

function importOffences(original: string, product: string, path: string, text: string): string[] {
  return scanImports(text).flatMap(({ specifier }) => {
    if (specifier.startsWith("node:")) {
      const allowed = path.startsWith("parts/") ? pureModules : modulesOfKit(original);
      return allowed.has(specifier) ? [] : [`${path} imports ${specifier}, which is not for ${path.split("/")[0]}/`];
    }
    const target = resolveImport(path, specifier) ?? "";
    if (!/^(kit|parts)\//.test(target)) return [`${path} imports ${specifier}, which is no file of the product`];
    return existsSync(join(product, target)) ? [] : [`${path} imports ${specifier}, which does not exist`];
  });
}

/** Modules of Node that the product's kit imports as it was built. */
function modulesOfKit(original: string): ReadonlySet<string> {
  const files = readdirSync(join(original, "kit"), { recursive: true, encoding: "utf8" });
  const sources = files.filter((file) => file.endsWith(".ts")).map((file) => join(original, "kit", file));
  const specifiers = sources.flatMap((file) => scanImports(readFileSync(file, "utf8")).map((one) => one.specifier));
  return new Set(specifiers.filter((specifier) => specifier.startsWith("node:")));
}

/** A line without comments and plain strings. */
function codeOf(line: string): string {
  if (/^\s*(\*|\/\*)/.test(line)) return "";
  return line.replace(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/g, '""').replace(/\/\/.*$/, "");
}

import assert from "node:assert/strict";
import { test } from "node:test";
import { rewriteImports, scanImports } from "./import-scanner.ts";

const source = [
  '/** See import { x } from "./not-this.ts". */',
  'import { a } from "./a.ts";',
  'import type {',
  '  B,',
  '  C,',
  '} from "../b/c.ts";',
  'import "./side-effect.ts";',
  'import fc from "fast-check";',
  'export type { D } from "./d.ts";',
  'export const text = "from \\"./nor-this.ts\\"";',
  '// import { e } from "./e.ts";',
  'const lazy = () => import("./lazy.ts");',
  'const job = new URL("./job.ts", import.meta.url);',
  'export function from() {}',
  "",
].join("\n");

test("statements, dynamic imports and job modules are found, comments and texts are not", () => {
  assert.deepEqual(scanImports(source).map((one) => one.specifier), [
    "./a.ts", "../b/c.ts", "./side-effect.ts", "fast-check", "./d.ts", "./lazy.ts", "./job.ts",
  ]);
});

test("rewriting changes specifiers and nothing else", () => {
  assert.equal(rewriteImports(source, (specifier) => specifier), source);
  const rewritten = rewriteImports(source, (specifier) => (specifier.startsWith(".") ? `../../${specifier}` : specifier));
  assert.equal(rewritten.replaceAll('"../../', '"'), source);
  assert.deepEqual(scanImports(rewritten).length, 7);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { findModuleSyntax } from "./module-syntax.ts";

/** Each place with what stands there. */
const found = (code: string) => findModuleSyntax(code)?.map(({ kind, at }) => `${kind} ${code.slice(at, at + 9)}`);

test("finds imports, exports and import.meta where they are statements and expressions", () => {
  const code = 'import { a } from "./a.ts";\nexport const b = a;\nexport function c() { return import.meta.url; }\n';
  assert.deepEqual(found(code), ["import import { ", "export export co", "export export fu", "meta import.me"]
    .map((text) => text.slice(0, text.indexOf(" ") + 10)));
});

test("passes over comments, strings, templates, regular expressions, properties and calls", () => {
  const cases = [
    "// import x from y", "/* export const a */", 'const a = "export const b";', "const a = 'it\\'s import';",
    "const a = `\nexport const b = ${`import ${1}`} export`;", "const a = /import|export \\/ [/'\"`]/g;",
    "const a = 4 / 2; const b = a / 2;", "const a = { import: 1, export: 2 }.import;", "const a = import(name);",
    "let i = 0; const half = i++ / 2 + (i) / 2 + [i][0] / 2;", "class A { #import = 1; export() { return this.#import; } }",
    "const f = async () => await g();", "async function f() { await g(); for await (const x of y) x(); }",
  ];
  for (const code of cases) assert.deepEqual(found(code), [], code);
});

test("what it cannot be sure of it refuses", () => {
  const cases = [
    "await f();", "for await (const x of y) x();", "const a = (1;", "}", "const a = `b", 'const a = "b', "const a = {];",
  ];
  for (const code of cases) assert.equal(found(code), undefined, code);
});

/** What was not selected costs nothing: laws over the products of all examples. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { loadContract } from "../contract/parse.ts";
import { loadKnobCatalog } from "../knobs/catalog.ts";
import { assembleProduct } from "./build.ts";
import { scanImports } from "./import-scanner.ts";
import { sourceRoot } from "./part-descriptor.ts";
import { resolveImport } from "./source-closure.ts";
import { isOfServer, serverLines } from "./source-size.ts";

const examples = join(sourceRoot, "..", "examples");
const names = readdirSync(examples).filter((name) => name !== "bars");

function filesOf(name: string): ReadonlyMap<string, string> {
  const file = join(examples, name, "contract.yaml");
  const [contract, contractText] = [loadContract(file), readFileSync(file, "utf8")];
  const input = { contract, contractText, knobCatalog: loadKnobCatalog() };
  return assembleProduct(input, join(examples, name, "never-written")).files;
}

/** Files that imports lead to from those at the top of the product and from its tests. */
function reached(files: ReadonlyMap<string, string>): Set<string> {
  const waiting = [...files.keys()].filter((path) => /^[^/]+\.[jt]s$/.test(path) || path.startsWith("test/"));
  const found = new Set<string>();
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (found.has(path)) continue;
    found.add(path);
    for (const { specifier } of scanImports(files.get(path) ?? "")) {
      const target = resolveImport(path, specifier);
      if (target !== undefined && files.has(target)) waiting.push(target);
    }
  }
  return found;
}

test("every source of every example's product is reached from its wiring or its tests", () => {
  assert.ok(names.length >= 8, "no examples were looked at");
  for (const name of names) {
    const files = filesOf(name);
    const sources = [...files.keys()].filter((path) => /^(kit|parts)\/.*\.ts$/.test(path));
    assert.ok(sources.length > 80, `${name}: ${sources.length} sources`);
    const used = reached(files);
    assert.deepEqual(sources.filter((path) => !used.has(path)), [], name);
  }
});

test("an embedded library has no line of a server: no surface, and nothing of Node's network", () => {
  const files = filesOf("embedded");
  let imports = 0;
  for (const [path, text] of files) {
    if (!path.endsWith(".ts") || path.startsWith("test/")) continue;
    assert.equal(isOfServer(path, text), false, path);
    imports += scanImports(text).length;
  }
  assert.equal(serverLines(files), 0);
  assert.ok(imports > 300, `${imports} imports were looked at`);
});

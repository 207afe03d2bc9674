/** Every leaf that a refusal names must be in the feature model, which products do not carry. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { definitionLeaves, functionLeaves, statementLeaves, typeLeaves } from "./leaf-refusal.ts";
import { refusals } from "./refused-statements.fixture.ts";

/** Paths of the feature model, if it stands beside this tree. */
function modelPaths(): Set<string> {
  const folder = join(import.meta.dirname, "../../../../../catalog/features");
  const paths = new Set<string>();
  if (!existsSync(folder)) return paths;
  for (const file of readdirSync(folder).filter((name) => name.endsWith(".yaml"))) {
    for (const [, path] of readFileSync(join(folder, file), "utf8").matchAll(/path: ([\w/]+)/g)) paths.add(path);
  }
  return paths;
}

test("every leaf named is in the feature model", (context) => {
  const paths = modelPaths();
  if (paths.size === 0) return context.skip("catalog/features is empty");
  const tables = [statementLeaves, definitionLeaves, typeLeaves, functionLeaves].flatMap((table) => Object.values(table));
  const named = [...tables, ...refusals.map(([, leaf]) => leaf)].filter((leaf) => leaf.includes("/"));
  assert.ok(named.length > 50);
  assert.deepEqual(named.filter((leaf) => !paths.has(leaf)), []);
});

/** The law of specifications: each leaf that a part implements has one, true to parts, edges, tests and codes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { loadPartDescriptors, implementedLeaves, type PartDescriptor } from "../src/foundry/part-descriptor.ts";
import { errorCodes } from "../src/kit/errors.ts";
import type { FeatureModel } from "../src/model/feature-model.ts";
import { loadModel } from "../src/model/load-model.ts";
import {
  loadSpecification, parseSpecification, type Specification, type SpecificationFacts, specificationProblems,
} from "../src/model/specification.ts";
import { importsOf, isEvidence, readText, repositoryFiles } from "./repository.ts";

const files = repositoryFiles();
const present = new Set(files);
const sources = files.filter((path) => path.startsWith("src/") && path.endsWith(".ts") && !isEvidence(path));
const model = loadModel();
const parts = loadPartDescriptors();
const implemented = [...new Set(parts.flatMap(implementedLeaves))].sort();
const executorPort = readText("src/parts/query_processing/executor.ts");
const reasonsText = /SqlErrorReason =[^]*?"internal"/.exec(executorPort)?.[0] ?? "";
const sqlReasons = new Set([...reasonsText.matchAll(/"([a-z_]+)"/g)].map(([, reason]) => reason));

/** Codes that files raise, or say in the contract of a port that they do. */
function codesIn(paths: Iterable<string>): string[] {
  return [...paths].flatMap((path) => {
    const codes = readText(path).match(/"[A-Z][A-Z_]{3,}"|Errors: [^.]*/g) ?? [];
    return codes.flatMap((text) => text.match(/[A-Z][A-Z_]{3,}/g) ?? []);
  });
}

/** Codes in the parts' folders, in their ports, and in what these import of the kit; with files come the system's. */
function raisedBy(among: readonly PartDescriptor[]): Set<string> {
  const folders = among.map(({ path }) => `src/parts/${path}/`);
  const ports = among.flatMap(({ provides, requires }) => [...provides, ...requires].map((one) => `src/parts/${one}`));
  const own = [...sources.filter((path) => folders.some((folder) => path.startsWith(folder))), ...ports];
  const kit = own.flatMap((path) => importsOf(path)).map(({ target }) => target).filter((path) => path.startsWith("src/kit/"));
  const system = kit.some((path) => path.startsWith("src/kit/env")) ? sources.filter((path) => path.startsWith("src/kit/env/")) : [];
  return new Set(codesIn(new Set([...own, ...kit.filter((path) => path !== "src/kit/errors.ts"), ...system])));
}

function requiredOf(leaf: string, within: FeatureModel): string[] {
  const steps = leaf.split("/");
  const above = steps.map((_, at) => steps.slice(0, at + 1).join("/"));
  const ends = above.flatMap((path) => within.edgesFrom(path).filter(({ kind }) => kind === "requires")).map(({ to }) => to);
  return ends.filter((end) => end !== leaf && implemented.some((one) => one === end || one.startsWith(`${end}/`)));
}

function factsOf(leaf: string): SpecificationFacts {
  const own = parts.filter((part) => implementedLeaves(part).includes(leaf));
  return {
    leaf,
    partFolders: own.map(({ path }) => `src/parts/${path}`),
    requires: requiredOf(leaf, model),
    errorCodes: new Set(Object.keys(errorCodes)),
    raised: raisedBy(own),
    sqlReasons,
    textOf: (file) => (present.has(file) ? readText(file) : undefined),
  };
}

test("each leaf that a part implements has a specification that is true to parts, edges, tests and codes", () => {
  assert.ok(implemented.length > 80, `${implemented.length} implemented leaves`);
  const problems = implemented.flatMap((leaf) => {
    const found = loadSpecification(leaf);
    if (found === undefined) return [`${leaf} has no specification`];
    return specificationProblems(found, factsOf(leaf)).map((problem) => `catalog/specs/${leaf}.md ${problem}`);
  });
  assert.deepEqual(problems, []);
});

test("no specification stands for a leaf that no part implements", () => {
  const written = files.flatMap((path) => /^catalog\/specs\/(.*)\.md$/.exec(path)?.[1] ?? []);
  assert.deepEqual(written.filter((leaf) => !implemented.includes(leaf)), []);
});

test("planted: what a specification can have wrong is found, one fault at a time", () => {
  const leaf = "storage/layout/row_to_kv";
  const text = readText(`catalog/specs/${leaf}.md`);
  const facts = factsOf(leaf);
  const problemsOf = (changed: string, other: Partial<SpecificationFacts> = {}) => {
    const parsed: Specification = parseSpecification(changed);
    return specificationProblems(parsed, { ...facts, ...other }).join("; ");
  };
  assert.equal(problemsOf(text), "");
  const faults: [string, string | RegExp, string, RegExp][] = [
    ["another title", leaf, "storage/layout/rows", /its title names storage\/layout\/rows/],
    ["no part", `\`src/parts/${leaf}\``, "a part", /does not name src\/parts\/storage\/layout\/row_to_kv/],
    ["no section", /## Pre\n[^#]*/, "", /has no section Pre, or an empty one/],
    ["an empty section", /(## Limits\n)[^#]*/, "$1\n", /has no section Limits, or an empty one/],
    ["another order", /(## Pre\n[^#]*)(## Post\n[^#]*)/, "$2$1", /its sections are .*Post, Pre/],
    ["a required leaf left out", "`storage/lsm/kv_primitives`", "primitives", /Rely does not name storage\/lsm\/kv_primitives/],
    ["a guarantee without a test", / {2}Test: .*\n/, "", /no test for: /],
    ["a test file that is gone", "row-layout.conformance.ts`", "row-layouts.conformance.ts`", /row-layouts.* is not there/],
    ["a test that is gone", ', "memcmp of keys', ', "memcpy of keys', /has no test "memcpy of keys/],
    ["a code of nobody", "`CORRUPTION`", "`BYTES_WRONG`", /names BYTES_WRONG, which is no error code/],
    ["a code that it cannot raise", "`CORRUPTION`", "`PROTOCOL`", /names PROTOCOL, which none of its parts can raise/],
    ["a reason of nobody", "`CORRUPTION`", "SqlError `syntax`, `damaged`", /names damaged, which is no reason/],
  ];
  for (const [name, from, to, expected] of faults) {
    const changed = text.replace(from, to);
    assert.notEqual(changed, text, `${name}: nothing was changed`);
    assert.match(problemsOf(changed), expected, name);
  }
  assert.match(problemsOf(text, { requires: ["core/wal"] }), /Rely does not name core\/wal/);
});

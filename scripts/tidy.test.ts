/**
 * The repo's laws, executable. Each law says how much it looked at and fails when that was nothing.
 * Source: TigerBeetle's tidy.zig, Pebble's lint_test.go.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { basename, dirname, join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { loadMutants, mutatedFiles, twinProblems } from "../src/gates/mutant.ts";
import { implementedLeaves, loadPartDescriptors } from "../src/foundry/part-descriptor.ts";
import { loadKnobCatalog } from "../src/knobs/catalog.ts";
import { loadModel } from "../src/model/load-model.ts";
import type { RecordedBar } from "../src/bench/recorded-bar.ts";
import { functionLengths } from "./function-lengths.ts";
import { lintConfig } from "./generate-lint-config.ts";
import { renderReadme } from "./generate-readme.ts";
import { allowedRooms, rooms } from "./layers.ts";
import { importsOf, isEvidence, readText, repositoryFiles, roomOf, root } from "./repository.ts";

const files = repositoryFiles();
const typescript = files.filter((path) => path.endsWith(".ts") && !path.endsWith(".d.ts"));
const sources = typescript.filter((path) => path.startsWith("src/"));
const product = sources.filter((path) => !isEvidence(path));

// `npm test` says what the run's seed is.
const runSeed = process.env.LATHE_TEST_SEED;

/** Lines on which a test draws a seed of its own; what stands in quotes is a program under test. */
function chanceIn(path: string, text: string): string[] {
  const lines = text.split("\n").map((line, index) => ({ line, where: `${path}:${index + 1} draws a seed of its own` }));
  return lines.filter(({ line }) => /^[^"'`]*(Math\.random\(|Date\.now\(\) %)/.test(line)).map(({ where }) => where);
}

/** Fails with the list of offenders; proves first that the law looked at enough. */
function law(lookedAt: number, atLeast: number, offenders: readonly string[]): void {
  assert.ok(lookedAt >= atLeast, `the law looked at ${lookedAt} things only; at least ${atLeast} expected`);
  assert.deepEqual(offenders, []);
}

test("rooms import only to their left", () => {
  const imports = product.flatMap((path) => importsOf(path));
  const crossing = imports.filter(({ target }) => roomOf(target) !== undefined);
  const offenders = crossing
    .filter(({ source, target }) => !allowedRooms(roomOf(source) ?? "").includes(roomOf(target) ?? ""))
    .map(({ source, target, line }) => `${source}:${line} imports ${target}`);
  law(crossing.length, 50, offenders);
});

test("every folder of src is a room of the layer law", () => {
  const found = new Set(sources.map((path) => roomOf(path)).filter((room) => room !== undefined));
  law(found.size, 5, [...found].filter((room) => !rooms.includes(room)));
});

test("a part imports kit, its own folder and ports", () => {
  const partFolders = files.filter((path) => /^src\/parts\/.*part\.yaml$/.test(path)).map((path) => dirname(path));
  const folderOf = (path: string) =>
    partFolders.filter((folder) => path.startsWith(`${folder}/`)).sort((a, b) => b.length - a.length)[0];
  const imports = product.filter((path) => roomOf(path) === "parts").flatMap((path) => importsOf(path));
  const offenders = imports
    .filter(({ target }) => roomOf(target) === "parts")
    .filter(({ source, target }) => folderOf(target) !== undefined && folderOf(target) !== folderOf(source))
    .map(({ source, target, line }) => `${source}:${line} imports ${target}, the inside of another part`);
  law(imports.length, 10, offenders);
});

test("parts and kit have no dependencies; parts reach the world through Env only", () => {
  const carried = product.filter((path) => ["kit", "parts"].includes(roomOf(path) ?? ""));
  const pure = new Set(["node:crypto", "node:zlib", "node:assert", "node:assert/strict"]);
  const offenders = carried
    .flatMap((path) => importsOf(path))
    .filter(({ source, target }) => {
      if (target.startsWith("src/")) return false;
      if (roomOf(source) === "kit") return !target.startsWith("node:");
      return !pure.has(target);
    })
    .map(({ source, target, line }) => `${source}:${line} imports ${target}`);
  law(carried.length, 20, offenders);
});

test("imports lead to files", () => {
  // Tests of import scanners hold imports as text.
  const sources = typescript.filter((path) => !path.endsWith("import-scanner.test.ts"));
  const imports = sources.flatMap((path) => importsOf(path)).filter(({ target }) => /\.(ts|mjs)$/.test(target));
  const known = new Set(files);
  const offenders = imports
    .filter(({ target }) => target.startsWith("src/") && !known.has(target))
    .map(({ source, target, line }) => `${source}:${line} imports ${target}, which does not exist`);
  law(imports.length, 50, offenders);
});

test("no file stands unused", () => {
  const entries = /(^src\/cli\/main\.ts$|\/(main|part)\.ts$|-(process|worker|job|server)\.ts$)/;
  const used = new Set(typescript.flatMap((path) => importsOf(path).map(({ target }) => target)));
  // What only products import is named by the modules that generate them.
  const wiring = files.filter((path) => path.startsWith("src/foundry/wiring/")).map(readText).join("\n");
  const named = files.filter((path) => path.endsWith("part.yaml")).map((path) => [dirname(path), readText(path)]);
  const offenders = product.filter(
    (path) =>
      !used.has(path) &&
      !entries.test(path) &&
      !wiring.includes(`"${path.replace("src/", "")}"`) &&
      !named.some(([folder, text]) => path.startsWith(`${folder}/`) && text.includes(basename(path))),
  );
  law(product.length, 30, offenders);
});

test("names say what a file holds", () => {
  const banned = /(^|[/_.-])(utils?|helpers?|misc|common|stuff|index)([/_.-]|$)/;
  law(typescript.length, 30, typescript.filter((path) => banned.test(path) && !path.includes("journal-index")));
});

test("file names are kebab-case, except folders named by the feature model", () => {
  const offenders = typescript.filter((path) => !/^[a-z0-9]+([-.][a-z0-9]+)*$/.test(basename(path)));
  law(typescript.length, 30, offenders);
});

test("no barrel files", () => {
  const offenders = sources.filter((path) => {
    const code = readText(path).replace(/\/\*[\s\S]*?\*\//g, "").replace(/\/\/.*$/gm, "").trim();
    const statements = code.split(";").map((statement) => statement.trim()).filter((statement) => statement !== "");
    return statements.length > 0 && statements.every((statement) => /^export\s[^=(]*\sfrom\s/.test(statement));
  });
  law(sources.length, 30, offenders);
});

test("every module of kit and parts opens with a header", () => {
  const carried = product.filter((path) => ["kit", "parts"].includes(roomOf(path) ?? ""));
  law(carried.length, 20, carried.filter((path) => !/^(\/\*\*|\/\/)/.test(readText(path))));
});

test("functions stay around 70 lines, files below 700, lines below 120 columns", () => {
  const limits = JSON.parse(readText("scripts/size-ratchet.json")) as Record<string, number>;
  const offenders: string[] = [];
  let functions = 0;
  for (const path of typescript.filter((name) => !isEvidence(name))) {
    const text = readText(path);
    const lines = text.split("\n");
    if (lines.length > (limits[path] ?? 700)) offenders.push(`${path} has ${lines.length} lines`);
    lines.forEach((line, index) => {
      if (line.length > 120) offenders.push(`${path}:${index + 1} has ${line.length} columns`);
    });
    for (const found of functionLengths(text)) {
      functions++;
      const allowed = limits[`${path}#${found.name}`] ?? 80;
      if (found.lines > allowed) offenders.push(`${path}:${found.line} ${found.name} has ${found.lines} lines`);
    }
  }
  law(functions, 50, offenders);
});

test("the repo speaks of Lathe alone", () => {
  const own = "scripts/tidy.test.ts";
  const text = files.filter((path) => /\.(ts|mjs|md|yaml|yml|json|html)$/.test(path) && path !== own);
  const banned = [
    /\bFIXME\b/, /\bXXX\b/, /\bTODO\b/, /\/work\//, /\/root\//, /issue #?\d/i, /\bhelper-\d/, /\bclaude\b/i,
    /registry\.npmjs\.org/, /proxy\.golang/, /deb\.debian\.org/,
  ];
  const offenders = text
    .filter((path) => path !== "package-lock.json")
    .flatMap((path) =>
      readText(path)
        .split("\n")
        .flatMap((line, index) => (banned.some((word) => word.test(line)) ? [`${path}:${index + 1}: ${line.trim()}`] : [])),
    );
  law(text.length, 30, offenders);
});

test("the lock file names no host", () => {
  const lock = readText("package-lock.json");
  law(lock.length, 1000, lock.includes('"resolved"') ? ["package-lock.json has `resolved` addresses"] : []);
});

test("generated files are fresh", () => {
  const committed = readFileSync(join(root, ".oxlintrc.json"), "utf8");
  assert.equal(committed, `${JSON.stringify(lintConfig(), null, 2)}\n`, "run `node scripts/generate-lint-config.ts`");
});

test("the generated blocks of the README are fresh", () => {
  const readme = readText("README.md");
  assert.ok(readme.includes("<!-- generated: "));
  assert.equal(renderReadme(readme), readme, "run `node scripts/generate-readme.ts`");
});

test("every test file asserts something", () => {
  const tests = typescript.filter((path) => path.endsWith(".test.ts"));
  const asserting = /\bassert\b|fc\.assert|registerConformance|[Cc]onformance\(/;
  law(tests.length, 5, tests.filter((path) => !asserting.test(readText(path))));
});

test("tests draw nothing but from the run's seed", () => {
  const tests = typescript.filter((path) => path.endsWith(".test.ts"));
  law(tests.length, 5, tests.flatMap((path) => chanceIn(path, readText(path))));
  assert.equal(chanceIn("a.test.ts", "const seed = Math.random();\nconst other = Date.now() % 7;").length, 2);
  if (runSeed !== undefined) assert.equal(fc.readConfigureGlobal().seed, Number(runSeed), "property tests take it too");
});

test("the laws find planted offences", () => {
  const planted = importsOf("src/kit/x.ts", 'import { a } from "../bench/b.ts";\nexport { c } from "./d.ts";');
  assert.deepEqual(planted.map(({ target }) => target), ["src/bench/b.ts", "src/kit/d.ts"]);
  assert.ok(!allowedRooms("kit").includes("bench"));
  assert.ok(!allowedRooms("search").includes("study"));
  const long = `function long() {\n${"  call();\n".repeat(90)}}\n`;
  assert.equal(functionLengths(long)[0].lines, 92);
});

test("every mutant and benign variant applies to the sources, and what it changes still parses", () => {
  const mutants = loadMutants();
  const offenders = mutants.flatMap((mutant) => {
    try {
      // Planting is strict about text that is gone or stands twice; stripping types parses the rest.
      const texts = [...mutatedFiles(join(root, "src"), mutant).values()];
      texts.forEach((text) => stripTypeScriptTypes(text));
      return texts.length === 0 ? [`mutant ${mutant.name} changes no file`] : [];
    } catch (error) {
      return [`src/gates/mutants/${mutant.name}.yaml: ${(error as Error).message}`];
    }
  });
  law(mutants.length, 40, offenders);
});

test("every planted mutant names a benign twin that changes the same place", () => {
  const mutants = loadMutants();
  const sourceOf = (file: string) => readText(join("src", file));
  law(mutants.filter(({ planted }) => planted).length, 40, twinProblems(mutants, sourceOf));
});

test("recorded bars are rows of one shape", () => {
  const records = files.filter((path) => /^examples\/bars\/[^/]+\.json$/.test(path));
  const bars = records.flatMap((path) => (JSON.parse(readText(path)) as { bars?: object[] }).bars ?? []);
  const isWhole = ({ claim, measured, bar }: Partial<RecordedBar>) =>
    typeof claim === "string" && typeof measured === "string" &&
    (bar === undefined || (typeof bar.text === "string" && typeof bar.met === "boolean"));
  law(bars.length, 40, bars.filter((one) => !isWhole(one)).map((one) => JSON.stringify(one)));
});

test("every leaf that a part, a knob or a specification names is a leaf of the feature model", () => {
  const model = loadModel();
  const named = [
    ...loadPartDescriptors().flatMap((part) =>
      implementedLeaves(part).map((leaf) => ({ leaf, where: `${part.path}/part.yaml` })),
    ),
    ...loadKnobCatalog().map(({ name, leaf }) => ({ leaf, where: `the knob ${name}` })),
    ...files.flatMap((path) => {
      const found = /^catalog\/specs\/(.*)\.md$/.exec(path);
      return found === null ? [] : [{ leaf: found[1], where: path }];
    }),
  ];
  const offenders = named.filter(({ leaf }) => model.find(leaf)?.kind !== "leaf");
  law(named.length, 100, offenders.map(({ leaf, where }) => `${where} names ${leaf}`));
});

test("every feature that the code names is in the feature model", () => {
  const model = loadModel();
  const quoted = new RegExp(`["'\`]((?:${model.root.children.join("|")})(?:/[a-z0-9_]+)+)["'\`]`, "g");
  const named = product.flatMap((file) => [...readText(file).matchAll(quoted)].map(([, path]) => ({ file, path })));
  const offenders = named.filter(({ path }) => model.find(path) === undefined);
  law(named.length, 100, offenders.map(({ file, path }) => `${file} names ${path}`));
});

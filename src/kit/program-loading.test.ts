import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { promisify } from "node:util";
import { compiledCodeName } from "./program-loading.ts";

const scratch = mkdtempSync(join(tmpdir(), "lathe-loading-"));
after(() => rmSync(scratch, { recursive: true, force: true }));

const main = `import { quickenLoading, endLoading } from "./program-loading.ts";
quickenLoading(import.meta.dirname);
await import(${JSON.stringify("./answer.ts")});
endLoading();
if (process.argv[2] === "kill") process.kill(process.pid, "SIGKILL");
`;

function makeProgram(name: string): string {
  const directory = join(scratch, name);
  cpSync(import.meta.dirname, directory, { recursive: true, filter: (path) => !/\.test\.ts$|env/.test(path) });
  writeFileSync(join(directory, "package.json"), '{ "type": "module" }');
  writeFileSync(join(directory, "main.ts"), main);
  writeFileSync(join(directory, "answer.ts"), 'import { word } from "./word.ts";\nconsole.log(word satisfies string);\n');
  writeFileSync(join(directory, "word.ts"), 'export const word: string = "first";\n');
  return directory;
}

const { NODE_COMPILE_CACHE: _, ...environment } = process.env;

function run(directory: string, more: Readonly<Record<string, string>> = {}): string {
  const env = { ...environment, ...more };
  return execFileSync(process.execPath, [join(directory, "main.ts")], { encoding: "utf8", env }).trim();
}

/** Files of compiled code, with their sizes. */
function kept(directory: string): string[] {
  const names = readdirSync(join(directory, compiledCodeName), { recursive: true, withFileTypes: true });
  return names.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name)).sort();
}

test("compiled code is kept beside a program, taken again, and never in place of code that changed", () => {
  const directory = makeProgram("program");
  assert.equal(run(directory), "first");
  const before = kept(directory);
  assert.ok(before.length >= 2, before.join());
  assert.equal(run(directory), "first");
  assert.deepEqual(kept(directory), before, "the second start had nothing to add");
  writeFileSync(join(directory, "word.ts"), 'export const word: string = "other";\n');
  assert.equal(run(directory), "other");
  // Moved, it is found by paths within the program.
  const moved = join(scratch, "moved");
  renameSync(directory, moved);
  const count = kept(moved).length;
  assert.equal(run(moved), "other");
  assert.equal(kept(moved).length, count);
});

test("damaged, missing or forbidden compiled code is no reason not to start", () => {
  const directory = makeProgram("damaged");
  run(directory);
  for (const file of kept(directory)) {
    const bytes = readFileSync(file);
    bytes.fill(0x5a, bytes.length >> 1);
    writeFileSync(file, bytes);
  }
  assert.equal(run(directory), "first");
  for (const file of kept(directory)) writeFileSync(file, "");
  assert.equal(run(directory), "first");
  rmSync(join(directory, compiledCodeName), { recursive: true });
  assert.equal(run(directory, { NODE_DISABLE_COMPILE_CACHE: "1" }), "first");
  assert.ok(!existsSync(join(directory, compiledCodeName)));
  writeFileSync(join(directory, compiledCodeName), "a file where the directory would be");
  assert.equal(run(directory), "first");
});

test("several starts at once share it, and one that is killed has kept it too", async () => {
  const directory = makeProgram("shared");
  const start = promisify(execFile);
  const all = Array.from({ length: 3 }, () => start(process.execPath, [join(directory, "main.ts")], { env: environment }));
  for (const { stdout } of await Promise.all(all)) assert.equal(stdout.trim(), "first");
  rmSync(join(directory, compiledCodeName), { recursive: true });
  await assert.rejects(start(process.execPath, [join(directory, "main.ts"), "kill"], { env: environment }));
  assert.ok(kept(directory).length >= 2);
  assert.equal(run(directory), "first");
});

import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { promisify } from "node:util";
import { compiledCodeName, mainModule } from "./main-module.ts";

const scratch = mkdtempSync(join(tmpdir(), "lathe-loading-"));
after(() => rmSync(scratch, { recursive: true, force: true }));

const kit = join(import.meta.dirname, "..", "..", "kit");
const serve = `import { type Word, word } from "./word.ts";
export async function serve(listening: () => void): Promise<void> {
  console.log(word() satisfies Word);
  listening();
  if (process.argv[2] === "kill") process.kill(process.pid, "SIGKILL");
  if (process.argv[2] === "wait") await new Promise((done) => setTimeout(done, 1500));
}
`;
const first = `export type Word = string;
export function word(): Word {
  return process.argv[2] === "fail" ? missing() : "first";
}
function missing(): never {
  throw new Error("no word");
}
`;

function makeProgram(name: string, files: Readonly<Record<string, string>> = {}): string {
  const directory = join(scratch, name);
  mkdirSync(join(directory, "kit"), { recursive: true });
  for (const file of ["program-image.ts", "module-syntax.ts"]) cpSync(join(kit, file), join(directory, "kit", file));
  const all = { "package.json": '{ "type": "module" }', "main.js": mainModule({ name }), "serve.ts": serve, "word.ts": first };
  for (const [path, text] of Object.entries({ ...all, ...files })) writeFileSync(join(directory, path), text);
  return directory;
}

const { NODE_COMPILE_CACHE: _, ...environment } = process.env;

function run(directory: string, how = "", more: Readonly<Record<string, string>> = {}): string {
  const env = { ...environment, ...more };
  return execFileSync(process.execPath, [join(directory, "main.js"), how], { encoding: "utf8", env, stdio: "pipe" }).trim();
}

/** What is kept, by name; undefined where nothing is. */
function kept(directory: string): Map<string, string> {
  const cache = join(directory, compiledCodeName);
  return new Map(readdirSync(cache).map((name) => [name, readFileSync(join(cache, name), "latin1")]));
}

test("code is kept beside a program, taken again, and never in place of a source that changed", () => {
  const directory = makeProgram("program");
  assert.equal(run(directory), "first");
  const before = kept(directory);
  assert.equal(before.size, 2, [...before.keys()].join());
  assert.equal(run(directory), "first");
  assert.deepEqual(kept(directory), before, "the second start had nothing to add");
  // Of the same length, at the same time as before.
  writeFileSync(join(directory, "word.ts"), first.replace('"first"', '"other"'));
  assert.equal(run(directory), "other");
  assert.deepEqual([...kept(directory).keys()], [...before.keys()], "replaced, not added to");
  const moved = join(scratch, "moved");
  renameSync(directory, moved);
  const there = kept(moved);
  assert.equal(run(moved), "other");
  assert.deepEqual(kept(moved), there, "the program may be moved");
  writeFileSync(join(moved, "more.ts"), 'export const more = "more";\n');
  writeFileSync(join(moved, "word.ts"), 'import { more } from "./more.ts";\nexport const word = (): string => more;\n');
  assert.equal(run(moved), "more");
  rmSync(join(moved, "more.ts"));
  assert.throws(() => run(moved), /more\.ts/);
});

test("a Node that is too old is told before anything of the program is loaded", () => {
  const directory = makeProgram("older");
  const text = readFileSync(join(directory, "main.js"), "utf8");
  // As if it were an older one: what it says of itself is read at one place.
  assert.equal(text.split("process.versions.node").length, 2);
  writeFileSync(join(directory, "main.js"), text.replace("process.versions.node", '"24.14.9"'));
  assert.throws(() => run(directory), (error: Error & { status: number; stderr: string }) => {
    assert.equal(error.status, 2);
    assert.match(error.stderr, /^older needs Node 24\.15 or newer, and this is v/);
    return true;
  });
  assert.throws(() => kept(directory), { code: "ENOENT" });
});

test("an error tells the line of its source, whether the code was kept or not", () => {
  const directory = makeProgram("failing");
  for (const _start of [1, 2]) assert.throws(() => run(directory, "fail"), /word\.ts:6:9/);
  assert.throws(() => run(directory, "fail", { NODE_DISABLE_COMPILE_CACHE: "1" }), /word\.ts:6:9/);
});

test("damaged, foreign, missing or forbidden code is no reason not to start", () => {
  const directory = makeProgram("damaged");
  run(directory);
  const whole = kept(directory);
  const put = (name: string, text: string) => writeFileSync(join(directory, compiledCodeName, name), text, "latin1");
  for (const [name, text] of whole) {
    const half = text.length >> 1;
    const flipped = String.fromCharCode(text.charCodeAt(half) ^ 1);
    for (const damage of [text.slice(0, half) + flipped + text.slice(half + 1), text.slice(0, half), "", "image 1 "]) {
      put(name, damage);
      assert.equal(run(directory), "first", name);
      assert.equal(kept(directory).get("program"), whole.get("program"), "made again as it was");
    }
  }
  // Compiled code of another program: V8 itself would take it where the lengths are the same.
  const other = makeProgram("foreign", { "word.ts": first.replace('"first"', '"other"') });
  run(other);
  for (const [name, text] of kept(other)) if (name !== "program") put(name, text);
  assert.equal(run(directory), "first");
  rmSync(join(directory, compiledCodeName), { recursive: true });
  assert.equal(run(directory, "", { NODE_DISABLE_COMPILE_CACHE: "1" }), "first");
  assert.throws(() => kept(directory), { code: "ENOENT" });
  writeFileSync(join(directory, compiledCodeName), "a file where the directory would be");
  assert.equal(run(directory), "first");
});

test("a program that no image can be made of runs as ever", () => {
  const circle = makeProgram("circle", {
    "word.ts": 'import { other } from "./other.ts";\nexport const word = (): string => other();\nexport const text = "round";\n',
    "other.ts": 'import { text } from "./word.ts";\nexport const other = (): string => text;\n',
  });
  assert.equal(run(circle), "round");
  const waiting = makeProgram("waiting", { "word.ts": 'const text = await Promise.resolve("late");\nexport const word = () => text;\n' });
  assert.equal(run(waiting), "late");
  const wrong = makeProgram("wrong", { "word.ts": "export const words = 1;\n" });
  assert.throws(() => run(wrong), /does not provide an export named 'word'/);
});

test("several starts at once share it, one that is killed has kept its part, and one that serves keeps more", async () => {
  const directory = makeProgram("shared");
  const start = promisify(execFile);
  const starts = Array.from({ length: 3 }, () => start(process.execPath, [join(directory, "main.js")], { env: environment }));
  for (const { stdout, stderr } of await Promise.all(starts)) assert.deepEqual([stdout.trim(), stderr], ["first", ""]);
  rmSync(join(directory, compiledCodeName), { recursive: true });
  await assert.rejects(start(process.execPath, [join(directory, "main.js"), "kill"], { env: environment }));
  assert.deepEqual([...kept(directory).keys()], ["program"]);
  assert.equal(run(directory, "wait"), "first");
  assert.equal(kept(directory).size, 2);
});

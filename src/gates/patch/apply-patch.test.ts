/** Patches that apply exactly, and every kind that is refused; a refusal leaves the product as it was. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, beforeEach, test } from "node:test";
import { applyPatchText } from "./apply-patch.ts";
import { reasonAgainst } from "./patch-rules.ts";
import { patchBytesMax } from "./unified-diff.ts";

const root = mkdtempSync(join(tmpdir(), "lathe-patch-"));
const product = join(root, "product");
const path = "parts/a.ts";
const text = Array.from({ length: 12 }, (_, i) => `const line${i} = ${i};\n`).join("");
after(() => rmSync(root, { recursive: true, force: true }));

beforeEach(() => {
  rmSync(product, { recursive: true, force: true });
  mkdirSync(join(product, "parts"), { recursive: true });
  mkdirSync(join(product, "kit"));
  writeFileSync(join(product, path), text);
  writeFileSync(join(product, "kit", "b.ts"), "export const b = 1;\n");
  writeFileSync(join(product, "main.js"), "// generated\n");
});

const apply = (patch: string) => applyPatchText(Buffer.from(patch), product);
const read = (file: string) => readFileSync(join(product, file), "utf8");
const header = (file: string) => `diff --git a/${file} b/${file}\nindex 1..2 100644\n--- a/${file}\n+++ b/${file}\n`;
const change = "@@ -2,3 +2,3 @@\n const line1 = 1;\n-const line2 = 2;\n+const line2 = 22;\n const line3 = 3;\n";
const changed = text.replace("line2 = 2;", "line2 = 22;");
const created = (file: string, mode = "100644") =>
  `diff --git a/${file} b/${file}\nnew file mode ${mode}\nindex 0..1\n` +
  `--- /dev/null\n+++ b/${file}\n@@ -0,0 +1 @@\n+export {};\n`;

/** The reason, after which nothing may have changed. */
function refusal(patch: string | Uint8Array): string {
  const files = () =>
    readdirSync(product, { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".ts"))
      .map((file) => [file, read(file)]);
  const before = files();
  let message = "";
  assert.throws(
    () => applyPatchText(typeof patch === "string" ? Buffer.from(patch) : patch, product),
    (error: Error & { code?: string }) => {
      message = error.message;
      return error.code === "INVALID_ARGUMENT";
    },
  );
  assert.deepEqual(files(), before, "a refused patch changes nothing");
  return message;
}

test("several files, new ones and ones that go, with a letter around the patch", () => {
  const gone =
    "diff --git a/kit/b.ts b/kit/b.ts\ndeleted file mode 100644\nindex 1..0\n" +
    "--- a/kit/b.ts\n+++ /dev/null\n@@ -1 +0,0 @@\n-export const b = 1;\n";
  const patch = `Dear all,\n\n${header(path)}${change}${created("parts/new/c.ts")}${gone}-- \n2.39\n`;
  const summary = apply(patch);
  assert.deepEqual(summary.files.map(({ kind }) => kind), ["modify", "create", "delete"]);
  assert.deepEqual([summary.linesAdded, summary.linesRemoved], [2, 2]);
  assert.equal(read(path), changed);
  assert.equal(read("parts/new/c.ts"), "export {};\n");
  assert.throws(() => read("kit/b.ts"), /ENOENT/);
});

test("a plain diff without git's header, with times behind the names", () => {
  apply(`--- a/${path}\t2026-01-01 00:00:00\n+++ b/${path}\t2026-01-01 00:00:01\n${change}`);
  assert.equal(read(path), changed);
});

test("a patch sent with CRLF fits a file with LF; a file with CRLF keeps its line ends", () => {
  apply(`${header(path)}${change}`.replaceAll("\n", "\r\n"));
  assert.equal(read(path), changed);
  writeFileSync(join(product, path), text.replaceAll("\n", "\r\n"));
  apply(`${header(path)}${change}`.replaceAll("\n", "\r\n"));
  assert.equal(read(path), changed.replaceAll("\n", "\r\n"));
  writeFileSync(join(product, path), text.replaceAll("\n", "\r\n"));
  const mixed = change.replaceAll(/;\n/g, ";\r\n");
  apply(`${header(path)}${mixed}`);
  assert.equal(read(path), changed.replaceAll("\n", "\r\n"));
});

test("the last line may lack its newline, on either side", () => {
  writeFileSync(join(product, path), "a\nb");
  apply(`${header(path)}@@ -1,2 +1,2 @@\n a\n-b\n\\ No newline at end of file\n+c\n`);
  assert.equal(read(path), "a\nc\n");
  apply(`${header(path)}@@ -1,2 +1,2 @@\n a\n-c\n+d\n\\ No newline at end of file\n`);
  assert.equal(read(path), "a\nd");
});

test("a hunk may stand elsewhere where it stands once, and never where it only resembles", () => {
  writeFileSync(join(product, path), `// one more line\n${text}`);
  apply(`${header(path)}${change}`);
  assert.equal(read(path), `// one more line\n${changed}`);
  writeFileSync(join(product, path), text.replace("line1 = 1", "line1 = 7"));
  assert.match(refusal(`${header(path)}${change}`), /its old lines stand nowhere.*fuzz is not applied/);
  writeFileSync(join(product, path), `x\nx\n${text}${text}`);
  assert.match(refusal(`${header(path)}${change}`), /stand at 2 places, none of them that line/);
});

test("paths outside the product, and files that are not a patch's to change, are refused with the reason", () => {
  const reasons: readonly (readonly [string, RegExp])[] = [
    ["../outside.ts", /leaves the product/],
    ["parts/../../x.ts", /leaves the product/],
    ["/etc/passwd", /absolute/],
    ["C:/x.ts", /absolute/],
    ["parts\\x.ts", /plain form/],
    [".git/hooks/pre-commit", /hidden/],
    [".lathe/build.json", /hidden/],
    ["parts/.hidden.ts", /hidden/],
    ["node_modules/x/a.ts", /package/],
    ["src/gates/gate-table.ts", /the workshop's own/],
    ["test/product.test.ts", /a test/],
    ["parts/storage/engine.conformance.ts", /a test/],
    ["product.ts", /generated/],
    ["main.js", /generated/],
    ["knobs.yaml", /knob values/],
    ["contract.yaml", /what the product promises/],
    ["selection.json", /what the product promises/],
    ["package.json", /packaged/],
    ["kit/serve-main.ts", /door/],
    ["kit/product.ts", /door/],
    ["README.md", /not a file of kit/],
    ["parts/a.js", /not a TypeScript/],
    ["parts/a b.ts", /other signs/],
  ];
  for (const [file, reason] of reasons) {
    assert.match(reasonAgainst(file) ?? "allowed", reason, file);
    assert.match(refusal(created(file)), reason, file);
  }
  for (const file of [path, "kit/env/node-disk.ts", "parts/storage/new-file.ts"]) {
    assert.equal(reasonAgainst(file), undefined, file);
  }
  const all = refusal(`${header(path)}${change}${created("../x.ts")}${created("test/y.ts")}`);
  assert.match(all, /\.\.\/x\.ts: .*\ntest\/y\.ts: /);
});

test("what is no change of text is refused by name", () => {
  const git = `diff --git a/${path} b/${path}\n`;
  assert.match(refusal(`${git}index 1..2 100644\nGIT binary patch\nliteral 3\nabc\n`), /binary/);
  assert.match(refusal(`${git}Binary files a/${path} and b/${path} differ\n`), /binary/);
  assert.match(refusal(created("parts/link.ts", "120000")), /symbolic link/);
  assert.match(refusal(created("parts/module.ts", "160000")), /submodule/);
  assert.match(refusal(created("parts/run.ts", "100755")), /mode 100755/);
  assert.match(refusal(`${git}old mode 100644\nnew mode 100755\n`), /mode/);
  assert.match(refusal(`${git}similarity index 100%\nrename from ${path}\nrename to parts/z.ts\n`), /rename/);
  assert.match(refusal(`--- a/${path}\n+++ b/parts/z.ts\n${change}`), /rename/);
  assert.match(refusal(`${git}index 1..2 100644\n`), /changes no text/);
});

test("a link on the way is not followed", () => {
  mkdirSync(join(root, "elsewhere"), { recursive: true });
  symlinkSync(join(root, "elsewhere"), join(product, "parts", "linked"));
  assert.match(refusal(created("parts/linked/x.ts")), /link/);
  assert.deepEqual(readdirSync(join(root, "elsewhere")), []);
});

test("damaged and senseless patches are refused with the line", () => {
  assert.match(refusal(""), /changes no file/);
  assert.match(refusal("hello\n"), /changes no file/);
  assert.match(refusal(`${header(path)}@@ -2,9 +2,9 @@\n const line1 = 1;\n`), /line 7 of the patch: the patch ends/);
  assert.match(refusal(`${header(path)}@@ -2 +2 @@\n-const line1 = 1;\n+x\n+y\n`), /longer than its header/);
  assert.match(refusal(`${header(path)}@@ mist @@\n`), /header that cannot be read/);
  assert.match(refusal(`${header(path)}@@ -1 +1 @@\n const line0 = 0;\n`), /changes nothing/);
  assert.match(refusal(`${header(path)}${change}${header(path)}${change}`), /twice/);
  assert.match(refusal(change), /hunk without a file/);
  assert.match(refusal(created(path)), /is there already/);
  assert.match(refusal(header("parts/missing.ts") + change), /not in this product/);
  assert.match(refusal(Buffer.from([0xff, 0xfe, 0x41, 0x00])), /NUL/);
  assert.match(refusal(Buffer.from([0xff, 0x41])), /UTF-8/);
  assert.match(refusal(Buffer.alloc(patchBytesMax + 1, 0x61)), /bytes/);
});

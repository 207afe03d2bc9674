import assert from "node:assert/strict";
import {
  existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, symlinkSync, writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { replaceProduct } from "./product-directory.ts";
import { makeDirectories } from "./product-place.ts";

const scratch = mkdtempSync(join(tmpdir(), "lathe-product-place-"));
after(() => rmSync(scratch, { recursive: true }));

const build = (target: string, text: string) =>
  replaceProduct(target, "store", "0".repeat(64), new Map([["README.md", text]]), { force: false, carried: [] });

test("a product is built where a symbolic link leads, and the link stays", () => {
  const [real, link] = [join(scratch, "real"), join(scratch, "link")];
  mkdirSync(real);
  symlinkSync("real", link);
  for (const text of ["one", "two"]) build(link, text);
  assert.ok(lstatSync(link).isSymbolicLink());
  assert.equal(readFileSync(join(real, "README.md"), "utf8"), "two");
  assert.deepEqual(readdirSync(scratch).sort(), ["link", "real"]);
});

test("a link to nowhere, a link in a circle and a file above are told as what they are, and stay", () => {
  const [file, lost, circle] = ["file", "lost", "circle"].map((name) => join(scratch, name));
  writeFileSync(file, "mine");
  symlinkSync("nowhere", lost);
  symlinkSync("circle", circle);
  const before = readdirSync(scratch);
  for (const link of [lost, circle]) {
    assert.throws(() => build(link, "one"), { code: "ALREADY_EXISTS", message: /is a symbolic link that leads nowhere/ });
  }
  const message = /file is a file, so .*deeper cannot be made/;
  assert.throws(() => build(join(file, "and", "deeper"), "one"), { code: "ALREADY_EXISTS", message });
  assert.deepEqual(readdirSync(scratch), before);
  assert.equal(readlinkSync(lost), "nowhere");
});

test("an empty name and one that is too long are told as what they are", () => {
  assert.throws(() => build("", "one"), { code: "INVALID_ARGUMENT", message: /--out is empty/ });
  // The longest name a file can have leaves no room for the files beside it.
  for (const length of [250, 300]) {
    const long = join(scratch, "a".repeat(length));
    assert.throws(() => build(long, "one"), { code: "INVALID_ARGUMENT", message: /\/a{250,}: the path is too long/ });
  }
});

test("where the file system makes no directories, that is said", { skip: !existsSync("/proc/self") }, () => {
  assert.throws(() => makeDirectories("/proc/lathe/deeper"), ({ code }: { code?: string }) => code === "PERMISSION" || code === "EACCES");
  const message = /cannot write \/proc\/lathe .*(lets nothing be made|may not write) there/;
  assert.throws(() => build("/proc/lathe", "one"), { code: "PERMISSION", message });
});

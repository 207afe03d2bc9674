import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  chmodSync, existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, renameSync, rmSync,
  statSync, symlinkSync, utimesSync, writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { productPutAside, replaceProduct, surveyProduct } from "./product-directory.ts";
import { findEdits, readManifest } from "./product-manifest.ts";

const plain = { force: false, carried: ["knobs.yaml"] };
const version = (number: number) => new Map([
  ["README.md", `version ${number}`], ["knobs.yaml", `a.b: ${number}`], ["parts/core/wal.ts", `export const v = ${number};`],
  ...(number === 1 ? [["parts/old/gone.ts", "old"] as const] : []),
]);

function inDirectory(run: (directory: string) => void): void {
  const directory = mkdtempSync(join(tmpdir(), "lathe-product-directory-"));
  try {
    run(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const build = (target: string, number: number, options = plain) =>
  replaceProduct(target, "store", "0".repeat(64), version(number), options);
const outcome = ({ replaced, setAside }: ReturnType<typeof build>) => ({ replaced, setAside });
const read = (target: string, path: string) => readFileSync(join(target, path), "utf8");

test("a new product, in a missing or an empty directory, below missing parents", () => {
  inDirectory((directory) => {
    for (const target of [join(directory, "a", "b", "store"), join(directory, "empty")]) {
      if (target.endsWith("empty")) mkdirSync(target);
      assert.deepEqual(outcome(build(target, 1)), { replaced: false, setAside: [] });
      assert.equal(read(target, "parts/core/wal.ts"), "export const v = 1;");
      const manifest = readManifest(target);
      assert.ok(manifest !== undefined);
      assert.deepEqual(findEdits(target, manifest), []);
    }
    assert.deepEqual(readdirSync(directory).sort(), ["a", "empty"], "nothing temporary is left");
  });
});

test("an unchanged product is replaced; what the build does not know stays", () => {
  inDirectory((directory) => {
    const target = join(directory, "store");
    build(target, 1);
    mkdirSync(join(target, ".git"));
    writeFileSync(join(target, ".git", "HEAD"), "ref");
    mkdirSync(join(target, ".lathe", "studies", "one"), { recursive: true });
    writeFileSync(join(target, ".lathe", "studies", "one", "journal"), "entries");
    writeFileSync(join(target, "parts", "core", "mine.ts"), "mine");
    writeFileSync(join(target, "knobs.yaml"), "a.b: 7");
    symlinkSync("README.md", join(target, "link"));
    // What it says is carried over; what else is written in it would be lost without a word.
    const noted = { path: "knobs.yaml", kind: "edited", kept: ".lathe/replaced/knobs.yaml" };
    const { kept: _, ...foreseen } = noted;
    assert.deepEqual(surveyProduct(target, version(2), plain).setAside, [foreseen]);
    assert.deepEqual(outcome(build(target, 2)), { replaced: true, setAside: [noted] });
    assert.equal(read(target, noted.kept), "a.b: 7");
    assert.equal(read(target, "README.md"), "version 2");
    assert.equal(read(target, ".git/HEAD"), "ref");
    assert.equal(read(target, ".lathe/studies/one/journal"), "entries");
    assert.equal(read(target, "parts/core/mine.ts"), "mine");
    assert.equal(read(target, "link"), "version 2");
    assert.equal(existsSync(join(target, "parts", "old")), false, "what is not built any more is gone");
    assert.deepEqual(readdirSync(directory), ["store"]);
  });
});

test("a carried file that says what the new one does is no loss", () => {
  inDirectory((directory) => {
    const target = join(directory, "store");
    build(target, 1);
    writeFileSync(join(target, "knobs.yaml"), "a.b: 2");
    assert.deepEqual(outcome(build(target, 2)), { replaced: true, setAside: [] });
    assert.equal(existsSync(join(target, ".lathe", "replaced")), false);
  });
});

test("edits are reported and nothing is written; with force they are kept aside", () => {
  inDirectory((directory) => {
    const target = join(directory, "store");
    build(target, 1);
    writeFileSync(join(target, "parts", "core", "wal.ts"), "faster");
    rmSync(join(target, "README.md"));
    assert.throws(() => build(target, 2), (error: Error & { code: string }) => {
      assert.equal(error.code, "ALREADY_EXISTS");
      assert.match(error.message, /README.md \(removed\)\n {2}parts\/core\/wal.ts \(edited\)\n/);
      assert.match(error.message, /--force/);
      return true;
    });
    assert.equal(read(target, "parts/core/wal.ts"), "faster");
    assert.equal(existsSync(join(target, "README.md")), false);
    const report = build(target, 2, { ...plain, force: true });
    assert.deepEqual(report.setAside.map((edit) => edit.path), ["README.md", "parts/core/wal.ts"]);
    assert.equal(read(target, "parts/core/wal.ts"), "export const v = 2;");
    assert.equal(read(target, ".lathe/replaced/parts/core/wal.ts"), "faster");
  });
});

test("links, directories and pipes in the place of files are edits, and go aside; modes stay; nothing is kept twice", () => {
  inDirectory((directory) => {
    const target = join(directory, "store");
    build(target, 1);
    renameSync(join(target, "parts"), join(directory, "elsewhere"));
    symlinkSync("../elsewhere", join(target, "parts"));
    rmSync(join(target, "README.md"));
    mkdirSync(join(target, "README.md"));
    writeFileSync(join(target, "README.md", "mine"), "mine");
    chmodSync(join(target, "knobs.yaml"), 0o600);
    chmodSync(target, 0o700);
    const edited = /store holds a product with changes of yours.*\n {2}parts \(edited\)\n {2}README.md \(edited\)\nbuild/;
    assert.throws(() => build(target, 1), { code: "ALREADY_EXISTS", message: edited });
    const { setAside } = build(target, 1, { ...plain, force: true });
    assert.deepEqual(setAside.map(({ kept }) => kept), [".lathe/replaced/parts", ".lathe/replaced/README.md"]);
    assert.ok(lstatSync(join(target, "parts")).isDirectory());
    assert.equal(readlinkSync(join(target, ".lathe", "replaced", "parts")), "../elsewhere");
    assert.equal(read(target, ".lathe/replaced/README.md/mine"), "mine");
    assert.deepEqual([target, join(target, "knobs.yaml")].map((path) => statSync(path).mode & 0o777), [0o700, 0o600]);
    assert.deepEqual(build(target, 1).setAside, []);

    const wal = join(target, "parts", "core", "wal.ts");
    const keptAfter = (text: string) => {
      writeFileSync(wal, text);
      return build(target, 1, { ...plain, force: true }).setAside.map((edit) => edit.kept);
    };
    assert.deepEqual(keptAfter("mine"), [".lathe/replaced.2/parts/core/wal.ts"]);
    assert.deepEqual(keptAfter("mine again"), [".lathe/replaced.3/parts/core/wal.ts"]);
    assert.deepEqual(keptAfter("mine"), [undefined]);
    assert.equal(read(target, ".lathe/replaced.2/parts/core/wal.ts"), "mine");
    rmSync(wal);
    assert.equal(spawnSync("mkfifo", [wal]).status, 0);
    assert.throws(() => build(target, 2), { code: "ALREADY_EXISTS", message: /wal\.ts \(edited\)/ });
  });
});

test("a file, a foreign directory and a damaged manifest are left alone", () => {
  inDirectory((directory) => {
    const file = join(directory, "file");
    writeFileSync(file, "mine");
    assert.throws(() => build(file, 1), { code: "ALREADY_EXISTS", message: /is a file/ });
    const foreign = join(directory, "foreign");
    mkdirSync(foreign);
    writeFileSync(join(foreign, "thesis.tex"), "mine");
    assert.throws(() => build(foreign, 1), { code: "ALREADY_EXISTS", message: /not empty and holds no product/ });
    assert.throws(() => build(foreign, 1, { ...plain, force: true }), { code: "ALREADY_EXISTS" });
    assert.deepEqual(readdirSync(foreign), ["thesis.tex"]);
    const damaged = join(directory, "damaged");
    build(damaged, 1);
    writeFileSync(join(damaged, ".lathe", "build.json"), "{");
    assert.throws(() => build(damaged, 2, { ...plain, force: true }), { code: "CORRUPTION" });
    assert.throws(() => build(join(file, "below"), 1), /.*/);
    assert.deepEqual(readdirSync(directory).sort(), ["damaged", "file", "foreign"]);
  });
});

test("what has the same bytes stays the same file, and a product of which nothing changes is left alone", () => {
  inDirectory((directory) => {
    const target = join(directory, "store");
    const same = new Map([...version(1), ["kit/errors.ts", "export const e = 1;"]]);
    const put = (files: ReadonlyMap<string, string>) => replaceProduct(target, "store", "0".repeat(64), files, plain);
    put(same);
    const past = new Date("2020-01-01T00:00:00Z");
    for (const path of same.keys()) utimesSync(join(target, path), past, past);
    const before = statSync(target).ino;
    const again = put(same);
    assert.deepEqual(again.changes, { added: [], changed: [], removed: [], unchanged: [...same.keys()] });
    assert.equal(statSync(target).ino, before, "not even the directory is another");
    const next = new Map([...version(2), ["kit/errors.ts", "export const e = 1;"], ["kit/new.ts", "new"]]);
    const wanted = {
      added: ["kit/new.ts"], changed: ["README.md", "knobs.yaml", "parts/core/wal.ts"], removed: ["parts/old/gone.ts"],
      unchanged: ["kit/errors.ts"],
    };
    assert.deepEqual(surveyProduct(target, next, plain).changes, wanted);
    assert.equal(read(target, "README.md"), "version 1", "a survey writes nothing");
    assert.deepEqual(put(next).changes, wanted);
    assert.equal(statSync(join(target, "kit", "errors.ts")).mtimeMs, past.getTime());
    assert.notEqual(statSync(join(target, "README.md")).mtimeMs, past.getTime());
    assert.equal(statSync(join(target, "kit", "errors.ts")).nlink, 1, "nothing shares the file");
    assert.deepEqual(readdirSync(directory), ["store"]);
  });
});

test("what a killed build left beside a product goes with the next; half a product is told from a stranger's files", () => {
  inDirectory((directory) => {
    const target = join(directory, "store");
    const gone = spawnSync(process.execPath, ["-e", ""]).pid;
    // By number alone it cannot be told who still runs: numbers are given again, and other containers have their own.
    for (const kind of ["building", "staging", "removing"]) {
      for (const holder of [gone, 1]) mkdirSync(join(directory, `.store.${kind}-${holder}`));
    }
    writeFileSync(join(directory, `.store.lock.${gone}.0123456789ab`), "");
    mkdirSync(join(directory, ".store.building-notes"));
    build(target, 1);
    assert.deepEqual(readdirSync(directory).sort(), [".store.building-notes", "store"]);
    const half = join(directory, "half");
    mkdirSync(half);
    for (const name of ["product.ts", "selection.json"]) writeFileSync(join(half, name), "");
    assert.throws(() => build(half, 1), { code: "ALREADY_EXISTS", message: /of which a part is missing \(\.lathe/ });
    assert.deepEqual(readdirSync(half), ["product.ts", "selection.json"]);
  });
});

test("a replacement that was interrupted is finished or undone by the next build", () => {
  inDirectory((directory) => {
    const target = join(directory, "store");
    const previous = join(directory, ".store.previous");
    build(target, 1);
    writeFileSync(join(target, "notes.md"), "mine");
    // The process died after the old product was put aside.
    renameSync(target, previous);
    assert.equal(productPutAside(target), previous);
    assert.deepEqual(outcome(build(target, 2)), { replaced: true, setAside: [] });
    assert.equal(read(target, "notes.md"), "mine");
    assert.equal(read(target, "README.md"), "version 2");
    // It died after the new one got into place, before the owner's files were moved.
    renameSync(target, previous);
    replaceProduct(join(directory, "other"), "store", "0".repeat(64), version(1), plain);
    renameSync(join(directory, "other"), target);
    assert.deepEqual(outcome(build(target, 2)), { replaced: true, setAside: [] });
    assert.equal(read(target, "notes.md"), "mine");
    assert.equal(read(target, "README.md"), "version 2");
    assert.equal(existsSync(previous), false);
    assert.equal(productPutAside(target), undefined);
  });
});

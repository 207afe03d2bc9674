import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmodSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { modelFile, planFile, refuseOccupied, replaceFile, selectionFile, writeResult } from "./replace-file.ts";

function inDirectory(work: (directory: string) => void): void {
  const directory = mkdtempSync(join(tmpdir(), "lathe-replace-file-"));
  try {
    work(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

test("a file is written as a whole; a directory, a missing one above and no name are told, and nothing is left", () => {
  inDirectory((directory) => {
    const [file, folder, lost] = ["file", "folder", join("lost", "file")].map((name) => join(directory, name));
    mkdirSync(folder);
    replaceFile(file, "one");
    replaceFile(file, "two");
    assert.equal(readFileSync(file, "utf8"), "two");
    assert.throws(() => replaceFile(folder, "x"), { code: "ALREADY_EXISTS", message: /folder is a directory; name a file/ });
    assert.throws(() => replaceFile(lost, "x"), { code: "NOT_FOUND", message: /there is no directory .*lost; make it first/ });
    assert.throws(() => replaceFile("", "x"), { code: "INVALID_ARGUMENT", message: /--out is empty/ });
    assert.throws(() => replaceFile(join(file, "x"), "x"), { code: "INVALID_ARGUMENT", message: /not a directory/ });
    assert.deepEqual(readdirSync(directory).sort(), ["file", "folder"]);
  });
});

test("an older result of the same kind and an empty file are replaced, anything else only if forced", () => {
  inDirectory((directory) => {
    const file = join(directory, "file");
    const selection = '{\n  "version": 1,\n  "contract": "x",\n  "contractHash": "0"\n}\n';
    const occupied = (kind: typeof planFile) =>
      assert.throws(() => writeResult(file, "new", kind, false), { code: "ALREADY_EXISTS", message: /add --force/ });
    for (const present of ["mine", '{"version": 1, "private": true}', selection]) {
      writeFileSync(file, present);
      occupied(planFile);
      occupied(modelFile);
      assert.throws(() => refuseOccupied(file, planFile, false), { code: "ALREADY_EXISTS" });
      assert.equal(readFileSync(file, "utf8"), present);
    }
    writeResult(file, "new", selectionFile, false);
    assert.equal(readFileSync(file, "utf8"), "new");
    occupied(selectionFile);
    writeResult(file, "forced", selectionFile, true);
    assert.equal(readFileSync(file, "utf8"), "forced");
    writeFileSync(file, "");
    writeResult(file, "into an empty file", modelFile, false);
    assert.deepEqual(readdirSync(directory), ["file"]);
  });
});

test("links stay links, and a file keeps its mode", () => {
  inDirectory((directory) => {
    const [file, link] = ["file", "link"].map((name) => join(directory, name));
    writeFileSync(file, "one");
    chmodSync(file, 0o600);
    symlinkSync(file, link);
    replaceFile(link, "two");
    assert.equal(readFileSync(file, "utf8"), "two");
    assert.ok(lstatSync(link).isSymbolicLink());
    assert.equal(statSync(file).mode & 0o777, 0o600);
  });
});

test("a device is written to and stays one; a pipe that nobody reads is told of at once", () => {
  inDirectory((directory) => {
    const [device, pipe] = [join(directory, "device"), join(directory, "pipe")];
    symlinkSync("/dev/null", device);
    replaceFile(device, "gone");
    assert.ok(statSync("/dev/null").isCharacterDevice());
    execFileSync("mkfifo", [pipe]);
    assert.throws(() => replaceFile(pipe, "x"), { code: "IO_ERROR", message: /it is a pipe that nobody reads/ });
  });
});

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { beginningOf, replaceFile } from "./replace-file.ts";

test("a file is written as a whole; a directory, a missing one above and no name are told, and nothing is left", () => {
  const directory = mkdtempSync(join(tmpdir(), "lathe-replace-file-"));
  try {
    const [file, folder, lost] = ["file", "folder", join("lost", "file")].map((name) => join(directory, name));
    mkdirSync(folder);
    replaceFile(file, "one");
    replaceFile(file, "two");
    assert.equal(readFileSync(file, "utf8"), "two");
    assert.equal(beginningOf(file), "two");
    assert.equal(beginningOf(lost), undefined);
    assert.throws(() => replaceFile(folder, "x"), { code: "ALREADY_EXISTS", message: /folder is a directory; name a file/ });
    assert.throws(() => beginningOf(folder), { code: "ALREADY_EXISTS" });
    assert.throws(() => replaceFile(lost, "x"), { code: "NOT_FOUND", message: /there is no directory .*lost; make it first/ });
    assert.throws(() => replaceFile("", "x"), { code: "INVALID_ARGUMENT", message: /--out is empty/ });
    writeFileSync(join(directory, "other"), "x");
    assert.deepEqual(readdirSync(directory).sort(), ["file", "folder", "other"]);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

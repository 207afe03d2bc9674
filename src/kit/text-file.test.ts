import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { readTextFile } from "./text-file.ts";

function inDirectory(work: (place: (name: string, bytes?: string | Buffer) => string) => void): void {
  const directory = mkdtempSync(join(tmpdir(), "lathe-text-file-"));
  try {
    work((name, bytes) => {
      const file = join(directory, name);
      if (bytes !== undefined) writeFileSync(file, bytes);
      return file;
    });
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const read = (file: string) => readTextFile(file, { bytesMax: 100 });

test("text is read as it is, without a byte order mark", () => {
  inDirectory((place) => {
    assert.equal(read(place("plain", "käse\n\uFFFD")), "käse\n\uFFFD");
    assert.equal(read(place("marked", "\uFEFFx")), "x");
    assert.equal(read(place("empty", "")), "");
  });
});

test("what is no file, too large or no UTF-8 is refused at once, with what to do", () => {
  inDirectory((place) => {
    const pipe = place("pipe");
    execFileSync("mkfifo", [pipe]);
    const refused = (file: string, message: RegExp, code = "INVALID_ARGUMENT") =>
      assert.throws(() => read(file), { code, message });
    refused(pipe, /cannot read .*pipe: it is a pipe and no file; save what it gives, and name that/);
    refused("/dev/zero", /it is a device and no file/);
    refused(place("."), /it is a directory; name a file/);
    refused(place("missing"), /it does not exist/, "NOT_FOUND");
    refused(place("large", "x".repeat(101)), /has 101 bytes, and 100 at most are read/, "LIMIT_EXCEEDED");
    refused(place("latin", Buffer.from("a: 1\nb: k\xE4se\nc: 1\n", "latin1")), /line 2 is not UTF-8; save it as UTF-8/);
    refused(place("cut", Buffer.from("ä\nää").subarray(0, 6)), /line 2 is not UTF-8/);
    refused(place("wide", Buffer.from("\uFEFFa: 1", "utf16le")), /it is UTF-16; save it as UTF-8/);
  });
});

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

test("a pipe that is open already is read to its end, and once for all", { skip: process.platform === "win32" }, () => {
  const module = new URL("./text-file.ts", import.meta.url).href;
  const program = `import { readTextFile } from ${JSON.stringify(module)};
    const read = (file) => readTextFile(file, { bytesMax: 300_000 });
    console.log(read("/dev/stdin").length, read("/dev/stdin").length, read("/dev/fd/3").trim());
    try { readTextFile("/dev/fd/4", { bytesMax: 100 }); } catch (error) { console.log(error.code); }`;
  const line = `head -c 200000 /dev/zero | { "$0" --input-type=module -e "$1" 3< <(sleep 0.1; echo late) 4< <(seq 100); }`;
  const output = execFileSync("bash", ["-c", line, process.execPath, program], { encoding: "utf8" });
  assert.equal(output, "200000 200000 late\nLIMIT_EXCEEDED\n");
});

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import fc from "fast-check";
import { nodeDisk } from "./node-disk.ts";
import { translateSystemError } from "./system-error.ts";

const base = mkdtempSync(join(tmpdir(), "lathe-disk-"));
after(() => rmSync(base, { recursive: true }));

test("positional writes and both kinds of reads agree with an array", async () => {
  let files = 0;
  const write = fc.record({ position: fc.nat(5000), bytes: fc.uint8Array({ minLength: 1, maxLength: 500 }) });
  await fc.assert(
    fc.asyncProperty(fc.array(write, { maxLength: 20 }), fc.nat(6000), fc.nat(600), async (writes, position, length) => {
      const file = nodeDisk.open(join(base, `file-${files++}`), "create");
      const model = new Uint8Array(6000);
      let size = 0;
      for (const { position: at, bytes } of writes) {
        file.writeSync(bytes, 0, bytes.length, at);
        model.set(bytes, at);
        size = Math.max(size, at + bytes.length);
      }
      assert.equal(file.sizeSync(), size);
      const expected = model.slice(Math.min(position, size), Math.min(position + length, size));
      const target = new Uint8Array(length + 1);
      assert.equal(file.readSync(target, 1, length, position), expected.length);
      assert.deepEqual(target.slice(1, 1 + expected.length), expected);
      const other = new Uint8Array(length);
      assert.equal(await file.read(other, 0, length, position), expected.length);
      assert.deepEqual(other.slice(0, expected.length), expected);
      await file.sync();
      file.syncSync();
      file.close();
    }),
    { numRuns: 30 },
  );
});

test("allocation keeps what is there, fills with zeros and takes real blocks", () => {
  const file = nodeDisk.open(join(base, "allocated"), "create");
  file.writeSync(Uint8Array.of(1, 2, 3), 0, 3, 0);
  const free = nodeDisk.freeBytes(base);
  assert.ok(free > 0);
  file.allocateSync(3 << 20);
  assert.equal(file.sizeSync(), 3 << 20);
  const head = new Uint8Array(5);
  file.readSync(head, 0, 5, 0);
  assert.deepEqual(head, Uint8Array.of(1, 2, 3, 0, 0));
  file.allocateSync(10);
  assert.equal(file.sizeSync(), 3 << 20);
  file.truncateSync(2);
  assert.equal(file.sizeSync(), 2);
  file.close();
  assert.throws(() => file.sizeSync(), /assertion failed/);
});

test("names: create, list, link, rename, remove", () => {
  const directory = join(base, "a/b/c");
  nodeDisk.makeDirectory(directory);
  nodeDisk.makeDirectory(directory);
  const file = nodeDisk.open(join(directory, "z"), "create");
  file.writeSync(Uint8Array.of(7), 0, 1, 0);
  file.close();
  nodeDisk.link(join(directory, "z"), join(directory, "y"));
  nodeDisk.rename(join(directory, "z"), join(directory, "x"));
  assert.deepEqual(nodeDisk.list(directory), ["x", "y"]);
  assert.equal(nodeDisk.size(join(directory, "y")), 1);
  nodeDisk.unlink(join(directory, "x"));
  nodeDisk.syncDirectory(directory);
  assert.ok(nodeDisk.exists(join(directory, "y")));
  assert.ok(!nodeDisk.exists(join(directory, "x")));
});

test("errors have codes, and say what was done to what", () => {
  const path = join(base, "errors");
  assert.throws(() => nodeDisk.open(path, "read"), { code: "NOT_FOUND", message: `cannot open ${path}: it does not exist` });
  assert.throws(() => nodeDisk.open(path, "write"), { code: "NOT_FOUND" });
  nodeDisk.open(path, "create").close();
  assert.throws(() => nodeDisk.open(path, "create"), { code: "ALREADY_EXISTS" });
  assert.throws(() => nodeDisk.link(path, path), { code: "ALREADY_EXISTS" });
  assert.throws(() => nodeDisk.list(join(base, "nowhere")), { code: "NOT_FOUND" });
  assert.throws(() => nodeDisk.list(path), { code: "INVALID_ARGUMENT" });
  const readOnly = nodeDisk.open(path, "read");
  assert.throws(() => readOnly.writeSync(Uint8Array.of(1), 0, 1, 0), { code: "IO_ERROR" });
  readOnly.close();
});

test("a full device is DISK_FULL", { skip: !nodeDisk.exists("/dev/full") }, () => {
  symlinkSync("/dev/full", join(base, "full"));
  const file = nodeDisk.open(join(base, "full"), "write");
  assert.throws(() => file.writeSync(Uint8Array.of(1), 0, 1, 0), { code: "DISK_FULL", message: /no space is left/ });
  file.close();
});

test("system errors are translated; the unknown ones are IO_ERROR with their cause", () => {
  const codeOf = (code: string) => translateSystemError(Object.assign(new Error("x"), { code }), "open", "f").code;
  assert.deepEqual(
    ["ENOSPC", "EDQUOT", "EROFS", "EACCES", "EPERM", "ENOENT", "EEXIST", "EADDRINUSE", "EIO", "EMFILE"].map(codeOf),
    ["DISK_FULL", "DISK_FULL", "READ_ONLY", "PERMISSION", "PERMISSION", "NOT_FOUND", "ALREADY_EXISTS", "ADDRESS_IN_USE",
      "IO_ERROR", "IO_ERROR"],
  );
  const cause = new Error("odd");
  assert.equal(translateSystemError(cause, "open", "f").cause, cause);
});

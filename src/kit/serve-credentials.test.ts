import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { generatePassword, passwordInForce } from "./serve-credentials.ts";

const random = {
  u32: () => randomBytes(4).readUInt32LE(),
  bytes: (length: number) => new Uint8Array(randomBytes(length)),
};

function inDirectory(run: (directory: string) => void): void {
  const directory = mkdtempSync(join(tmpdir(), "lathe-credentials-"));
  try {
    run(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

test("the first run makes a password, later ones find it, the environment wins", () => {
  inDirectory((directory) => {
    const first = passwordInForce(directory, {}, random);
    assert.equal(first.source, "generated");
    assert.match(first.password, /^[A-Za-z2-9]{24}$/);
    assert.equal(readFileSync(first.file, "utf8"), `${first.password}\n`);
    assert.equal(statSync(first.file).mode & 0o777, 0o600);
    const second = passwordInForce(directory, {}, random);
    assert.deepEqual([second.source, second.password], ["file", first.password]);
    const given = passwordInForce(directory, { LATHE_PASSWORD: "secret" }, random);
    assert.deepEqual([given.source, given.password], ["environment", "secret"]);
  });
});

test("a password that others can read, an empty one and no directory are refused", () => {
  inDirectory((directory) => {
    const file = join(directory, "password");
    writeFileSync(file, "secret\n", { mode: 0o644 });
    chmodSync(file, 0o644);
    assert.throws(() => passwordInForce(directory, {}, random), { code: "PERMISSION", message: /chmod 600/ });
    writeFileSync(file, "\n");
    chmodSync(file, 0o600);
    assert.throws(() => passwordInForce(directory, {}, random), { code: "INVALID_ARGUMENT" });
    assert.throws(() => passwordInForce(directory, { LATHE_PASSWORD: "" }, random), { code: "INVALID_ARGUMENT" });
    assert.throws(() => passwordInForce(join(directory, "none"), {}, random), { code: "IO_ERROR" });
  });
});

test("passwords differ and use the whole alphabet", () => {
  const passwords = Array.from({ length: 200 }, () => generatePassword(random));
  assert.equal(new Set(passwords).size, passwords.length);
  assert.equal(new Set(passwords.join("")).size, 56);
});

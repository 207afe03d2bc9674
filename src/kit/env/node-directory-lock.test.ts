import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { lockDirectory, lockFileName, ownIdentity, type ProcessIdentity } from "./node-directory-lock.ts";

const base = mkdtempSync(join(tmpdir(), "lathe-lock-"));
after(() => rmSync(base, { recursive: true }));
let directories = 0;

function directoryHeldBy(holder: Partial<ProcessIdentity> | string | undefined): string {
  const directory = mkdtempSync(join(base, `${directories++}-`));
  const text = typeof holder === "string" ? holder : JSON.stringify({ ...ownIdentity(), ...holder });
  if (holder !== undefined) writeFileSync(join(directory, lockFileName), text);
  return directory;
}

const dead = { pid: 2 ** 22 + 1 };

test("one holder at a time; release leaves nothing behind", () => {
  const directory = directoryHeldBy(undefined);
  const lock = lockDirectory(directory);
  assert.throws(() => lockDirectory(directory), { code: "LOCKED", message: new RegExp(`this process \\(${process.pid}\\)`) });
  assert.deepEqual(readdirSync(directory), [lockFileName]);
  lock.release();
  lock.release();
  assert.deepEqual(readdirSync(directory), []);
  lockDirectory(directory).release();
});

test("locks of the dead, of reused process ids, of former boots and of nobody are taken over", () => {
  const stale = [dead, { startTime: "1" }, { ...dead, bootId: "another" }, { bootId: "another" }, "", "{", "null", "[]"];
  for (const holder of stale) {
    const directory = directoryHeldBy(holder);
    const lock = lockDirectory(directory);
    assert.throws(() => lockDirectory(directory), { code: "LOCKED" });
    lock.release();
    assert.deepEqual(readdirSync(directory), []);
  }
});

test("locks of the living, and of those who cannot be looked up, are respected", () => {
  const parent = directoryHeldBy({ pid: process.ppid, startTime: "" });
  assert.throws(() => lockDirectory(parent), { code: "LOCKED", message: new RegExp(`process ${process.ppid}; stop it`) });
  const foreign = directoryHeldBy({ ...dead, host: "elsewhere" });
  assert.throws(() => lockDirectory(foreign), { code: "LOCKED", message: /on elsewhere, .* remove .*LOCK/ });
  const contained = directoryHeldBy({ ...dead, pidNamespace: "pid:[1]" });
  assert.throws(() => lockDirectory(contained), { code: "LOCKED" });
});

test("an abandoned takeover is taken over in turn", () => {
  const directory = directoryHeldBy(dead);
  writeFileSync(join(directory, `${lockFileName}.takeover`), JSON.stringify({ ...ownIdentity(), ...dead }));
  lockDirectory(directory).release();
  assert.deepEqual(readdirSync(directory), []);
});

test("errors: a missing directory", () => {
  assert.throws(() => lockDirectory(join(base, "missing")), { code: "NOT_FOUND" });
});

test("of processes that race for a dead holder's lock exactly one gets it", { timeout: 180_000 }, async () => {
  const directory = directoryHeldBy(dead);
  const moduleUrl = new URL("./node-directory-lock.ts", import.meta.url).href;
  const startAtMs = Date.now() + 600;
  // The winner holds the lock until its standard input ends, so that every loser meets it alive.
  const source = `
    import { lockDirectory } from ${JSON.stringify(moduleUrl)};
    while (Date.now() < ${startAtMs});
    try { lockDirectory(${JSON.stringify(directory)}); console.log("won"); process.stdin.resume(); }
    catch (error) { console.log(error.code); process.exit(0); }`;
  const children = Array.from({ length: 5 }, () => spawn(process.execPath, ["--input-type=module", "-e", source]));
  const ended = children.map((child) => new Promise((resolve) => child.once("exit", resolve)));
  const words = await Promise.all(
    children.map((child) => new Promise<string>((resolve) => child.stdout.once("data", (text) => resolve(String(text).trim())))),
  );
  for (const child of children) child.stdin.end();
  await Promise.all(ended);
  assert.deepEqual(words.sort(), ["LOCKED", "LOCKED", "LOCKED", "LOCKED", "won"]);
});

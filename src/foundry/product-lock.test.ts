import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { ownIdentity, type ProcessIdentity, startTimeOf } from "../kit/env/node-directory-lock.ts";
import { LatheError } from "../kit/errors.ts";
import { replaceProduct } from "./product-directory.ts";
import { awaitPlace, holdPlace } from "./product-lock.ts";

const scratch = mkdtempSync(join(tmpdir(), "lathe-product-lock-"));
after(() => rmSync(scratch, { recursive: true }));
const store = join(scratch, "store");
const lock = join(scratch, ".store.lock");

const heldBy = (holder: Partial<ProcessIdentity>) =>
  writeFileSync(lock, JSON.stringify({ ...ownIdentity(), ...holder }));
/** The runner of this file, which lives as long as the test does. */
const other = { pid: process.ppid, startTime: startTimeOf(process.ppid) };
const files = new Map([["README.md", "one"]]);
const build = (held = false) => replaceProduct(store, "store", "0".repeat(64), files, { force: false, carried: [], held });

test("a second build is told who builds, and writes nothing; one that waits goes on when the place is free", async () => {
  heldBy(other);
  const message = new RegExp(`process ${process.ppid} is building into .*store; wait for its end, or choose another --out`);
  assert.throws(() => build(), { code: "LOCKED", message });
  assert.deepEqual(readdirSync(scratch), [".store.lock"]);
  const told: string[] = [];
  const waiting = awaitPlace(store, {
    onWait(line) {
      told.push(line);
      // The other one ends.
      setTimeout(() => rmSync(lock), 50);
    },
  });
  const hold = await waiting;
  assert.deepEqual(told, [`waiting for process ${process.ppid}, which is building into ${store}`]);
  assert.match(readFileSync(lock, "utf8"), new RegExp(`"pid":${process.pid}`));
  assert.throws(() => build(), { code: "LOCKED", message: new RegExp(`process ${process.pid} is building`) });
  build(true);
  hold.release();
  assert.deepEqual(readdirSync(scratch), ["store"]);
  rmSync(store, { recursive: true });
});

test("Ctrl-C ends the waiting; who cannot be looked up is not waited for; the dead hold nothing", async () => {
  heldBy(other);
  const controller = new AbortController();
  const onWait = () => controller.abort(new LatheError("CANCELLED", "stopped"));
  await assert.rejects(awaitPlace(store, { signal: controller.signal, onWait }), { code: "CANCELLED" });
  heldBy({ host: "elsewhere" });
  await assert.rejects(awaitPlace(store), { code: "LOCKED", message: /on elsewhere, .*remove .*\.store\.lock/ });
  heldBy({ pid: 2 ** 22 + 1 });
  (await awaitPlace(store)).release();
  assert.deepEqual(readdirSync(scratch), []);
});

test("directories above are made with the lock, and go with it where nothing was built", () => {
  const deep = join(scratch, "a", "b", "store");
  const hold = holdPlace(deep);
  assert.deepEqual(readdirSync(join(scratch, "a", "b")), [".store.lock"]);
  hold.release();
  assert.deepEqual(readdirSync(scratch), []);
});

/**
 * Stores written by every version of the file formats (CURRENT and the snapshot), kept in `golden/`, must open and read
 * the same for ever. `LATHE_WRITE_GOLDEN=1` writes the present version's; an existing one is never written again.
 */
import assert from "node:assert/strict";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { createNodeEnv } from "../../../../kit/env/node-env.ts";
import { encodeFileHeader, noSelectionHash } from "../../../../kit/file-header.ts";
import { WriteBatch } from "../../write-batch.ts";
import { openMemoryEngine } from "./memory-engine.ts";

const golden = join(import.meta.dirname, "golden");
const present = "v3";
const magics: Readonly<Record<string, string>> = { CURRENT: "LATHEMCU", "snapshot-000002.mem": "LATHEMEM" };
const root = mkdtempSync(join(tmpdir(), "lathe-memory-golden-"));
const env = createNodeEnv({ logLevel: "error" });
after(async () => {
  await env.threads.close();
  rmSync(root, { recursive: true });
});

/** Long after any run of this test; and a time that is past for every clock. */
const farMs = 7_000_000_000_000;
const pastMs = 5;
const lastIndex = 39;
const keyOf = (n: number) => `user/${String(n * 37).padStart(6, "0")}`;

/** The contents of the store: a function of the version alone, so that every program knows them. */
function contents(): Map<string, string> {
  const map = new Map<string, string>();
  for (let n = 0; n < 90; n++) if (n % 7 !== 3) map.set(keyOf(n), `value ${n} `.repeat(n % 4));
  map.set("z".repeat(300), "a long key");
  map.set("y", "a long value ".repeat(400));
  map.set("expires/late", "still here");
  map.set("gone/05", "written again");
  return map;
}

async function writeGolden(directory: string): Promise<void> {
  // By entry time nothing expires while the store is written, so that what has expired is in its files.
  const engine = await openMemoryEngine(env, { directory: join(root, "writing"), expiryTime: "entry" });
  let index = 0;
  const apply = (batch: WriteBatch) => engine.applySync(batch, ++index);
  const put = (key: string, value: string, expiresAtMs?: number) =>
    apply(new WriteBatch().put(Buffer.from(key), Buffer.from(value), expiresAtMs === undefined ? {} : { expiresAtMs }));
  for (let n = 0; n < 10; n++) put(`gone/0${n}`, "old");
  for (let n = 3; n < 90; n += 7) put(keyOf(n), "old");
  await engine.flush();
  apply(new WriteBatch().deleteRange(Buffer.from("gone/"), Buffer.from("gone0")));
  for (let n = 3; n < 90; n += 7) apply(new WriteBatch().delete(Buffer.from(keyOf(n))));
  put("expires/early", "gone", pastMs);
  const all = new WriteBatch();
  for (const [key, value] of contents()) {
    all.put(Buffer.from(key), Buffer.from(value), key === "expires/late" ? { expiresAtMs: farMs } : {});
  }
  apply(all);
  assert.equal(index, lastIndex);
  await engine.flush();
  await engine.checkpoint(directory);
  await engine.close();
}

test("the present version has a golden store, with both formats in it", async () => {
  const directory = join(golden, present);
  if (process.env.LATHE_WRITE_GOLDEN !== undefined && !existsSync(directory)) {
    mkdirSync(golden, { recursive: true });
    await writeGolden(directory);
  }
  assert.deepEqual(readdirSync(directory).sort(), Object.keys(magics).sort());
  for (const [name, magic] of Object.entries(magics)) {
    assert.equal(readFileSync(join(directory, name), "latin1").slice(0, 8), magic);
  }
});

test("golden stores of all versions open, read the same in both directions, and can be rewritten", async () => {
  const versions = readdirSync(golden);
  assert.ok(versions.includes(present));
  const expected = [...contents()].sort(([a], [b]) => (a < b ? -1 : 1));
  for (const version of versions) {
    const directory = join(root, version);
    cpSync(join(golden, version), directory, { recursive: true });
    for (let round = 0; round < 2; round++) {
      const engine = await openMemoryEngine(env, { directory });
      assert.ok(engine.durableIndex >= lastIndex && engine.appliedIndex === engine.durableIndex);
      const read = (reverse: boolean) => {
        const cursor = engine.scan({ reverse });
        const found: [string, string][] = [];
        while (cursor.next()) found.push([Buffer.from(cursor.key).toString(), Buffer.from(cursor.value).toString()]);
        cursor.close();
        return reverse ? found.reverse() : found;
      };
      assert.deepEqual(read(false), expected);
      assert.deepEqual(read(true), expected);
      for (const [key, value] of expected) {
        assert.equal(Buffer.from(engine.getSync(Buffer.from(key)) ?? []).toString(), value);
      }
      for (const key of ["gone/04", "expires/early", keyOf(3)]) {
        assert.equal(engine.getSync(Buffer.from(key)), undefined, key);
      }
      engine.applySync(new WriteBatch().put(Buffer.from("new"), Buffer.from("new")), engine.appliedIndex + 1);
      engine.applySync(new WriteBatch().delete(Buffer.from("new")), engine.appliedIndex + 1);
      await engine.compactAll();
      await engine.close();
    }
  }
});

test("a later format version and another selection are refused with the way out, and nothing is changed", async () => {
  for (const [name, magic] of Object.entries(magics)) {
    for (const header of [
      encodeFileHeader({ magic, version: 99, selectionHash: noSelectionHash }),
      encodeFileHeader({ magic, version: 1, selectionHash: "ab".repeat(16) }),
    ]) {
      const directory = join(root, "refused");
      rmSync(directory, { recursive: true, force: true });
      cpSync(join(golden, present), directory, { recursive: true });
      const bytes = readFileSync(join(directory, name));
      bytes.set(header);
      writeFileSync(join(directory, name), bytes);
      await assert.rejects(openMemoryEngine(env, { directory }), { code: "FORMAT_UNKNOWN", message: /load the dump here/ });
      for (const one of Object.keys(magics)) {
        const kept = one === name ? bytes : readFileSync(join(golden, present, one));
        assert.ok(readFileSync(join(directory, one)).equals(kept), one);
      }
    }
  }
});

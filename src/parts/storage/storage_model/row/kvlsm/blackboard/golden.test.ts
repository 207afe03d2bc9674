/**
 * Stores written by every version of the file formats, kept in `golden/`, must open and read the same for ever.
 * `LATHE_WRITE_GOLDEN=1` writes the present version's; an existing one is never written again.
 */
import assert from "node:assert/strict";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { createNodeEnv } from "../../../../../../kit/env/node-env.ts";
import { encodeFileHeader, noSelectionHash } from "../../../../../../kit/file-header.ts";
import { WriteBatch } from "../../../../write-batch.ts";
import { openBlackboardEngine } from "./blackboard-engine.ts";

const golden = join(import.meta.dirname, "golden");
/** v2: compressed blocks, prefix filters, range tombstones and entries that expire. */
const present = "v2";
const root = mkdtempSync(join(tmpdir(), "lathe-lsm-golden-"));
const env = createNodeEnv({ logLevel: "error" });
after(async () => {
  await env.threads.close();
  rmSync(root, { recursive: true });
});

const bytesOf = (text: string) => new TextEncoder().encode(text);

/** Long after any run of this test; and a time that is past for every clock. */
const farMs = 7_000_000_000_000;
const pastMs = 5;

/** The contents of the store: a function of the version alone, so that every program knows them. */
function contents(version: string): Map<string, string> {
  const map = new Map<string, string>();
  for (let i = 0; i < 90; i++)
    if (i % 7 !== 3) map.set(`user/${String(i * 37).padStart(6, "0")}`, `value ${i} `.repeat(i % 4));
  map.set("z".repeat(300), "a long key");
  map.set("y", "a long value ".repeat(40));
  if (version === "v1") return map;
  map.set("expires/late", "still here");
  map.set("gone/05", "written again");
  return map;
}

async function writeGolden(directory: string): Promise<void> {
  const work = join(root, "writing");
  const options = { blockBytes: 256, targetFileBytes: 2048, compression: "zlib", prefixSeparator: 47 } as const;
  // By entry time nothing expires while the store is written, so that what has expired is in its files.
  const engine = await openBlackboardEngine(env, { directory: work, expiryTime: "entry", ...options });
  let index = 0;
  const apply = (batch: WriteBatch) => engine.applySync(batch, ++index);
  for (let i = 0; i < 90; i++)
    apply(new WriteBatch().put(bytesOf(`user/${String(i * 37).padStart(6, "0")}`), bytesOf("old")));
  for (let i = 0; i < 30; i++)
    apply(new WriteBatch().put(bytesOf(`gone/${String(i).padStart(2, "0")}`), bytesOf("x".repeat(100))));
  apply(new WriteBatch().put(bytesOf("expires/early"), bytesOf("old")));
  await engine.compactAll();
  const snapshot = engine.snapshot();
  apply(new WriteBatch().deleteRange(bytesOf("gone/"), bytesOf("gone/20")));
  const second = engine.snapshot();
  apply(new WriteBatch().deleteRange(bytesOf("gone/10"), bytesOf("gone0")));
  await engine.compactAll();
  apply(new WriteBatch().deleteRange(bytesOf("gone/03"), bytesOf("gone/07")));
  for (const [key, value] of contents(present)) apply(new WriteBatch().put(bytesOf(key), bytesOf(value)));
  apply(new WriteBatch().put(bytesOf("expires/late"), bytesOf("still here"), { expiresAtMs: farMs }));
  apply(new WriteBatch().put(bytesOf("expires/early"), bytesOf("new"), { expiresAtMs: pastMs }));
  await engine.flush();
  for (let i = 3; i < 90; i += 7)
    apply(new WriteBatch().delete(bytesOf(`user/${String(i * 37).padStart(6, "0")}`)));
  await engine.flush();
  await engine.checkpoint(directory);
  snapshot.release();
  second.release();
  await engine.close();
}

test("the present version has a golden store", async () => {
  const directory = join(golden, present);
  if (process.env.LATHE_WRITE_GOLDEN !== undefined && !existsSync(directory)) {
    mkdirSync(golden, { recursive: true });
    await writeGolden(directory);
  }
  assert.ok(existsSync(join(directory, "CURRENT")));
});

test("golden stores of all versions open, read the same in both directions, and can be rewritten", async () => {
  const versions = readdirSync(golden);
  assert.ok(versions.length > 0);
  for (const version of versions) {
    const directory = join(root, version);
    cpSync(join(golden, version), directory, { recursive: true });
    const engine = await openBlackboardEngine(env, { directory });
    const expected = [...contents(version)].sort(([a], [b]) => (a < b ? -1 : 1));
    const read = (reverse: boolean) => {
      const cursor = engine.scan({ reverse });
      const found: [string, string][] = [];
      while (cursor.next())
        found.push([Buffer.from(cursor.key).toString(), Buffer.from(cursor.value).toString()]);
      cursor.close();
      return reverse ? found.reverse() : found;
    };
    for (let round = 0; round < 2; round++) {
      for (const key of ["gone/04", "gone/29", "expires/early"]) assert.equal(engine.getSync(bytesOf(key)), undefined);
      assert.deepEqual(read(false), expected);
      assert.deepEqual(read(true), expected);
      for (const [key, value] of expected)
        assert.equal(Buffer.from(engine.getSync(bytesOf(key)) ?? []).toString(), value);
      await engine.compactAll();
    }
    await engine.close();
  }
});

test("a later format version and another selection are refused with the way out", async () => {
  const magics: Record<string, string> = { CURRENT: "LATHECUR", MANIFEST: "LATHEMAN", ".sst": "LATHESST" };
  const names = readdirSync(join(golden, present));
  for (const [part, magic] of Object.entries(magics)) {
    for (const header of [
      encodeFileHeader({ magic, version: 99, selectionHash: noSelectionHash }),
      encodeFileHeader({ magic, version: 1, selectionHash: "ab".repeat(16) }),
    ]) {
      const directory = join(root, "refused");
      rmSync(directory, { recursive: true, force: true });
      cpSync(join(golden, present), directory, { recursive: true });
      const name = names.find((one) => one.includes(part)) as string;
      const bytes = readFileSync(join(directory, name));
      bytes.set(header);
      writeFileSync(join(directory, name), bytes);
      await assert.rejects(openBlackboardEngine(env, { directory }), {
        code: "FORMAT_UNKNOWN",
        message: /load the dump here/,
      });
      assert.deepEqual(
        readdirSync(directory)
          .filter((one) => !one.includes("lock") && !one.includes("LOCK"))
          .sort(),
        names.sort(),
      );
    }
  }
});

test("a missing manifest and a missing CURRENT are CORRUPTION that names the file", async () => {
  for (const part of ["MANIFEST", "CURRENT"]) {
    const directory = join(root, "missing");
    rmSync(directory, { recursive: true, force: true });
    cpSync(join(golden, present), directory, { recursive: true });
    const name = readdirSync(directory).find((one) => one.includes(part)) as string;
    rmSync(join(directory, name));
    await assert.rejects(openBlackboardEngine(env, { directory }), {
      code: "CORRUPTION",
      message: new RegExp(name),
    });
  }
});

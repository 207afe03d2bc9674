/** Sets of backups of every version verify and restore; manifests that are damaged, newer or hostile are refused. */
import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { createNodeEnv } from "../kit/env/node-env.ts";
import { openBlackboardEngine } from "../parts/storage/storage_model/row/kvlsm/blackboard/blackboard-engine.ts";
import { verifyBackups } from "./backup.ts";
import { backupIds, findBackup, readBackupManifest } from "./backup-set.ts";
import { restoreBackup } from "./restore.ts";
import { scrubDirectory } from "./scrub.ts";
import type { UseCaseContext } from "./use-case.ts";

const golden = join(import.meta.dirname, "golden", "backup-v1");
const [first, second] = ["20260102T030405Z", "20260102T030406Z"];
const scratch = mkdtempSync(join(tmpdir(), "lathe-backup-set-"));
after(() => rmSync(scratch, { recursive: true, force: true }));
const signal = new AbortController().signal;
const context: UseCaseContext = { signal, progress: () => undefined, status: () => undefined };

/** The stored rows that hold "value", as text. */
async function valuesIn(data: string): Promise<string[]> {
  const env = createNodeEnv({ logLevel: "error" });
  const { selectionHash } = readBackupManifest(golden, first);
  const engine = await openBlackboardEngine(env, { directory: join(data, "engine"), selectionHash });
  const cursor = engine.scan({});
  const values: string[] = [];
  while (cursor.next()) {
    const value = /value \d+/.exec(Buffer.from(cursor.value).toString("latin1"));
    if (value !== null) values.push(value[0]);
  }
  cursor.close();
  await engine.close();
  await env.threads.close();
  return values;
}

test("a set of version 1 verifies, and each of its backups restores to what was in it", async () => {
  assert.deepEqual(backupIds(golden), [first, second]);
  assert.equal(findBackup(golden, undefined), second);
  const { backups, partial } = await verifyBackups(golden, undefined, context);
  assert.deepEqual([backups.map(({ problems }) => problems), partial], [[[], []], []]);
  // Of 50 rows in the tables every fifth is NULL; three more are in the log of the second one alone.
  const values = Array.from({ length: 50 }, (_, i) => `value ${i}`).filter((_, i) => i % 5 !== 0);
  for (const [id, entriesBehind] of [[first, 0], [second, 3]] as const) {
    const data = join(scratch, id);
    const restored = await restoreBackup({ set: golden, id, data }, context);
    assert.equal(restored.keyCount, 52, "rows, and the table in the catalog");
    const { damagedFiles, logEntries } = await scrubDirectory(data, context);
    assert.deepEqual([damagedFiles, logEntries], [0, entriesBehind + 1], "the last entry of the tables stays in the log");
    assert.deepEqual(await valuesIn(data), values);
  }
});

test("manifests that are newer, damaged or lead elsewhere are refused by name", async () => {
  const set = join(scratch, "set");
  cpSync(golden, set, { recursive: true });
  const path = join(set, second, "backup.json");
  const whole = readFileSync(path, "utf8");
  const manifest = JSON.parse(whole) as { files: object[] };
  const refusals: [unknown, string, RegExp][] = [
    [{ ...manifest, version: 2 }, "FORMAT_UNKNOWN", /has version 2, this Lathe reads 1: restore it with the Lathe that wrote/],
    [{ ...manifest, format: "other" }, "CORRUPTION", /is no manifest/],
    [null, "CORRUPTION", /is no manifest/],
    [{ ...manifest, durableIndex: "2" }, "CORRUPTION", /lacks a count/],
    [{ ...manifest, files: undefined }, "CORRUPTION", /lacks a count, a hash or its files/],
    [{ ...manifest, files: [null] }, "CORRUPTION", /lacks the digest/],
    ...["../x", "/etc/x", "engine/../../x", ""].map((name): [unknown, string, RegExp] => {
      return [{ ...manifest, files: [{ ...manifest.files[0], path: name }] }, "CORRUPTION", /no place in a backup/];
    }),
  ];
  for (const [content, code, message] of refusals) {
    writeFileSync(path, JSON.stringify(content));
    assert.throws(() => readBackupManifest(set, second), { code, message });
    const refused = restoreBackup({ set, id: second, data: join(scratch, "never") }, context);
    await assert.rejects(refused, { code, message });
    const { backups } = await verifyBackups(set, undefined, context);
    assert.match(backups[1].problems.join(), message);
    assert.deepEqual(backups[0].problems, [], "the other one is not touched by it");
  }
  for (const place of ['"keyCount": 52', '"durableIndex": 2', manifestDigest(whole)]) {
    writeFileSync(path, whole.replace(place, place.replace(/\d(?=\D*$)/, (digit) => String((Number(digit) + 1) % 10))));
    const refused = restoreBackup({ set, id: second, data: join(scratch, "never") }, context);
    await assert.rejects(refused, { code: "CORRUPTION" }, place);
  }
});

function manifestDigest(text: string): string {
  return /"sha256": "[0-9a-f]{64}"/.exec(text)?.[0] ?? assert.fail("a digest");
}

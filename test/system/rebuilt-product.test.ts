/**
 * A product that is built again over its data: with another cache and without metrics it goes on, a backup of the one
 * before is restored into it; with another engine it refuses the data by name, with the way out, and changes nothing.
 */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { backUp } from "../../src/app/backup.ts";
import { buildFromContract } from "../../src/app/build.ts";
import { restoreBackup } from "../../src/app/restore.ts";
import type { UseCaseContext } from "../../src/app/use-case.ts";
import { connectTo, runMain, startProduct, withTemporaryDirectory } from "./product-harness.ts";

const contractFile = join(import.meta.dirname, "..", "..", "examples", "taobench-o", "contract.yaml");
const context: UseCaseContext = {
  signal: new AbortController().signal, progress: () => undefined, status: () => undefined,
};
const text = readFileSync(contractFile, "utf8");

function changed(file: string, changes: readonly [RegExp, string][]): string {
  let contract = text;
  for (const [pattern, replacement] of changes) {
    assert.match(contract, pattern);
    contract = contract.replace(pattern, replacement);
  }
  writeFileSync(file, contract);
  return file;
}

async function rowsOf(product: string, data: string): Promise<unknown> {
  const running = await startProduct(product, ["--data", data]);
  const connection = await connectTo(running);
  const [rows] = await connection.query("SELECT id, value FROM objects WHERE id>=1 ORDER BY id");
  await connection.query("UPDATE objects SET timestamp=timestamp+1 WHERE id=1");
  await connection.end();
  assert.equal((await running.end("SIGTERM")).exitCode, 0);
  return rows;
}

test("other caches and metrics open data and backups; another engine refuses them with the way out", async () => {
  await withTemporaryDirectory(async (directory) => {
    const [product, data] = [join(directory, "product"), join(directory, "data")];
    buildFromContract({ contractFile, directory: product });
    const running = await startProduct(product, ["--data", data]);
    const connection = await connectTo(running);
    await connection.query("CREATE TABLE objects (id BIGINT PRIMARY KEY, timestamp BIGINT, value VARCHAR(150))");
    await connection.query("INSERT INTO objects VALUES (1, 10, 'a'), (2, 11, 'b')");
    await connection.end();
    // The rows are in the log alone, so the next start replays what the former product wrote.
    await running.end("SIGKILL");
    const set = join(directory, "backups");
    await backUp(data, set, context);
    const rows = [{ id: "1", value: "a" }, { id: "2", value: "b" }];

    const other = changed(join(directory, "other.yaml"), [[/row_cache: \w+/, "row_cache: lru"]]);
    const overrides = { with: [], without: ["architecture/observability"] };
    const { replaced } = buildFromContract({ contractFile: other, directory: product, overrides });
    assert.equal(replaced, true);
    assert.match(readFileSync(join(product, "product.ts"), "utf8"), /createLruCache/);
    assert.deepEqual(await rowsOf(product, data), rows);
    const restored = join(directory, "restored");
    await restoreBackup({ set, id: undefined, data: restored }, context);
    assert.deepEqual(await rowsOf(product, restored), rows);

    const memory = join(directory, "memory");
    const inMemory = changed(join(directory, "memory.yaml"), [
      [/row_cache: \w+/, "row_cache: none"], [/^ {2}memory_mib_max: .*$/m, "  memory_mib_max: 16384"],
      [/checksums: true/, "checksums: true, placement: memory"],
    ]);
    buildFromContract({ contractFile: inMemory, directory: memory });
    const refused = await runMain(memory, ["--data", data, "--mysql-port", "0"]);
    assert.equal(refused.exitCode, 7, refused.stderr);
    const wayOut = /CURRENT was written by .*engine, log and layout.*lathe export.*lathe import/;
    assert.match(refused.stderr, wayOut);
    assert.deepEqual(await rowsOf(product, data), rows);
  });
});

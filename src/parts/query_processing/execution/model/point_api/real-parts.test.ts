/** The executor on the real parts: engine with tiny memtables, write-ahead log, single-node log, LRU row cache, a disk. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { createNodeEnv } from "../../../../../kit/env/node-env.ts";
import { createCatalog } from "../../../../architecture/catalog/kv_encoded/kv-encoded-catalog.ts";
import { commandCodec } from "../../../../concurrency/transaction/model/one_shot_command/command-codec.ts";
import { createStateMachine } from "../../../../concurrency/transaction/model/one_shot_command/state-machine.ts";
import { openWal } from "../../../../core/wal/wal.ts";
import { recursiveDescentParser } from "../../../../parser/implementation/recursive_descent/recursive-descent.ts";
import { openSingleNodeLog } from "../../../../replication/single_node/single-node-log.ts";
import { rowToKv } from "../../../../storage/layout/row_to_kv/row-to-kv.ts";
import { createLruCache } from "../../../../storage/page_io/replacement/lru/lru-cache.ts";
import { openBlackboardEngine } from "../../../../storage/storage_model/row/kvlsm/blackboard/blackboard-engine.ts";
import { affectedOf, errorOf, rowsOf, run, runOne, runPrepared, taobenchTables } from "./in-memory-doors.fixture.ts";
import { createExecutor } from "./point-api.ts";

const env = createNodeEnv({ logLevel: "error" });
const root = mkdtempSync(join(tmpdir(), "lathe-executor-"));
const selectionHash = "0123456789abcdef0123456789abcdef";
after(async () => {
  await env.threads.close();
  rmSync(root, { recursive: true, force: true });
});

async function open(name: string) {
  const engine = await openBlackboardEngine(env, { directory: join(root, name, "data"), memtableBytes: 64 << 10, selectionHash });
  const catalog = createCatalog({ engine, layout: rowToKv });
  const cache = createLruCache({ capacityBytes: 64 << 10 });
  const stateMachine = createStateMachine({ engine, catalog, layout: rowToKv, cache });
  const wal = await openWal(env, { directory: join(root, name, "wal"), segmentBytes: 1 << 20, selectionHash });
  const log = openSingleNodeLog(env, { log: wal, stateMachine });
  await log.recover();
  const executor = createExecutor({
    env,
    engine,
    log,
    catalog,
    layout: rowToKv,
    codec: commandCodec,
    parser: recursiveDescentParser,
    cache,
  });
  const close = async () => {
    await log.close();
    await engine.close();
  };
  return { engine, catalog, executor, close };
}

const valueOf = (i: number, version: number) => `${version}-${i}-`.padEnd(150, "x");

describe("the executor on the real parts", () => {
  test("what was answered is there after a restart, through flushes, refusals and a dropped table", async () => {
    let store = await open("restart");
    await run(store.executor, taobenchTables);
    for (let from = 0; from < 2000; from += 250) {
      const rows = Array.from({ length: 250 }, (_, i) => `('${from + i}', 1, '${valueOf(from + i, 0)}')`);
      assert.equal(affectedOf(await runOne(store.executor, `INSERT INTO objects (id, timestamp, value) VALUES ${rows.join(",")}`)), 250);
    }
    const update = store.executor.prepare("UPDATE objects SET timestamp=?, value=? WHERE timestamp<? AND id=?");
    const updates = Array.from({ length: 300 }, (_, i) => runPrepared(store.executor, update, [2n, valueOf(i * 3, 1), 2n, BigInt(i * 3)]));
    for (const result of await Promise.all(updates)) assert.equal(affectedOf(result), 1);
    await run(store.executor, "CREATE TABLE gone (id INT PRIMARY KEY); INSERT INTO gone VALUES (1); DROP TABLE gone");
    for (let i = 0; i < 5; i++) {
      assert.equal(errorOf(await runOne(store.executor, "INSERT INTO objects VALUES (5, 1, 'x')")).reason, "duplicate_key");
    }
    const transaction = "BEGIN; DELETE FROM objects WHERE timestamp<9 AND id=1; INSERT INTO edges VALUES (1, 2, 3, 4, 'e'); COMMIT";
    assert.equal((await run(store.executor, transaction)).length, 4);
    for (let round = 0; round < 2; round++) {
      await store.close();
      store = await open("restart");
      assert.deepEqual(store.catalog.list().map(({ name }) => name), ["edges", "objects"]);
      assert.deepEqual(rowsOf(await runOne(store.executor, "SELECT COUNT(*) FROM objects")), [[1999n]]);
      assert.deepEqual(rowsOf(await runOne(store.executor, "SELECT * FROM edges WHERE id1=1")), [[1n, 2n, 3n, 4n, "e"]]);
      const read = store.executor.prepare("SELECT value FROM objects WHERE id=?");
      for (let pass = 0; pass < 2; pass++) {
        for (let i = 0; i < 2000; i++) {
          const expected = i === 1 ? [] : [[valueOf(i, i % 3 === 0 && i < 900 ? 1 : 0)]];
          assert.deepEqual(rowsOf(await runPrepared(store.executor, read, [i])), expected);
        }
      }
      assert.equal(errorOf(await runOne(store.executor, "INSERT INTO objects VALUES (5, 1, 'x')")).reason, "duplicate_key");
      assert.equal(affectedOf(await runOne(store.executor, `INSERT INTO edges VALUES (7, 7, ${round}, 1, 'y')`)), 1);
    }
    await store.close();
  });

  test("concurrent conditional inserts of one unique edge: exactly one wins", async () => {
    const { executor, close } = await open("race");
    await run(executor, taobenchTables);
    const insert = executor.prepare(
      "INSERT INTO edges (id1,id2,type,timestamp,value) SELECT ?, ?, ?, ?, ? WHERE NOT EXISTS" +
        " (SELECT 1 FROM edges WHERE id1=? OR (id1=? AND id2=?))",
    );
    for (let a = 1; a <= 20; a++) {
      const attempts = Array.from({ length: 10 }, (_, i) => runPrepared(executor, insert, [a, 100 + i, 0, 1, "v", a, 100 + i, a]));
      const affected = (await Promise.all(attempts)).map(affectedOf);
      assert.equal(affected.reduce((sum, each) => sum + each), 1);
      assert.equal(rowsOf(await runOne(executor, `SELECT * FROM edges WHERE id1=${a}`)).length, 1);
    }
    await close();
  });

  test("after it was closed, statements fail in the terms of SQL", async () => {
    const { executor, close } = await open("closed");
    await run(executor, taobenchTables);
    await close();
    assert.equal(errorOf(await runOne(executor, "INSERT INTO objects VALUES (1, 1, 'x')")).reason, "shutting_down");
    assert.equal(errorOf(await runOne(executor, "SELECT * FROM objects WHERE id=1")).reason, "shutting_down");
  });
});

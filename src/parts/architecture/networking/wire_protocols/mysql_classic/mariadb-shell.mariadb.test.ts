/**
 * The mariadb shell against the surface: login by its own choice of plugin, statements, errors.
 * Skipped where it is missing.
 */
import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { createNodeEnv } from "../../../../../kit/env/node-env.ts";
import { rowToKv } from "../../../../storage/layout/row_to_kv/row-to-kv.ts";
import { openMysqlSurface } from "./mysql-surface.ts";
import { ScriptedExecutor, shapeOf } from "./scripted-executor.fixture.ts";

const run = promisify(execFile);
const missing = spawnSync("mariadb", ["--version"]).status !== 0;

test("the mariadb shell logs in and runs statements", { skip: missing && "mariadb is not installed" }, async (context) => {
  const env = createNodeEnv({ logLevel: "error" });
  context.after(() => env.threads.close());
  const directory = mkdtempSync(join(tmpdir(), "lathe-shell-"));
  context.after(() => rmSync(directory, { recursive: true, force: true }));
  for (const authentication of [{}, { nativePassword: false }, { nativePassword: false, fastPath: false }]) {
    const executor = new ScriptedExecutor(rowToKv);
    const version = shapeOf({ id: 9, name: "", primaryKey: [], columns: [
      { name: "@@version_comment", type: "varchar", lengthMax: 30, nullable: false },
    ] }, [0], false);
    executor.scripts.set("select @@version_comment limit 1", {
      shape: version,
      run(sink) {
        sink.rows(version);
        sink.valueRow(["Lathe"]);
        sink.end();
      },
    });
    const surface = openMysqlSurface(env, {
      executor, layout: rowToKv, authentication, credentials: { user: "lathe", password: "correct horse" },
    });
    context.after(() => surface.close());
    const socketPath = join(directory, "m.sock");
    const { port } = await surface.listen({ host: "127.0.0.1", port: 0, socketPath });
    const shell = (password: string, ...more: string[]) =>
      run("mariadb", [
        "--no-defaults", "-h127.0.0.1", `-P${port}`, "-ulathe", `-p${password}`, "--default-character-set=utf8mb4",
        "--skip-ssl", ...more,
      ]);
    const { stdout } = await shell("correct horse", "-t", "any_database", "-e", "select rest; update; select later");
    assert.match(stdout, /1700000000123456789 \| grün 🐘 +\| +0\.1 \| +-42/);
    assert.match(stdout, /NULL \| NULL/);
    await assert.rejects(shell("correct horse", "-e", "fail"), /ERROR 1062 \(23000\).*Duplicate entry/);
    await assert.rejects(shell("wrong", "-e", "update"), /ERROR 1045 \(28000\)/);
    const bySocket = ["-h", "localhost", "-S", socketPath];
    assert.match((await shell("correct horse", ...bySocket, "-e", "select rest")).stdout, /1700000000123456789/);
    await assert.rejects(shell("wrong", ...bySocket, "-e", "update"), /ERROR 1045 \(28000\)/);
    await surface.close();
  }
});

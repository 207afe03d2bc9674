/** `--socket`: the MySQL surface on a Unix-domain socket beside its port, from a start to a stop and past a kill. */
import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { createConnection } from "mysql2/promise";
import { buildFromContract } from "../../src/app/build.ts";
import { connectTo, password, runMain, startProduct, user, withTemporaryDirectory } from "./product-harness.ts";

const contractFile = join(import.meta.dirname, "..", "..", "examples", "taobench-o", "contract.yaml");
const run = promisify(execFile);
const shellMissing = spawnSync("mariadb", ["--version"]).status !== 0;

test("clients come in by the socket, also where TLS is required; it ends with the server", async () => {
  await withTemporaryDirectory(async (directory) => {
    const product = join(directory, "product");
    buildFromContract({ contractFile, directory: product });
    const socketPath = join(directory, "m.sock");
    const args = ["--data", join(directory, "data"), "--socket", socketPath];
    const killed = await startProduct(product, [...args, "--tls", "required"]);
    assert.equal(statSync(socketPath).mode & 0o777, 0o600);
    const connection = await createConnection({ socketPath, user, password });
    await connection.query("CREATE TABLE objects (id BIGINT PRIMARY KEY, timestamp BIGINT, value VARCHAR(150))");
    await connection.execute("INSERT INTO objects VALUES (?, ?, ?)", [1, 2, "three"]);
    const [rows] = await connection.execute("SELECT value FROM objects WHERE id = ?", [1]);
    assert.deepEqual(rows, [{ value: "three" }]);
    const [who] = await connection.query("SELECT CURRENT_USER() AS who");
    assert.deepEqual(who, [{ who: `${user}@localhost` }]);
    connection.destroy();
    await assert.rejects(createConnection({ socketPath, user, password: "wrong" }), { errno: 1045 });
    const other = await runMain(product, ["--data", join(directory, "other"), "--mysql-port", "0", "--socket", socketPath]);
    assert.match(other.stderr, /another process listens there/);
    await killed.end("SIGKILL");
    assert.ok(existsSync(socketPath));

    const server = await startProduct(product, args);
    const overTcp = await connectTo(server);
    await overTcp.query("DELETE FROM objects WHERE id = 1");
    overTcp.destroy();
    if (!shellMissing) {
      const shell = ["--no-defaults", "-S", socketPath, `-u${user}`, `-p${password}`, "-N", "-e"];
      const { stdout } = await run("mariadb", [...shell, "SELECT COUNT(*) FROM objects"]);
      assert.equal(stdout.trim(), "0");
    }
    const end = await server.end("SIGTERM");
    assert.equal(end.exitCode, 0);
    assert.equal(existsSync(socketPath), false);
  });
});

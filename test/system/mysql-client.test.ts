/** The typed client that a build writes for a product with a MySQL surface, over mysql2. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { buildFromContract } from "../../src/app/build.ts";
import { connectTo, startProduct, withTemporaryDirectory } from "./product-harness.ts";

const contractFile = join(import.meta.dirname, "..", "..", "examples", "taobench-o", "contract.yaml");

test("rows by key, in order, inserted, changed and deleted, with exact integers", async () => {
  await withTemporaryDirectory(async (directory) => {
    const product = join(directory, "product");
    buildFromContract({ contractFile, directory: product });
    const server = await startProduct(product, ["--data", join(directory, "data")]);
    const connection = await connectTo(server);
    await connection.query("CREATE TABLE objects (id BIGINT PRIMARY KEY, timestamp BIGINT, value VARCHAR(150))");
    const { TaobenchOClient } = await import(pathToFileURL(join(product, "client.ts")).href);
    const { objects } = new TaobenchOClient(connection);
    const id = 2n ** 63n - 1n;
    assert.equal(await objects.insert({ id, timestamp: 5n, value: "é" }, { id: 1n, timestamp: null, value: null }), 2);
    assert.deepEqual(await objects.find({ id }), { id, timestamp: 5n, value: "é" });
    assert.equal(await objects.find({ id: 2n }), undefined);
    assert.deepEqual((await objects.list(0n)).map((row: { id: bigint }) => row.id), [1n, id]);
    assert.equal(await objects.update({ id }, { value: "changed" }), 1);
    assert.equal((await objects.find({ id })).value, "changed");
    assert.equal(await objects.delete({ id: 1n }), 1);
    assert.equal(await objects.find({ id: 1n }), undefined);
    await assert.rejects(objects.insert({ id, timestamp: 1n, value: "again" }));
    await connection.end();
    await server.end("SIGTERM");
  });
});

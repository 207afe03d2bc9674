/**
 * The operations of a contract of one's own, transactions statement by statement among them, against a built product:
 * nothing that is read is wrong, conflicts are begun again as the server's error codes say, and a value that somebody
 * else has put there is found.
 */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { buildFromContract } from "../../src/app/build.ts";
import { DriverTarget } from "../../src/bench/driver-target.ts";
import { loadWorkload } from "../../src/bench/load.ts";
import { loadContract } from "../../src/contract/parse.ts";
import type { Endpoint } from "../../src/fleet/server.ts";
import { createWorkload } from "../../src/workload/create-workload.ts";
import { OwnTable } from "../../src/workload/own_operations/own-table.ts";
import type { Workload } from "../../src/workload/workload.ts";
import { connectTo, password, startProduct, type StartedProduct, user } from "./product-harness.ts";

const scratch = mkdtempSync(join(tmpdir(), "lathe-own-operations-"));
const seed = Number(process.env.LATHE_TEST_SEED ?? 1);
let product: StartedProduct;
let endpoint: Endpoint;
let workload: Workload;
let target: DriverTarget;

const text = `version: 2
name: shop
data:
  tables:
    - name: customers
      columns:
        - { name: id, type: bigint }
        - { name: email, type: varchar, length_max: 40 }
        - { name: name, type: varchar, length_max: 80 }
      primary_key: [id]
      indexes: [{ name: by_email, columns: [email] }]
      rows: 100
    - name: orders
      columns:
        - { name: customer_id, type: bigint }
        - { name: number, type: int }
        - { name: note, type: varchar, length_max: 60 }
      primary_key: [customer_id, number]
      rows: 600
consistency: { transactions: interactive }
workload:
  benchmark: ycsb
  profile: a
  scale: 600
  operations:
    - { name: READ, weight: 20, table: customers, distribution: zipfian, skew: 1.2 }
    - { name: READ, weight: 10, table: customers, key: [email], distribution: zipfian, skew: 1.2 }
    - { name: SCAN, weight: 10, table: orders, key: [customer_id], rows: 6, distribution: uniform }
    - { name: SCAN, weight: 5, table: orders, key: [customer_id], range: number, rows: 3, distribution: uniform }
    - { name: INSERT, weight: 5, table: orders, rows: 4, distribution: uniform }
    - { name: DELETE, weight: 5, table: orders, distribution: uniform }
    - name: WRITETRANSACTION
      weight: 40
      distribution: uniform
      steps:
        - { operation: READ, table: customers, skew: 1.2 }
        - { operation: UPDATE, table: customers, skew: 1.2 }
        - { operation: READ, table: customers, skew: 1.2 }
        - { operation: INSERT, table: orders, times: 2 }
        - { operation: SCAN, table: orders, key: [customer_id], rows: 6 }
    - name: READTRANSACTION
      weight: 5
      distribution: zipfian
      skew: 1.2
      steps: [{ operation: READ, table: customers, times: 3 }]
`;

before(async () => {
  const contractFile = join(scratch, "contract.yaml");
  writeFileSync(contractFile, text);
  const directory = join(scratch, "product");
  buildFromContract({ contractFile, directory });
  product = await startProduct(directory, ["--data", join(scratch, "data")]);
  endpoint = { host: "127.0.0.1", port: product.mysqlPort, user, password };
  workload = createWorkload(loadContract(contractFile).workload);
  await loadWorkload(workload, endpoint, 2);
  target = await DriverTarget.connect(workload, { endpoint, connections: 12, seed, verify: true });
});

after(async () => {
  target?.close();
  await product?.end("SIGKILL");
  rmSync(scratch, { recursive: true, force: true });
});

test("own transactions go statement by statement, conflicts are begun again, and all that is read is right", async () => {
  const block = await target.run({ operations: 1500 });
  const { operations, errors, verificationFailures, connectionsLost, complaints, conflicts } = block;
  const where = `seed ${seed}: ${complaints.join("; ")}`;
  assert.deepEqual([operations, errors, verificationFailures, connectionsLost], [1500, 0, 0, 0], where);
  // A dozen clients that read and change the same few rows within open transactions.
  assert.ok(conflicts > 20, `seed ${seed}: ${conflicts} conflicts`);
  assert.deepEqual(Object.keys(block.latencies).sort(),
    ["DELETE", "INSERT", "READ", "READTRANSACTION", "SCAN", "WRITETRANSACTION"]);
});

test("what somebody else has put there is found: a value of its own, an old one, a row that is gone", async () => {
  const [customers] = workload.tables;
  assert.ok(customers instanceof OwnTable);
  // The row that is used most; its first name is an old one by now.
  const [id, , name] = customers.row(0);
  const connection = await connectTo(product);
  const planted = [
    [`UPDATE customers SET name = '0123456789' WHERE id = ${id}`, /a value in name that was never written/],
    [`UPDATE customers SET name = '${name}' WHERE id = ${id}`, /version 0 in name, which is stale/],
    [`DELETE FROM customers WHERE id = ${id}`, /is missing although it was inserted/],
  ] as const;
  for (const [sql, words] of planted) {
    await connection.query(sql);
    const { verificationFailures, complaints, errors } = await target.run({ operations: 200 });
    assert.equal(errors, 0, `seed ${seed}: ${complaints.join("; ")}`);
    assert.ok(verificationFailures > 0, `seed ${seed}: ${sql}`);
    assert.match(complaints.join("\n"), words, `seed ${seed}`);
  }
  await connection.end();
});

/** The phases of a bulk ingest through a built product, and that its verification finds what is wrong. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { loadContract } from "../contract/parse.ts";
import { startProduct } from "../fleet/product-server.ts";
import { buildProduct } from "../foundry/build.ts";
import { loadKnobCatalog } from "../knobs/catalog.ts";
import { createWorkload } from "../workload/create-workload.ts";
import { readGrants, runBulkPhases } from "./bulk-phases.ts";
import { MySqlClient } from "./clients/mysql-client.ts";
import { loadWorkload } from "./load.ts";

const scratch = mkdtempSync(join(tmpdir(), "lathe-bulk-phases-"));
const productDirectory = join(scratch, "product");
const contractFile = join(import.meta.dirname, "..", "..", "examples", "bulk-ingest", "contract.yaml");
const contract = loadContract(contractFile);
const workload = { ...contract.workload, scale: 1200 };

before(() => {
  const contractText = readFileSync(contractFile, "utf8");
  buildProduct({ contract, contractText, knobCatalog: loadKnobCatalog() }, productDirectory);
});
after(() => rmSync(scratch, { recursive: true, force: true }));

test("each size is written, closed, opened again and read in pages as a whole", async () => {
  const found = await runBulkPhases({ product: { productDirectory }, directory: scratch, workload, dataSeed: 1 });
  assert.deepEqual(found.map(({ records }) => records), [100, 1000, 1200]);
  // Ten entitlements: 10, 100 and 120 records each, of which a full page is followed by another.
  assert.deepEqual(found.map(({ pages }) => pages), [10, 20, 20]);
});

test("a record that is gone, differs or came by chance is found", async () => {
  const server = await startProduct({ productDirectory, dataDirectory: join(scratch, "faults") });
  try {
    await loadWorkload(createWorkload(workload), server.endpoint, 2);
    await readGrants(server.endpoint, workload.scale);
    const client = await MySqlClient.connect(server.endpoint);
    const id = "grant-000000000777";
    await client.query(`UPDATE grants SET payload = 'other' WHERE external_id = '${id}'`);
    await assert.rejects(readGrants(server.endpoint, workload.scale), { code: "CORRUPTION", message: /wrong row: grant-000000000777/ });
    await client.query(`DELETE FROM grants WHERE external_id = '${id}'`);
    await assert.rejects(readGrants(server.endpoint, workload.scale), { code: "CORRUPTION", message: /1199 instead of 1200/ });
    await client.query(`INSERT INTO grants VALUES ('${id}x', 'entitlement-00000007', 'principal-00000001', 'x')`);
    await assert.rejects(readGrants(server.endpoint, workload.scale), { code: "CORRUPTION", message: /wrong row/ });
    client.close();
  } finally {
    await server.kill();
  }
});

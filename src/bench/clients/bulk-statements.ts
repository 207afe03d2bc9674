/**
 * The statements of the bulk ingest: INSERTs of many rows as text, pages by an index as a prepared statement.
 */
import { assert } from "../../kit/assert.ts";
import type { CellValue, LoadBatch, Operation, OperationStep } from "../../workload/workload.ts";
import type { MySqlClient, PreparedHandle } from "./mysql-client.ts";
import type { StatementMapping } from "./statement-mapping.ts";

const pageText =
  "SELECT external_id, entitlement_id, principal_id, payload FROM grants" +
  " WHERE entitlement_id = ? AND external_id > ? ORDER BY external_id LIMIT ?";
const text = [0xfd, 0];
const bigint = [0x08, 0];
const pageTypes = Uint8Array.from([...text, ...text, ...bigint]);

export class BulkStatements implements StatementMapping {
  #page: PreparedHandle | undefined;

  async prepare(client: MySqlClient): Promise<void> {
    this.#page = await client.prepare(pageText);
  }

  writeStep(client: MySqlClient, step: OperationStep): PreparedHandle | undefined {
    if (step.kind === "insertRows") {
      writeRows(client, step.rows);
      return undefined;
    }
    assert(step.kind === "page", `the bulk ingest has no ${step.kind} among its operations`);
    client.beginExecute(this.#page as PreparedHandle, pageTypes);
    client.request.lengthEncodedLatin1(step.value);
    client.request.lengthEncodedLatin1(step.after);
    client.request.int64(BigInt(step.limit));
    return this.#page;
  }

  writeTransaction(_client: MySqlClient, operation: Operation): void {
    assert(false, `the bulk ingest has no transactions: ${operation.name}`);
  }

  writeLoad(client: MySqlClient, batch: LoadBatch): void {
    writeRows(client, batch.rows);
  }
}

/** Values are letters, digits and dashes: nothing needs escaping. */
function writeRows(client: MySqlClient, rows: readonly (readonly CellValue[])[]): void {
  client.beginQuery();
  client.request.latin1("INSERT INTO grants VALUES ");
  rows.forEach((row, at) => client.request.latin1(`${at === 0 ? "('" : ",('"}${row.join("','")}')`));
}

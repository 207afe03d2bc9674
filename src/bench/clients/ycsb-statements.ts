/**
 * YCSB's statements, as its JDBC binding sends them: one prepared statement per kind of operation.
 * Source: YCSB, jdbc/…/flavors/DefaultDBFlavor.java.
 */
import type { LoadBatch, Operation, OperationStep } from "../../workload/workload.ts";
import { assert } from "../../kit/assert.ts";
import type { MySqlClient, PreparedHandle } from "./mysql-client.ts";
import type { StatementMapping } from "./statement-mapping.ts";

const fieldCount = 10;
const varchar = [0xfd, 0];
const oneText = Uint8Array.from(varchar);
const twoTexts = Uint8Array.from([...varchar, ...varchar]);
const rowTexts = Uint8Array.from(Array.from({ length: fieldCount + 1 }, () => varchar).flat());

export class YcsbStatements implements StatementMapping {
  readonly #updates = new Map<string, PreparedHandle>();
  #read: PreparedHandle | undefined;
  #insert: PreparedHandle | undefined;

  async prepare(client: MySqlClient): Promise<void> {
    this.#read = await client.prepare("SELECT * FROM usertable WHERE ycsb_key = ?");
    this.#insert = await client.prepare(`INSERT INTO usertable VALUES (${"?, ".repeat(fieldCount)}?)`);
    for (let field = 0; field < fieldCount; field++) {
      const statement = await client.prepare(`UPDATE usertable SET field${field}=? WHERE ycsb_key = ?`);
      this.#updates.set(`field${field}`, statement);
    }
  }

  writeStep(client: MySqlClient, step: OperationStep): PreparedHandle | undefined {
    const request = client.request;
    switch (step.kind) {
      case "read":
        client.beginExecute(this.#read as PreparedHandle, oneText);
        request.lengthEncodedLatin1(step.key[0] as string);
        return this.#read;
      case "insert":
        client.beginExecute(this.#insert as PreparedHandle, rowTexts);
        for (const cell of step.row) request.lengthEncodedLatin1(cell as string);
        return this.#insert;
      case "update": {
        const prepared = this.#updates.get(step.column as string) as PreparedHandle;
        client.beginExecute(prepared, twoTexts);
        request.lengthEncodedLatin1(step.value as string);
        request.lengthEncodedLatin1(step.key[0] as string);
        return prepared;
      }
      case "scan":
        // The length differs from scan to scan, and LIMIT takes no text parameter everywhere: sent as text.
        client.beginQuery();
        request.latin1(`SELECT * FROM usertable WHERE ycsb_key >= '${step.from[0]}' `);
        request.latin1(`ORDER BY ycsb_key LIMIT ${step.limit}`);
        return undefined;
      default:
        return assert(false, `YCSB has no ${step.kind} among its operations`) as never;
    }
  }

  writeTransaction(_client: MySqlClient, operation: Operation): void {
    assert(false, `YCSB has no transactions: ${operation.name}`);
  }

  writeLoad(client: MySqlClient, batch: LoadBatch): void {
    client.beginQuery();
    client.request.latin1("INSERT INTO usertable VALUES ");
    batch.rows.forEach((row, index) => {
      client.request.latin1(`${index === 0 ? "(" : ",("}'${row.join("','")}')`);
    });
  }
}

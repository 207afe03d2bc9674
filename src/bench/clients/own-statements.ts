/**
 * Statements for the operations of a contract's own tables: text with literals, as query logs show them; names in
 * backquotes, because a table of the user's may be named as a word of SQL. Values are letters and digits: nothing needs
 * escaping.
 */
import { assert } from "../../kit/assert.ts";
import type {
  BoundColumns, CellValue, LoadBatch, Operation, OperationStep, ScanStep, WorkloadTable,
} from "../../workload/workload.ts";
import type { MySqlClient } from "./mysql-client.ts";
import type { StatementMapping } from "./statement-mapping.ts";

export class OwnStatements implements StatementMapping {
  readonly #tables: ReadonlyMap<string, { readonly table: WorkloadTable; readonly columns: string }>;

  constructor(tables: readonly WorkloadTable[]) {
    this.#tables = new Map(tables.map((table) => {
      const columns = table.columns.map(({ name }) => quoted(name)).join(", ");
      return [table.name, { table, columns }];
    }));
  }

  async prepare(): Promise<void> {
    // All is text.
  }

  writeStep(client: MySqlClient, step: OperationStep): undefined {
    client.beginQuery();
    client.request.latin1(this.#text(step));
  }

  writeTransaction(client: MySqlClient, { steps }: Operation): void {
    client.beginQuery();
    client.request.latin1("START TRANSACTION; ");
    for (const step of steps) client.request.latin1(`${this.#text(step)}; `);
    client.request.latin1("COMMIT");
  }

  writeLoad(client: MySqlClient, { table, rows }: LoadBatch): void {
    client.beginQuery();
    client.request.latin1(this.#insert(table, rows));
  }

  #text(step: OperationStep): string {
    switch (step.kind) {
      case "read": {
        const { columns } = this.#of(step.table);
        const where = step.by === undefined ? this.#where(step.table, step.key) : bound(step.by);
        return `SELECT ${columns} FROM ${quoted(step.table)} WHERE ${where}`;
      }
      case "scan":
        return this.#scan(step);
      case "insert":
        return this.#insert(step.table, [step.row]);
      case "insertRows":
        return this.#insert(step.table, step.rows);
      case "update": {
        const set = `${quoted(step.column as string)} = ${literal(step.value as CellValue)}`;
        return `UPDATE ${quoted(step.table)} SET ${set} WHERE ${this.#where(step.table, step.key)}`;
      }
      case "delete":
        return `DELETE FROM ${quoted(step.table)} WHERE ${this.#where(step.table, step.key)}`;
      default:
        return assert(false, `a contract's own operations have no ${step.kind}`) as never;
    }
  }

  #insert(table: string, rows: readonly (readonly CellValue[])[]): string {
    const values = rows.map((row) => `(${row.map(literal).join(",")})`).join(",");
    return `INSERT INTO ${quoted(table)} (${this.#of(table).columns}) VALUES ${values}`;
  }

  #scan({ table: name, by, range, from, limit }: ScanStep): string {
    const { table, columns } = this.#of(name);
    const equal = by === undefined ? [] : [bound(by)];
    const first = range ?? table.primaryKey[0];
    const after = from.length === 0 ? [] : [`${quoted(first)} >= ${literal(from[0])}`];
    const sorted = range === undefined ? table.primaryKey : [range];
    const order = from.length === 0 ? "" : `ORDER BY ${sorted.map(quoted).join(", ")} `;
    return `SELECT ${columns} FROM ${quoted(name)} WHERE ${[...equal, ...after].join(" AND ")} ${order}LIMIT ${limit}`;
  }

  #where(table: string, key: readonly CellValue[]): string {
    return bound({ columns: this.#of(table).table.primaryKey, values: key });
  }

  #of(table: string) {
    const found = this.#tables.get(table);
    assert(found !== undefined, `no table ${table}`);
    return found;
  }
}

function bound({ columns, values }: BoundColumns): string {
  return columns.map((name, at) => `${quoted(name)} = ${literal(values[at])}`).join(" AND ");
}

function quoted(name: string): string {
  return `\`${name}\``;
}

function literal(cell: CellValue): string {
  return typeof cell === "string" ? `'${cell}'` : String(cell);
}

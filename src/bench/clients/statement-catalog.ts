/** Which statements a workload is driven with, and those that create its tables. */
import type { Workload, WorkloadTable } from "../../workload/workload.ts";
import type { StatementMapping } from "./statement-mapping.ts";
import { BulkStatements } from "./bulk-statements.ts";
import { OwnStatements } from "./own-statements.ts";
import { TaoStatements } from "./tao-statements.ts";
import { YcsbStatements } from "./ycsb-statements.ts";

/** A mapping for one connection: prepared statements belong to connections. */
export function statementsFor(workload: Workload): StatementMapping {
  if (workload.name === "own_operations") return new OwnStatements(workload.tables);
  if (workload.name.startsWith("bulk_ingest")) return new BulkStatements();
  return workload.name.startsWith("taobench") ? new TaoStatements() : new YcsbStatements();
}

export function createTableText(table: WorkloadTable): string {
  const columns = table.columns.map(({ name, type, lengthMax, nullable }) => {
    const length = lengthMax === undefined ? "" : `(${lengthMax})`;
    return `\`${name}\` ${type.toUpperCase()}${length}${nullable ? "" : " NOT NULL"}`;
  });
  const key = `PRIMARY KEY (${quoted(table.primaryKey)})`;
  const indexes = (table.indexes ?? []).map(({ name, columns: indexed }) => `KEY \`${name}\` (${quoted(indexed)})`);
  return `CREATE TABLE IF NOT EXISTS \`${table.name}\` (${[...columns, key, ...indexes].join(", ")})`;
}

/** Names may be words of SQL. */
function quoted(names: readonly string[]): string {
  return names.map((name) => `\`${name}\``).join(", ");
}

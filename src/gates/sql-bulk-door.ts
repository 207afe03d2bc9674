/** The bulk table of a gate over MySQL. */
import type { BulkDoor } from "./bulk-table.ts";
import type { GateConnection, StatementResult } from "./gate-connection.ts";

export function sqlBulkDoor(table: string): BulkDoor<GateConnection> {
  return {
    async insert(connection, rows) {
      const tuples = rows.map(({ id, value }) => `(${id}, '${value}')`);
      return unexpected(await connection.query(`INSERT INTO ${table} VALUES ${tuples.join(",")}`), [rows.length]);
    },
    async change(connection, rows) {
      const texts = rows.map(({ id, value }) =>
        value === undefined
          ? `DELETE FROM ${table} WHERE id=${id}`
          : `UPDATE ${table} SET value='${value}' WHERE id=${id}`,
      );
      return unexpected(await connection.query(texts.join("; ")), texts.map(() => 1));
    },
    async read(connection, ids) {
      const results = await connection.query(ids.map((id) => `SELECT value FROM ${table} WHERE id=${id}`).join("; "));
      const failed = ids.findIndex((_, at) => results[at] === undefined || results[at].error !== undefined);
      if (failed >= 0) return `bulk row ${ids[failed]} cannot be read: ${results[failed]?.error?.message}`;
      return ids.map((_, at) => results[at].rows[0]?.[0] ?? undefined);
    },
    async all(connection) {
      const [result] = await connection.query(`SELECT id, value FROM ${table} ORDER BY id LIMIT 1000000`);
      if (result?.error !== undefined) return `${table} cannot be read: ${result.error.message}`;
      return result.rows.map(([id, value]) => ({ id: Number(id), value: value ?? "" }));
    },
  };
}

export function createBulkTable(table: string): string {
  return `CREATE TABLE ${table} (id BIGINT PRIMARY KEY, value VARCHAR(4000))`;
}

function unexpected(results: readonly StatementResult[], affected: readonly number[]): string | undefined {
  const failed = results.find(({ error }) => error !== undefined);
  if (failed?.error !== undefined) {
    return `a bulk write was refused with ${failed.error.errno}: ${failed.error.message}`;
  }
  const at = affected.findIndex((count, index) => results[index]?.affectedRows !== count);
  return at < 0 ? undefined : `a bulk write changed ${results[at]?.affectedRows} rows instead of ${affected[at]}`;
}

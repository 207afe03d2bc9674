/** The bulk table of a gate over HTTP: keys that no script draws. */
import type { BulkDoor } from "../bulk-table.ts";
import type { HttpGateConnection } from "./http-subject.ts";

export const bulkPrefix = "x-bulk-";
const pageItems = 200;

const keyOf = (id: number) => `${bulkPrefix}${String(id).padStart(8, "0")}`;

export const httpBulkDoor: BulkDoor<HttpGateConnection> = {
  insert: (connection, rows) =>
    written(connection, "/batch", 201, { items: rows.map(({ id, value }) => ({ key: keyOf(id), value })) }),
  async change(connection, rows) {
    const items = rows.flatMap(({ id, value }) => (value === undefined ? [] : [{ key: keyOf(id), value }]));
    const keys = rows.filter(({ value }) => value === undefined).map(({ id }) => keyOf(id));
    return (await written(connection, "/batch", 201, { items })) ??
      (await written(connection, "/batch/delete", 200, { keys }));
  },
  async read(connection, ids) {
    const found = new Map((await connection.getMany(ids.map(keyOf))).map(({ key, value }) => [key, value]));
    // By a get of its own, too: it goes another way through the cache.
    const [first] = ids;
    if ((await connection.get(keyOf(first))) !== found.get(keyOf(first))) return `two gets of row ${first} differ`;
    return ids.map((id) => found.get(keyOf(id)));
  },
  async all(connection) {
    const items = await connection.list(bulkPrefix, pageItems);
    return items.map(({ key, value }) => ({ id: Number(key.slice(bulkPrefix.length)), value }));
  },
};

async function written(
  connection: HttpGateConnection,
  path: string,
  wanted: number,
  body: unknown,
): Promise<string | undefined> {
  const { status, body: text } = await connection.ask("POST", path, body);
  return status === wanted ? undefined : `a bulk write was answered with ${status}: ${text.toString().slice(0, 100)}`;
}

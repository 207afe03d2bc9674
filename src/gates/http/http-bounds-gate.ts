/**
 * Bounds gate over HTTP: memory and disk stay within bounds while the work goes on, as seen from outside. What is done
 * and what is judged is that of `bounds-gate.ts`; here are the requests: batches, gets and batches of gets.
 */
import { type Amounts, type BoundedRows, judgeBounds } from "../bounds-gate.ts";
import type { Gate } from "../gate.ts";
import { shrunkKnobs } from "../shrunk-knobs.ts";
import { HttpGateConnection, startHttpSubject } from "./http-subject.ts";

const name = "http-bounds";
const readers = 8;

export function httpBoundsGate(options: Amounts): Gate {
  const { dataMiB, overwriteMiB } = options;
  return {
    name,
    description: `over HTTP, memory bounded over ${dataMiB} MiB of data, disk over ${overwriteMiB} MiB of overwrites`,
    stage: "product",
    timeoutMs: 300_000,
    async run(subject) {
      const server = await startHttpSubject({ ...subject, knobs: shrunkKnobs(subject) });
      try {
        const opened = Array.from({ length: readers }, () => HttpGateConnection.open(server));
        return await judgeBounds(name, options, subject, server, httpRows(await Promise.all(opened)));
      } finally {
        await server.kill();
      }
    },
  };
}

function httpRows(connections: readonly HttpGateConnection[]): BoundedRows {
  const [first] = connections;
  const keyOf = (prefix: string, id: number) => `${prefix}${String(id).padStart(9, "0")}`;
  const put = async (prefix: string, rows: Parameters<BoundedRows["insert"]>[0]) => {
    const items = rows.map(({ id, value }) => ({ key: keyOf(prefix, id), value }));
    const { status, body } = await first.ask("POST", "/batch", { items });
    if (status !== 201) throw new Error(`a batch was answered with ${status}: ${body.toString()}`);
  };
  return {
    overwrite: (rows) => put("few", rows),
    insert: (rows) => put("row", rows),
    async read(ids) {
      // Each by a get of its own, and a tenth of them once more by a batch of gets.
      await Promise.all(connections.map(async (connection, number) => {
        for (let at = number; at < ids.length; at += connections.length) {
          const found = await connection.get(keyOf("row", ids[at]));
          if (found === undefined) throw new Error(`row ${ids[at]} is missing`);
        }
      }));
      const again = ids.slice(0, Math.ceil(ids.length / 10)).map((id) => keyOf("row", id));
      const found = await first.getMany(again);
      if (found.length !== again.length) throw new Error(`${found.length} of ${again.length} rows are there`);
    },
  };
}

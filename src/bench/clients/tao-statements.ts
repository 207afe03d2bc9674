/**
 * TAOBench's statements, as its MySQL driver sends them: point statements prepared per connection,
 * transactions as one text of several statements with literals, the load as text INSERTs of up to 258 rows
 * with object ids in quotes.
 *
 * The conditional insert of an edge looks for edges that its type excludes; the order of the conditions is
 * the driver's, including its (a, b) where the specification says (b, a) for bidirectional edges.
 * Source: TAOBench, mysqldb/mysql_db.cc.
 */
import type { EdgeType, InsertEdgeStep, LoadBatch, Operation, OperationStep } from "../../workload/workload.ts";
import { assert } from "../../kit/assert.ts";
import type { MySqlClient, PreparedHandle } from "./mysql-client.ts";
import type { RequestBuffer } from "./request-buffer.ts";
import type { StatementMapping } from "./statement-mapping.ts";

/** One edge that excludes the new one (a, b): its key's ends, and its type where that matters. */
interface Exclusion {
  readonly id1: "a" | "b";
  readonly id2?: "a" | "b";
  readonly type?: number;
}

const exclusions: Readonly<Record<EdgeType, readonly Exclusion[]>> = {
  unique: [{ id1: "a" }, { id1: "b", id2: "a" }],
  bidirectional: [
    { id1: "a", type: 0 },
    { id1: "a", type: 2 },
    { id1: "a", id2: "b", type: 3 },
    { id1: "b", id2: "a", type: 3 },
    { id1: "a", id2: "b", type: 0 },
  ],
  unique_and_bidirectional: [{ id1: "a" }, { id1: "b", id2: "a", type: 3 }, { id1: "b", id2: "a", type: 0 }],
  other: [
    { id1: "a", type: 0 },
    { id1: "a", type: 2 },
    { id1: "a", id2: "b", type: 1 },
    { id1: "b", id2: "a" },
  ],
};

const edgeTypes = Object.keys(exclusions) as EdgeType[];
const insertEdgeHead = "INSERT INTO edges (id1, id2, type, timestamp, value) SELECT ";

/** The text of a conditional insert, with what stands for the ends of the edge and for its values. */
function insertEdgeText(edgeType: EdgeType, a: string, b: string, values: string): string {
  const conditions = exclusions[edgeType].map(({ id1, id2, type }) => {
    const parts = [`id1=${id1 === "a" ? a : b}`];
    if (id2 !== undefined) parts.push(`id2=${id2 === "a" ? a : b}`);
    if (type !== undefined) parts.push(`type=${type}`);
    return `(${parts.join(" AND ")})`;
  });
  return `${insertEdgeHead}${values} WHERE NOT EXISTS (SELECT 1 FROM edges WHERE ${conditions.join(" OR ")})`;
}

const pointStatements = {
  readObject: "SELECT timestamp, value FROM objects WHERE id=?",
  readEdge: "SELECT timestamp, value FROM edges WHERE id1=? AND id2=? AND type=?",
  insertObject: "INSERT INTO objects (id, timestamp, value) VALUES (?, ?, ?)",
  updateObject: "UPDATE objects SET timestamp=?, value=? WHERE timestamp<? AND id=?",
  updateEdge: "UPDATE edges SET timestamp=?, value=? WHERE timestamp<? AND id1=? AND id2=? AND type=?",
  deleteObject: "DELETE FROM objects WHERE timestamp<? AND id=?",
  deleteEdge: "DELETE FROM edges WHERE timestamp<? AND id1=? AND id2=? AND type=?",
} as const;

type PointStatement = keyof typeof pointStatements;

/** Types of parameters by their letters: q for BIGINT, s for text. */
function parameterTypes(letters: string): Uint8Array {
  return Uint8Array.from([...letters].flatMap((letter) => [letter === "q" ? 0x08 : 0xfd, 0]));
}

const types: Readonly<Record<PointStatement, Uint8Array>> = {
  readObject: parameterTypes("q"),
  readEdge: parameterTypes("qqq"),
  insertObject: parameterTypes("qqs"),
  updateObject: parameterTypes("qsqq"),
  updateEdge: parameterTypes("qsqqqq"),
  deleteObject: parameterTypes("qq"),
  deleteEdge: parameterTypes("qqqq"),
};

const insertEdgeTypes: Readonly<Record<string, Uint8Array>> = Object.fromEntries(
  edgeTypes.map((edgeType) => {
    const ends = exclusions[edgeType].reduce((sum, { id2 }) => sum + (id2 === undefined ? 1 : 2), 0);
    return [edgeType, parameterTypes(`qqqqs${"q".repeat(ends)}`)];
  }),
);

export class TaoStatements implements StatementMapping {
  readonly #point: Partial<Record<PointStatement, PreparedHandle>> = {};
  readonly #insertEdge: Partial<Record<EdgeType, PreparedHandle>> = {};

  async prepare(client: MySqlClient): Promise<void> {
    for (const name of Object.keys(pointStatements) as PointStatement[]) {
      this.#point[name] = await client.prepare(pointStatements[name]);
    }
    for (const edgeType of edgeTypes) {
      this.#insertEdge[edgeType] = await client.prepare(insertEdgeText(edgeType, "?", "?", "?, ?, ?, ?, ?"));
    }
  }

  writeStep(client: MySqlClient, step: OperationStep): PreparedHandle {
    const request = client.request;
    switch (step.kind) {
      case "read": {
        const prepared = this.#begin(client, step.table === "objects" ? "readObject" : "readEdge");
        for (const part of step.key) request.int64(part as bigint);
        return prepared;
      }
      case "insert": {
        const prepared = this.#begin(client, "insertObject");
        request.int64(step.row[0] as bigint);
        request.int64(step.row[1] as bigint);
        request.lengthEncodedLatin1(step.row[2] as string);
        return prepared;
      }
      case "insertEdge":
        return this.#writeInsertEdge(client, step);
      case "update": {
        const prepared = this.#begin(client, step.table === "objects" ? "updateObject" : "updateEdge");
        request.int64(step.timestamp);
        request.lengthEncodedLatin1(step.value as string);
        request.int64(step.timestamp);
        for (const part of step.key) request.int64(part as bigint);
        return prepared;
      }
      case "delete": {
        const prepared = this.#begin(client, step.table === "objects" ? "deleteObject" : "deleteEdge");
        request.int64(step.timestamp);
        for (const part of step.key) request.int64(part as bigint);
        return prepared;
      }
      case "insertRows":
      case "put":
      case "page":
      case "scan":
        return assert(false, `TAOBench has no ${step.kind} among its operations`) as never;
    }
  }

  writeTransaction(client: MySqlClient, operation: Operation): void {
    client.beginQuery();
    const request = client.request;
    request.latin1("START TRANSACTION; ");
    for (const step of operation.steps) writeText(request, step);
    request.latin1("COMMIT");
  }

  writeLoad(client: MySqlClient, batch: LoadBatch): void {
    client.beginQuery();
    const request = client.request;
    const objects = batch.table === "objects";
    request.latin1(objects ? "INSERT INTO objects (id, timestamp, value) VALUES " : loadEdges);
    batch.rows.forEach((row, index) => {
      const separator = index === 0 ? "(" : ",(";
      if (objects) request.latin1(`${separator}'${row[0]}',${row[1]},'${row[2]}')`);
      else request.latin1(`${separator}${row[0]},${row[1]},${row[2]},${row[3]},'${row[4]}')`);
    });
  }

  #begin(client: MySqlClient, name: PointStatement): PreparedHandle {
    const prepared = this.#point[name] as PreparedHandle;
    client.beginExecute(prepared, types[name]);
    return prepared;
  }

  #writeInsertEdge(client: MySqlClient, step: InsertEdgeStep): PreparedHandle {
    const request = client.request;
    const prepared = this.#insertEdge[step.edgeType] as PreparedHandle;
    client.beginExecute(prepared, insertEdgeTypes[step.edgeType]);
    const [a, b, type, timestamp, value] = step.row as readonly [bigint, bigint, bigint, bigint, string];
    for (const number of [a, b, type, timestamp]) request.int64(number);
    request.lengthEncodedLatin1(value);
    for (const { id1, id2 } of exclusions[step.edgeType]) {
      request.int64(id1 === "a" ? a : b);
      if (id2 !== undefined) request.int64(id2 === "a" ? a : b);
    }
    return prepared;
  }
}

const loadEdges = "INSERT INTO edges (id1, id2, type, timestamp, value) VALUES ";

/** A step of a transaction, with its literals inlined. Values are letters: nothing needs escaping. */
function writeText(request: RequestBuffer, step: OperationStep): void {
  switch (step.kind) {
    case "read":
      request.latin1(`SELECT timestamp, value FROM ${step.table} WHERE ${keyText(step.key as readonly bigint[])}; `);
      return;
    case "insert": {
      const [id, timestamp, value] = step.row;
      request.latin1(`INSERT INTO objects (id, timestamp, value) VALUES (${id}, ${timestamp}, '${value}'); `);
      return;
    }
    case "insertEdge": {
      const [id1, id2, type, timestamp, value] = step.row;
      const values = `${id1}, ${id2}, ${type}, ${timestamp}, '${value}'`;
      request.latin1(`${insertEdgeText(step.edgeType, `${id1}`, `${id2}`, values)}; `);
      return;
    }
    case "update": {
      const set = `timestamp=${step.timestamp}, value='${step.value}'`;
      const where = `timestamp<${step.timestamp} AND ${keyText(step.key as readonly bigint[])}`;
      request.latin1(`UPDATE ${step.table} SET ${set} WHERE ${where}; `);
      return;
    }
    case "delete":
      request.latin1(
        `DELETE FROM ${step.table} WHERE timestamp<${step.timestamp} AND ${keyText(step.key as readonly bigint[])}; `,
      );
      return;
    case "insertRows":
    case "page":
    case "scan":
      assert(false, `TAOBench has no ${step.kind} among its operations`);
  }
}

function keyText(key: readonly bigint[]): string {
  return key.length === 1 ? `id=${key[0]}` : `id1=${key[0]} AND id2=${key[1]} AND type=${key[2]}`;
}

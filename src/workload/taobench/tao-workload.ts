/**
 * TAOBench as a Workload: a social graph of objects and edges (`audreyccheng/taobench`), profiles O and A.
 *
 * Loading n edges writes 2n objects: the home end and the far end of each edge, with the edge's timestamp.
 * Unlike TAOBench, whose values are 150 random letters, ours are 150 letters that follow from key and
 * timestamp, so that every read can be verified; they compress as badly.
 */
import { LatheError } from "../../kit/errors.ts";
import { valueOf } from "../row-value.ts";
import type { CellValue, LoadBatch, OperationStream, Verifier, Workload, WorkloadTable } from "../workload.ts";
import { loadTimestampOf, TaoEdges } from "./tao-edges.ts";
import { TaoStream, TaoTables, valueLength } from "./tao-stream.ts";
import { TaoVerifier } from "./tao-verifier.ts";
import { readTaoMix } from "./workload-file.ts";

const bigint = (name: string, nullable = false) => ({ name, type: "bigint", nullable }) as const;
const value = { name: "value", type: "varchar", lengthMax: valueLength, nullable: true } as const;

export const taoTables: readonly WorkloadTable[] = [
  { name: "objects", columns: [bigint("id"), bigint("timestamp", true), value], primaryKey: ["id"] },
  {
    name: "edges",
    columns: [bigint("id1"), bigint("id2"), bigint("type"), bigint("timestamp", true), value],
    primaryKey: ["id1", "id2", "type"],
  },
];

/** TAOBench's own batches: 257 edges and 258 objects per INSERT. */
export const taoLoadRows = 258;

export class TaoWorkload implements Workload {
  readonly name: string;
  readonly tables = taoTables;
  readonly #edges: TaoEdges;
  readonly #streamTables: TaoTables;

  constructor(profile: string, edges: number, dataSeed: number) {
    const mix = readTaoMix(profile);
    this.name = `taobench-${profile}`;
    this.#edges = new TaoEdges(edges, mix, dataSeed);
    this.#streamTables = new TaoTables(mix, this.#edges);
  }

  *load(rowsMax: number): Iterable<LoadBatch> {
    if (!(rowsMax >= 2)) throw new LatheError("INVALID_ARGUMENT", `rowsMax must be at least 2, not ${rowsMax}`);
    let objects: CellValue[][] = [];
    let edges: CellValue[][] = [];
    for (let edge = 0; edge < this.#edges.count; edge++) {
      const id1 = this.#edges.primary[edge];
      const id2 = this.#edges.remote[edge];
      const timestamp = loadTimestampOf(id1);
      const text = valueOf(id1, timestamp, valueLength);
      edges.push([id1, id2, BigInt(this.#edges.type[edge]), timestamp, text]);
      objects.push([id1, timestamp, text], [id2, timestamp, valueOf(id2, timestamp, valueLength)]);
      if (edges.length + 1 >= rowsMax) {
        yield { table: "edges", rows: edges };
        edges = [];
      }
      if (objects.length + 2 > rowsMax) {
        yield { table: "objects", rows: objects };
        objects = [];
      }
    }
    if (edges.length > 0) yield { table: "edges", rows: edges };
    if (objects.length > 0) yield { table: "objects", rows: objects };
  }

  client(seed: number, clientNumber: number, clientCount: number): OperationStream {
    return new TaoStream(this.#edges, this.#streamTables, seed, clientNumber, clientCount);
  }

  verifier(fresh = true): Verifier {
    return new TaoVerifier(fresh);
  }
}

/**
 * TAOBench's workload files: one JSON object per line, `{"name", "values"?, "weights"}`.
 *
 * Used: sizes of transactions, kinds of operations, shards, edge types. The rest (latencies, errors,
 * predicates, tiers) is read over, as TAOBench's own driver does.
 */
import { readFileSync } from "node:fs";
import { LatheError } from "../../kit/errors.ts";
import type { EdgeType } from "../workload.ts";

export interface TaoMix {
  /** Weights of: read, write, read transaction, write transaction. */
  readonly operations: readonly number[];
  readonly readSteps: readonly Weighted<TaoStep>[];
  readonly writeSteps: readonly Weighted<TaoStep>[];
  readonly readTransactionSteps: readonly Weighted<TaoStep>[];
  readonly writeTransactionSteps: readonly Weighted<TaoStep>[];
  readonly readTransactionSizes: readonly Weighted<number>[];
  readonly writeTransactionSizes: readonly Weighted<number>[];
  readonly edgeTypes: readonly Weighted<EdgeType>[];
  /**
   * Weight of each of the 50 shards as the home of a key that is accessed, or of the far end of a fresh
   * edge.
   */
  readonly primaryShards: readonly number[];
  readonly remoteShards: readonly number[];
}

export interface Weighted<Value> {
  readonly value: Value;
  readonly weight: number;
}

export type TaoStep =
  | "readObject"
  | "readEdge"
  | "addObject"
  | "updateObject"
  | "deleteObject"
  | "addEdge"
  | "updateEdge"
  | "deleteEdge";

/**
 * Range and count reads are executed as point reads of edges: TAOBench only tests whether the name
 * contains "edge".
 */
const steps: Readonly<Record<string, TaoStep>> = {
  obj_read: "readObject",
  edge_point_read: "readEdge",
  edge_range_read: "readEdge",
  edge_count_read: "readEdge",
  edge_time_read: "readEdge",
  obj_add: "addObject",
  obj_update: "updateObject",
  obj_delete: "deleteObject",
  edge_add: "addEdge",
  edge_update: "updateEdge",
  edge_delete: "deleteEdge",
};

const edgeTypes: readonly EdgeType[] = ["unique", "bidirectional", "unique_and_bidirectional", "other"];

export const taoProfiles = ["o", "a"] as const;

/** Reads the mix of a profile from the catalog. Errors: INVALID_ARGUMENT for an unknown profile. */
export function readTaoMix(profile: string): TaoMix {
  if (!(taoProfiles as readonly string[]).includes(profile)) {
    throw malformed(`TAOBench has no workload "${profile}"; there are ${taoProfiles.join(", ")}`);
  }
  const url = new URL(`../../../catalog/workloads/taobench/workload_${profile}.json`, import.meta.url);
  return parseTaoMix(readFileSync(url, "utf8"), `workload_${profile}.json`);
}

export function parseTaoMix(text: string, name: string): TaoMix {
  const lines = new Map<string, Line>();
  for (const [index, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    lines.set(...parseLine(line, `${name}:${index + 1}`));
  }
  const weighted = <Value>(field: string, convert: (value: unknown) => Value | undefined): Weighted<Value>[] => {
    const { values, weights } = lineOf(field);
    if (values.length !== weights.length) {
      throw malformed(`${name}: ${field} has ${values.length} values and ${weights.length} weights`);
    }
    return values.map((raw, index) => {
      const value = convert(raw);
      if (value === undefined) throw malformed(`${name}: ${field} has the unknown value ${JSON.stringify(raw)}`);
      return { value, weight: weights[index] };
    });
  };
  const lineOf = (field: string) => {
    const line = lines.get(field);
    if (line === undefined) throw malformed(`${name} lacks the line "${field}"`);
    return line;
  };
  const step = (value: unknown) => (Object.hasOwn(steps, String(value)) ? steps[String(value)] : undefined);
  const size = (value: unknown) => (Number.isInteger(value) && (value as number) > 0 ? (value as number) : undefined);
  return {
    operations: lineOf("operations").weights,
    readSteps: weighted("read_operation_types", step),
    writeSteps: weighted("write_operation_types", step),
    readTransactionSteps: weighted("read_txn_operation_types", step),
    writeTransactionSteps: weighted("write_txn_operation_types", step),
    readTransactionSizes: weighted("read_txn_sizes", size),
    writeTransactionSizes: weighted("write_txn_sizes", size),
    edgeTypes: weighted("edge_types", (value) => edgeTypes.find((type) => type === value) ?? "other"),
    primaryShards: lineOf("primary_shards").weights,
    remoteShards: lineOf("remote_shards").weights,
  };
}

interface Line {
  readonly values: readonly unknown[];
  readonly weights: readonly number[];
}

function parseLine(line: string, place: string): [string, Line] {
  let parsed: { name?: unknown; values?: unknown; weights?: unknown };
  try {
    parsed = JSON.parse(line) as typeof parsed;
  } catch (cause) {
    throw new LatheError("INVALID_ARGUMENT", `${place}: not a JSON object`, { cause });
  }
  const { name, values = [], weights } = parsed;
  const valid =
    typeof name === "string" &&
    Array.isArray(values) &&
    Array.isArray(weights) &&
    weights.every((weight) => typeof weight === "number" && weight >= 0);
  if (!valid) throw malformed(`${place}: expected {"name", "values"?, "weights"}`);
  return [name as string, { values: values as unknown[], weights: weights as number[] }];
}

function malformed(message: string): LatheError {
  return new LatheError("INVALID_ARGUMENT", message);
}

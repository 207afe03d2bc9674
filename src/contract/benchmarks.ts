/**
 * The benchmarks that a contract can name: tables, operations and size of each profile.
 *
 * A contract fills in from here what its file leaves out, and a listed mix is compared with it. The generators
 * themselves are in `workload/`; the figures are those of TAOBench's workload files and YCSB's core properties.
 */
import type { Column, OperationSpec, TableSpec, WorkloadSpec } from "./contract.ts";
import { keyValueColumns } from "./key-value-table.ts";

export interface BenchmarkProfile {
  readonly benchmark: WorkloadSpec["benchmark"];
  readonly profile: string;
  readonly title: string;
  readonly operations: readonly OperationSpec[];
  readonly scale: number;
  readonly scaleUnit: string;
  /** Whether transactions of several statements occur. */
  readonly transactions: boolean;
  /** Share of counted operations that change something. */
  readonly writeShare: number;
  tables(scale: number): readonly TableSpec[];
}

const int64Max = 2n ** 63n - 1n;

function bigint(name: string, nullable = false): Column {
  return { name, type: "bigint", nullable };
}

const taoValue: Column = { name: "value", type: "varchar", lengthMax: 150, nullable: true };
/** Shard number in the top 7 bits of 63: always positive. */
const taoKey = (name: string): Column => ({ ...bigint(name), valueMin: 0n, valueMax: int64Max });

function taoTables(scale: number): TableSpec[] {
  return [
    {
      name: "objects",
      columns: [taoKey("id"), bigint("timestamp", true), taoValue],
      primaryKey: ["id"],
      rows: 2 * scale,
    },
    {
      name: "edges",
      columns: [taoKey("id1"), taoKey("id2"), bigint("type"), bigint("timestamp", true), taoValue],
      primaryKey: ["id1", "id2", "type"],
      rows: scale,
    },
  ];
}

function taoOperations(weights: readonly [number, number, number, number]): OperationSpec[] {
  const sharded = { distribution: "sharded", valueBytes: 150 } as const;
  return [
    { name: "READ", weight: weights[0], ...sharded },
    { name: "WRITE", weight: weights[1], ...sharded },
    { name: "READTRANSACTION", weight: weights[2], ...sharded, statementsMin: 2, statementsMax: 500 },
    { name: "WRITETRANSACTION", weight: weights[3], ...sharded, statementsMin: 2, statementsMax: 103 },
  ];
}

function ycsbTables(scale: number): TableSpec[] {
  const fields = Array.from({ length: 10 }, (_, number): Column => ({
    name: `field${number}`,
    type: "varchar",
    lengthMax: 100,
    nullable: true,
  }));
  const key: Column = { name: "ycsb_key", type: "varchar", lengthMax: 255, nullable: false };
  return [{ name: "usertable", columns: [key, ...fields], primaryKey: ["ycsb_key"], rows: scale }];
}

function taoProfile(
  profile: string,
  title: string,
  weights: readonly [number, number, number, number],
): BenchmarkProfile {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return {
    benchmark: "taobench", profile, title,
    operations: taoOperations(weights),
    scale: 500_000,
    scaleUnit: "edges (with two objects each)",
    transactions: true,
    writeShare: (weights[1] + weights[3]) / total,
    tables: taoTables,
  };
}

const zipfian = { distribution: "zipfian", skew: 0.99, valueBytes: 1000 } as const;
const latest = { distribution: "latest", valueBytes: 1000 } as const;

function ycsbProfile(profile: string, title: string, operations: readonly OperationSpec[]): BenchmarkProfile {
  const total = operations.reduce((sum, operation) => sum + operation.weight, 0);
  const reads = operations.filter(({ name }) => name === "READ" || name === "SCAN");
  return {
    benchmark: "ycsb", profile, title, operations,
    writeShare: 1 - reads.reduce((sum, operation) => sum + operation.weight, 0) / total,
    scale: 100_000,
    scaleUnit: "records",
    transactions: false,
    tables: ycsbTables,
  };
}

function bulkTables(scale: number): TableSpec[] {
  const text = (name: string, lengthMax: number): Column => ({ name, type: "varchar", lengthMax, nullable: false });
  return [{
    name: "grants",
    columns: [text("external_id", 64), text("entitlement_id", 64), text("principal_id", 64), text("payload", 256)],
    primaryKey: ["external_id"],
    indexes: [
      { name: "by_entitlement", columns: ["entitlement_id"] },
      { name: "by_principal", columns: ["principal_id"] },
    ],
    rows: scale,
  }];
}

/** Statements of 100 records beside pages of 100 records; the load before them is most of the work. */
const bulkProfile: BenchmarkProfile = {
  benchmark: "bulk_ingest",
  profile: "grants",
  title: "Bulk ingest: grants with two secondary indexes in large statements, read in pages",
  operations: [
    { name: "INGEST", weight: 50, distribution: "uniform", valueBytes: 256 },
    { name: "PAGE", weight: 50, distribution: "uniform", valueBytes: 256 },
  ],
  scale: 1_000_000,
  scaleUnit: "records",
  transactions: false,
  writeShare: 0.5,
  tables: bulkTables,
};

function keyValueProfile(profile: string, title: string, operations: readonly OperationSpec[]): BenchmarkProfile {
  const total = operations.reduce((sum, operation) => sum + operation.weight, 0);
  const writes = operations.filter(({ name }) => name === "PUT" || name === "BATCH");
  return {
    benchmark: "key_value", profile, title, operations,
    scale: 100_000,
    scaleUnit: "keys",
    transactions: false,
    writeShare: writes.reduce((sum, operation) => sum + operation.weight, 0) / total,
    tables: (scale) => [
      { name: "kv", columns: keyValueColumns(1024, 65_535), primaryKey: ["k"], rows: scale },
    ],
  };
}

const uniform64 = { distribution: "uniform", valueBytes: 64 } as const;
const zipfian100 = { distribution: "zipfian", skew: 0.99, valueBytes: 100 } as const;

export const benchmarkProfiles: readonly BenchmarkProfile[] = [
  taoProfile("o", "TAOBench Workload O: a production mix of a social graph", [8387, 19, 242, 1]),
  taoProfile("a", "TAOBench Workload A: the transactional mix of a social graph", [171, 57, 15, 1]),
  ycsbProfile("c", "YCSB C: profile cache, reads only", [{ name: "READ", weight: 100, ...zipfian }]),
  ycsbProfile("a", "YCSB A: session store, half updates", [
    { name: "READ", weight: 50, ...zipfian },
    { name: "UPDATE", weight: 50, ...zipfian },
  ]),
  ycsbProfile("b", "YCSB B: photo tagging, few updates", [
    { name: "READ", weight: 95, ...zipfian },
    { name: "UPDATE", weight: 5, ...zipfian },
  ]),
  ycsbProfile("d", "YCSB D: newest records are read most", [
    { name: "READ", weight: 95, ...latest },
    { name: "INSERT", weight: 5, ...latest },
  ]),
  ycsbProfile("e", "YCSB E: short scans", [
    { name: "SCAN", weight: 95, ...zipfian },
    { name: "INSERT", weight: 5, ...zipfian },
  ]),
  ycsbProfile("f", "YCSB F: read, change, write back", [
    { name: "READ", weight: 50, ...zipfian },
    { name: "READ-MODIFY-WRITE", weight: 50, ...zipfian },
  ]),
  bulkProfile,
  keyValueProfile("sndv", "Key-value over HTTP: single puts, batches of 100 and gets, as SNDV-KV's benchmark", [
    { name: "PUT", weight: 25, ...uniform64 },
    { name: "BATCH", weight: 25, ...uniform64 },
    { name: "GET", weight: 50, ...uniform64 },
  ]),
  keyValueProfile("a", "Key-value over HTTP: session store, half puts (shares of YCSB A)", [
    { name: "PUT", weight: 50, ...zipfian100 },
    { name: "GET", weight: 50, ...zipfian100 },
  ]),
  keyValueProfile("b", "Key-value over HTTP: mostly gets (shares of YCSB B)", [
    { name: "PUT", weight: 5, ...zipfian100 },
    { name: "GET", weight: 95, ...zipfian100 },
  ]),
  keyValueProfile("c", "Key-value over HTTP: gets only (shares of YCSB C)", [
    { name: "GET", weight: 100, ...zipfian100 },
  ]),
  keyValueProfile("e", "Key-value over HTTP: short scans (shares of YCSB E)", [
    { name: "PUT", weight: 5, ...zipfian100 },
    { name: "SCAN", weight: 95, ...zipfian100 },
  ]),
];

/** The surface over which a benchmark is driven: one each. */
export function surfaceOf({ benchmark }: Pick<WorkloadSpec, "benchmark">): "mysql" | "http" {
  return benchmark === "key_value" ? "http" : "mysql";
}

export function findProfile(benchmark: string, profile: string): BenchmarkProfile | undefined {
  return benchmarkProfiles.find((one) => one.benchmark === benchmark && one.profile === profile);
}

export function profilesOf(benchmark: string): string[] {
  return benchmarkProfiles.filter((one) => one.benchmark === benchmark).map((one) => one.profile).sort();
}

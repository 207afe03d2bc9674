/**
 * What a contract says, as flat facts that rules can ask for.
 *
 * Shares are of operations by weight. Sizes are estimates from declared types: integers and doubles by their width,
 * texts by the workload's value size or half their limit, whichever is smaller.
 */
import { findProfile } from "../../contract/benchmarks.ts";
import type { Column, Contract, OperationSpec } from "../../contract/contract.ts";
import { engineChoice, fitsMemoryEngine } from "../../contract/engine-choice.ts";

export type Fact = string | number | boolean | readonly string[];

export const factNames = {
  nodes: "nodes that keep a copy",
  shards: "shards",
  locality: "which rows stay together: none, by_key_prefix",
  transactions: "none, single_statement, one_shot, interactive",
  isolation: "serializable, snapshot, read_committed",
  reads: "linearizable, stale_allowed",
  durability: "every_commit, interval, none",
  row_cache: "none, lru, w_tinylfu",
  protocols: "mysql, http, postgresql, embedded",
  tolerates: "process_crash, power_loss, node_loss, partition",
  benchmark: "name of the benchmark that the workload is",
  clients: "clients at once",
  write_share: "share of operations that change something, 0 to 1",
  scan_share: "share of operations that read ranges, 0 to 1",
  skewed: "whether some keys are much hotter than others",
  tables: "tables",
  indexes: "secondary indexes over all tables",
  column_types: "types of columns",
  expiring: "whether rows carry a time at which they expire",
  data_mib: "estimated data, MiB",
  memory_mib_max: "memory granted, MiB",
  fits_memory: "whether the data takes at most 70 % of the memory granted",
  index_columns_max: "columns of the widest secondary index; 0 without any",
  placement_asked: "memory, disk or auto: what the contract says",
  memory_engine_fits: "whether rows, each of its greatest length, fit what the engine in memory may fill",
  placement: "memory or disk: what the contract says, or what its latency and size lead to (contract/engine-choice.ts)",
  p99_us_max: "target of the 99th percentile, µs; left out where none is set",
} as const;

export type FactName = keyof typeof factNames;

export type Facts = Readonly<Partial<Record<FactName, Fact>>>;

const readingNames = new Set(["READ", "READTRANSACTION", "SCAN", "GET", "PAGE"]);
const rangeNames = new Set(["SCAN", "PAGE"]);

/** Above this constant a Zipfian distribution counts as skewed. */
const skewMin = 0.8;

export function factsOf(contract: Contract): Facts {
  const { data, workload, targets, surface, failure, consistency, storage } = contract;
  const operations = workload.operations ?? findProfile(workload.benchmark, workload.profile)?.operations ?? [];
  const columns = data.tables.flatMap((table) => table.columns);
  const indexes = data.tables.flatMap((table) => table.indexes ?? []);
  const dataMiB = estimateDataMiB(contract, operations);
  return {
    nodes: contract.replication.nodes,
    shards: contract.sharding.shards,
    locality: contract.sharding.locality,
    transactions: consistency.transactions,
    isolation: consistency.isolation,
    reads: consistency.reads,
    durability: storage.durability,
    row_cache: contract.caching.rowCache,
    protocols: surface.protocols,
    tolerates: failure.tolerates,
    benchmark: workload.benchmark,
    clients: workload.clients,
    write_share: shareOf(operations, ({ name }) => !readingNames.has(name)),
    scan_share: shareOf(operations, ({ name }) => rangeNames.has(name)),
    skewed: operations.some(isSkewed),
    tables: data.tables.length,
    indexes: indexes.length,
    column_types: [...new Set(columns.map(({ type }) => type))].sort(),
    expiring: columns.some(({ name }) => /^expires?(_|$)/.test(name)),
    data_mib: dataMiB,
    memory_mib_max: targets.memoryMiBMax,
    fits_memory: dataMiB <= 0.7 * targets.memoryMiBMax,
    index_columns_max: Math.max(0, ...indexes.map((one) => one.columns.length)),
    placement_asked: storage.placement,
    memory_engine_fits: fitsMemoryEngine(contract),
    placement: engineChoice(contract).leaf === "storage/storage_model/memory" ? "memory" : "disk",
    ...(targets.p99UsMax === undefined ? {} : { p99_us_max: targets.p99UsMax }),
  };
}

function shareOf(operations: readonly OperationSpec[], wanted: (operation: OperationSpec) => boolean): number {
  const weightOf = (some: readonly OperationSpec[]) => some.reduce((sum, { weight }) => sum + weight, 0);
  const total = weightOf(operations);
  return total === 0 ? 0 : Math.round((weightOf(operations.filter(wanted)) / total) * 1e4) / 1e4;
}

function isSkewed({ distribution, skew }: OperationSpec): boolean {
  return distribution === "latest" || (distribution === "zipfian" && (skew ?? 0.99) >= skewMin);
}

function estimateDataMiB({ data }: Contract, operations: readonly OperationSpec[]): number {
  const valueBytes = Math.max(0, ...operations.map((operation) => operation.valueBytes ?? 0));
  const widthOf = ({ type, lengthMax }: Column): number => {
    if (type === "int") return 4;
    if (type === "bigint" || type === "double") return 8;
    const half = (lengthMax ?? 0) / 2;
    return valueBytes === 0 ? half : Math.min(half, valueBytes);
  };
  const bytes = data.tables.reduce(
    (sum, { columns, rows }) => sum + rows * columns.reduce((wide, column) => wide + widthOf(column), 0),
    0,
  );
  return Math.round(bytes / 2 ** 20);
}

/**
 * A contract in plain sentences, topic by topic: what it promises, what that costs, which leaf serves it.
 */
import { findProfile } from "./benchmarks.ts";
import type { Contract, TableSpec, TransactionStepSpec } from "./contract.ts";
import { engineChoice } from "./engine-choice.ts";

export interface TopicExplanation {
  readonly title: string;
  readonly promises: readonly string[];
  readonly costs: readonly string[];
  /** Leaves of the feature model that serve it, of those that are selected for this contract. */
  readonly leaves: readonly string[];
}

export function explainContract(contract: Contract): TopicExplanation[] {
  return [
    explainData(contract), explainSharding(contract), explainReplication(contract), explainConsistency(contract),
    explainStorage(contract), explainCaching(contract), explainSurface(contract), explainFailure(contract),
    explainWorkload(contract), explainTargets(contract),
  ];
}

function explainData({ data }: Contract): TopicExplanation {
  return {
    title: "Data and key encoding",
    promises: [
      ...data.tables.map(describeTable),
      "Keys sort as bytes in the order of the primary key, so a range of keys is one scan.",
    ],
    costs: [`About ${formatBytes(dataBytes(data.tables))} of rows before the engine's own overhead.`],
    leaves: ["storage/layout/row_to_kv", "architecture/catalog/kv_encoded"],
  };
}


function explainSharding({ sharding }: Contract): TopicExplanation {
  const neighbours = sharding.locality === "by_key_prefix";
  const together = neighbours ? " Rows with a common key prefix are neighbours on disk." : "";
  return {
    title: "Sharding and locality",
    promises: [
      sharding.shards === 1 ? `All data are in one shard.${together}` : `${sharding.shards} shards.${together}`,
    ],
    costs: [
      sharding.shards === 1 ? "One machine's disk and one owner thread bound the store." : "Requests are routed.",
    ],
    leaves: [],
  };
}

function explainReplication({ replication }: Contract): TopicExplanation {
  if (replication.nodes === 1) {
    return {
      title: "Replication and consensus",
      promises: ["One node; its write-ahead log is the replicated log, ready for more."],
      costs: ["If the machine is lost, so are the data: back up."],
      leaves: ["replication/single_node"],
    };
  }
  return {
    title: "Replication and consensus",
    promises: [`${replication.nodes} copies agree by ${replication.consensus}; a majority of them must live.`],
    costs: ["Each commit waits for a majority: one network round trip and a flush on another machine."],
    leaves: ["replication/consensus/raft_group"],
  };
}

const snapshotIsolation =
  "Open transactions have snapshot isolation: each reads one moment and its own writes; of two that write the same " +
  "row the first to commit wins, the other is refused with 1213, so no update is lost; what SELECT … FOR UPDATE has " +
  "read must be unchanged at the commit. Single statements, and transactions sent in one text, are serializable.";
const writeSkew =
  "Write skew is possible: two open transactions that each read what the other writes may both commit. Where an " +
  "invariant spans rows, read them FOR UPDATE, or SET TRANSACTION ISOLATION LEVEL SERIALIZABLE.";

function explainConsistency({ consistency }: Contract): TopicExplanation {
  const reads = {
    linearizable: "A read sees every write that was acknowledged before it began.",
    stale_allowed: "A read may miss recent writes.",
  };
  const transactions = {
    none: "Single operations only.",
    single_statement: "Each statement is atomic; nothing spans two.",
    one_shot: "Statements that are sent together happen as a whole or not at all.",
    interactive: "A client may think between the statements of a transaction.",
  };
  const open = consistency.transactions === "interactive";
  const snapshot = open && consistency.isolation === "snapshot";
  const isolation = consistency.isolation === "serializable"
    ? "Transactions have one order, the log's: serializable."
    : snapshot
      ? snapshotIsolation
      : `${consistency.isolation} is asked for; the product gives serializable, which is more.`;
  return {
    title: "Consistency, time and transactions",
    promises: [reads[consistency.reads], transactions[consistency.transactions], isolation],
    costs: [
      "Writes are applied one after another by one thread; conditions are evaluated when they are applied.",
      ...(snapshot ? [writeSkew] : []),
    ],
    leaves: [
      "concurrency/transaction/model/one_shot_command",
      ...(open ? ["concurrency/transaction/model/single_node_acid"] : []),
    ],
  };
}

function explainStorage(contract: Contract): TopicExplanation {
  const { storage } = contract;
  const { leaf, reason } = engineChoice(contract);
  const place = leaf === "storage/storage_model/memory"
    ? "All data are in memory; log and snapshots bring them back"
    : "Data are in sorted files, the hot part of them in memory";
  const durability = {
    every_commit: "An acknowledged write is flushed to the device; nothing acknowledged is lost.",
    interval: `A power loss may take what was acknowledged in the last ${storage.lossWindowMs ?? 0} ms, and takes it ` +
      "from the end: no hole, no half transaction. A killed process, a clean stop and a checkpoint lose nothing.",
    none: "Nothing survives a restart for certain.",
  };
  const checksums = storage.checksums ? "" : " (asked off; they are always on)";
  return {
    title: "Storage and durability",
    promises: [
      durability[storage.durability],
      `${place}: ${reason}.`,
      `Blocks and log records carry checksums${checksums}; damage is reported, never returned.`,
    ],
    costs: storage.durability === "every_commit"
      ? ["A commit waits for a device flush, shared by all clients that commit at that moment."]
      : ["Commits do not wait for the device, unless it is slower than the window. `--profile safe` makes them."],
    leaves: [
      leaf, "core/wal",
      ...(storage.durability === "interval" ? ["recovery/auxiliary/relaxed_sync"] : []),
    ],
  };
}

function explainCaching({ caching, targets }: Contract): TopicExplanation {
  const none = caching.rowCache === "none";
  return {
    title: "Caching",
    promises: [
      none
        ? "Reads go to the engine and its block cache."
        : "Hot rows are kept in front of the engine, never stale.",
    ],
    costs: [`Caches count towards the ${targets.memoryMiBMax} MiB that the whole process is granted.`],
    leaves: none ? [] : [`storage/page_io/replacement/${caching.rowCache}`],
  };
}

function explainLibrary(): TopicExplanation {
  return {
    title: "Query surface",
    promises: [
      "A library in its user's process: typed tables to get, put, delete and scan; transactions are atomic batches.",
    ],
    costs: ["No server, no SQL: one process has the directory, a second one is refused."],
    leaves: ["architecture/model/embedded_library"],
  };
}

function explainSurface({ surface }: Contract): TopicExplanation {
  if (surface.protocols.includes("embedded")) return explainLibrary();
  const packets = surface.transactions === "multi_statement_packet";
  const overMysql = surface.protocols.includes("mysql");
  const overHttp = surface.protocols.includes("http");
  return {
    title: "Query surface",
    promises: [
      `Clients speak ${surface.protocols.join(" and ")}.`,
      ...(overMysql ? ["Every MySQL connection is authenticated."] : []),
      ...(overHttp ? ["HTTP requests carry a token, except on loopback where none is asked for by default."] : []),
      packets
        ? "A transaction is one packet: START TRANSACTION; …; COMMIT."
        : "Transactions over the wire are not asked for.",
    ],
    costs: [
      ...(overMysql
        ? ["Statements over one table, by its keys; what is beyond gets an error that names the missing leaf."]
        : []),
      ...(overHttp ? ["HTTP serves keys and values of one table: by key, in batches, by range."] : []),
    ],
    leaves: [
      ...(overMysql ? ["architecture/networking/wire_protocols/mysql_classic"] : []),
      ...(overHttp ? ["architecture/networking/transports/http", "parser/api_dialect/kv_http"] : []),
      "query_processing/execution/model/point_api",
    ],
  };
}

function explainFailure({ failure, storage }: Contract): TopicExplanation {
  const words = {
    process_crash: "a crash of the process (kill -9)", power_loss: "a power loss", node_loss: "the loss of a node",
    partition: "a network partition",
  };
  const beyond = storage.durability === "interval" && failure.tolerates.includes("power_loss")
    ? `, but for the last ${storage.lossWindowMs} ms before a power loss`
    : "";
  return {
    title: "Failure and recovery",
    promises: [
      failure.tolerates.length === 0
        ? "No failure is promised to be survived."
        : `Nothing acknowledged is lost by ${failure.tolerates.map((one) => words[one]).join(" or ")}${beyond}.`,
      `After a crash it serves again within ${failure.recoverySecondsMax} s.`,
    ],
    costs: ["The log is kept until the engine's files hold its content, and is replayed at start."],
    leaves: ["core/wal", "replication/single_node"],
  };
}

function explainWorkload({ workload }: Contract): TopicExplanation {
  const profile = findProfile(workload.benchmark, workload.profile);
  const operations = workload.operations ?? [];
  const total = operations.reduce((sum, operation) => sum + operation.weight, 0);
  const mix = operations.map((operation) => `${operation.name} ${formatShare(operation.weight / total)}`);
  const { clients, operationsPerSecond } = workload;
  const loop = workload.loop === "closed"
    ? `${clients} clients, each waits for its answer (closed loop).`
    : `${operationsPerSecond} operations/s arrive at their own pace (open loop), on ${clients} connections.`;
  const own = workload.tables === undefined ? "" : "Operations and tables of its own; the nearest benchmark is ";
  return {
    title: "Workload",
    promises: [
      `${own}${profile?.title ?? workload.benchmark}; ${formatCount(workload.scale)} ${profile?.scaleUnit ?? ""}.`,
      `Mix: ${mix.join(", ")}.`,
      ...operations.flatMap(({ name, weight, steps = [] }) => explainSteps(name, formatShare(weight / total), steps)),
      loop,
    ],
    costs: [],
    leaves: [],
  };
}

/** What a transaction does in order, and what its steps have in common. */
function explainSteps(name: string, share: string, steps: readonly TransactionStepSpec[]): string[] {
  if (steps.length === 0) return [];
  const listed = steps.map(({ operation, table = "any table", times = 1, shares = [] }, at) => {
    const shared = shares.map(({ column, step, of = column }) =>
      (step === at + 1 ? `one ${column} for all` : `its ${column} is the ${of} of step ${step}`));
    const what = `${at + 1} ${operation} ${table}${times > 1 ? ` ${times} times` : ""}`;
    return shared.length === 0 ? what : `${what} (${shared.join(", ")})`;
  });
  return [`${name} (${share}), in order: ${listed.join("; ")}.`];
}

function explainTargets({ targets }: Contract): TopicExplanation {
  const wanted = [
    targets.throughputMin === undefined ? [] : [`at least ${formatCount(targets.throughputMin)} operations/s`],
    targets.p99UsMax === undefined ? [] : [`99 % within ${formatCount(targets.p99UsMax)} µs`],
    [`at most ${targets.memoryMiBMax} MiB of memory`],
  ].flat();
  const margin = (ratio: number) => `${((ratio - 1) * 100).toFixed(0)} %`;
  return {
    title: "Targets",
    promises: [`Asked for: ${wanted.join(", ")}.`],
    costs: [
      `A faster candidate is kept only if p99 is at most ${margin(targets.p99RatioMax)} and memory at most ` +
        `${margin(targets.memoryRatioMax)} worse.`,
    ],
    leaves: [],
  };
}

function describeTable(table: TableSpec): string {
  const key = table.primaryKey.join(", ");
  return `Table ${table.name}: ${formatCount(table.rows)} rows of ${table.columns.length} columns, key (${key}).`;
}

/** Bytes of all rows where every column has its longest value. */
export function dataBytes(tables: readonly TableSpec[]): number {
  const fixed = { bigint: 8, int: 4, double: 8, varchar: 0, varbinary: 0 };
  return tables.reduce((sum, table) => {
    const row = table.columns.reduce((width, column) => width + fixed[column.type] + (column.lengthMax ?? 0), 0);
    return sum + row * table.rows;
  }, 0);
}

export function formatCount(value: number): string {
  return value.toLocaleString("en-US");
}

function formatShare(share: number): string {
  return `${(share * 100).toFixed(share < 0.001 ? 4 : 2)} %`;
}

function formatBytes(bytes: number): string {
  return bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${(bytes / 1e6).toFixed(0)} MB`;
}

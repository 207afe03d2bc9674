/**
 * The one schema of `contract.yaml`: validation, JSON Schema for editors and the texts of `explain` come from it.
 *
 * The file has snake_case keys with units last; the result is exactly the `Contract` of `contract.ts`. Every topic but
 * the workload may be left out: defaults are what the parts serve best. Checks within one topic stand beside it
 * (`cross-check.ts`), so that a mistake in one place does not hide those in another.
 */
import { z } from "zod";
import { findProfile } from "./benchmarks.ts";
import type { Contract } from "./contract.ts";
import * as check from "./cross-check.ts";
import * as operations from "./operation-check.ts";
import { isOwn, undrivenOwn } from "./own-operations.ts";

const name = z.string().regex(
  /^[A-Za-z_][A-Za-z0-9_]{0,63}$/,
  "a name: a letter or _, then letters, digits or _, at most 64",
);
const wholeNumber = z.int();
const count = wholeNumber.min(1).max(Number.MAX_SAFE_INTEGER);

/** A whole number of the SQL type bigint, exact. */
const int64Message = "a whole number from -9223372036854775808 to 9223372036854775807";
const int64 = z
  .union([z.int(), z.bigint()], { error: int64Message })
  .refine((value) => BigInt.asIntN(64, BigInt(value)) === BigInt(value), `expected ${int64Message}`)
  .transform((value) => BigInt(value));

const columnSchema = z
  .strictObject({
    name: name.describe("Name of the column."),
    type: z.enum(["bigint", "int", "double", "varchar", "varbinary"]).describe("SQL type."),
    length_max: count.max(16_777_215).optional().describe("Longest value: characters of varchar, bytes of varbinary."),
    nullable: z.boolean().default(false).describe("Whether NULL is allowed."),
    value_min: int64.optional().describe("Smallest value that the workload uses; exact for 64-bit integers."),
    value_max: int64.optional().describe("Largest value that the workload uses; exact for 64-bit integers."),
  })
  .superRefine(check.column);

const tableSchema = z
  .strictObject({
    name: name.describe("Name of the table."),
    columns: z.array(columnSchema).min(1).max(1_000).describe("Columns in order."),
    primary_key: z.array(name).min(1).max(16).describe("Columns of the primary key, in key order."),
    indexes: z
      .array(
        z.strictObject({
          name: name.describe("Name of the index."),
          columns: z.array(name).min(1).max(16).describe("Indexed columns, in order."),
        }),
      )
      .max(64)
      .optional()
      .describe("Secondary indexes, kept in the same atomic write as the row; each costs an entry per row."),
    rows: wholeNumber.min(0).describe("Expected number of rows."),
  })
  .superRefine(check.table);

const dataSchema = z
  .strictObject({
    tables: z
      .array(tableSchema)
      .max(1_000)
      .default([])
      .describe("Tables; those of the benchmark where none is listed."),
    key_encoding: z.enum(["order_preserving"]).default("order_preserving").describe(
      "How primary keys become bytes. order_preserving: range scans follow key order.",
    ),
  })
  .superRefine(check.data);

const shardingSchema = z.strictObject({
  shards: count.max(10_000).default(1).describe("Partitions of the data."),
  locality: z.enum(["none", "by_key_prefix"]).default("none").describe("Which rows should stay together."),
});

const replicationSchema = z
  .strictObject({
    nodes: count.max(101).default(1).describe("Copies of the data on machines of their own."),
    consensus: z.enum(["none", "raft"]).default("none").describe("How copies agree."),
  })
  .superRefine(check.replication);

const consistencySchema = z.strictObject({
  reads: z.enum(["linearizable", "stale_allowed"]).default("linearizable").describe("What a read may miss."),
  transactions: z.enum(["none", "single_statement", "one_shot", "interactive"]).default("one_shot").describe(
    "one_shot: several statements that are sent together; interactive: the client thinks between them.",
  ),
  isolation: z.enum(["serializable", "snapshot", "read_committed"]).default("serializable").describe(
    "What transactions may see of one another. snapshot: with interactive ones, for rows that many change (write " +
      "skew is possible, lost updates are not); all else is serializable in any case.",
  ),
});

const storageSchema = z
  .strictObject({
    durability: z.enum(["every_commit", "interval", "none"]).default("every_commit").describe(
      "every_commit: acknowledged means flushed to the device. interval: at most loss_window_ms may be lost.",
    ),
    loss_window_ms: count.max(3_600_000).optional().describe("With durability interval: what a power loss may take."),
    placement: z.enum(["auto", "memory", "disk"]).default("auto").describe(
      "Where the data are: memory (all of them, with log and snapshots), disk, or auto: in memory where they fit " +
        "and p99_us_max is below 1000.",
    ),
    checksums: z.boolean().default(true).describe("Whether every block and log record carries a checksum."),
  })
  .superRefine(check.storage);

const cachingSchema = z.strictObject({
  row_cache: z.enum(["none", "lru", "w_tinylfu"]).default("lru").describe(
    "Cache of rows in front of the engine. lru drops what was not used for longest, w_tinylfu what is used least.",
  ),
});

const surfaceSchema = z.strictObject({
  protocols: z.array(z.enum(["mysql", "http", "postgresql", "embedded"])).min(1).default(["mysql"]).describe(
    "What clients speak.",
  ),
  transactions: z.enum(["none", "multi_statement_packet"]).default("multi_statement_packet").describe(
    "How a transaction arrives: START TRANSACTION; …; COMMIT in one packet, or not at all.",
  ),
});

const failureSchema = z.strictObject({
  tolerates: z
    .array(z.enum(["process_crash", "power_loss", "node_loss", "partition"]))
    .default(["process_crash", "power_loss"])
    .describe("Failures after which nothing acknowledged may be lost."),
  recovery_seconds_max: z.number().min(0.1).max(86_400).default(30).describe("Longest restart after a crash."),
});

const targetFields = {
  table: name.optional().describe("Version 2: the table that it touches; any, drawn by their rows, where left out."),
  key: z.array(name).min(1).max(16).optional().describe(
    "Version 2: columns that it compares by equality; where left out the primary key, and of a scan none.",
  ),
  range: name.optional().describe("Version 2: the column in whose order a scan goes on from a value."),
  rows: count.max(10_000).optional().describe(
    "Version 2: rows that a scan reads (1 to 100 at random where left out), or that an insert stores (1).",
  ),
};
const skew = z.number().min(0).max(5).optional();

const sharedSchema = z.strictObject({
  column: name.describe("A column that the step compares by equality or, as an INSERT, stores."),
  step: count.max(200).describe(
    "Number of an earlier step, from 1; or of this one: all of its statements have the value of the first.",
  ),
  of: name.optional().describe("The column there; the same name where left out."),
});

const stepSchema = z
  .strictObject({
    operation: z.enum(["READ", "UPDATE", "INSERT", "DELETE", "SCAN"]).describe("What the statement does."),
    ...targetFields,
    times: count.max(1_000).optional().describe("How often in a row; 1 where left out."),
    skew: skew.describe("Constant of a zipfian distribution; the transaction's own distribution where left out."),
    shares: z.array(sharedSchema).min(1).max(16).optional().describe(
      "Columns that have, in every transaction, the value of a column of an earlier step: the row that was read is " +
        "the one that is updated, lines are of the order that was inserted.",
    ),
  })
  .superRefine(operations.step);

const operationSchema = z
  .strictObject({
    name: z.string().regex(/^[A-Z][A-Z_-]{0,31}$/, "a name in capitals, as READ").describe("Name in reports."),
    weight: z.number().min(0).describe("Share: weight over the sum of all weights."),
    distribution: z
      .enum(["uniform", "zipfian", "latest", "sharded"])
      .default("uniform")
      .describe("How keys are chosen."),
    skew: skew.describe("Constant of a zipfian distribution, for example 0.99."),
    value_bytes: count.max(16_777_216).optional().describe("Size of the value that is read or written."),
    statements_min: count.max(10_000).optional().describe("Fewest statements of a transaction."),
    statements_max: count.max(10_000).optional().describe("Most statements of a transaction."),
    ...targetFields,
    steps: z.array(stepSchema).min(1).max(200).optional().describe(
      "Version 2: the statements of a transaction, in order; reads and updates by turns where left out.",
    ),
  })
  .superRefine(operations.operation);

const workloadSchema = z
  .strictObject({
    benchmark: z.enum(["taobench", "ycsb", "bulk_ingest", "key_value"]).describe(
      "The benchmark whose operations are run.",
    ),
    profile: z.string().describe(
      "A workload of the benchmark: o or a of TAOBench, a to f of YCSB, grants of bulk_ingest, sndv, a, b, c or e of " +
        "key_value.",
    ),
    scale: count.max(1_000_000_000_000).optional().describe(
      "Edges of TAOBench (two objects each), records of YCSB and bulk_ingest, keys of key_value.",
    ),
    clients: count.max(10_000).default(8).describe("Connections that work at once."),
    loop: z.enum(["closed", "open"]).default("closed").describe(
      "closed: a client waits for its answer. open: operations arrive at operations_per_second whatever happens.",
    ),
    operations_per_second: z
      .number()
      .positive()
      .max(100_000_000)
      .optional()
      .describe("Arrival rate of an open loop."),
    operations: z
      .array(operationSchema)
      .min(1)
      .max(100)
      .optional()
      .describe("The mix; the profile's own where left out."),
  })
  .superRefine(check.workload);

const targetsSchema = z
  .strictObject({
    throughput_min: z.number().positive().optional().describe("Operations per second to reach."),
    p99_us_max: z.number().positive().optional().describe("Microseconds that 99 % of operations may take at most."),
    memory_mib_max: z.number().positive().default(256).describe(
      "MiB of the operating system's memory that are granted; below it more memory is no loss.",
    ),
    p99_ratio_max: z.number().min(1).max(10).default(1.1).describe("A candidate's p99 may be worse by this ratio."),
    memory_ratio_max: z.number().min(1).max(10).default(1.1).describe("Its memory may be larger by this ratio."),
  })
  .superRefine(check.targets);

const invariantSchema = z.strictObject({
  text: z.string().min(1).max(500).describe("A sentence that must stay true."),
  oracle: z.string().regex(/^[a-z][a-z0-9_-]{0,63}$/, "a gate's name, as durability").optional().describe(
    "The gate that checks it.",
  ),
});

const needSchema = z.strictObject({
  feature: z
    .string()
    .regex(/^[a-z][a-z0-9_/-]{0,199}$/, "a path of the feature model, as query_processing/joins")
    .describe("Feature of the model that serves it."),
  statements: wholeNumber.min(0).default(0).describe("Statements that need it."),
  because: z.string().min(1).max(500).describe("What needs it."),
});

export const contractSchema = z
  .strictObject({
    version: z.literal([1, 2]).describe("Version of this file's format: 2 where operations say what they touch."),
    name: z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, "a name: small letters, digits and -, at most 63").describe(
      "Name of the product.",
    ),
    description: z.string().max(2_000).default("").describe("What the workload is, for people."),
    data: dataSchema.prefault({}).describe("Topic 1: data model and key encoding."),
    sharding: shardingSchema.prefault({}).describe("Topic 2: sharding and locality."),
    replication: replicationSchema.prefault({}).describe("Topic 3: replication and consensus."),
    consistency: consistencySchema.prefault({}).describe("Topic 4: consistency, time and transactions."),
    storage: storageSchema.prefault({}).describe("Topic 5: storage engine and durability."),
    caching: cachingSchema.prefault({}).describe("Topic 6: caching strategy."),
    surface: surfaceSchema.prefault({}).describe("Topic 7: query surface."),
    failure: failureSchema.prefault({}).describe("Topic 8: failure model and recovery."),
    workload: workloadSchema.describe("What is run: operations, size, clients."),
    targets: targetsSchema.prefault({}).describe("What is asked for, and how much worse the guards may get."),
    invariants: z.array(invariantSchema).max(100).default([]).describe("What must stay true."),
    non_goals: z.array(z.string().min(1).max(500)).max(100).default([]).describe("What is deliberately left out."),
    needs: z.array(needSchema).max(200).optional().describe(
      "What the workload needs beyond rows by key, as `lathe contract infer` finds it.",
    ),
  })
  .superRefine(check.contract)
  .superRefine(operations.targets);

export type ContractFile = z.output<typeof contractSchema>;

/** Fills in what the benchmark knows and gives keys the spelling of code. */
export function toContract(file: ContractFile): Contract {
  const camel = camelKeys(file);
  const profile = findProfile(file.workload.benchmark, file.workload.profile);
  const scale = file.workload.scale ?? profile?.scale ?? 1;
  const tables = camel.data.tables.length > 0 ? camel.data.tables : (profile?.tables(scale) ?? []);
  const workload = { ...camel.workload, scale, operations: camel.workload.operations ?? profile?.operations };
  const packets = camel.surface.transactions === "multi_statement_packet";
  const own = isOwn(workload, tables) && undrivenOwn(workload, tables, packets).length === 0;
  if (!own) return { ...camel, data: { ...camel.data, tables }, workload };
  const interactive = camel.consistency.transactions === "interactive" ? { interactive: true } : {};
  return { ...camel, data: { ...camel.data, tables }, workload: { ...workload, tables, ...interactive } };
}

type CamelWord<Word extends string> = Word extends "mib" ? "MiB" : Capitalize<Word>;
type CamelRest<Text extends string> = Text extends `${infer Word}_${infer Rest}`
  ? `${CamelWord<Word>}${CamelRest<Rest>}`
  : CamelWord<Text>;
type Camel<Text extends string> = Text extends `${infer Word}_${infer Rest}` ? `${Word}${CamelRest<Rest>}` : Text;
export type CamelKeys<T> = T extends readonly (infer Element)[]
  ? readonly CamelKeys<Element>[]
  : T extends object
    ? { readonly [Key in keyof T as Key extends string ? Camel<Key> : Key]: CamelKeys<T[Key]> }
    : T;

/** `p99_us_max` becomes `p99UsMax`, `memory_mib_max` becomes `memoryMiBMax`. */
export function camelKeys<T>(value: T): CamelKeys<T> {
  return renameKeys(value, camelKey) as CamelKeys<T>;
}

function camelKey(key: string): string {
  return key.replace(
    /_([a-z0-9]+)/g,
    (_, word: string) => (word === "mib" ? "MiB" : word[0].toUpperCase() + word.slice(1)),
  );
}

function renameKeys(value: unknown, rename: (key: string) => string): unknown {
  if (Array.isArray(value)) return value.map((inner) => renameKeys(inner, rename));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [rename(key), renameKeys(inner, rename)]));
}

/**
 * What no contract may say, whatever the parts can do: topics that contradict themselves or one another.
 *
 * Each check sees one topic after its own fields were found valid, and names the field to change. `contract` sees all.
 */
import type { z } from "zod";
import { suggestion } from "../kit/suggestion.ts";
import { findProfile, profilesOf } from "./benchmarks.ts";
import { isKeyValueTable, keyValueShape } from "./key-value-table.ts";
import type { TargetFile } from "./operation-check.ts";

export type Context = z.core.$RefinementCtx;

export function complain(context: Context, path: readonly (string | number)[], message: string): void {
  context.addIssue({ code: "custom", path: [...path], message });
}

const declaredLengthMax = 65_535;

interface ColumnFile {
  readonly name: string;
  readonly type: string;
  readonly length_max?: number | undefined;
  readonly nullable: boolean;
  readonly value_min?: bigint | undefined;
  readonly value_max?: bigint | undefined;
}

export function column(value: ColumnFile, context: Context): void {
  const sized = value.type === "varchar" || value.type === "varbinary";
  if (sized && value.length_max === undefined) {
    complain(context, ["length_max"], `${value.name} is ${value.type}: say its longest value with length_max`);
  }
  if (!sized && value.length_max !== undefined) {
    complain(context, ["length_max"], `${value.name} is ${value.type}, which has no length; remove length_max`);
  }
  // As MySQL's VARCHAR and VARBINARY; a value that only HTTP stores may be longer (see `contract`).
  if (value.type === "varchar" && (value.length_max ?? 0) > declaredLengthMax) {
    complain(context, ["length_max"], `a varchar has at most ${declaredLengthMax} characters`);
  }
  const { value_min: least, value_max: most } = value;
  if (sized && (least !== undefined || most !== undefined)) {
    complain(
      context,
      [least === undefined ? "value_max" : "value_min"],
      `${value.type} has no smallest or largest value`,
    );
  }
  if (least !== undefined && most !== undefined && least > most) {
    complain(context, ["value_min"], `value_min ${least} is above value_max ${most}`);
  }
  if (value.type === "int") {
    for (const [key, bound] of [["value_min", least], ["value_max", most]] as const) {
      if (bound !== undefined && BigInt.asIntN(32, bound) !== bound) {
        complain(context, [key], `${bound} does not fit int (32 bits); make ${value.name} a bigint`);
      }
    }
  }
}

interface TableFile {
  readonly name: string;
  readonly columns: readonly ColumnFile[];
  readonly primary_key: readonly string[];
  readonly indexes?: readonly { readonly name: string; readonly columns: readonly string[] }[] | undefined;
}

export function table(value: TableFile, context: Context): void {
  indexes(value, context);
  const names = value.columns.map((one) => one.name);
  for (const [at, columnName] of names.entries()) {
    if (names.indexOf(columnName) < at) {
      complain(context, ["columns", at, "name"], `column ${columnName} is there already`);
    }
  }
  for (const [at, keyName] of value.primary_key.entries()) {
    const found = value.columns.find((one) => one.name === keyName);
    if (value.primary_key.indexOf(keyName) < at) {
      complain(context, ["primary_key", at], `${keyName} is in the primary key already`);
    } else if (found === undefined) {
      const hint = suggestion(keyName, names) || `; columns are ${names.join(", ")}`;
      complain(context, ["primary_key", at], `${keyName} is not a column of ${value.name}${hint}`);
    } else if (found.nullable) {
      complain(context, ["primary_key", at], `${keyName} is nullable; a primary key cannot hold NULL`);
    }
  }
}

function indexes(value: TableFile, context: Context): void {
  const columns = value.columns.map((one) => one.name);
  const names = (value.indexes ?? []).map((one) => one.name.toLowerCase());
  for (const [at, index] of (value.indexes ?? []).entries()) {
    if (names.indexOf(index.name.toLowerCase()) < at) {
      complain(context, ["indexes", at, "name"], `index ${index.name} is there already`);
    }
    for (const [place, column] of index.columns.entries()) {
      const path = ["indexes", at, "columns", place];
      if (index.columns.indexOf(column) < place) complain(context, path, `${column} is in the index already`);
      if (columns.includes(column)) continue;
      const hint = suggestion(column, columns) || `; columns are ${columns.join(", ")}`;
      complain(context, path, `${column} is not a column of ${value.name}${hint}`);
    }
  }
}

export function data(value: { readonly tables: readonly TableFile[] }, context: Context): void {
  const names = value.tables.map((one) => one.name.toLowerCase());
  for (const [at, tableName] of names.entries()) {
    if (names.indexOf(tableName) < at) {
      complain(context, ["tables", at, "name"], `table ${tableName} is there already`);
    }
  }
}

export function replication(value: { readonly nodes: number; readonly consensus: string }, context: Context): void {
  if (value.nodes > 1 && value.consensus === "none") {
    complain(
      context,
      ["nodes"],
      `${value.nodes} nodes without consensus cannot agree; set consensus to raft, or nodes to 1`,
    );
  }
  if (value.nodes === 1 && value.consensus !== "none") {
    complain(context, ["consensus"], "one node has nobody to agree with; set consensus to none, or nodes to 3");
  }
  if (value.consensus !== "none" && value.nodes > 1 && value.nodes % 2 === 0) {
    const less = value.nodes - 1;
    complain(
      context,
      ["nodes"],
      `${value.nodes} nodes survive no more failures than ${less}; take ${less} or ${value.nodes + 1}`,
    );
  }
}

export function storage(
  value: { readonly durability: string; readonly loss_window_ms?: number | undefined },
  context: Context,
): void {
  if (value.durability === "interval" && value.loss_window_ms === undefined) {
    complain(context, ["durability"], "interval needs loss_window_ms: how much may a power loss take?");
  }
  if (value.durability !== "interval" && value.loss_window_ms !== undefined) {
    complain(
      context,
      ["loss_window_ms"],
      `durability ${value.durability} has no loss window; remove it, or set durability to interval`,
    );
  }
}

interface WorkloadFile {
  readonly benchmark: string;
  readonly profile: string;
  readonly loop: string;
  readonly operations_per_second?: number | undefined;
  readonly operations?: readonly (TargetFile & {
    readonly name: string;
    readonly weight: number;
    readonly steps?: readonly TargetFile[] | undefined;
  })[] | undefined;
}

export function workload(value: WorkloadFile, context: Context): void {
  if (findProfile(value.benchmark, value.profile) === undefined) {
    const known = profilesOf(value.benchmark);
    complain(context, ["profile"], `expected ${known.join(" or ")} of ${value.benchmark}`);
  }
  if (value.loop === "open" && value.operations_per_second === undefined) {
    complain(context, ["loop"], "an open loop needs operations_per_second: at which rate do operations arrive?");
  }
  if (value.loop === "closed" && value.operations_per_second !== undefined) {
    complain(
      context,
      ["operations_per_second"],
      "a closed loop has no rate of its own; remove it, or set loop to open",
    );
  }
  const operations = value.operations ?? [];
  const names = operations.map(({ name, table, key, range, rows, steps }) =>
    JSON.stringify([name, table, key, range, rows, steps]));
  for (const [at, { name }] of operations.entries()) {
    if (names.indexOf(names[at]) === at) continue;
    complain(context, ["operations", at, "name"], `operation ${name} is there already`);
  }
  const weights = (value.operations ?? []).map((one) => one.weight);
  if (weights.length > 0 && weights.every((weight) => weight === 0)) {
    complain(context, ["operations"], "all weights are 0: nothing would be run");
  }
}

/** A Node process without any data is resident with about this much. */
const memoryFloorMiB = 64;
const memoryCeilingMiB = 16 * 1024 * 1024;

export function targets(
  value: { readonly memory_mib_max: number; readonly p99_us_max?: number | undefined },
  context: Context,
): void {
  if (value.memory_mib_max < memoryFloorMiB) {
    const why = `a process with empty caches takes about ${memoryFloorMiB - 8}`;
    complain(
      context,
      ["memory_mib_max"],
      `${value.memory_mib_max} MiB cannot be kept: ${why}; grant at least ${memoryFloorMiB}`,
    );
  }
  if (value.memory_mib_max > memoryCeilingMiB) {
    complain(
      context,
      ["memory_mib_max"],
      `${value.memory_mib_max} MiB is more than any machine has; the unit is MiB, not bytes`,
    );
  }
  if (value.p99_us_max !== undefined && value.p99_us_max < 10) {
    complain(
      context,
      ["p99_us_max"],
      `${value.p99_us_max} µs is less than a loopback round trip; the unit is microseconds`,
    );
  }
}

interface ContractFileTopics {
  readonly data: { readonly tables: readonly TableFile[] };
  readonly replication: { readonly nodes: number };
  readonly consistency: { readonly transactions: string };
  readonly storage: { readonly durability: string };
  readonly surface: { readonly protocols: readonly string[]; readonly transactions: string };
  readonly failure: { readonly tolerates: readonly string[] };
  readonly workload: { readonly benchmark: string; readonly profile: string };
}

/** An HTTP surface serves one table, of a shape of its own. */
function surfaceTables({ data: { tables }, surface, workload }: ContractFileTopics, context: Context): void {
  const overHttp = surface.protocols.includes("http");
  const shaped = tables.filter((one) => isKeyValueTable({ ...one, primaryKey: one.primary_key }));
  const profileTables = findProfile(workload.benchmark, workload.profile)?.tables(1) ?? [];
  const served = tables.length === 0 ? profileTables.filter(isKeyValueTable).length : shaped.length;
  if (overHttp && served !== 1) {
    const at = surface.protocols.indexOf("http");
    complain(context, ["surface", "protocols", at], `http serves one table, and it must be ${keyValueShape}`);
  }
  for (const [at, one] of tables.entries()) {
    for (const [column, { name, type, length_max: most }] of one.columns.entries()) {
      if (type !== "varbinary" || (most ?? 0) <= declaredLengthMax) continue;
      if (overHttp && !surface.protocols.includes("mysql") && shaped.includes(one) && column === 1) continue;
      const path = ["data", "tables", at, "columns", column, "length_max"];
      complain(context, path, `${name}: a varbinary that SQL reads has at most ${declaredLengthMax} bytes`);
    }
  }
}

export function contract(value: ContractFileTopics, context: Context): void {
  for (const [at, failure] of value.failure.tolerates.entries()) {
    if ((failure === "node_loss" || failure === "partition") && value.replication.nodes < 3) {
      complain(
        context,
        ["failure", "tolerates", at],
        `${failure} needs at least 3 nodes, and replication.nodes is ${value.replication.nodes}`,
      );
    }
    if (value.storage.durability === "none" && failure === "power_loss") {
      complain(
        context,
        ["failure", "tolerates", at],
        `${failure} contradicts storage.durability none; drop one of them`,
      );
    }
  }
  surfaceTables(value, context);
  const { transactions } = value.consistency;
  const packets = value.surface.transactions === "multi_statement_packet";
  if (packets && (transactions === "none" || transactions === "single_statement")) {
    complain(
      context,
      ["surface", "transactions"],
      `contradicts consistency.transactions ${transactions}; set it to none, or that to one_shot`,
    );
  }
  if (!packets && transactions === "one_shot" && !value.surface.protocols.includes("embedded")) {
    complain(
      context,
      ["consistency", "transactions"],
      "no client can send one_shot transactions while surface.transactions is none",
    );
  }
  const profile = findProfile(value.workload.benchmark, value.workload.profile);
  if (profile?.transactions && (transactions === "none" || transactions === "single_statement")) {
    complain(
      context,
      ["consistency", "transactions"],
      `${profile.title.split(":")[0]} runs transactions of several statements; set it to one_shot`,
    );
  }
}

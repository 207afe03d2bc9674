/**
 * What a contract asks for and no part serves yet: refused before anything is built, naming the missing leaf. And what
 * a product can be built for, but no driver can make load of yet: refused only where something is measured.
 *
 * A contract is a promise to its owner; a product that quietly gave less would break it. The reverse is fine: a product
 * may promise more than was asked (serializable where read_committed would do).
 */
import type { Path, Place, Problem } from "../knobs/yaml-document.ts";
import { formatPath, sortProblems } from "../knobs/yaml-document.ts";
import { findProfile, surfaceOf } from "./benchmarks.ts";
import type { Contract } from "./contract.ts";
import { differingOperations, isOwn, undrivenOwn } from "./own-operations.ts";

export interface Unserved {
  readonly path: Path;
  /** Path of the leaf in the feature model that would serve it; undefined where no single feature is missing. */
  readonly leaf: string | undefined;
  /** What was asked for, as a noun phrase. */
  readonly asked: string;
  readonly instead: string;
}

interface Rule {
  /** Where in the contract file. */
  readonly path: string;
  readonly leaf: string | ((contract: Contract) => string);
  readonly asked: (contract: Contract) => string | undefined;
  readonly instead: string;
}

/** `asked` gives what was asked for where it is not served. */
const rules: readonly Rule[] = [
  {
    path: "replication.nodes",
    leaf: "replication/consensus/raft_group",
    asked: ({ replication }) => (replication.nodes > 1 ? `${replication.nodes} nodes` : undefined),
    instead: "set nodes to 1 and consensus to none",
  },
  {
    path: "sharding.shards",
    leaf: ({ sharding }) => `replication/sharding/${sharding.locality === "by_key_prefix" ? "range" : "hash"}`,
    asked: ({ sharding }) => (sharding.shards > 1 ? `${sharding.shards} shards` : undefined),
    instead: "set shards to 1",
  },
  {
    path: "storage.durability",
    leaf: "recovery/strategy/volatile",
    asked: ({ storage }) => (storage.durability === "none" ? "a store without durability" : undefined),
    instead: "set durability to every_commit, or to interval with a loss_window_ms",
  },
];

const protocolLeaves: Readonly<Record<string, string>> = {
  postgresql: "architecture/networking/wire_protocols/pg_fe_be",
};

/** Everything that no part serves, all at once. */
export function findUnserved(contract: Contract): Unserved[] {
  const found: Unserved[] = rules.flatMap((rule) => {
    const asked = rule.asked(contract);
    if (asked === undefined) return [];
    const leaf = typeof rule.leaf === "string" ? rule.leaf : rule.leaf(contract);
    return [{ path: rule.path.split("."), leaf, asked, instead: rule.instead }];
  });
  for (const [at, protocol] of contract.surface.protocols.entries()) {
    if (protocol === "mysql" || protocol === "http") continue;
    if (protocol === "embedded") {
      found.push(...unservedBesideLibrary(contract, at));
      continue;
    }
    const path = ["surface", "protocols", at];
    const instead = "set protocols to [mysql] or [http]";
    found.push({ path, leaf: protocolLeaves[protocol], asked: `the ${protocol} surface`, instead });
  }
  return found;
}

/** What of the workload cannot be driven, all at once. */
export function findUndriven(contract: Contract): Unserved[] {
  return [...undrivenBenchmark(contract), ...undrivenOperations(contract)];
}

/** What a library's store has itself; its tables are fields beside them. */
export const libraryMembers: readonly string[] = ["constructor", "transaction", "checkpoint", "metrics", "close"];

/** A library has its tables, one log flushed with every write, and nothing beside it. */
function unservedBesideLibrary({ surface, storage, consistency, data }: Contract, at: number): Unserved[] {
  const missing = (path: Path, asked: string, instead: string) => ({ path, leaf: undefined, asked, instead });
  if (surface.protocols.length > 1) {
    return [missing(["surface", "protocols", at], "a library beside a server", "set protocols to [embedded] alone")];
  }
  const indexed = data.tables.findIndex(({ indexes }) => (indexes?.length ?? 0) > 0);
  const taken = data.tables.flatMap(({ name }, table) => (libraryMembers.includes(name) ? [{ name, table }] : []));
  return [
    ...(storage.durability === "every_commit"
      ? []
      : [missing(["storage", "durability"], "a library without a flush per write", "set durability to every_commit")]),
    ...(consistency.transactions === "interactive"
      ? [missing(["consistency", "transactions"], "a library with interactive transactions", "set it to one_shot")]
      : []),
    ...(indexed < 0
      ? []
      : [missing(["data", "tables", indexed, "indexes"], "a library with secondary indexes", "leave indexes out")]),
    ...taken.map(({ name, table }) => {
      const asked = `a table ${name} of a library, whose store has a method of that name,`;
      return missing(["data", "tables", table, "name"], asked, "name it otherwise");
    }),
  ];
}

/** Benchmarks are driven over one protocol each; a library is driven by its user. */
function undrivenBenchmark({ surface, workload }: Contract): Unserved[] {
  if (surface.protocols.includes("embedded")) return [];
  const wanted = surfaceOf(workload);
  if (surface.protocols.includes(wanted)) return [];
  return [{
    path: ["workload", "benchmark"],
    leaf: undefined,
    asked: `${workload.benchmark} over ${surface.protocols.join(" and ")}`,
    instead: `add ${wanted} to surface.protocols, or take ${wanted === "http" ? "ycsb" : "key_value"}`,
  }];
}

function undrivenOperations({ workload, data, surface }: Contract): Unserved[] {
  const profile = findProfile(workload.benchmark, workload.profile);
  if (profile === undefined || !isOwn(workload, data.tables)) return [];
  const differs = differingOperations(workload);
  // Other tables than the benchmark's beside its own mix: the benchmark brings its tables along.
  if (differs.length === 0) return [];
  const undriven = undrivenOwn(workload, data.tables, surface.transactions === "multi_statement_packet");
  if (undriven.length === 0) return [];
  const mix = profile.operations.map((operation) => `${operation.name} ${operation.weight}`).join(", ");
  return [{
    path: ["workload", "operations"],
    leaf: undefined,
    asked: `${undriven.join(" and ")} (${differs.join(", ")} differ from ${workload.benchmark} ${workload.profile})`,
    instead: `take it out, or leave operations out, or list the profile's: ${mix}`,
  }];
}

/** As problems with a place, in the order of the file. */
export function unservedProblems(contract: Contract, file: string, placeOf: (path: Path) => Place): Problem[] {
  const problems = findUnserved(contract).map(({ path, asked, leaf, instead }) => ({
    file,
    ...placeOf(path),
    path: formatPath(path),
    message: `no part serves ${asked} yet${leaf === undefined ? "" : `: the leaf ${leaf} is missing`}; ${instead}`,
  }));
  return sortProblems(problems);
}

/** What no driver drives, as problems with a place, in the order of the file. */
export function undrivenProblems(contract: Contract, file: string, placeOf: (path: Path) => Place): Problem[] {
  const problems = findUndriven(contract).map(({ path, asked, instead }) => ({
    file,
    ...placeOf(path),
    path: formatPath(path),
    message: `no driver drives ${asked} yet; ${instead}`,
  }));
  return sortProblems(problems);
}

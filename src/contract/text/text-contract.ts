/**
 * From the facts of a free text to a contract: the nearest benchmark's, with what the text says put in its place.
 *
 * What the text leaves open keeps the proposal of `lathe contract new`. Facts that a contract cannot hold together
 * are not mended here: parsing it says which do not go together.
 */
import { parseDocument } from "yaml";
import { composeContract } from "../interview.ts";
import { loadNeeds } from "../infer/needs-catalog.ts";
import type { TextFact, TextReading } from "./text-reader.ts";

const profiles: Readonly<Record<string, string>> = {
  reads_only: "c", mostly_reads: "b", half_writes: "a", scans: "e", mostly_inserts: "d",
};

/** Text of a contract.yaml. */
export function composeFromText({ facts }: TextReading, name: string): string {
  const value = (wanted: string) => facts.find((fact) => fact.name === wanted)?.value;
  const protocol = String(value("protocol") ?? "mysql");
  const rows = Number(value("rows") ?? 100_000);
  const workload = workloadOf(facts, protocol);
  const text = composeContract({ workload, name, "workload.scale": Math.max(1, rows) });
  const document = parseDocument(text);
  const set = (path: string, one: unknown) => document.setIn(path.split("."), one);
  const description = facts.map(({ words }) => words).filter((words, at, all) => all.indexOf(words) === at).join("; ");
  set("description", `From a text: ${description}`.slice(0, 1900));
  set("surface.protocols", [protocol]);
  const transactions = value("transactions");
  if (transactions !== undefined) {
    set("consistency.transactions", transactions);
    const packets = transactions !== "single_statement" && transactions !== "none" && protocol !== "http";
    set("surface.transactions", packets ? "multi_statement_packet" : "none");
  }
  const durability = value("durability");
  if (durability !== undefined) set("storage.durability", durability);
  if (durability === "interval") set("storage.loss_window_ms", value("loss_window_ms") ?? 1000);
  if (durability === "none") set("failure.tolerates", []);
  const nodes = Number(value("nodes") ?? 1);
  set("replication.nodes", nodes);
  set("replication.consensus", nodes > 1 ? "raft" : "none");
  const paths: readonly (readonly [string, string])[] = [
    ["placement", "storage.placement"], ["shards", "sharding.shards"], ["memory_mib", "targets.memory_mib_max"],
    ["p99_us", "targets.p99_us_max"], ["clients", "workload.clients"], ["row_cache", "caching.row_cache"],
  ];
  for (const [fact, path] of paths) if (value(fact) !== undefined) set(path, value(fact));
  if (value("placement") === "memory" && value("row_cache") === undefined) set("caching.row_cache", "none");
  const rate = Number(value("operations_per_second") ?? 0) ||
    Number(value("reads_per_second") ?? 0) + Number(value("writes_per_second") ?? 0);
  if (rate > 0) set("targets.throughput_min", rate);
  const needs = needsOf(facts);
  if (needs.length > 0) set("needs", needs);
  return document.toString({ lineWidth: 0 });
}

function needsOf(facts: readonly TextFact[]): { feature: string; statements: number; because: string }[] {
  const { statements, schema } = loadNeeds();
  return facts.filter(({ name }) => name === "need").flatMap(({ value, words }) => {
    const need = statements.get(String(value)) ?? schema.get(String(value));
    return need === undefined ? [] : [{ feature: need.feature, statements: 0, because: `the text says: ${words}` }];
  });
}

function workloadOf(facts: readonly TextFact[], protocol: string): string {
  const value = (wanted: string) => facts.find((fact) => fact.name === wanted)?.value;
  const benchmark = protocol === "http" ? "key_value" : "ycsb";
  const reads = Number(value("reads_per_second") ?? 0);
  const writes = Number(value("writes_per_second") ?? 0);
  const percent = value("read_percent") ?? (reads > 0 && writes > 0 ? (100 * reads) / (reads + writes) : undefined);
  if (percent !== undefined) {
    const share = Number(percent);
    return `${benchmark}/${share >= 99.5 ? "c" : share >= 75 ? "b" : "a"}`;
  }
  const mix = String(value("mix") ?? "half_writes");
  if (mix === "social" && protocol === "mysql") return "taobench/o";
  if (mix === "bulk" && protocol === "mysql") return "bulk_ingest/grants";
  const profile = profiles[mix] ?? "a";
  return `${benchmark}/${profile === "d" && benchmark === "key_value" ? "a" : profile}`;
}

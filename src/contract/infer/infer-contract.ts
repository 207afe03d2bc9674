/**
 * From an observation of sources to the text of a contract.
 *
 *   1. Tables (`infer-tables.ts`) and, where statements were seen, their mix (`workload-mix.ts`).
 *   2. What sources tell is written with its evidence; what they cannot tell (durability, nodes, memory) gets the
 *      default that the parts serve best, marked as a guess.
 *   3. What the workload needs beyond rows by key goes to `needs`, counted, for `lathe select` to weigh.
 * The mix names the benchmark that comes nearest, since only benchmarks have drivers.
 */
import type { Observation } from "../../traces/observation.ts";
import { sampleText } from "../../traces/session-sample.ts";
import type { WorkloadObserver } from "../../traces/workload-observer.ts";
import { benchmarkProfiles, type BenchmarkProfile } from "../benchmarks.ts";
import { ContractText, type Guess } from "./contract-text.ts";
import { type InferredTable, inferTables, schemaNeeds } from "./infer-tables.ts";
import { usesMin } from "./infer-targets.ts";
import { loadNeeds } from "./needs-catalog.ts";
import { formatWhole, type InferredNeed, mixOf, percent, type WorkloadMix } from "./workload-mix.ts";

export interface InferredContract {
  readonly text: string;
  readonly guesses: readonly Guess[];
  /** What the sources have and the contract has no room for. */
  readonly leftOut: readonly string[];
  readonly needs: readonly InferredNeed[];
  readonly tables: readonly InferredTable[];
  readonly mix: WorkloadMix | undefined;
  /** The benchmark whose driver comes nearest. */
  readonly nearest: string;
}

const needsMax = 100;
const memoryMiBMin = 128;

/** `name`: of the product; small letters, digits and -. */
export function inferContract(observation: Observation, name: string): InferredContract {
  const catalog = loadNeeds();
  const leftOut: string[] = [];
  const tables = inferTables(observation, leftOut);
  const { workload } = observation;
  const mix = workload === undefined ? undefined : mixOf(workload, tables, observation.tables, catalog);
  leftOut.push(...(mix?.leftOut ?? []));
  const needs = [...(mix?.needs ?? []), ...expiryNeeds(mix), ...schemaNeeds(observation, catalog)].slice(0, needsMax);
  const profile = nearestProfile(mix);
  const text = new ContractText();
  writeHead(text, observation, name, leftOut);
  writeData(text, tables);
  writeTopics(text, observation, mix);
  writeWorkload(text, observation, mix, tables, profile);
  writeRest(text, observation, tables);
  writeNeeds(text, needs);
  const nearest = `${profile.benchmark}/${profile.profile}`;
  return { text: text.text, guesses: text.guesses, leftOut, needs, tables, mix, nearest };
}

function expiryNeeds(mix: WorkloadMix | undefined): InferredNeed[] {
  return (mix?.expiring ?? []).map(({ table, column, statements }) => ({
    feature: "storage/ttl", statements,
    because: `${formatWhole(statements)} statements delete rows of ${table} whose ${column} is past: they expire`,
  }));
}

function writeHead(text: ContractText, { sources }: Observation, name: string, leftOut: readonly string[]): void {
  text.comment("A workload contract inferred from what the sources below show. A comment says what a value rests on;");
  text.comment("what says guess is not in the sources: look at it first.");
  for (const { file, kind, bytes, statements, unparsed, sample } of sources) {
    const missed = unparsed.count === 0 ? "all of it understood" : `${unparsed.count} unparsed`;
    text.comment(
      `source: ${file} (${kind}, ${formatWhole(bytes)} bytes, ${formatWhole(statements)} statements; ${missed})`
    );
    if (sample !== undefined) text.comment(`${file}: ${sampleText(sample)}`);
  }
  for (const what of leftOut) text.comment(`left out: ${what}`);
  text.value("version", 2, {}, 0);
  text.value("name", name, {}, 0);
  text.value("description", `Inferred from ${sources.map(({ kind }) => kind).join(" and ")}.`, {}, 0);
}

function writeData(text: ContractText, tables: readonly InferredTable[]): void {
  text.blank();
  text.comment("1. Data model and key encoding");
  text.section("data");
  text.value("data.key_encoding", "order_preserving");
  if (tables.length === 0) return text.value("data.tables", [], { evidence: "no source tells of tables", guess: true });
  text.section("tables", 2);
  for (const table of tables) {
    const path = `data.tables.${table.name}`;
    text.raw(`    - name: ${table.name}`);
    text.section("columns", 6);
    for (const { name, type, lengthMax, nullable, evidence, guess } of table.columns) {
      const column = { name, type, length_max: lengthMax, ...(nullable ? { nullable } : {}) };
      text.item(`${path}.${name}`, column, { evidence, guess }, 8);
    }
    text.value(`${path}.primary_key`, table.primaryKey, { evidence: table.keyEvidence, guess: table.keyGuess }, 6);
    if (table.indexes.length > 0) {
      text.section("indexes", 6);
      for (const index of table.indexes) text.item(`${path}.${index.name}`, index, {}, 8);
    }
    text.value(`${path}.rows`, table.rows, { evidence: table.rowsEvidence, guess: table.rowsGuess }, 6);
  }
}

function writeTopics(text: ContractText, observation: Observation, mix: WorkloadMix | undefined): void {
  const oneNode = { evidence: "one node is what the parts serve; no source tells", guess: true };
  const flush = { evidence: "the safe choice: a source cannot tell what may be lost", guess: true };
  const { transactions, evidence, guess } = transactionsOf(observation.workload);
  text.blank();
  text.section("sharding");
  text.value("sharding.shards", 1, oneNode);
  text.value("sharding.locality", "none");
  text.section("replication");
  text.value("replication.nodes", 1, oneNode);
  text.value("replication.consensus", "none");
  text.section("consistency");
  text.value("consistency.reads", "linearizable");
  text.value("consistency.transactions", transactions, { evidence, guess });
  text.value("consistency.isolation", ...isolationOf(observation.workload));
  text.section("storage");
  text.value("storage.durability", "every_commit", flush);
  text.value("storage.checksums", true);
  text.section("caching");
  const skewed = (mix?.skew?.use.skew ?? 0) >= 0.5;
  const why = skewed ? "some keys are used much more often than others"
    : "no source shows keys that are hotter than others";
  text.value("caching.row_cache", skewed ? "lru" : "none", { evidence: why });
  text.section("surface");
  const protocol = observation.dialect ?? "mysql";
  const spoken = observation.dialect === undefined
    ? { evidence: "no source tells", guess: true }
    : { evidence: "what the clients of the sources speak" };
  text.value("surface.protocols", [protocol], spoken);
  text.value("surface.transactions", transactions === "single_statement" ? "none" : "multi_statement_packet");
  text.section("failure");
  text.value("failure.tolerates", ["process_crash", "power_loss"], { evidence: "the safe choice", guess: true });
  text.value("failure.recovery_seconds_max", 30, { evidence: "no source tells", guess: true });
}

interface TransactionChoice {
  readonly transactions: string;
  readonly evidence: string;
  readonly guess: boolean;
}

function transactionsOf(workload: WorkloadObserver | undefined): TransactionChoice {
  if (workload === undefined) {
    return { transactions: "single_statement", evidence: "no source shows statements", guess: true };
  }
  const { count, statements, statementsMax, oneShot, open, rolledBack } = workload.transactions;
  const of = workload.scale === 1 ? "" : " in the sample";
  if (count + open === 0) {
    const evidence = `none of ${formatWhole(workload.statements)} statements is within a transaction`;
    return { transactions: "single_statement", evidence, guess: false };
  }
  const mean = count === 0 ? 0 : statements / count;
  const found = `${formatWhole(count)} transactions${of} of ${mean.toFixed(1)} statements on average, ` +
    `at most ${statementsMax}` +
    (rolledBack > 0 ? `, ${rolledBack} rolled back` : "");
  if (oneShot === count) return { transactions: "one_shot", evidence: `${found}, each sent as one text`, guess: false };
  const evidence = `${found}, sent statement by statement; one_shot would do if nothing depends on an answer`;
  return { transactions: "interactive", evidence, guess: true };
}

function isolationOf(workload: WorkloadObserver | undefined): [string, { evidence: string; guess: boolean }] {
  const levels = [...(workload?.isolationLevels ?? [])].sort(([, one], [, other]) => other - one);
  if (levels.length === 0) return [
    "serializable", { evidence: "the safe choice; no statement sets a level", guess: true }
  ];
  const [[level, count]] = levels;
  const taken = level === "read_committed" || level === "read_uncommitted" ? "read_committed"
    : level === "repeatable_read" ? "snapshot" : "serializable";
  return [taken, { evidence: `set to ${level.replace("_", " ")} by ${count} statements`, guess: false }];
}

function writeWorkload(
  text: ContractText,
  { workload }: Observation,
  mix: WorkloadMix | undefined,
  tables: readonly InferredTable[],
  profile: BenchmarkProfile,
): void {
  const rows = Math.max(0, ...tables.map((table) => table.rows));
  const nearest = "the benchmark with the nearest mix; what is driven are the operations below over the tables above";
  text.blank();
  text.section("workload");
  text.value("workload.benchmark", profile.benchmark, {
    evidence: mix === undefined ? "no source shows statements" : nearest, guess: true,
  });
  text.value("workload.profile", profile.profile);
  const scaled = rows > 0 ? { evidence: "rows of the largest table" } : {
    evidence: "no source tells of rows", guess: true
  };
  text.value("workload.scale", rows > 0 ? rows : profile.scale, scaled);
  const clients = Math.min(10_000, workload?.activeMax || workload?.sessionsMax || 0);
  const active = workload !== undefined && workload.activeMax > 0
    ? { evidence: `sessions that worked within one second; ${workload.sessionsMax} were there at once` }
    : { evidence: "no source tells", guess: true };
  text.value("workload.clients", clients || 8, active);
  text.value("workload.loop", "closed", { evidence: rateOf(workload), guess: true });
  if (mix === undefined || workload === undefined || mix.total === 0) return;
  const { access } = mix;
  const found = access.point + access.range + access.scan + access.joined;
  const reading = percent(mix.reads, mix.reads + mix.writes);
  const looked = `${formatWhole(workload.statements)} statements${workload.scale === 1 ? "" : " of the sample"}`;
  text.comment(`${reading} of ${looked} read; of those ` +
    `that find rows ${percent(access.point, found)} by key, ${percent(access.range, found)} by range, ` +
    `${percent(access.scan, found)} by a scan, ${percent(access.joined, found)} in several tables`, 2);
  if (mix.skew !== undefined) text.comment(skewText(mix), 2);
  text.section("operations", 2);
  for (const { name, count, valueBytes, evidence, skew, steps, ...target } of mix.operations) {
    const { statementsMin, statementsMax } = workload.transactions;
    const operation = {
      name, weight: count, ...target,
      ...(skew > 0 ? { distribution: "zipfian", skew: Math.round(skew * 100) / 100 } : { distribution: "uniform" }),
      ...(valueBytes > 0 ? { value_bytes: Math.min(16_777_216, valueBytes) } : {}),
      ...(name.endsWith("TRANSACTION") && steps === undefined
        ? { statements_min: Math.min(10_000, statementsMin), statements_max: Math.min(10_000, statementsMax) }
        : {}),
      ...(steps === undefined ? {} : { steps }),
    };
    text.item(`workload.operations.${name}`, operation, { evidence: `${percent(count, mix.total)}: ${evidence}` }, 4);
  }
}

function skewText({ skew }: WorkloadMix): string {
  const { table, columns, use } = skew!;
  const [one, other] = use.skewHalves;
  const halves = `halves of the log: ${one.toFixed(2)} and ${other.toFixed(2)}`;
  const few = use.uses < usesMin ? "; so few uses say little" : "";
  const error = use.countError > 0 ? `; counts are too large by at most ${percent(use.countError, 1)}` : "";
  return `keys of ${table} (${columns}): ${formatWhole(use.uses)} uses of ${formatWhole(use.keys)} keys, the ten ` +
    `used most take ${percent(use.topTenShare, 1)}; Zipf constant ${use.skew.toFixed(2)} (${halves})${error}${few}`;
}

function rateOf(workload: WorkloadObserver | undefined): string {
  if (workload?.firstMs === undefined || workload.lastMs === undefined) return "no source has times";
  const seconds = Math.max(1, (workload.lastMs - workload.firstMs) / 1000);
  const rate = (workload.statements * workload.scale) / seconds;
  const shown = rate >= 10 ? formatWhole(rate) : rate.toPrecision(2);
  const most = formatWhole(workload.perSecondMax);
  return `${shown} statements per second on average over ${formatWhole(seconds)} s, ${most} in the ` +
    "busiest second; a log cannot tell whether clients wait";
}

function writeRest(text: ContractText, { workload }: Observation, tables: readonly InferredTable[]): void {
  const bytes = tables.reduce((sum, { rows, rowBytes }) => sum + rows * rowBytes, 0);
  const dataMiB = bytes / 2 ** 20;
  const memory = Math.min(16 * 1024 * 1024, Math.max(memoryMiBMin, Math.ceil((dataMiB * 0.5) / 64) * 64));
  text.blank();
  text.section("targets");
  text.value("targets.memory_mib_max", memory, {
    evidence: `half of about ${formatWhole(Math.ceil(dataMiB))} MiB of data, at least ${memoryMiBMin}`, guess: true
  });
  const timed = workload?.timed ?? 0;
  if (workload !== undefined && timed > 0) {
    const p99 = workload.durationsUs.percentile(99);
    text.comment(`observed: 99 % of ${formatWhole(timed)} statements within ${formatWhole(p99)} µs; ` +
      "set p99_us_max if that is to be held", 2);
  }
  text.blank();
  text.section("invariants");
  const durable = { text: "An acknowledged write survives kill -9 and power loss.", oracle: "durability" };
  text.item("invariants", durable, { evidence: "what durability above promises" });
}

function writeNeeds(text: ContractText, needs: readonly InferredNeed[]): void {
  if (needs.length === 0) return;
  text.blank();
  text.comment("What the workload needs beyond rows that are read and written by key; remove what you can do without.");
  text.section("needs");
  for (const need of needs) text.item("needs", { ...need, because: need.because.slice(0, 400) });
}

/** The profile whose shares of reads, scans, inserts and changes differ least. */
function nearestProfile(mix: WorkloadMix | undefined): BenchmarkProfile {
  const candidates = benchmarkProfiles.filter(({ benchmark }) => benchmark === "ycsb");
  const own = new Map<string, number>();
  for (const { name, count } of mix?.operations ?? []) own.set(name, (own.get(name) ?? 0) + count / mix!.total);
  const shareOf = (names: readonly string[], shares: ReadonlyMap<string, number>) =>
    names.reduce((sum, name) => sum + (shares.get(name) ?? 0), 0);
  const groups = [
    ["READ", "READTRANSACTION"], ["SCAN"], ["INSERT"], ["UPDATE", "DELETE", "WRITETRANSACTION", "READ-MODIFY-WRITE"]
  ];
  const distance = ({ operations }: BenchmarkProfile) => {
    const total = operations.reduce((sum, { weight }) => sum + weight, 0);
    const shares = new Map(operations.map(({ name, weight }) => [name, weight / total]));
    return groups.reduce((sum, names) => sum + Math.abs(shareOf(names, own) - shareOf(names, shares)), 0);
  };
  return candidates.toSorted((one, other) => distance(one) - distance(other))[0];
}

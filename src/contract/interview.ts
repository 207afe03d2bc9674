/**
 * The interview of `lathe contract new`: topic by topic a question, a proposed answer and why it is proposed.
 *
 * A proposal depends on the answers before it (a transactional mix proposes one-shot transactions, the size of the data
 * proposes a memory target). Unattended, every open question takes its proposal. The result is commented YAML in which
 * each answer carries its reason, so that the file explains itself later.
 */
import { Document, isMap, type YAMLMap, type YAMLSeq } from "yaml";
import { z } from "zod";
import { LatheError } from "../kit/errors.ts";
import { nearestWord, suggestion } from "../kit/suggestion.ts";
import { formatProblem, readYaml } from "../knobs/yaml-document.ts";
import { benchmarkProfiles, type BenchmarkProfile, findProfile } from "./benchmarks.ts";
import { dataBytes, formatCount } from "./explain.ts";

export type Answer = string | number | boolean;
export type Answers = Readonly<Record<string, Answer>>;

export interface Proposal {
  readonly value: Answer;
  readonly reason: string;
}

export interface Question {
  /** Also its path in the contract file, as `storage.durability`. */
  readonly id: string;
  readonly topic: string;
  readonly text: string;
  readonly kind: "text" | "integer" | "choice";
  readonly choices?: readonly { readonly value: string; readonly meaning: string }[];
  readonly min?: number;
  readonly max?: number;
  /** Whether it is asked at all, given the answers before. */
  readonly asked?: (answers: Answers) => boolean;
  readonly propose: (answers: Answers) => Proposal;
}

const defaultProfile = benchmarkProfiles[0];

function profileOf(answers: Answers): BenchmarkProfile {
  const [benchmark, profile] = String(answers.workload ?? "taobench/o").split("/");
  return findProfile(benchmark, profile) ?? defaultProfile;
}

function scaleOf(answers: Answers): number {
  return Number(answers["workload.scale"] ?? profileOf(answers).scale);
}

function dataMiB(answers: Answers): number {
  return dataBytes(profileOf(answers).tables(scaleOf(answers))) / (1 << 20);
}

function memoryReason(memoryMiB: number, dataSizeMiB: number): string {
  const size = `the ${formatCount(dataSizeMiB)} MiB of data`;
  const less = memoryMiB < dataSizeMiB;
  return less ? `less than ${size}, so that storage matters` : `a process needs it, however small ${size} are`;
}

export const questions: readonly Question[] = [
  {
    id: "workload",
    topic: "Workload",
    text: "Which workload comes nearest to yours?",
    kind: "choice",
    choices: benchmarkProfiles.map((profile) => ({
      value: `${profile.benchmark}/${profile.profile}`,
      meaning: profile.title,
    })),
    propose: () => ({ value: "taobench/o", reason: "a production-shaped mix of nearly all point reads" }),
  },
  {
    id: "name",
    topic: "Workload",
    text: "What is the product's name? (small letters, digits and -)",
    kind: "text",
    propose: (answers) => {
      const { benchmark, profile } = profileOf(answers);
      return { value: `${benchmark.replaceAll("_", "-")}-${profile}`, reason: "named after its workload" };
    },
  },
  {
    id: "workload.scale",
    topic: "1. Data model and key encoding",
    text: "How large is the data?",
    kind: "integer",
    min: 1,
    max: 1_000_000_000_000,
    propose: (answers) => {
      const profile = profileOf(answers);
      return {
        value: profile.scale,
        reason: `${formatCount(profile.scale)} ${profile.scaleUnit}, loaded in about a minute`,
      };
    },
  },
  {
    id: "sharding.locality",
    topic: "2. Sharding and locality",
    text: "Which rows should be neighbours on disk?",
    kind: "choice",
    choices: [
      { value: "none", meaning: "it does not matter" },
      { value: "by_key_prefix", meaning: "rows whose keys begin alike" },
    ],
    propose: (answers) =>
      profileOf(answers).benchmark === "taobench"
        ? {
          value: "by_key_prefix",
          reason: "keys begin with a shard number, and an object's edges are read together",
        }
        : { value: "none", reason: "keys are chosen one by one" },
  },
  {
    id: "replication.nodes",
    topic: "3. Replication and consensus",
    text: "How many nodes keep a copy?",
    kind: "integer",
    min: 1,
    max: 1,
    propose: () => ({
      value: 1,
      reason: "one node is what the parts serve today; replication/consensus/raft_group is missing",
    }),
  },
  {
    id: "consistency.transactions",
    topic: "4. Consistency, time and transactions",
    text: "What happens together?",
    kind: "choice",
    choices: [
      { value: "single_statement", meaning: "one statement at a time" },
      { value: "one_shot", meaning: "several statements, sent together" },
      { value: "interactive", meaning: "several statements, with the client thinking between them" },
    ],
    propose: (answers) =>
      profileOf(answers).transactions
        ? { value: "one_shot", reason: "the workload sends its transactions as one packet" }
        : { value: "single_statement", reason: "the workload has no transactions of several statements" },
  },
  {
    id: "storage.durability",
    topic: "5. Storage engine and durability",
    text: "When may a write be acknowledged?",
    kind: "choice",
    choices: [{ value: "every_commit", meaning: "after it is flushed to the device; nothing acknowledged is lost" }],
    propose: (answers) => {
      const share = (profileOf(answers).writeShare * 100).toFixed(2);
      return {
        value: "every_commit",
        reason: `${share} % of operations write, and group commit shares a flush between clients`,
      };
    },
  },
  {
    id: "caching.row_cache",
    topic: "6. Caching",
    text: "Should hot rows be cached in front of the engine?",
    kind: "choice",
    choices: [
      { value: "none", meaning: "leave all memory to the engine's block cache" },
      { value: "lru", meaning: "keep the least recently used rows out" },
      { value: "w_tinylfu", meaning: "keep rows by how often they are used, so that a scan pushes nothing out" },
    ],
    propose: () => ({ value: "lru", reason: "accesses are skewed, so a few rows serve most reads" }),
  },
  {
    id: "surface.protocol",
    topic: "7. Query surface",
    text: "What do clients speak?",
    kind: "choice",
    choices: [{ value: "mysql", meaning: "the MySQL protocol" }],
    // Each benchmark has one protocol that it is driven over; this one's is HTTP.
    asked: (answers) => profileOf(answers).benchmark !== "key_value",
    propose: () => ({ value: "mysql", reason: "the benchmark's own driver speaks it" }),
  },
  {
    id: "failure.recovery_seconds_max",
    topic: "8. Failure model and recovery",
    text: "Within how many seconds must it serve again after a crash?",
    kind: "integer",
    min: 1,
    max: 86_400,
    propose: () => ({ value: 30, reason: "the log that is replayed is bounded by the memtables" }),
  },
  {
    id: "workload.clients",
    topic: "Load",
    text: "How many clients work at once?",
    kind: "integer",
    min: 1,
    max: 10_000,
    propose: () => ({ value: 8, reason: "as many as the published measurements of this workload use" }),
  },
  {
    id: "workload.loop",
    topic: "Load",
    text: "Do clients wait for an answer before they send the next operation?",
    kind: "choice",
    choices: [
      { value: "closed", meaning: "yes: a closed loop" },
      { value: "open", meaning: "no: operations arrive at a rate of their own" },
    ],
    propose: () => ({ value: "closed", reason: "the benchmark's driver waits" }),
  },
  {
    id: "workload.operations_per_second",
    topic: "Load",
    text: "At which rate do operations arrive?",
    kind: "integer",
    min: 1,
    max: 100_000_000,
    asked: (answers) => answers["workload.loop"] === "open",
    propose: () => ({ value: 5_000, reason: "a rate that one core serves with room to spare" }),
  },
  {
    id: "targets.memory_mib_max",
    topic: "Targets",
    text: "How many MiB of memory may it take?",
    kind: "integer",
    min: 64,
    max: 16 * 1024 * 1024,
    propose: (answers) => {
      const size = Math.round(dataMiB(answers));
      const value = Math.max(128, Math.floor((size * 0.8) / 32) * 32);
      return { value, reason: memoryReason(value, size) };
    },
  },
];

/** Takes the proposal of every question that `given` leaves open. Errors: INVALID_ARGUMENT with every wrong answer. */
export function completeAnswers(
  given: Answers,
): { readonly answers: Answers; readonly reasons: Readonly<Record<string, string>> } {
  const known = questions.map((question) => question.id);
  const problems = Object.keys(given)
    .filter((id) => !known.includes(id))
    .map((id) => `${id} is no question${suggestion(id, known)}`);
  const answers: Record<string, Answer> = {};
  const reasons: Record<string, string> = {};
  for (const question of questions) {
    if (question.asked !== undefined && !question.asked(answers)) continue;
    const proposal = question.propose(answers);
    const value = given[question.id] ?? proposal.value;
    const problem = answerProblem(question, value);
    if (problem !== undefined) problems.push(`${question.id}: ${problem}`);
    answers[question.id] = value;
    reasons[question.id] = value === proposal.value ? proposal.reason : "as answered";
  }
  if (problems.length > 0) throw new LatheError("INVALID_ARGUMENT", problems.join("\n"), { details: { problems } });
  return { answers, reasons };
}

/** What is wrong with an answer, or undefined. */
export function answerProblem(question: Question, value: Answer): string | undefined {
  const found = `found ${JSON.stringify(value)}`;
  if (question.kind === "choice") {
    const choices = (question.choices ?? []).map((choice) => choice.value);
    if (typeof value === "string" && choices.includes(value)) return undefined;
    const near = nearestWord(String(value), choices);
    return `expected ${choices.join(" or ")}, ${found}${near === undefined ? "" : `; did you mean ${near}?`}`;
  }
  if (question.kind === "integer") {
    const fits = typeof value === "number" && Number.isSafeInteger(value);
    const inside = fits && value >= (question.min ?? 0) && value <= (question.max ?? Number.MAX_SAFE_INTEGER);
    return inside ? undefined : `expected a whole number from ${question.min} to ${question.max}, ${found}`;
  }
  const named = typeof value === "string" && /^[a-z][a-z0-9-]{0,62}$/.test(value);
  return named ? undefined : `expected a name of small letters, digits and -, ${found}`;
}

/** A file of answers: `id: value` per line. Errors: INVALID_ARGUMENT. */
export function parseAnswers(text: string, file: string): Answers {
  const schema = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]));
  const read = readYaml(text, file, schema);
  if (!read.ok) throw new LatheError("INVALID_ARGUMENT", read.problems.map(formatProblem).join("\n"));
  return read.value;
}

/** The contract as commented YAML. Errors: INVALID_ARGUMENT. */
export function composeContract(given: Answers): string {
  const { answers, reasons } = completeAnswers(given);
  const profile = profileOf(answers);
  const open = answers["workload.loop"] === "open";
  const oneShot = answers["consistency.transactions"] === "one_shot";
  const document = new Document({
    version: 1,
    name: answers.name,
    description: `${profile.title}.`,
    data: { key_encoding: "order_preserving", tables: profile.tables(scaleOf(answers)).map(tableFile) },
    sharding: { shards: 1, locality: answers["sharding.locality"] },
    replication: { nodes: answers["replication.nodes"], consensus: "none" },
    consistency: {
      reads: "linearizable",
      transactions: answers["consistency.transactions"],
      isolation: "serializable",
    },
    storage: { durability: answers["storage.durability"], checksums: true },
    caching: { row_cache: answers["caching.row_cache"] },
    surface: {
      protocols: [profile.benchmark === "key_value" ? "http" : answers["surface.protocol"]],
      transactions: oneShot ? "multi_statement_packet" : "none",
    },
    failure: {
      tolerates: ["process_crash", "power_loss"],
      recovery_seconds_max: answers["failure.recovery_seconds_max"],
    },
    workload: {
      benchmark: profile.benchmark,
      profile: profile.profile,
      scale: answers["workload.scale"],
      clients: answers["workload.clients"],
      loop: answers["workload.loop"],
      ...(open ? { operations_per_second: answers["workload.operations_per_second"] } : {}),
    },
    targets: { memory_mib_max: answers["targets.memory_mib_max"], p99_ratio_max: 1.1, memory_ratio_max: 1.1 },
    invariants: [
      { text: "An acknowledged write survives kill -9 and power loss.", oracle: "durability" },
      { text: "A read returns what the latest acknowledged write of that key wrote.", oracle: "differential" },
    ],
    non_goals: ["Joins, secondary indexes and aggregates", "More than one node"],
  });
  addComments(document, reasons);
  document.commentBefore = " A workload contract: what the workload does and what it must never lose.\n" +
    " `lathe contract explain` reads it back in sentences.";
  return document.toString({ lineWidth: 0 });
}

function tableFile(table: ReturnType<BenchmarkProfile["tables"]>[number]): object {
  return {
    name: table.name,
    columns: table.columns.map((column) => ({
      name: column.name,
      type: column.type,
      ...(column.lengthMax === undefined ? {} : { length_max: column.lengthMax }),
      ...(column.nullable ? { nullable: true } : {}),
      ...(column.valueMin === undefined ? {} : { value_min: column.valueMin }),
      ...(column.valueMax === undefined ? {} : { value_max: column.valueMax }),
    })),
    primary_key: table.primaryKey,
    ...(table.indexes === undefined ? {} : { indexes: table.indexes }),
    rows: table.rows,
  };
}

/** Each topic gets its heading, each answer its reason; columns are written on one line. */
function addComments(document: Document, reasons: Readonly<Record<string, string>>): void {
  const aliases: Readonly<Record<string, string>> = {
    workload: "workload.benchmark",
    "surface.protocol": "surface.protocols",
  };
  for (const [id, reason] of Object.entries(reasons)) {
    const path = (aliases[id] ?? id).split(".");
    const parent = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
    if (!isMap(parent)) continue;
    const pair = parent.items.find((item) => String(item.key) === path.at(-1));
    if (pair !== undefined) {
      pair.key = Object.assign(document.createNode(String(pair.key)), { commentBefore: ` ${reason}` });
    }
  }
  for (const question of questions) {
    const [topic] = question.id.split(".");
    if (!/^\d/.test(question.topic) || !isMap(document.contents)) continue;
    const section = topic === "workload" ? "data" : topic;
    const pair = document.contents.items.find((item) => String(item.key) === section);
    if (pair === undefined) continue;
    pair.key = Object.assign(
      document.createNode(section),
      { commentBefore: ` ${question.topic}`, spaceBefore: true },
    );
  }
  for (const section of ["workload", "targets", "invariants", "non_goals"]) {
    const pair = isMap(document.contents) && document.contents.items.find((item) => String(item.key) === section);
    if (pair) pair.key = Object.assign(document.createNode(section), { spaceBefore: true });
  }
  const tables = document.getIn(["data", "tables"]) as YAMLSeq<YAMLMap>;
  for (const table of tables.items) {
    const columns = table.get("columns") as YAMLSeq<YAMLMap>;
    for (const column of columns.items) column.flow = true;
    const key = table.get("primary_key") as YAMLSeq;
    key.flow = true;
  }
}

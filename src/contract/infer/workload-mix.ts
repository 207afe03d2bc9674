/**
 * What logged statements amount to as operations of a contract, and what they need beyond rows by key.
 *
 * Statements within transactions count as one operation per transaction. A need is counted in statements, with one of
 * them as its example, so that what cannot be served can be weighed.
 */
import type { FrequentKeys, KeyUse } from "../../traces/frequent-keys.ts";
import type { Observation } from "../../traces/observation.ts";
import type { TraceTable } from "../../traces/table-definition.ts";
import type { StatementShape } from "../../traces/statement-shapes.ts";
import type { WorkloadObserver } from "../../traces/workload-observer.ts";
import { accessOf } from "./access.ts";
import type { NeedsCatalog } from "./needs-catalog.ts";

export interface InferredNeed {
  readonly feature: string;
  readonly statements: number;
  readonly because: string;
}

export interface InferredOperation {
  readonly name: string;
  readonly count: number;
  readonly valueBytes: number;
  /** What is in it, for people. */
  readonly evidence: string;
}

export interface InferredSkew {
  readonly table: string;
  readonly columns: string;
  readonly use: KeyUse;
}

export interface WorkloadMix {
  /** Counted operations: a transaction is one. */
  readonly total: number;
  readonly operations: readonly InferredOperation[];
  readonly access: { readonly point: number; readonly range: number; readonly scan: number; readonly joined: number };
  readonly reads: number;
  readonly writes: number;
  readonly needs: readonly InferredNeed[];
  readonly skew: InferredSkew | undefined;
  /** Deletes of what is older than some time. */
  readonly expiring: readonly { readonly table: string; readonly column: string; readonly statements: number }[];
}

const exampleMax = 90;

export function mixOf(observation: Observation, workload: WorkloadObserver, catalog: NeedsCatalog): WorkloadMix {
  const mix = new MixCounter(observation.tables, catalog);
  for (const shape of workload.shapes.values()) mix.add(shape);
  for (const [verb, count] of workload.otherShapes) mix.addOther(verb, count);
  const { transactions } = workload;
  mix.addTransactions(transactions.count - transactions.writing, transactions.writing);
  return mix.result(workload);
}

interface Counted {
  count: number;
  bytes: number;
  readonly access: Map<string, number>;
}

class MixCounter {
  readonly #tables: ReadonlyMap<string, TraceTable>;
  readonly #catalog: NeedsCatalog;
  readonly #operations = new Map<string, Counted>();
  readonly #access = { point: 0, range: 0, scan: 0, joined: 0 };
  readonly #needs = new Map<string, { count: number; example: string }>();
  readonly #expiring = new Map<string, { table: string; column: string; statements: number }>();
  #reads = 0;
  #writes = 0;

  constructor(tables: ReadonlyMap<string, TraceTable>, catalog: NeedsCatalog) {
    this.#tables = tables;
    this.#catalog = catalog;
  }

  add(shape: StatementShape): void {
    const { facts, alone } = shape;
    const count = alone + shape.inTransactions;
    const [name = ""] = facts.tables;
    const table = this.#tables.get(name);
    const access = accessOf(facts, table);
    const writes = facts.verb !== "select";
    if (writes) this.#writes += count;
    else this.#reads += count;
    const inserts = facts.verb === "insert" || facts.verb === "replace" || facts.verb === "load";
    const reads = facts.verb === "select" || facts.verb === "update" || facts.verb === "delete";
    if (reads && facts.tables.length > 1) this.#access.joined += count;
    else if (reads && access.kind !== "none") this.#access[access.kind] += count;
    if (alone > 0) {
      const operation = operationName(facts.verb, access.kind);
      const stored = facts.assigned.reduce((sum, one) => sum + one.bytes, 0) / Math.max(1, facts.rows);
      const bytes = inserts || facts.verb === "update" ? stored : rowBytes(table);
      this.#count(operation, alone, bytes, `${facts.verb} ${facts.tables.join(", ")}`);
    }
    this.#addNeeds(shape, count, access);
  }

  addOther(verb: string, count: number): void {
    if (verb === "select") this.#reads += count;
    else this.#writes += count;
    this.#count(operationName(verb, "point"), count, 0, `${verb} of shapes beyond those that are kept`);
  }

  addTransactions(reading: number, writing: number): void {
    if (reading > 0) this.#count("READTRANSACTION", reading, 0, "transactions that only read");
    if (writing > 0) this.#count("WRITETRANSACTION", writing, 0, "transactions that write");
  }

  #count(operation: string, count: number, bytes: number, what: string): void {
    let counted = this.#operations.get(operation);
    if (counted === undefined) this.#operations.set(operation, counted = { count: 0, bytes: 0, access: new Map() });
    counted.count += count;
    counted.bytes += count * bytes;
    counted.access.set(what, (counted.access.get(what) ?? 0) + count);
  }

  #addNeeds({ facts, example }: StatementShape, count: number, access: ReturnType<typeof accessOf>): void {
    const names = new Set(facts.needs);
    if (access.sorts) names.add("sort");
    if (access.bySecondary) names.add("secondary_index");
    const one = facts.tables.length === 1;
    if (facts.verb === "select" && access.kind === "scan" && one) names.add("full_scan");
    const changes = facts.verb === "update" || facts.verb === "delete";
    if (changes && access.kind !== "point") names.add("write_by_condition");
    if (facts.verb === "call" || facts.verb === "truncate" || facts.verb === "load") names.add(facts.verb);
    if (/^(savepoint|rollback|release)\b/.test(facts.fingerprint)) names.add("savepoint");
    for (const name of names) {
      const need = this.#needs.get(name);
      if (need === undefined) this.#needs.set(name, { count, example });
      else need.count += count;
    }
    if (facts.verb !== "delete" || !one) return;
    const range = facts.comparisons.find(({ operator }) => operator === "range");
    if (range === undefined || access.kind === "point") return;
    if (!facts.comparesTime && !/expir|created|updated|_at$|time|date/.test(range.column)) return;
    const [table] = facts.tables;
    const key = `${table}.${range.column}`;
    const found = this.#expiring.get(key) ?? { table, column: range.column, statements: 0 };
    found.statements += count;
    this.#expiring.set(key, found);
  }

  result(workload: WorkloadObserver): WorkloadMix {
    const operations = [...this.#operations].map(([name, counted]): InferredOperation => {
      const parts = [...counted.access].sort(([, one], [, other]) => other - one);
      const listed = parts.slice(0, 3).map(([what, count]) => `${count} ${what}`).join("; ");
      const more = parts.length > 3 ? `; ${parts.length - 3} more` : "";
      const valueBytes = Math.round(counted.bytes / counted.count);
      return { name, count: counted.count, valueBytes, evidence: `${listed}${more}` };
    }).sort((one, other) => other.count - one.count || (one.name < other.name ? -1 : 1));
    return {
      total: operations.reduce((sum, { count }) => sum + count, 0),
      operations, access: this.#access, reads: this.#reads, writes: this.#writes,
      needs: this.#statementNeeds(workload.statements),
      skew: this.#skew(workload.keys),
      expiring: [...this.#expiring.values()],
    };
  }

  #statementNeeds(statements: number): InferredNeed[] {
    return [...this.#needs].flatMap(([name, { count, example }]) => {
      const need = this.#catalog.statements.get(name);
      if (need === undefined) return [];
      const text = Buffer.from(example, "latin1").toString("utf8").replace(/\s+/g, " ").trim();
      const shown = text.length > exampleMax ? `${text.slice(0, exampleMax)}…` : text;
      const share = `${percent(count, statements)} of ${formatWhole(statements)} statements`;
      const because = `${share} ${need.what}, as: ${shown}`;
      return [{ feature: need.feature, statements: count, because }];
    }).sort((one, other) => other.statements - one.statements);
  }

  /** Of the table and columns that most statements name. */
  #skew(keys: ReadonlyMap<string, FrequentKeys>): InferredSkew | undefined {
    let best: InferredSkew | undefined;
    for (const [name, sketch] of keys) {
      const [table, columns] = name.split("|");
      const defined = this.#tables.get(table);
      const primary = defined?.primaryKey.map((column) => column.toLowerCase()).sort().join(",");
      const use = sketch.use(primary === columns && defined!.rows > 0 ? defined!.rows : undefined);
      if (use.uses > (best?.use.uses ?? 0)) best = { table, columns, use };
    }
    return best;
  }
}

function operationName(verb: string, access: string): string {
  switch (verb) {
    case "select":
      return access === "point" ? "READ" : "SCAN";
    case "insert":
    case "replace":
    case "load":
      return "INSERT";
    case "delete":
    case "truncate":
      return "DELETE";
    case "call":
      return "CALL";
    default:
      return "UPDATE";
  }
}

function rowBytes(table: TraceTable | undefined): number {
  return (table?.columns ?? []).reduce((sum, { sample }) => sum + sample.meanBytes, 0);
}

export function percent(part: number, whole: number): string {
  const share = whole === 0 ? 0 : (100 * part) / whole;
  const digits = share >= 10 || share === 0 ? 0 : share >= 1 ? 1 : 2;
  return `${share.toFixed(digits)} %`;
}

export function formatWhole(count: number): string {
  return String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, ",");
}

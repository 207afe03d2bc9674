/**
 * What logged statements amount to as operations of a contract, and what they need beyond rows by key.
 *
 * Statements within transactions count as one operation per transaction (`operation-counter.ts`), what they touch is
 * told by `infer-targets.ts`. A need is counted in statements, with one of
 * them as its example, so that what cannot be served can be weighed.
 */
import type { TraceColumn, TraceTable } from "../../traces/table-definition.ts";
import type { TransactionKind } from "../../traces/session-transactions.ts";
import type { StatementShape } from "../../traces/statement-shapes.ts";
import type { WorkloadObserver } from "../../traces/workload-observer.ts";
import type { TransactionStepSpec } from "../contract.ts";
import { type Access, accessOf } from "./access.ts";
import type { InferredTable } from "./infer-tables.ts";
import { withShares } from "./infer-shares.ts";
import { type InferredSkew, InferredTargets } from "./infer-targets.ts";
import type { NeedsCatalog } from "./needs-catalog.ts";
import { type InferredOperation, OperationCounter } from "./operation-counter.ts";

export interface InferredNeed {
  readonly feature: string;
  readonly statements: number;
  readonly because: string;
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
  /** What steps share and no driver drives. */
  readonly leftOut: readonly string[];
  /** Deletes of what is older than some time. */
  readonly expiring: readonly { readonly table: string; readonly column: string; readonly statements: number }[];
}

const exampleMax = 90;

/** `tables`: as they were inferred; `defined`: those of them that a source defines, by their names in small letters. */
export function mixOf(
  workload: WorkloadObserver, tables: readonly InferredTable[], defined: ReadonlyMap<string, TraceTable>,
  catalog: NeedsCatalog,
): WorkloadMix {
  const mix = new MixCounter(defined, tables, new InferredTargets(workload, tables), catalog);
  for (const shape of workload.shapes.values()) mix.add(shape);
  for (const [verb, count] of workload.otherShapes) mix.addOther(verb, count);
  mix.addTransactions(workload);
  return mix.result(workload);
}

class MixCounter {
  readonly #tables: ReadonlyMap<string, TraceTable>;
  readonly #catalog: NeedsCatalog;
  readonly #targets: InferredTargets;
  readonly #operations = new OperationCounter();
  readonly #inferred: readonly InferredTable[];
  readonly #leftOut = new Set<string>();
  readonly #access = { point: 0, range: 0, scan: 0, joined: 0 };
  readonly #needs = new Map<string, { count: number; example: string }>();
  readonly #expiring = new Map<string, { table: string; column: string; statements: number }>();
  #reads = 0;
  #writes = 0;

  constructor(
    tables: ReadonlyMap<string, TraceTable>, inferred: readonly InferredTable[], targets: InferredTargets,
    catalog: NeedsCatalog,
  ) {
    this.#tables = tables;
    this.#inferred = inferred;
    this.#targets = targets;
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
    const reads = facts.verb === "select" || facts.verb === "update" || facts.verb === "delete";
    if (reads && facts.tables.length > 1) this.#access.joined += count;
    else if (reads && access.kind !== "none") this.#access[access.kind] += count;
    if (alone > 0) {
      const operation = operationName(facts.verb, access.kind);
      const what = `${facts.verb} ${facts.tables.join(", ")}`;
      const target = this.#targets.targetOf(operation, shape, access, false);
      this.#operations.add(operation, target, { count: alone, bytes: this.#valueBytes(operation, shape), what });
    }
    this.#addNeeds(shape, count, access);
  }

  addOther(verb: string, count: number): void {
    if (verb === "select") this.#reads += count;
    else this.#writes += count;
    const what = `${verb} of shapes beyond those that are kept`;
    this.#operations.add(operationName(verb, "point"), { skew: 0 }, { count, bytes: 0, what });
  }

  addTransactions({ transactions, transactionKinds }: WorkloadObserver): void {
    let reading = transactions.count - transactions.writing;
    let { writing } = transactions;
    // The most frequent first: what is rare tells little of what its steps share, and counts with the others.
    for (const kind of transactionKinds.toSorted((one, other) => other.count - one.count)) {
      if (kind.writing) writing -= kind.count;
      else reading -= kind.count;
      this.#operations.addKind(kind, this.#stepsOf(kind));
    }
    this.#operations.addTransactions(false, reading);
    this.#operations.addTransactions(true, writing);
  }

  /** Undefined where a statement is no step of a contract's transactions. */
  #stepsOf(kind: TransactionKind): TransactionStepSpec[] | undefined {
    const steps: TransactionStepSpec[] = [];
    for (const { shape, statements } of kind.steps) {
      const step = this.#stepOf(shape);
      if (step === undefined) return undefined;
      const times = Math.min(1000, Math.round(statements / kind.count));
      steps.push(times > 1 ? { ...step, times } : step);
    }
    return withShares(kind, steps, this.#inferred, this.#leftOut);
  }

  #stepOf(shape: StatementShape): TransactionStepSpec | undefined {
    const { facts } = shape;
    const access = accessOf(facts, this.#tables.get(facts.tables[0] ?? ""));
    const operation = operationName(facts.verb, access.kind);
    if (!isStep(operation)) return undefined;
    const { skew, ...target } = this.#targets.targetOf(operation, shape, access, true);
    return { operation, ...target, ...(skew > 0 ? { skew } : {}) };
  }

  /** Of the texts that a statement stores in a row, or finds in one; those of its key left out. */
  #valueBytes(operation: string, { facts, aloneSizes: { textBytes, rows, statements } }: StatementShape): number {
    const source = this.#targets.sourceOf(facts.tables[0] ?? "");
    if (operation === "UPDATE") return textBytes / statements;
    if (operation !== "INSERT") return operation === "DELETE" || source === undefined ? 0 : rowBytes(source);
    const texts = source?.columns.filter((column) => isText(column) && isOfKey(source, column)) ?? [];
    const keyBytes = texts.reduce((sum, { sample }) => sum + sample.meanBytes, 0);
    return Math.max(0, textBytes / Math.max(1, rows) - keyBytes);
  }

  #addNeeds({ facts, example }: StatementShape, count: number, access: Access): void {
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
    const skew = this.#targets.mostUsed;
    const { scale } = workload;
    const scaled = (count: number) => Math.max(1, Math.round(count * scale));
    const operations = this.#operations.operations(skew?.use.skew ?? 0).map((one) => (
      scale === 1 ? one : { ...one, count: scaled(one.count), evidence: `estimate from ${one.evidence}` }
    ));
    return {
      total: operations.reduce((sum, { count }) => sum + count, 0),
      operations, access: this.#access, reads: this.#reads, writes: this.#writes,
      needs: this.#statementNeeds(workload.statements).map((need) => (
        scale === 1 ? need
          : { ...need, statements: scaled(need.statements), because: `estimate from a sample: ${need.because}` }
      )),
      skew, leftOut: [...this.#leftOut],
      expiring: [...this.#expiring.values()].map((one) => ({ ...one, statements: scaled(one.statements) })),
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

function isStep(operation: string): operation is TransactionStepSpec["operation"] {
  return operation !== "CALL";
}

/** Of the texts of a row outside its key. */
function rowBytes(table: TraceTable): number {
  const texts = table.columns.filter((column) => isText(column) && !isOfKey(table, column));
  return texts.reduce((sum, { sample }) => sum + sample.meanBytes, 0);
}

function isText({ family }: TraceColumn): boolean {
  return family === "text" || family === "bytes";
}

function isOfKey({ primaryKey }: TraceTable, { name }: TraceColumn): boolean {
  return primaryKey.some((column) => column.toLowerCase() === name.toLowerCase());
}

export function percent(part: number, whole: number): string {
  const share = whole === 0 ? 0 : (100 * part) / whole;
  const digits = share >= 10 || share === 0 ? 0 : share >= 1 ? 1 : 2;
  return `${share.toFixed(digits)} %`;
}

export function formatWhole(count: number): string {
  return String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, ",");
}

/**
 * What operations of a log touch, in the names of the contract: the table, the columns by which rows are found, how
 * many rows, and how skewed the use of the keys is.
 *
 *   1. `accessOf` tells which key or index finds the rows; its columns become `key` and `range`, unless a driver could
 *      not drive them: then the table alone is named.
 *   2. Rows: of inserts the mean of VALUES; of scans what most of the statements ask for (LIMIT, both ends of a range,
 *      a list), else rows per value of the key, where a dump has both.
 *   3. Skew: of the keys that such operations use (reads, updates and deletes apart, and steps of transactions apart
 *      from what is outside of any), where enough uses were seen; else of that key whatever uses it, else of the most
 *      used key of the table, else of the log.
 */
import type { FrequentKeys, KeyUse } from "../../traces/frequent-keys.ts";
import type { StatementShape, StatementSizes } from "../../traces/statement-shapes.ts";
import type { Verb } from "../../traces/statement-verb.ts";
import { columnOf, type TraceTable } from "../../traces/table-definition.ts";
import type { WorkloadObserver } from "../../traces/workload-observer.ts";
import type { OperationTarget, TableSpec } from "../contract.ts";
import { undrivenTarget } from "../own-operations.ts";
import type { Access } from "./access.ts";
import type { InferredTable } from "./infer-tables.ts";

export interface InferredSkew {
  readonly table: string;
  readonly columns: string;
  readonly use: KeyUse;
}

export interface InferredTarget extends OperationTarget {
  /** Zipf constant; 0 is uniform. */
  readonly skew: number;
}

/** Below this a sample of uniform keys may lie by chance, too. */
const skewMin = 0.2;
/** Fewer uses do not tell a skew from chance. */
export const usesMin = 200;
const rowsMax = 10_000;

export class InferredTargets {
  /** Of the table and columns that most statements name. */
  readonly mostUsed: InferredSkew | undefined;
  readonly #workload: WorkloadObserver;
  readonly #tables: ReadonlyMap<string, InferredTable>;
  readonly #specs: readonly TableSpec[];
  readonly #uses = new Map<FrequentKeys, KeyUse>();
  readonly #ofTable = new Map<string, InferredSkew>();
  readonly #keys: ReadonlyMap<string, FrequentKeys>;
  readonly #ranges: ReadonlyMap<string, FrequentKeys>;

  constructor(workload: WorkloadObserver, tables: readonly InferredTable[]) {
    this.#workload = workload;
    this.#tables = new Map(tables.map((table) => [table.source.name.toLowerCase(), table]));
    this.#specs = tables;
    this.#keys = workload.keys.together();
    this.#ranges = workload.ranges.together();
    for (const [name, sketch] of this.#keys) {
      const [table, columns] = name.split("|");
      const use = this.#use(sketch, table, columns.split(","));
      const found = { table, columns, use };
      if (use.uses > (this.#ofTable.get(table)?.use.uses ?? 0)) this.#ofTable.set(table, found);
      if (use.uses > (this.mostUsed?.use.uses ?? 0)) this.mostUsed = found;
    }
  }

  /** The table of a source, as it is defined there or by what statements show. */
  sourceOf(name: string): TraceTable | undefined {
    return this.#tables.get(name)?.source;
  }

  /** `operation`: as in a contract; `within`: of transactions. */
  targetOf(operation: string, { facts, ...shape }: StatementShape, access: Access, within: boolean): InferredTarget {
    const sizes = within ? shape.withinSizes : shape.aloneSizes;
    const [source = ""] = facts.tables;
    const table = this.#tables.get(source);
    const alone = facts.tables.length === 1;
    if (operation === "INSERT") {
      const rows = Math.min(rowsMax, Math.round(sizes.rows / Math.max(1, sizes.statements)));
      return { table: table?.name, ...(rows > 1 ? { rows } : {}), skew: 0 };
    }
    if (operation === "DELETE") return { table: table?.name, skew: 0 };
    const skew = this.#skewOf(source, alone ? access : undefined, facts.verb, within);
    if (table === undefined || !alone) return { table: table?.name, skew };
    const named = operation === "UPDATE" ? {} : this.#columnsOf(operation, table, access);
    const rows = operation === "SCAN" ? rowsOf(sizes, table, access, named.range === undefined) : undefined;
    return { table: table.name, ...named, ...(rows === undefined ? {} : { rows }), skew };
  }

  #columnsOf(name: string, table: InferredTable, { equal, range }: Access): OperationTarget {
    const inContract = (column: string) => table.columns.find(({ source }) => source.toLowerCase() === column)?.name;
    const key = equal.flatMap((column) => inContract(column) ?? []);
    const ranged = range === undefined ? undefined : inContract(range);
    if (key.length !== equal.length || (range !== undefined && ranged === undefined)) return {};
    // A read by the primary key, and a scan in its order, are what is meant where nothing is said.
    const [first] = table.primaryKey;
    const primary = key.length === table.primaryKey.length && table.primaryKey.every((column) => key.includes(column));
    if (name === "READ" && primary) return {};
    if (name === "SCAN" && key.length === 0 && (ranged === undefined || ranged === first)) return {};
    const target = { ...(key.length > 0 ? { key } : {}), ...(ranged === undefined ? {} : { range: ranged }) };
    return undrivenTarget({ name, table: table.name, ...target }, this.#specs).length === 0 ? target : {};
  }

  #skewOf(table: string, access: Access | undefined, verb: Verb, within: boolean): number {
    const columns = access?.equal.toSorted() ?? [];
    const first = access?.range ?? access?.ordered;
    const named = columns.length > 0 ? columns : first === undefined ? [] : [first];
    const name = `${table}|${named.join(",")}`;
    const { keys, ranges } = this.#workload;
    const sketches = columns.length > 0
      ? [keys.of(name, verb, within), this.#keys.get(name)]
      : [ranges.of(name, verb, within), this.#ranges.get(name)];
    const uses = sketches.map((sketch) => sketch && this.#use(sketch, table, named));
    const known = [...uses, this.#ofTable.get(table)?.use, this.mostUsed?.use];
    const enough = known.find((one) => (one?.uses ?? 0) >= usesMin);
    const skew = enough?.skew ?? this.mostUsed?.use.skew ?? 0;
    return skew >= skewMin ? Math.round(skew * 100) / 100 : 0;
  }

  #use(sketch: FrequentKeys, table: string, columns: readonly string[]): KeyUse {
    let use = this.#uses.get(sketch);
    if (use === undefined) this.#uses.set(sketch, use = sketch.use(this.#populationOf(table, columns)));
    return use;
  }

  /** How many different keys there are, where a dump tells. */
  #populationOf(table: string, columns: readonly string[]): number | undefined {
    const source = this.sourceOf(table);
    if (source === undefined || source.rows === 0) return undefined;
    const primary = source.primaryKey.map((column) => column.toLowerCase());
    if (primary.length === columns.length && primary.every((column) => columns.includes(column))) return source.rows;
    const distinct = columns.length === 1 ? columnOf(source, columns[0])?.sample.distinct : undefined;
    return distinct === 0 ? undefined : distinct;
  }
}

/** `byKeyAlone`: by values of a key, without a range of it. */
function rowsOf(
  { asking, asked, statements }: StatementSizes, { source }: InferredTable, { equal }: Access, byKeyAlone: boolean,
): number | undefined {
  const bounded = (rows: number) => Math.max(1, Math.min(rowsMax, Math.round(rows)));
  if (asking > 0 && 2 * asking >= statements) return bounded(asked / asking);
  if (!byKeyAlone || equal.length !== 1) return undefined;
  const distinct = columnOf(source, equal[0])?.sample.distinct ?? 0;
  return distinct === 0 || source.rows === 0 ? undefined : bounded(source.rows / distinct);
}

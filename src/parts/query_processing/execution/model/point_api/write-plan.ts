/**
 * Writes: INSERT, UPDATE, DELETE, CREATE TABLE and DROP TABLE as steps of a command.
 *
 * Conditions travel with the command and are evaluated when it is applied, so that what is decided does not depend on
 * what this node happened to see. Values are coerced here, once, before the log.
 */
import type { ColumnValue, Table } from "../../../../architecture/catalog/table.ts";
import type {
  CommandStep,
  OnDuplicate,
  RowPredicate,
  RowSelection,
  StepResult,
} from "../../../../concurrency/transaction/command.ts";
import type { ResultSink } from "../../../executor.ts";
import type { AccessPath } from "./access-path.ts";
import { type AssignmentSource, bindAssignments } from "./assignment-source.ts";
import type { StatementLabel, WritePlan } from "./plan.ts";
import { bindPredicates, bindSelection, isPredicates, type SelectionSource } from "./read-steps.ts";
import { bind, type ValueSource } from "./value-source.ts";

abstract class Write implements WritePlan {
  readonly kind = "write";
  readonly shape = undefined;
  readonly label: StatementLabel;

  constructor(label: StatementLabel) {
    this.label = label;
  }

  abstract addSteps(parameters: readonly ColumnValue[], base: number, steps: CommandStep[]): void;

  answer(results: readonly StepResult[], from: number, count: number, sink: ResultSink): void {
    let matchedRows = 0;
    let affectedRows = 0;
    let duplicates = 0;
    let insertId: bigint | undefined;
    for (let i = from; i < from + count; i++) {
      const result = results[i];
      if (result.kind !== "changed") continue;
      matchedRows += result.matchedRows;
      affectedRows += result.changedRows;
      duplicates += result.duplicates ?? 0;
      insertId ??= result.insertId;
    }
    sink.done({ affectedRows, matchedRows, info: this.info(matchedRows, affectedRows, duplicates), insertId });
  }

  /** MySQL's summary line. */
  protected info(_matchedRows: number, _affectedRows: number, _duplicates: number): string {
    return "";
  }
}

/** What becomes of rows whose key is there already. */
export type DuplicateSource = "ignore" | "replace" | readonly AssignmentSource[];

export class InsertPlan extends Write {
  readonly #table: Table;
  /** Per row a source for each column of the table. */
  readonly #rows: readonly (readonly ValueSource[])[];
  readonly #unless: readonly { table: Table; path: AccessPath }[];
  readonly #onDuplicate: DuplicateSource | undefined;

  constructor(
    table: Table,
    rows: readonly (readonly ValueSource[])[],
    unless: readonly { table: Table; path: AccessPath }[],
    onDuplicate: DuplicateSource | undefined,
  ) {
    super("insert");
    this.#table = table;
    this.#rows = rows;
    this.#unless = unless;
    this.#onDuplicate = onDuplicate;
  }

  addSteps(parameters: readonly ColumnValue[], base: number, steps: CommandStep[]): void {
    const rows: ColumnValue[][] = [];
    for (const sources of this.#rows) {
      const row: ColumnValue[] = [];
      for (let i = 0; i < sources.length; i++) row.push(bind(sources[i], parameters, base));
      rows.push(row);
    }
    const unless = this.#unless.flatMap(({ table, path }) => bindPredicates(table, path, parameters, base));
    const insert = { kind: "insert" as const, tableId: this.#table.id, rows, unless };
    steps.push(this.#onDuplicate === undefined ? insert : { ...insert, onDuplicate: this.#bound(parameters, base) });
  }

  #bound(parameters: readonly ColumnValue[], base: number): OnDuplicate | undefined {
    const source = this.#onDuplicate;
    if (typeof source !== "object") return source;
    return { set: bindAssignments(this.#table, source, parameters, base) };
  }

  protected override info(_matchedRows: number, _affectedRows: number, duplicates: number): string {
    if (this.#rows.length === 1) return "";
    return `Records: ${this.#rows.length}  Duplicates: ${duplicates}  Warnings: 0`;
  }
}

export class UpdatePlan extends Write {
  readonly #target: SelectionSource;
  readonly #set: readonly AssignmentSource[];

  constructor(target: SelectionSource, set: readonly AssignmentSource[]) {
    super("update");
    this.#target = target;
    this.#set = set;
  }

  addSteps(parameters: readonly ColumnValue[], base: number, steps: CommandStep[]): void {
    const set = bindAssignments(this.#target.table, this.#set, parameters, base);
    for (const target of targets(this.#target, parameters, base)) steps.push({ kind: "update", target, set });
  }

  protected override info(matchedRows: number, affectedRows: number): string {
    return `Rows matched: ${matchedRows}  Changed: ${affectedRows}  Warnings: 0`;
  }
}

export class DeletePlan extends Write {
  readonly #target: SelectionSource;

  constructor(target: SelectionSource) {
    super("delete");
    this.#target = target;
  }

  addSteps(parameters: readonly ColumnValue[], base: number, steps: CommandStep[]): void {
    for (const target of targets(this.#target, parameters, base)) steps.push({ kind: "delete", target });
  }
}

export class DefinitionPlan extends Write {
  readonly #steps: readonly CommandStep[];

  constructor(steps: readonly CommandStep[]) {
    super("ddl");
    this.#steps = steps;
  }

  addSteps(_parameters: readonly ColumnValue[], _base: number, steps: CommandStep[]): void {
    for (const step of this.#steps) steps.push(step);
  }
}

/** One step per whole key, or one for all rows: a LIMIT counts over all of them. */
function targets(
  source: SelectionSource,
  parameters: readonly ColumnValue[],
  base: number,
): (RowPredicate | RowSelection)[] {
  const { table, path, limit } = source;
  const separate = isPredicates(source) && limit === undefined && (path.prefixes.length === 1 || path.point);
  return separate ? bindPredicates(table, path, parameters, base) : [bindSelection(source, parameters, base)];
}

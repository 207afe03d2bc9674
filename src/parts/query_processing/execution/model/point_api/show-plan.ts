/** ShowPlan: SHOW, as a virtual table filtered by LIKE or a condition. Made when it runs, for it shows the session. */
import type { ColumnValue } from "../../../../architecture/catalog/table.ts";
import { type ResultShape, type ResultSink } from "../../../executor.ts";
import { bind, isTrue, type Scope } from "./catalog-expression.ts";
import { like } from "./like-pattern.ts";
import type { RunDoors, SessionPlan } from "./plan.ts";
import { showTable, type ShowStatement } from "./show-tables.ts";
import { resultColumnOf, type VirtualTable, viewOf } from "./virtual-table.ts";

export class ShowPlan implements SessionPlan {
  readonly kind = "session";
  readonly label = "session";
  readonly shape: ResultShape;
  readonly #doors: RunDoors;
  readonly #statement: ShowStatement;

  /** Errors: SqlError for tables that are not there. */
  constructor(doors: RunDoors, statement: ShowStatement) {
    this.#doors = doors;
    this.#statement = statement;
    this.shape = shapeOf(showTable(statement, viewOf(doors.catalog, doors.bounds, undefined)));
  }

  run(sink: ResultSink, parameters: readonly ColumnValue[]): void {
    const { catalog, bounds } = this.#doors;
    const view = viewOf(catalog, bounds, sink.session);
    const table = showTable(this.#statement, view);
    const scope: Scope = { view, sources: [{ alias: table.name, table }], parameters, subquery: () => [] };
    const { where, like: pattern } = this.#statement;
    const condition = where === undefined ? undefined : bind(scope, where);
    const rows = table.rows(view).filter((row) => {
      if (condition !== undefined) return isTrue(condition([row], [[row]]));
      return like(String(row[0]), pattern);
    });
    sink.rows(shapeOf(table));
    for (const row of rows) sink.valueRow(row);
    sink.end();
  }
}

function shapeOf(table: VirtualTable): ResultShape {
  return { columns: table.columns.map(({ name, type }) => resultColumnOf(name, type)) };
}

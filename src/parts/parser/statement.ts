/**
 * Statements: what a parser hands to a planner. Names are as written; nothing is looked up in the catalog yet.
 *
 * Values are operands: constants, or parameters (a `?` of a prepared statement, or a literal of a text whose shape is
 * cached; see `statement-parser.ts`).
 */
import type { ColumnType, ColumnValue } from "../architecture/catalog/table.ts";
import type { CatalogExpression, CatalogQueryStatement } from "./catalog-query.ts";
import type { ArithmeticOperator, Comparison } from "../concurrency/transaction/command.ts";

export type Operand =
  | { readonly kind: "constant"; readonly value: ColumnValue }
  /** `negated`: a minus sign stood before it. */
  | { readonly kind: "parameter"; readonly index: number; readonly negated: boolean };

/** A value of a row to be inserted; `DEFAULT` is what the column has where it is left out. */
export type InsertValue = Operand | { readonly kind: "default" };

/** What a column is set to. */
export type Assigned =
  | Operand
  | { readonly kind: "column"; readonly column: string }
  /** `VALUES(column)` after ON DUPLICATE KEY UPDATE. */
  | { readonly kind: "inserted"; readonly column: string }
  | {
      readonly kind: "operation";
      readonly operator: ArithmeticOperator;
      readonly left: Assigned;
      readonly right: Assigned;
    };

export interface SetItem {
  readonly column: string;
  readonly operand: Assigned;
}

export type AggregateFunction = "COUNT" | "SUM" | "MIN" | "MAX" | "AVG";

export interface SelectItem {
  /** `*` in `COUNT(*)`. */
  readonly column: string;
  readonly alias: string | undefined;
  readonly aggregate?: AggregateFunction | undefined;
  /** `COUNT(DISTINCT column)` and its kin. */
  readonly distinct?: boolean | undefined;
}

export type Condition =
  | {
      readonly kind: "comparison";
      readonly column: string;
      readonly comparison: Comparison;
      readonly operand: Operand;
    }
  /** `(a, b) > (x, y)`: compared column by column from the left, as SQL's row constructors are. */
  | {
      readonly kind: "row";
      readonly columns: readonly string[];
      readonly comparison: Comparison;
      readonly operands: readonly Operand[];
    }
  /** `a IN (x, y)` and `(a, b) IN ((x, y), (z, w))`. */
  | { readonly kind: "in"; readonly columns: readonly string[]; readonly rows: readonly (readonly Operand[])[] }
  | { readonly kind: "and" | "or"; readonly conditions: readonly Condition[] };

export interface OrderItem {
  readonly column: string;
  readonly descending: boolean;
}

export interface SelectStatement {
  readonly kind: "select";
  readonly table: string;
  /** `*`, `COUNT(*)` alone, or columns, or aggregates. */
  readonly items: "all" | "count" | readonly SelectItem[];
  /** What `COUNT(*)` is called in the result. */
  readonly countName: string;
  readonly where: Condition | undefined;
  readonly orderBy: readonly OrderItem[];
  readonly limit: Operand | undefined;
  readonly offset?: Operand | undefined;
  readonly distinct?: boolean | undefined;
  /** FOR UPDATE and its kin. */
  readonly locks?: boolean | undefined;
}

export interface InsertStatement {
  readonly kind: "insert";
  readonly table: string;
  /** Undefined: all columns in declared order. */
  readonly columns: readonly string[] | undefined;
  readonly rows: readonly (readonly InsertValue[])[];
  /** `… SELECT values WHERE NOT EXISTS (SELECT … FROM table WHERE condition)`. */
  readonly unless: { readonly table: string; readonly where: Condition | undefined } | undefined;
  /** INSERT IGNORE, REPLACE, ON DUPLICATE KEY UPDATE. */
  readonly onDuplicate?: "ignore" | "replace" | readonly SetItem[] | undefined;
}

export interface UpdateStatement {
  readonly kind: "update";
  readonly table: string;
  readonly set: readonly SetItem[];
  readonly where: Condition | undefined;
  readonly orderBy?: readonly OrderItem[] | undefined;
  readonly limit?: Operand | undefined;
}

export interface DeleteStatement {
  readonly kind: "delete";
  readonly table: string;
  readonly where: Condition | undefined;
  readonly orderBy?: readonly OrderItem[] | undefined;
  readonly limit?: Operand | undefined;
}

export interface ColumnDefinition {
  readonly name: string;
  readonly type: ColumnType;
  readonly lengthMax: number | undefined;
  readonly nullable: boolean;
  /** CHAR. */
  readonly fixed?: boolean | undefined;
  readonly defaultValue?: ColumnValue | undefined;
  readonly autoIncrement?: boolean | undefined;
}

export interface CreateTableStatement {
  readonly kind: "createTable";
  readonly table: string;
  readonly ifNotExists: boolean;
  readonly columns: readonly ColumnDefinition[];
  /** Names of the key's columns in key order; empty where none was declared. */
  readonly primaryKey: readonly string[];
  /** Secondary indexes declared with KEY or INDEX. */
  readonly indexes?: readonly IndexDefinition[] | undefined;
}

export interface IndexDefinition {
  readonly name: string;
  readonly columns: readonly string[];
}

export interface CreateIndexStatement {
  readonly kind: "createIndex";
  readonly table: string;
  readonly index: IndexDefinition;
  readonly ifNotExists: boolean;
}

export interface DropIndexStatement {
  readonly kind: "dropIndex";
  readonly table: string;
  readonly name: string;
  readonly ifExists: boolean;
}

export interface DropTableStatement {
  readonly kind: "dropTable";
  readonly tables: readonly string[];
  readonly ifExists: boolean;
}

/** A SELECT without FROM: what drivers and shells ask a server about itself. */
export interface SelectValuesStatement {
  readonly kind: "selectValues";
  readonly items: readonly { readonly name: string; readonly value: SessionValue }[];
}

export type SessionValue =
  | { readonly kind: "constant"; readonly value: ColumnValue }
  /** `@@name`, lower case, without `global.` or `session.`. */
  | { readonly kind: "variable"; readonly name: string }
  /** `name()`, lower case. */
  | { readonly kind: "function"; readonly name: string };

/** SAVEPOINT, ROLLBACK TO SAVEPOINT, RELEASE SAVEPOINT. */
export interface SavepointStatement {
  readonly kind: "savepoint";
  readonly action: "set" | "rollback" | "release";
  readonly name: string;
}

/** `transaction` is SET TRANSACTION, for the next one only where no scope is given. */
export interface SetAssignment {
  readonly name: string;
  readonly value: string;
  readonly scope?: "global" | "session" | undefined;
}

export type SessionStatement =
  | {
      readonly kind: "begin" | "commit" | "rollback";
      /** START TRANSACTION READ ONLY. */
      readonly readOnly?: boolean | undefined;
      /** WITH CONSISTENT SNAPSHOT. */
      readonly now?: boolean | undefined;
    }
  | SavepointStatement
  /** LOCK TABLES … READ. */
  | { readonly kind: "lockTables"; readonly tables: readonly string[] }
  | { readonly kind: "unlockTables" }
  /** FLUSH LOGS: answered when the device has all that was answered before. */
  | { readonly kind: "flushLogs" }
  /** A comment or nothing at all. */
  | { readonly kind: "empty" }
  | { readonly kind: "set"; readonly assignments: readonly SetAssignment[] }
  | { readonly kind: "use"; readonly database: string }
  | {
      readonly kind: "show";
      /** What is shown, as `show-tables.ts` of the executor lists it. */
      readonly what: string;
      readonly full: boolean;
      readonly table: string | undefined;
      readonly database: string | undefined;
      readonly like: string | undefined;
      readonly where: CatalogExpression | undefined;
    }
  | { readonly kind: "kill"; readonly connectionId: number; readonly what: "connection" | "query" };

export type Statement =
  | SelectStatement
  | InsertStatement
  | UpdateStatement
  | DeleteStatement
  | CreateTableStatement
  | DropTableStatement
  | CreateIndexStatement
  | DropIndexStatement
  | SelectValuesStatement
  | CatalogQueryStatement
  | SessionStatement;

/**
 * AssignmentSource: what UPDATE and ON DUPLICATE KEY UPDATE set a column to, with places for parameters.
 *
 * A plain value is coerced to its column before the log, as those of INSERT are. Arithmetic is bound to an Expression
 * that travels with the command and is worked out on the row when it is applied.
 * Served is what is exact: integers with integers, what they give by division, and anything with a double. Texts in
 * arithmetic, and literals with a fraction beside integers, are refused by the leaf that they would need: MySQL works
 * them out in decimals with the digits that were written.
 */
import type { Column, ColumnValue, Table } from "../../../../architecture/catalog/table.ts";
import type { ArithmeticOperator, Assignment, Expression } from "../../../../concurrency/transaction/command.ts";
import { HexLiteral } from "../../../../parser/hex-literal.ts";
import type { Assigned, Operand, SetItem } from "../../../../parser/statement.ts";
import { notSelected, SqlError } from "../../../executor.ts";
import { findColumn } from "./access-path.ts";
import { bind, negate, type ValueSource, valueSource } from "./value-source.ts";

export interface AssignmentSource {
  readonly ordinal: number;
  readonly source?: ValueSource | undefined;
  readonly expression?: ExpressionSource | undefined;
}

type ExpressionSource =
  | { readonly kind: "operand"; readonly operand: Operand }
  | { readonly kind: "column" | "inserted"; readonly ordinal: number }
  | {
      readonly kind: "operation";
      readonly operator: ArithmeticOperator;
      readonly left: ExpressionSource;
      readonly right: ExpressionSource;
    };

const decimalLeaf = "value_types/numeric/exact_decimal/bounded_fixed_point";
const decoder = new TextDecoder();

/** Throws SqlError. */
export function planAssignments(table: Table, set: readonly SetItem[]): AssignmentSource[] {
  const sources: AssignmentSource[] = [];
  for (const { column: name, operand } of set) {
    const ordinal = findColumn(table, name);
    if (table.primaryKey.includes(ordinal)) {
      if (isItself(table, ordinal, operand)) continue;
      throw notSelected("query_processing/execution/model/volcano", "an UPDATE of the primary key");
    }
    const column = table.columns[ordinal];
    if (operand.kind === "constant" || operand.kind === "parameter") {
      sources.push({ ordinal, source: valueSource(column, operand, "store") });
      continue;
    }
    const expression = planExpression(table, operand);
    if (operand.kind !== "operation") checkKinds(column, table.columns[findColumn(table, operand.column)]);
    else if (isText(column)) throw notSelected("parser/syntax/expression/cast", "arithmetic for a column of text");
    sources.push({ ordinal, expression });
  }
  return sources;
}

/** `key = key`, and `key = VALUES(key)` where the row with that key is the one at hand. */
function isItself(table: Table, ordinal: number, operand: Assigned): boolean {
  return (operand.kind === "column" || operand.kind === "inserted") && findColumn(table, operand.column) === ordinal;
}

function isText({ type }: Column): boolean {
  return type === "varchar" || type === "varbinary";
}

function checkKinds(target: Column, source: Column): void {
  const bytesAsText = target.type === "varchar" && source.type === "varbinary";
  if (isText(target) === isText(source) && !bytesAsText) return;
  throw notSelected("parser/syntax/expression/cast", `column ${source.name} in column ${target.name}`);
}

function planExpression(table: Table, assigned: Assigned): ExpressionSource {
  switch (assigned.kind) {
    case "constant":
    case "parameter":
      return { kind: "operand", operand: assigned };
    case "column":
    case "inserted":
      return { kind: assigned.kind, ordinal: findColumn(table, assigned.column) };
    case "operation": {
      const { operator } = assigned;
      const left = planExpression(table, assigned.left);
      const right = planExpression(table, assigned.right);
      for (const side of [left, right]) {
        if ((side.kind === "column" || side.kind === "inserted") && isText(table.columns[side.ordinal])) {
          throw notSelected("parser/syntax/expression/cast", "a column of text in arithmetic");
        }
      }
      return { kind: "operation", operator, left, right };
    }
  }
}

/** `base` is the place of parameter 0. Throws SqlError. */
export function bindAssignments(
  table: Table,
  sources: readonly AssignmentSource[],
  parameters: readonly ColumnValue[],
  base: number,
): Assignment[] {
  return sources.map(({ ordinal, source, expression }): Assignment => {
    if (source !== undefined) return { ordinal, value: bind(source, parameters, base) };
    const bound = bindExpression(expression as ExpressionSource, parameters, base);
    checkExact(table, bound);
    return { ordinal, value: null, expression: bound };
  });
}

function bindExpression(source: ExpressionSource, parameters: readonly ColumnValue[], base: number): Expression {
  switch (source.kind) {
    case "operand": {
      const { operand } = source;
      if (operand.kind === "constant") return { kind: "value", value: arithmeticValue(operand.value) };
      const value = arithmeticValue(parameters[base + operand.index]);
      return { kind: "value", value: operand.negated ? negate(value) : value };
    }
    case "column":
    case "inserted":
      return source;
    case "operation": {
      const left = bindExpression(source.left, parameters, base);
      return { ...source, left, right: bindExpression(source.right, parameters, base) };
    }
  }
}

/** Numbers as they are, digits in texts as numbers. */
function arithmeticValue(value: ColumnValue): ColumnValue {
  if (value === null || typeof value === "bigint") return value;
  if (typeof value === "number") {
    if (!Number.isFinite(value)) throw new SqlError("out_of_range", "a value in arithmetic is no number");
    return value;
  }
  if (value instanceof HexLiteral && value.integer !== undefined) return value.integer;
  const text = (typeof value === "string" ? value : decoder.decode(value)).trim();
  if (/^[-+]?\d{1,19}$/.test(text)) return BigInt(text);
  if (!/^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d{1,3})?$/.test(text)) {
    throw new SqlError("out_of_range", `Truncated incorrect DOUBLE value: '${text.slice(0, 64)}'`);
  }
  return Number(text);
}

/** What an expression gives, so that every operation is known to be exact or one of doubles. Throws SqlError. */
function checkExact(table: Table, expression: Expression): "exact" | "double" | "fraction" {
  switch (expression.kind) {
    case "value": {
      const { value } = expression;
      return typeof value === "number" && !Number.isSafeInteger(value) ? "fraction" : "exact";
    }
    case "column":
    case "inserted":
      return table.columns[expression.ordinal].type === "double" ? "double" : "exact";
    case "operation": {
      const left = checkExact(table, expression.left);
      const right = checkExact(table, expression.right);
      if (left === "double" || right === "double") return expression.operator === "DIV" ? "exact" : "double";
      if (left === "fraction" || right === "fraction") {
        throw notSelected(decimalLeaf, "a literal with a fraction in arithmetic of integers");
      }
      return "exact";
    }
  }
}

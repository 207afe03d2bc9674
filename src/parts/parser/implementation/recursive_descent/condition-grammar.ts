/**
 * Conditions of WHERE.
 *
 *   condition  = conjunction { OR conjunction }
 *   conjunction = factor { AND factor }
 *   factor     = "(" condition ")" | column comparison | "(" column, … ")" row comparison
 *   comparison = op operand | IN "(" operand, … ")" | BETWEEN operand AND operand
 *   row        = op "(" operand, … ")" | IN "(" "(" operand, … ")", … ")"
 *
 * `value op column` is turned round. Nested ANDs are flattened.
 */
import { notSelected, notServed } from "../../../query_processing/executor.ts";
import type { Comparison } from "../../../concurrency/transaction/command.ts";
import type { Condition, Operand } from "../../statement.ts";
import { refusalOfFunction } from "./leaf-refusal.ts";
import type { TokenStream } from "./token-stream.ts";

const comparisons: Readonly<Record<string, Comparison>> = {
  "=": "=",
  "<": "<",
  "<=": "<=",
  ">": ">",
  ">=": ">=",
  "<>": "<>",
  "!=": "<>",
};
const turned: Readonly<Record<Comparison, Comparison>> = {
  "=": "=",
  "<": ">",
  "<=": ">=",
  ">": "<",
  ">=": "<=",
  "<>": "<>",
};

export function parseCondition(stream: TokenStream): Condition {
  return stream.nested(() => {
    const conditions = [parseConjunction(stream)];
    while (stream.acceptWord("OR") || stream.acceptSymbol("||")) conditions.push(parseConjunction(stream));
    return conditions.length === 1 ? conditions[0] : { kind: "or", conditions };
  });
}

function parseConjunction(stream: TokenStream): Condition {
  const conditions: Condition[] = [];
  do {
    const factor = parseFactor(stream);
    if (factor.kind === "and") for (const condition of factor.conditions) conditions.push(condition);
    else conditions.push(factor);
  } while (stream.acceptWord("AND") || stream.acceptSymbol("&&"));
  return conditions.length === 1 ? conditions[0] : { kind: "and", conditions };
}

function parseFactor(stream: TokenStream): Condition {
  if (stream.isWord("NOT")) throw notServed("NOT in a condition");
  if (stream.isWord("EXISTS")) throw notSelected("parser/syntax/query_features/subqueries", "EXISTS");
  if (stream.isWord("CASE")) throw notSelected("parser/syntax/expression/conditional", "CASE");
  if (stream.isSymbol("(")) return parseParenthesis(stream);
  if (stream.kind === "literal" || stream.kind === "parameter" || stream.isSymbol("-")) {
    const operand = stream.operand();
    const comparison = turned[parseComparison(stream)];
    const column = parseColumn(stream);
    refuseArithmetic(stream);
    return { kind: "comparison", column, comparison, operand };
  }
  const column = parseColumn(stream);
  if (stream.isWord("IN") || stream.isWord("BETWEEN") || stream.kind === "word") {
    return parseWordComparison(stream, column);
  }
  refuseArithmetic(stream);
  const comparison = parseComparison(stream);
  return { kind: "comparison", column, comparison, operand: parseOperand(stream) };
}

/** After `column`: IN, BETWEEN, or something this grammar lacks. */
function parseWordComparison(stream: TokenStream, column: string): Condition {
  if (stream.acceptWord("IN")) {
    stream.expectSymbol("(");
    refuseSubquery(stream);
    const rows: Operand[][] = [];
    do rows.push([parseOperand(stream)]);
    while (stream.acceptSymbol(","));
    stream.expectSymbol(")");
    return { kind: "in", columns: [column], rows };
  }
  if (stream.acceptWord("BETWEEN")) {
    const low = parseOperand(stream);
    stream.expectWord("AND");
    const high = parseOperand(stream);
    const conditions: Condition[] = [
      { kind: "comparison", column, comparison: ">=", operand: low },
      { kind: "comparison", column, comparison: "<=", operand: high },
    ];
    return { kind: "and", conditions };
  }
  if (stream.isWord("LIKE") || stream.isWord("REGEXP") || stream.isWord("RLIKE")) {
    throw notSelected("parser/syntax/expression/pattern_match", `a condition with ${stream.text}`);
  }
  if (stream.isWord("IS")) throw notServed("IS NULL in a condition");
  if (stream.isWord("NOT")) throw notServed("NOT in a condition");
  throw stream.unexpected("a comparison");
}

function parseParenthesis(stream: TokenStream): Condition {
  stream.next();
  refuseSubquery(stream);
  const columns = tryColumnList(stream);
  if (columns === undefined) {
    const condition = parseCondition(stream);
    stream.expectSymbol(")");
    return condition;
  }
  if (stream.acceptWord("IN")) {
    stream.expectSymbol("(");
    refuseSubquery(stream);
    const rows: Operand[][] = [];
    do rows.push(parseRow(stream, columns.length));
    while (stream.acceptSymbol(","));
    stream.expectSymbol(")");
    return { kind: "in", columns, rows };
  }
  const comparison = parseComparison(stream);
  refuseSubquery(stream);
  return { kind: "row", columns, comparison, operands: parseRow(stream, columns.length) };
}

/**
 * After "(": a list of two or more columns and ")", or undefined with the stream where it was. One word of lookahead
 * past the first column decides, so the parser never backs up over more than that.
 */
function tryColumnList(stream: TokenStream): string[] | undefined {
  if (stream.kind !== "word" && stream.kind !== "name") return undefined;
  const place = stream.mark();
  if (stream.isWord("NOT") || stream.isWord("EXISTS") || stream.isWord("CASE") || stream.isWord("NULL")) {
    return undefined;
  }
  const columns = [parseColumn(stream)];
  if (!stream.isSymbol(",")) {
    stream.reset(place);
    return undefined;
  }
  while (stream.acceptSymbol(",")) columns.push(parseColumn(stream));
  stream.expectSymbol(")");
  return columns;
}

function parseRow(stream: TokenStream, length: number): Operand[] {
  stream.expectSymbol("(");
  refuseSubquery(stream);
  const operands: Operand[] = [];
  do operands.push(parseOperand(stream));
  while (stream.acceptSymbol(","));
  stream.expectSymbol(")");
  if (operands.length !== length) {
    throw stream.syntax(`a row of ${operands.length} is compared with one of ${length}`);
  }
  return operands;
}

function parseComparison(stream: TokenStream): Comparison {
  const comparison = stream.kind === "symbol" ? comparisons[stream.text] : undefined;
  if (comparison === undefined) throw stream.unexpected("a comparison");
  stream.next();
  return comparison;
}

/** `column`, `table.column` or `database.table.column`. */
export function parseColumn(stream: TokenStream): string {
  const word = stream.kind === "word" ? stream.text : "";
  let name = stream.name("a column");
  if (stream.isSymbol("(")) {
    throw refusalOfFunction(word) ?? stream.syntax(`the function ${name} is not known`);
  }
  while (stream.acceptSymbol(".")) name = stream.name("a column");
  return name;
}

/** An operand; columns and expressions in its place are refused by name. */
export function parseOperand(stream: TokenStream): Operand {
  refuseSubquery(stream);
  if (stream.isSymbol("(")) {
    return stream.nested(() => {
      stream.next();
      const inner = parseOperand(stream);
      stream.expectSymbol(")");
      return inner;
    });
  }
  const named = stream.kind === "name" || (stream.kind === "word" && !constants.has(stream.text));
  if (named && !stream.text.startsWith("_")) {
    parseColumn(stream);
    refuseArithmetic(stream);
    throw notSelected("query_processing/operators/projection", "a column where a value must stand");
  }
  const operand = stream.operand();
  refuseArithmetic(stream);
  return operand;
}

const constants = new Set(["NULL", "TRUE", "FALSE"]);

export function refuseArithmetic(stream: TokenStream): void {
  const arithmetic = ["+", "-", "*", "/", "%", "&", "|", "^"];
  if (stream.kind === "symbol" && arithmetic.includes(stream.text)) {
    throw notSelected("query_processing/operators/projection", `the operator ${stream.text} in this place`);
  }
}

export function refuseSubquery(stream: TokenStream): void {
  if (stream.isWord("SELECT")) {
    throw notSelected("parser/syntax/query_features/subqueries", "a subquery here");
  }
}

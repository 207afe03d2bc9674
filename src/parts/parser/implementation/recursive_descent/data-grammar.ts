/**
 * SELECT … FROM, INSERT, UPDATE, DELETE.
 *
 * What the grammar knows but no part serves (joins, grouping, sorting by expressions, upserts, locks) is refused with
 * the leaf that would be needed, so that a user learns what to select instead of seeing a syntax error.
 */
import type {
  Condition,
  DeleteStatement,
  InsertStatement,
  Operand,
  OrderItem,
  SelectStatement,
  UpdateStatement,
} from "../../statement.ts";
import { parseColumn, parseCondition, parseOperand, refuseArithmetic, refuseSubquery } from "./condition-grammar.ts";
import { functionLeaves, notSelected } from "./leaf-refusal.ts";
import type { TokenStream } from "./token-stream.ts";

const joinWords = new Set(["JOIN", "INNER", "LEFT", "RIGHT", "CROSS", "NATURAL", "STRAIGHT_JOIN"]);
const rowsMax = 65_536;

/** After SELECT and its items. */
export function parseSelectFrom(stream: TokenStream, selected: SelectedItems): SelectStatement {
  const table = parseTable(stream);
  const where = stream.acceptWord("WHERE") ? parseCondition(stream) : undefined;
  if (stream.isWord("GROUP")) throw notSelected("query_processing/aggregation/hash", "GROUP BY");
  if (stream.isWord("HAVING")) throw notSelected("query_processing/operators/totals", "HAVING");
  const orderBy = parseOrderBy(stream);
  const limit = parseLimit(stream);
  refuseSelectTail(stream);
  const { items, countName } = selected;
  return { kind: "select", table, items, countName, where, orderBy, limit };
}

export interface SelectedItems {
  readonly items: SelectStatement["items"];
  readonly countName: string;
}

/** `*`, `COUNT(*)` or columns, up to FROM; the caller knows that there is a FROM. */
export function parseItems(stream: TokenStream): SelectedItems {
  if (stream.isWord("DISTINCT")) throw notSelected("query_processing/operators/distinct", "DISTINCT");
  stream.acceptWord("ALL");
  if (stream.acceptSymbol("*")) return { items: "all", countName: "" };
  if (stream.isWord("COUNT")) {
    const countName = parseCount(stream);
    if (countName !== undefined) return { items: "count", countName };
  }
  const items: { column: string; alias: string | undefined }[] = [];
  do {
    if (stream.kind === "literal" || stream.kind === "parameter" || stream.isWord("NULL") || stream.isSymbol("(")) {
      refuseSubquery(stream);
      throw notSelected("query_processing/operators/projection", "a value among the columns of a SELECT");
    }
    if (stream.isWord("CASE")) throw notSelected("parser/syntax/expression/conditional", "CASE");
    if (stream.isSymbol("*")) {
      throw notSelected("query_processing/operators/projection", "* beside other columns");
    }
    const column = parseColumn(stream);
    refuseArithmetic(stream);
    items.push({ column, alias: parseAlias(stream) });
  } while (stream.acceptSymbol(","));
  return { items, countName: "" };
}

/** `COUNT(*)`; undefined, with nothing taken, where COUNT is the name of a column. */
function parseCount(stream: TokenStream): string | undefined {
  const place = stream.mark();
  stream.next();
  if (!stream.acceptSymbol("(")) {
    stream.reset(place);
    return undefined;
  }
  const one = stream.kind === "literal" && String(stream.value) === "1";
  if (!stream.isSymbol("*") && !one) {
    throw notSelected("parser/syntax/functions/aggregate", "COUNT of an expression");
  }
  if (one) stream.operand();
  else stream.next();
  const close = stream.end;
  stream.expectSymbol(")");
  const name = stream.sql.slice(place, close);
  return parseAlias(stream) ?? name;
}

function parseAlias(stream: TokenStream): string | undefined {
  if (stream.acceptWord("AS")) {
    if (stream.kind === "literal" && typeof stream.value === "string") {
      const name = stream.value;
      stream.operand();
      return name;
    }
    return stream.name("an alias");
  }
  const implicit = stream.kind === "name" || (stream.kind === "word" && !clauseWords.has(stream.text));
  return implicit ? stream.name("an alias") : undefined;
}

const clauseWords = new Set([
  "FROM", "WHERE", "GROUP", "HAVING", "ORDER", "LIMIT", "UNION", "EXCEPT", "INTERSECT", "FOR", "LOCK", "INTO", "SET",
  "USE", "FORCE", "IGNORE", "PARTITION", "PROCEDURE", "OFFSET", "RETURNING", "ON", "AS", ...joinWords,
]);

function parseTable(stream: TokenStream): string {
  if (stream.isSymbol("(")) {
    throw notSelected("parser/syntax/query_features/subqueries", "a subquery in FROM");
  }
  const table = stream.qualifiedName("a table");
  if (stream.isSymbol("(")) {
    throw notSelected("parser/syntax/functions/table_functions", "a function in FROM");
  }
  parseAlias(stream);
  if (stream.isSymbol(",") || (stream.kind === "word" && joinWords.has(stream.text))) {
    throw notSelected("query_processing/joins/nested_loop", "a join");
  }
  if (stream.isWord("FORCE") || stream.isWord("USE") || stream.isWord("IGNORE")) {
    throw notSelected("parser/syntax/query_features/hints", "an index hint");
  }
  return table;
}

function parseOrderBy(stream: TokenStream): OrderItem[] {
  const order: OrderItem[] = [];
  if (!stream.acceptWord("ORDER")) return order;
  stream.expectWord("BY");
  do {
    if (stream.kind === "literal") {
      throw notSelected("query_processing/sort/in_memory_quick", "ORDER BY a position");
    }
    const column = parseColumn(stream);
    refuseArithmetic(stream);
    const descending = stream.acceptWord("DESC");
    if (!descending) stream.acceptWord("ASC");
    order.push({ column, descending });
  } while (stream.acceptSymbol(","));
  return order;
}

function parseLimit(stream: TokenStream): Operand | undefined {
  if (!stream.acceptWord("LIMIT")) return undefined;
  const limit = parseOperand(stream);
  if (stream.isSymbol(",") || stream.isWord("OFFSET")) {
    throw notSelected("query_processing/operators/limit", "LIMIT with an offset");
  }
  return limit;
}

function refuseSelectTail(stream: TokenStream): void {
  if (stream.isWord("UNION") || stream.isWord("EXCEPT") || stream.isWord("INTERSECT")) {
    throw notSelected("parser/syntax/query_features/compound_select", stream.text);
  }
  if (stream.isWord("LOCK")) {
    throw notSelected("parser/syntax/dml/select_clauses/for_share", "LOCK IN SHARE MODE");
  }
  if (stream.isWord("INTO")) throw notSelected("parser/syntax/dml/copy", "SELECT INTO");
  if (!stream.acceptWord("FOR")) return;
  if (stream.isWord("UPDATE")) throw notSelected("parser/syntax/dml/select_clauses/for_update", "FOR UPDATE");
  throw notSelected("parser/syntax/dml/select_clauses/for_share", "FOR SHARE");
}

/** After INSERT. */
export function parseInsert(stream: TokenStream): InsertStatement {
  if (stream.isWord("IGNORE")) throw notSelected("parser/syntax/dml/insert_or_ignore", "INSERT IGNORE");
  stream.acceptWord("INTO");
  const table = stream.qualifiedName("a table");
  const columns = stream.isSymbol("(") ? parseColumnList(stream) : undefined;
  const statement =
    stream.acceptWord("VALUES") || stream.acceptWord("VALUE")
      ? { kind: "insert" as const, table, columns, rows: parseRows(stream), unless: undefined }
      : parseInsertSelect(stream, table, columns);
  if (stream.isWord("ON")) throw notSelected("parser/syntax/dml/on_duplicate_key", "ON DUPLICATE KEY UPDATE");
  if (stream.isWord("RETURNING")) throw notSelected("parser/syntax/dml/returning", "RETURNING");
  return statement;
}

function parseColumnList(stream: TokenStream): string[] {
  stream.expectSymbol("(");
  const columns: string[] = [];
  do columns.push(parseColumn(stream));
  while (stream.acceptSymbol(","));
  stream.expectSymbol(")");
  return columns;
}

function parseRows(stream: TokenStream): Operand[][] {
  const rows: Operand[][] = [];
  do {
    if (rows.length === rowsMax) throw stream.syntax(`an INSERT has more than ${rowsMax} rows`);
    stream.expectSymbol("(");
    const row: Operand[] = [];
    do row.push(parseInsertValue(stream));
    while (stream.acceptSymbol(","));
    stream.expectSymbol(")");
    rows.push(row);
  } while (stream.acceptSymbol(","));
  return rows;
}

function parseInsertValue(stream: TokenStream): Operand {
  if (stream.isWord("DEFAULT")) throw notSelected("parser/syntax/constraints/check", "DEFAULT as a value");
  if (stream.kind === "word" && functionLeaves[stream.text] !== undefined) {
    throw notSelected(functionLeaves[stream.text], `the function ${stream.text}`);
  }
  return parseOperand(stream);
}

/** `INSERT … SELECT values [FROM DUAL] [WHERE NOT EXISTS (SELECT … FROM table [WHERE condition])]`. */
function parseInsertSelect(
  stream: TokenStream,
  table: string,
  columns: readonly string[] | undefined,
): InsertStatement {
  stream.expectWord("SELECT");
  if (stream.isSymbol("*")) {
    throw notSelected("query_processing/operators/materialize", "INSERT from another table");
  }
  const row: Operand[] = [];
  do {
    row.push(parseInsertValue(stream));
    if (stream.isWord("AS")) parseAlias(stream);
  } while (stream.acceptSymbol(","));
  if (stream.acceptWord("FROM") && !stream.acceptWord("DUAL")) {
    throw notSelected("query_processing/operators/materialize", "INSERT from another table");
  }
  if (!stream.acceptWord("WHERE")) return { kind: "insert", table, columns, rows: [row], unless: undefined };
  if (!stream.acceptWord("NOT")) {
    throw notSelected("query_processing/operators/filter", "INSERT … SELECT … WHERE");
  }
  stream.expectWord("EXISTS");
  stream.expectSymbol("(");
  stream.expectWord("SELECT");
  skipExistsItems(stream);
  stream.expectWord("FROM");
  const guarded = parseTable(stream);
  const where: Condition | undefined = stream.acceptWord("WHERE") ? parseCondition(stream) : undefined;
  if (stream.acceptWord("LIMIT")) parseOperand(stream);
  stream.expectSymbol(")");
  if (stream.isWord("AND") || stream.isWord("OR")) {
    throw notSelected("parser/syntax/expression/boolean_logic", "a condition beside NOT EXISTS");
  }
  return { kind: "insert", table, columns, rows: [row], unless: { table: guarded, where } };
}

/** What EXISTS selects does not matter. A literal there is still counted, because a shape counts it too. */
function skipExistsItems(stream: TokenStream): void {
  do {
    if (stream.acceptSymbol("*")) continue;
    if (stream.kind === "literal" || stream.kind === "parameter" || stream.isWord("NULL")) stream.operand();
    else parseColumn(stream);
  } while (stream.acceptSymbol(","));
}

/** After UPDATE. */
export function parseUpdate(stream: TokenStream): UpdateStatement {
  const table = parseTable(stream);
  stream.expectWord("SET");
  const set: { column: string; operand: Operand }[] = [];
  do {
    const column = parseColumn(stream);
    if (!stream.acceptSymbol("=")) stream.expectSymbol(":=");
    set.push({ column, operand: parseAssigned(stream) });
  } while (stream.acceptSymbol(","));
  const where = stream.acceptWord("WHERE") ? parseCondition(stream) : undefined;
  refuseWriteTail(stream);
  return { kind: "update", table, set, where };
}

function parseAssigned(stream: TokenStream): Operand {
  if (stream.isWord("DEFAULT")) throw notSelected("parser/syntax/constraints/check", "DEFAULT as a value");
  if (stream.isWord("CASE")) throw notSelected("parser/syntax/expression/conditional", "CASE");
  return parseOperand(stream);
}

/** After DELETE. */
export function parseDelete(stream: TokenStream): DeleteStatement {
  stream.expectWord("FROM");
  const table = parseTable(stream);
  const where = stream.acceptWord("WHERE") ? parseCondition(stream) : undefined;
  refuseWriteTail(stream);
  return { kind: "delete", table, where };
}

function refuseWriteTail(stream: TokenStream): void {
  if (stream.isWord("ORDER")) {
    throw notSelected("query_processing/sort/in_memory_quick", "ORDER BY in a write");
  }
  if (stream.isWord("LIMIT")) throw notSelected("query_processing/operators/limit", "LIMIT in a write");
  if (stream.isWord("RETURNING")) throw notSelected("parser/syntax/dml/returning", "RETURNING");
}

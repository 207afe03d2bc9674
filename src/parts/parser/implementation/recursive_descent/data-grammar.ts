/**
 * SELECT … FROM, INSERT, UPDATE, DELETE.
 *
 * What the grammar knows but no part serves (joins, grouping, sorting by expressions) is refused with the leaf that
 * would be needed, so that a user learns what to select instead of seeing a syntax error. Locks of rows (FOR UPDATE,
 * FOR SHARE, LOCK IN SHARE MODE) keep nobody out: what they read is looked at again at the commit.
 */
import type {
  AggregateFunction,
  Condition,
  DeleteStatement,
  InsertStatement,
  InsertValue,
  Operand,
  OrderItem,
  SelectItem,
  SelectStatement,
  SetItem,
  UpdateStatement,
} from "../../statement.ts";
import { notSelected, notServed } from "../../../query_processing/executor.ts";
import { parseAssignment } from "./assignment-grammar.ts";
import { parseColumn, parseCondition, parseOperand, refuseArithmetic, refuseSubquery } from "./condition-grammar.ts";
import { refusalOfFunction } from "./leaf-refusal.ts";
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
  const { limit, offset } = parseLimit(stream);
  const statement: SelectStatement = { kind: "select", table, ...selected, where, orderBy, limit, offset };
  return parseSelectTail(stream) ? { ...statement, locks: true } : statement;
}

export interface SelectedItems {
  readonly items: SelectStatement["items"];
  readonly countName: string;
  readonly distinct: boolean;
}

/** `*`, `COUNT(*)`, aggregates or columns, up to FROM; the caller knows that there is a FROM. */
export function parseItems(stream: TokenStream): SelectedItems {
  const distinct = stream.acceptWord("DISTINCT") || stream.acceptWord("DISTINCTROW");
  if (!distinct) stream.acceptWord("ALL");
  if (stream.acceptSymbol("*")) return { items: "all", countName: "", distinct };
  const items: SelectItem[] = [];
  do items.push(parseItem(stream));
  while (stream.acceptSymbol(","));
  const [first] = items;
  const counts = items.length === 1 && first.aggregate === "COUNT" && first.column === "*";
  if (counts) return { items: "count", countName: first.alias as string, distinct: false };
  const aggregated = items.filter(({ aggregate }) => aggregate !== undefined);
  if (aggregated.length > 0 && aggregated.length < items.length) {
    throw notSelected("query_processing/aggregation/hash", "a column beside an aggregate");
  }
  return { items, countName: "", distinct };
}

function parseItem(stream: TokenStream): SelectItem {
  if (stream.kind === "literal" || stream.kind === "parameter" || stream.isWord("NULL") || stream.isSymbol("(")) {
    refuseSubquery(stream);
    throw notSelected("query_processing/operators/projection", "a value among the columns of a SELECT");
  }
  if (stream.isWord("CASE")) throw notSelected("parser/syntax/expression/conditional", "CASE");
  if (stream.isSymbol("*")) {
    throw notSelected("query_processing/operators/projection", "* beside other columns");
  }
  const aggregate = parseAggregate(stream);
  if (aggregate !== undefined) return aggregate;
  const column = parseColumn(stream);
  refuseArithmetic(stream);
  return { column, alias: parseAlias(stream) };
}

const aggregates: ReadonlySet<string> = new Set(["COUNT", "SUM", "MIN", "MAX", "AVG"]);

/** `COUNT(*)`, `SUM(column)` and their kin; undefined, with nothing taken, where it is the name of a column. */
function parseAggregate(stream: TokenStream): SelectItem | undefined {
  const isWord: boolean = stream.kind === "word";
  if (!isWord || !aggregates.has(stream.text)) return undefined;
  const aggregate = stream.text as AggregateFunction;
  const place = stream.mark();
  stream.next();
  if (!stream.acceptSymbol("(")) {
    stream.reset(place);
    return undefined;
  }
  const distinct = stream.acceptWord("DISTINCT");
  let column = "*";
  const one = stream.kind === "literal" && String(stream.value) === "1";
  if (aggregate === "COUNT" && !distinct && (one || stream.isSymbol("*"))) {
    if (one) stream.operand();
    else stream.next();
  } else if (stream.kind === "literal" || stream.kind === "parameter" || stream.isSymbol("(")) {
    throw notSelected("query_processing/operators/projection", `${aggregate} of an expression`);
  } else {
    column = parseColumn(stream);
    refuseArithmetic(stream);
    if (stream.isSymbol(",")) {
      throw notServed(`${aggregate} of several columns`);
    }
  }
  const close = stream.end;
  stream.expectSymbol(")");
  refuseArithmetic(stream);
  const written = stream.sql.slice(place, close);
  return { column, alias: parseAlias(stream) ?? written, aggregate, distinct };
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
  "USE", "FORCE", "IGNORE", "PARTITION", "PROCEDURE", "OFFSET", "RETURNING", "ON", "AS", "VALUES", ...joinWords,
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
      throw notServed("ORDER BY a position", "name the column");
    }
    const column = parseColumn(stream);
    refuseArithmetic(stream);
    const descending = stream.acceptWord("DESC");
    if (!descending) stream.acceptWord("ASC");
    order.push({ column, descending });
  } while (stream.acceptSymbol(","));
  return order;
}

/** `LIMIT n`, `LIMIT offset, n` or `LIMIT n OFFSET offset`. */
function parseLimit(stream: TokenStream): { limit: Operand | undefined; offset: Operand | undefined } {
  if (!stream.acceptWord("LIMIT")) return { limit: undefined, offset: undefined };
  const first = parseOperand(stream);
  if (stream.acceptSymbol(",")) return { limit: parseOperand(stream), offset: first };
  return { limit: first, offset: stream.acceptWord("OFFSET") ? parseOperand(stream) : undefined };
}

/** Whether rows are to be locked. Not SKIP LOCKED, which would change the result. */
function parseSelectTail(stream: TokenStream): boolean {
  if (stream.isWord("UNION") || stream.isWord("EXCEPT") || stream.isWord("INTERSECT")) {
    throw notSelected("parser/syntax/query_features/compound_select", stream.text);
  }
  if (stream.isWord("INTO")) throw notSelected("parser/syntax/dml/copy", "SELECT INTO");
  if (stream.acceptWord("LOCK")) {
    stream.expectWord("IN");
    stream.expectWord("SHARE");
    stream.expectWord("MODE");
    return true;
  }
  if (!stream.acceptWord("FOR")) return false;
  if (!stream.acceptWord("UPDATE")) stream.expectWord("SHARE");
  if (stream.acceptWord("OF")) stream.name("a table");
  if (stream.isWord("SKIP")) throw notSelected("concurrency/locking/row/record", "SKIP LOCKED");
  stream.acceptWord("NOWAIT");
  return true;
}

/** After INSERT. */
export function parseInsert(stream: TokenStream): InsertStatement {
  refusePriority(stream);
  const ignore = stream.acceptWord("IGNORE");
  const statement = parseInto(stream);
  if (!stream.acceptWord("ON")) {
    refuseReturning(stream);
    return ignore ? { ...statement, onDuplicate: "ignore" } : statement;
  }
  stream.expectWord("DUPLICATE");
  stream.expectWord("KEY");
  stream.expectWord("UPDATE");
  if (ignore) throw notServed("IGNORE beside ON DUPLICATE KEY UPDATE", "write one of the two");
  const onDuplicate = parseSet(stream, true);
  refuseReturning(stream);
  return { ...statement, onDuplicate };
}

/** After REPLACE. */
export function parseReplace(stream: TokenStream): InsertStatement {
  refusePriority(stream);
  const statement = parseInto(stream);
  refuseReturning(stream);
  return { ...statement, onDuplicate: "replace" };
}

function refusePriority(stream: TokenStream): void {
  if (stream.isWord("DELAYED") || stream.isWord("LOW_PRIORITY") || stream.isWord("HIGH_PRIORITY")) {
    throw notSelected("parser/syntax/query_features/hints", stream.text);
  }
}

function refuseReturning(stream: TokenStream): void {
  if (stream.isWord("RETURNING")) throw notSelected("parser/syntax/dml/returning", "RETURNING");
}

/** `[INTO] table [(columns)] VALUES …`, `… SELECT …` or `… SET column = value, …`. */
function parseInto(stream: TokenStream): InsertStatement {
  stream.acceptWord("INTO");
  const table = stream.qualifiedName("a table");
  if (stream.acceptWord("SET")) return parseInsertSet(stream, table);
  const columns = stream.isSymbol("(") ? parseColumnList(stream) : undefined;
  if (stream.acceptWord("VALUES") || stream.acceptWord("VALUE")) {
    return { kind: "insert", table, columns, rows: parseRows(stream), unless: undefined };
  }
  return parseInsertSelect(stream, table, columns);
}

function parseInsertSet(stream: TokenStream, table: string): InsertStatement {
  const columns: string[] = [];
  const row: InsertValue[] = [];
  do {
    columns.push(parseColumn(stream));
    if (!stream.acceptSymbol("=")) stream.expectSymbol(":=");
    row.push(parseInsertValue(stream));
  } while (stream.acceptSymbol(","));
  return { kind: "insert", table, columns, rows: [row], unless: undefined };
}

function parseColumnList(stream: TokenStream): string[] {
  stream.expectSymbol("(");
  const columns: string[] = [];
  if (stream.acceptSymbol(")")) return columns;
  do columns.push(parseColumn(stream));
  while (stream.acceptSymbol(","));
  stream.expectSymbol(")");
  return columns;
}

function parseRows(stream: TokenStream): InsertValue[][] {
  const rows: InsertValue[][] = [];
  do {
    if (rows.length === rowsMax) throw stream.syntax(`an INSERT has more than ${rowsMax} rows`);
    stream.expectSymbol("(");
    const row: InsertValue[] = [];
    if (!stream.isSymbol(")")) {
      do row.push(parseInsertValue(stream));
      while (stream.acceptSymbol(","));
    }
    stream.expectSymbol(")");
    rows.push(row);
  } while (stream.acceptSymbol(","));
  return rows;
}

function parseInsertValue(stream: TokenStream): InsertValue {
  if (stream.isWord("DEFAULT")) {
    stream.next();
    if (stream.isSymbol("(")) throw notSelected("parser/syntax/constraints/check", "DEFAULT of a column");
    return { kind: "default" };
  }
  const refusal = stream.kind === "word" ? refusalOfFunction(stream.text) : undefined;
  if (refusal !== undefined) throw refusal;
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
  const row: InsertValue[] = [];
  do {
    row.push(parseInsertValue(stream));
    if (stream.isWord("AS")) parseAlias(stream);
  } while (stream.acceptSymbol(","));
  if (stream.acceptWord("FROM") && !stream.acceptWord("DUAL")) {
    throw notSelected("query_processing/operators/materialize", "INSERT from another table");
  }
  if (!stream.acceptWord("WHERE")) return { kind: "insert", table, columns, rows: [row], unless: undefined };
  if (!stream.acceptWord("NOT")) {
    throw notServed("INSERT … SELECT … WHERE other than NOT EXISTS");
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
    throw notServed("a condition beside NOT EXISTS");
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
  const set = parseSet(stream, false);
  const where = stream.acceptWord("WHERE") ? parseCondition(stream) : undefined;
  return { kind: "update", table, set, where, ...parseWriteTail(stream) };
}

/** `column = value, …`; `inserted`: whether `VALUES(column)` means something. */
function parseSet(stream: TokenStream, inserted: boolean): SetItem[] {
  const set: SetItem[] = [];
  do {
    const column = parseColumn(stream);
    if (!stream.acceptSymbol("=")) stream.expectSymbol(":=");
    set.push({ column, operand: parseAssignment(stream, inserted) });
  } while (stream.acceptSymbol(","));
  return set;
}

/** After DELETE. */
export function parseDelete(stream: TokenStream): DeleteStatement {
  stream.expectWord("FROM");
  const table = parseTable(stream);
  const where = stream.acceptWord("WHERE") ? parseCondition(stream) : undefined;
  return { kind: "delete", table, where, ...parseWriteTail(stream) };
}

/** `[ORDER BY …] [LIMIT n]`; without an offset, as in MySQL. */
function parseWriteTail(stream: TokenStream): Pick<UpdateStatement, "orderBy" | "limit"> {
  const orderBy = parseOrderBy(stream);
  const limit = stream.acceptWord("LIMIT") ? parseOperand(stream) : undefined;
  refuseReturning(stream);
  return { ...(orderBy.length === 0 ? {} : { orderBy }), ...(limit === undefined ? {} : { limit }) };
}

/**
 * Transactions' borders, SET, USE, SHOW, and SELECT without FROM: what drivers and shells say besides their data.
 */
import type { SelectValuesStatement, SessionStatement, SessionValue } from "../../statement.ts";
import { refuseArithmetic } from "./condition-grammar.ts";
import { functionLeaves, notSelected } from "./leaf-refusal.ts";
import type { TokenStream } from "./token-stream.ts";
import { refusalOfSettings } from "./version-comment.ts";

const itemsMax = 1024;

/** After START, BEGIN, COMMIT, END or ROLLBACK. */
export function parseTransaction(stream: TokenStream, word: string): SessionStatement {
  if (word === "START") {
    stream.expectWord("TRANSACTION");
    // READ ONLY, READ WRITE and WITH CONSISTENT SNAPSHOT hold for every one-shot transaction.
    while (stream.kind === "word" || stream.isSymbol(",")) stream.next();
    return { kind: "begin" };
  }
  stream.acceptWord("WORK");
  if (word === "BEGIN") return { kind: "begin" };
  if (stream.isWord("TO")) throw notSelected("concurrency/transaction/features/savepoints", "ROLLBACK TO");
  if (stream.isWord("AND")) {
    throw notSelected("concurrency/transaction/model/single_node_acid", `${word} AND CHAIN`);
  }
  return { kind: word === "ROLLBACK" ? "rollback" : "commit" };
}

/** After SET: `[GLOBAL|SESSION|@@…] name = value, …`, `NAMES charset`, `[SESSION] TRANSACTION …`. */
export function parseSet(stream: TokenStream): SessionStatement {
  const assignments: { name: string; value: string }[] = [];
  do {
    if (!stream.acceptWord("GLOBAL") && !stream.acceptWord("SESSION")) stream.acceptWord("LOCAL");
    if (stream.acceptWord("NAMES") || stream.acceptWord("CHARACTER") || stream.acceptWord("CHARSET")) {
      assignments.push({ name: "names", value: restOfAssignment(stream) });
    } else if (stream.acceptWord("TRANSACTION")) {
      assignments.push({ name: "transaction", value: restOfAssignment(stream) });
      while (stream.acceptSymbol(",")) restOfAssignment(stream);
    } else {
      const name = parseVariable(stream);
      if (!stream.acceptSymbol("=")) stream.expectSymbol(":=");
      assignments.push({ name, value: restOfAssignment(stream) });
    }
    if (assignments.length > itemsMax) throw stream.syntax("SET has too many assignments");
  } while (stream.acceptSymbol(","));
  for (const { name, value } of assignments) refuseSetting(name, value);
  return { kind: "set", assignments };
}

/** `[@@[GLOBAL.|SESSION.]]name`, lower case; a variable of the user's own is refused. */
function parseVariable(stream: TokenStream): string {
  if (!stream.acceptSymbol("@@") && stream.isSymbol("@")) {
    throw notSelected("architecture/engine_core/session_object", "a user variable (@name)");
  }
  let name = stream.name("a variable");
  if (stream.acceptSymbol(".")) name = stream.name("a variable");
  return name.toLowerCase();
}

/** Settings whose effect a client would count on and that no session here can have. */
function refuseSetting(name: string, value: string): void {
  const refusal = refusalOfSettings(name === "names" ? `NAMES ${value.replace(/^SET\s+/i, "")}` : `${name} = ${value}`);
  if (refusal !== undefined) throw refusal;
  const set = value.toUpperCase();
  if (set === "0" || set === "DEFAULT") return;
  if (name === "max_execution_time" || name === "max_statement_time") {
    throw notSelected("architecture/resource_management/runaway_queries", "a time limit on statements");
  }
  if (name === "sql_select_limit" && set !== "18446744073709551615") {
    throw notSelected("query_processing/operators/limit", "a limit on every SELECT");
  }
}

/** The text of a value up to the next comma outside parentheses; what it means is not looked at. */
function restOfAssignment(stream: TokenStream): string {
  const start = stream.start;
  let end = start;
  let open = 0;
  while (stream.kind !== "end" && !(open === 0 && stream.isSymbol(","))) {
    if (stream.isSymbol("(")) open++;
    if (stream.isSymbol(")")) open--;
    end = stream.end;
    stream.next();
  }
  if (end === start) throw stream.unexpected("a value");
  return stream.sql.slice(start, end);
}

/** After SHOW. */
export function parseShow(stream: TokenStream): SessionStatement {
  const show = (
    what: "tables" | "databases" | "variables" | "status" | "warnings" | "columns" | "createTable",
    table: string | undefined,
    like?: string,
  ): SessionStatement => ({ kind: "show", what, table, like });
  while (stream.isWord("FULL") || stream.isWord("GLOBAL") || stream.isWord("SESSION") || stream.isWord("EXTENDED")) {
    stream.next();
  }
  if (stream.acceptWord("TABLES")) {
    if (stream.acceptWord("FROM") || stream.acceptWord("IN")) stream.name("a database");
    return show("tables", undefined, parseLike(stream));
  }
  if (stream.acceptWord("DATABASES") || stream.acceptWord("SCHEMAS")) {
    return show("databases", undefined, parseLike(stream));
  }
  if (stream.acceptWord("VARIABLES")) return show("variables", undefined, parseLike(stream));
  if (stream.acceptWord("STATUS")) return show("status", undefined, parseLike(stream));
  if (stream.acceptWord("WARNINGS") || stream.acceptWord("ERRORS")) {
    if (stream.acceptWord("LIMIT")) stream.operand();
    return show("warnings", undefined);
  }
  if (stream.acceptWord("COLUMNS") || stream.acceptWord("FIELDS")) {
    if (!stream.acceptWord("FROM")) stream.expectWord("IN");
    return show("columns", stream.qualifiedName("a table"), parseLike(stream));
  }
  if (stream.acceptWord("CREATE")) {
    stream.expectWord("TABLE");
    return show("createTable", stream.qualifiedName("a table"));
  }
  if (stream.kind === "word") throw notSelected("parser/syntax/admin/set_show", `SHOW ${stream.text}`);
  throw stream.unexpected("what to show");
}

/** `LIKE 'pattern'` or `WHERE Variable_name = 'name' [OR …]`, of which the first value is taken. */
function parseLike(stream: TokenStream): string | undefined {
  if (stream.acceptWord("LIKE")) return literalText(stream);
  if (!stream.acceptWord("WHERE")) return undefined;
  stream.name("a column");
  if (!stream.acceptWord("LIKE")) stream.expectSymbol("=");
  const like = literalText(stream);
  if (stream.kind === "word") {
    throw notSelected("query_processing/operators/filter", "SHOW with more than one condition");
  }
  return like;
}

function literalText(stream: TokenStream): string {
  const operand = stream.operand();
  if (operand.kind !== "constant" || typeof operand.value !== "string") {
    throw stream.syntax("a text is expected");
  }
  return operand.value;
}

/** SELECT without FROM, after its items have begun. */
export function parseSelectValues(stream: TokenStream): SelectValuesStatement {
  const items: { name: string; value: SessionValue }[] = [];
  do {
    const start = stream.start;
    const value = parseSessionValue(stream);
    refuseArithmetic(stream);
    const written = stream.sql.slice(start, stream.kind === "end" ? stream.end : stream.start).trim();
    items.push({ name: parseName(stream) ?? written, value });
    if (items.length > itemsMax) throw stream.syntax("SELECT has too many values");
  } while (stream.acceptSymbol(","));
  if (stream.acceptWord("FROM")) stream.expectWord("DUAL");
  if (stream.isWord("WHERE")) {
    throw notSelected("query_processing/operators/filter", "SELECT … WHERE without a table");
  }
  if (stream.isWord("UNION")) throw notSelected("parser/syntax/query_features/compound_select", "UNION");
  if (stream.acceptWord("LIMIT")) stream.operand();
  return { kind: "selectValues", items };
}

function parseName(stream: TokenStream): string | undefined {
  if (stream.acceptWord("AS")) {
    if (stream.kind === "literal" && typeof stream.value === "string") return literalText(stream);
    return stream.name("an alias");
  }
  const clause = stream.isWord("FROM") || stream.isWord("LIMIT") || stream.isWord("UNION") || stream.isWord("WHERE");
  return stream.kind === "name" || (stream.kind === "word" && !clause) ? stream.name("an alias") : undefined;
}

function parseSessionValue(stream: TokenStream): SessionValue {
  if (stream.isWord("SELECT") || stream.isSymbol("(")) {
    throw notSelected("parser/syntax/query_features/subqueries", "a subquery here");
  }
  if (stream.isSymbol("@@") || stream.isSymbol("@")) return { kind: "variable", name: parseVariable(stream) };
  const constant = stream.isWord("NULL") || stream.isWord("TRUE") || stream.isWord("FALSE");
  if (stream.kind !== "word" || constant || stream.text.startsWith("_")) {
    const operand = stream.operand();
    if (operand.kind === "constant") return operand;
    throw notSelected("query_processing/operators/projection", "a parameter in a SELECT without a table");
  }
  const word = stream.text;
  if (word === "CASE") throw notSelected("parser/syntax/expression/conditional", "CASE");
  const name = stream.name("a value");
  if (functionLeaves[word] !== undefined) throw notSelected(functionLeaves[word], `the function ${word}`);
  if (!stream.acceptSymbol("(")) throw stream.syntax(`"${name}" needs a table`);
  stream.expectSymbol(")");
  return { kind: "function", name: name.toLowerCase() };
}

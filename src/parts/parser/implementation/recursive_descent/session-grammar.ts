/**
 * Transactions' borders, SET, USE, SHOW, and SELECT without FROM: what drivers and shells say besides their data.
 */
import { notSelected, notServed } from "../../../query_processing/executor.ts";
import type { SelectValuesStatement, SessionStatement, SessionValue, SetAssignment } from "../../statement.ts";
import { parseCatalogExpression } from "./catalog-query-grammar.ts";
import { refuseArithmetic } from "./condition-grammar.ts";
import { refusalOfFunction } from "./leaf-refusal.ts";
import type { TokenStream } from "./token-stream.ts";
import { refusalOfSettings } from "./version-comment.ts";

const itemsMax = 1024;

/** After START, BEGIN, COMMIT, END or ROLLBACK. */
export function parseTransaction(stream: TokenStream, word: string): SessionStatement {
  if (word === "START") {
    stream.expectWord("TRANSACTION");
    return parseCharacteristics(stream);
  }
  stream.acceptWord("WORK");
  if (word === "BEGIN") return { kind: "begin" };
  if (word === "ROLLBACK" && stream.acceptWord("TO")) {
    stream.acceptWord("SAVEPOINT");
    return { kind: "savepoint", action: "rollback", name: stream.name("a savepoint") };
  }
  if (stream.isWord("AND")) {
    throw notServed(`${word} AND CHAIN`, "begin the next transaction by a statement");
  }
  return { kind: word === "ROLLBACK" ? "rollback" : "commit" };
}

/** After SAVEPOINT, or RELEASE. */
export function parseSavepoint(stream: TokenStream, word: string): SessionStatement {
  if (word === "RELEASE") stream.expectWord("SAVEPOINT");
  return { kind: "savepoint", action: word === "RELEASE" ? "release" : "set", name: stream.name("a savepoint") };
}

/** After LOCK: `TABLES table [[AS] alias] READ [LOCAL], …`. */
export function parseLockTables(stream: TokenStream): SessionStatement {
  expectTables(stream);
  const tables: string[] = [];
  do {
    tables.push(stream.qualifiedName("a table"));
    const aliased = stream.acceptWord("AS") || !(stream.isWord("READ") || lockWords.has(stream.text));
    if (aliased) stream.name("an alias");
    if (lockWords.has(stream.text)) throw notSelected("concurrency/locking/table/metadata", "LOCK TABLES … WRITE");
    stream.expectWord("READ");
    stream.acceptWord("LOCAL");
    if (tables.length > itemsMax) throw stream.syntax("LOCK TABLES has too many tables");
  } while (stream.acceptSymbol(","));
  return { kind: "lockTables", tables };
}

/** Locks that keep others out. */
const lockWords: ReadonlySet<string> = new Set(["WRITE", "LOW_PRIORITY"]);

/** After UNLOCK. */
export function parseUnlockTables(stream: TokenStream): SessionStatement {
  expectTables(stream);
  return { kind: "unlockTables" };
}

/** After FLUSH: `[NO_WRITE_TO_BINLOG | LOCAL] [BINARY | ENGINE] LOGS`. */
export function parseFlush(stream: TokenStream): SessionStatement {
  if (!stream.acceptWord("LOCAL")) stream.acceptWord("NO_WRITE_TO_BINLOG");
  if (!stream.acceptWord("ENGINE")) stream.acceptWord("BINARY");
  if (!stream.acceptWord("LOGS")) {
    throw notSelected("parser/syntax/admin/admin_statements", `FLUSH ${stream.text} (FLUSH LOGS is there)`);
  }
  return { kind: "flushLogs" };
}

function expectTables(stream: TokenStream): void {
  if (!stream.acceptWord("TABLES")) stream.expectWord("TABLE");
}

/** READ ONLY, READ WRITE, WITH CONSISTENT SNAPSHOT, with commas between. */
function parseCharacteristics(stream: TokenStream): SessionStatement {
  let statement: SessionStatement & { kind: "begin" } = { kind: "begin" };
  while (stream.kind === "word") {
    if (stream.acceptWord("READ")) {
      if (stream.acceptWord("ONLY")) statement = { ...statement, readOnly: true };
      else stream.expectWord("WRITE");
    } else {
      stream.expectWord("WITH");
      stream.expectWord("CONSISTENT");
      stream.expectWord("SNAPSHOT");
      statement = { ...statement, now: true };
    }
    if (!stream.acceptSymbol(",")) break;
  }
  return statement;
}

/** After SET: `[GLOBAL|SESSION|@@…] name = value, …`, `NAMES charset`, `[SESSION] TRANSACTION …`. */
export function parseSet(stream: TokenStream): SessionStatement {
  const assignments: SetAssignment[] = [];
  do {
    const scope = parseScope(stream);
    if (stream.acceptWord("NAMES") || stream.acceptWord("CHARACTER") || stream.acceptWord("CHARSET")) {
      assignments.push({ name: "names", value: restOfAssignment(stream) });
    } else if (stream.acceptWord("TRANSACTION")) {
      do assignments.push({ name: "transaction", value: restOfAssignment(stream), scope });
      while (stream.acceptSymbol(","));
    } else {
      const global = scope === "global" || /^@@global\b/i.test(stream.sql.slice(stream.start, stream.start + 9));
      const name = parseVariable(stream);
      if (!stream.acceptSymbol("=")) stream.expectSymbol(":=");
      assignments.push({ name, value: restOfAssignment(stream), scope: global ? "global" : "session" });
    }
    if (assignments.length > itemsMax) throw stream.syntax("SET has too many assignments");
  } while (stream.acceptSymbol(","));
  for (const { name, value } of assignments) refuseSetting(name, value);
  return { kind: "set", assignments };
}

function parseScope(stream: TokenStream): SetAssignment["scope"] {
  if (stream.acceptWord("GLOBAL")) return "global";
  return stream.acceptWord("SESSION") || stream.acceptWord("LOCAL") ? "session" : undefined;
}

/** `[@@[GLOBAL.|SESSION.]]name`, lower case; a variable of the user's own is refused. */
function parseVariable(stream: TokenStream): string {
  if (!stream.acceptSymbol("@@") && stream.isSymbol("@")) {
    throw notServed("a user variable (@name)");
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
  if (name === "max_statement_time") {
    throw notSelected("architecture/resource_management/runaway_queries", "a time limit on all statements");
  }
  if (name === "sql_select_limit" && set !== "18446744073709551615") {
    throw notServed("a limit on every SELECT", "write LIMIT");
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

/** What follows SHOW, by its first words, and whether a table is named. Several spellings lead to one. */
const shown: Readonly<Record<string, { readonly what: string; readonly ofTable?: true }>> = {
  "BINARY LOGS": { what: "binaryLogs" },
  "CHARACTER SET": { what: "characterSets" },
  CHARSET: { what: "characterSets" },
  COLLATION: { what: "collations" },
  COLUMNS: { what: "columns", ofTable: true },
  "CREATE DATABASE": { what: "createDatabase" },
  "CREATE SCHEMA": { what: "createDatabase" },
  "CREATE TABLE": { what: "createTable", ofTable: true },
  DATABASES: { what: "databases" },
  ENGINES: { what: "engines" },
  ERRORS: { what: "warnings" },
  EVENTS: { what: "events" },
  FIELDS: { what: "columns", ofTable: true },
  "FUNCTION STATUS": { what: "routines" },
  GRANTS: { what: "grants" },
  INDEX: { what: "indexes", ofTable: true },
  INDEXES: { what: "indexes", ofTable: true },
  KEYS: { what: "indexes", ofTable: true },
  "OPEN TABLES": { what: "openTables" },
  "PACKAGE STATUS": { what: "routines" },
  PLUGINS: { what: "plugins" },
  PRIVILEGES: { what: "privileges" },
  "PROCEDURE STATUS": { what: "routines" },
  PROCESSLIST: { what: "processlist" },
  SCHEMAS: { what: "databases" },
  STATUS: { what: "status" },
  "STORAGE ENGINES": { what: "engines" },
  "TABLE STATUS": { what: "tableStatus" },
  TABLES: { what: "tables" },
  TRIGGERS: { what: "triggers" },
  VARIABLES: { what: "variables" },
  WARNINGS: { what: "warnings" },
};

/** After SHOW: what, of which table or database, `LIKE 'pattern'` or `WHERE condition`. */
export function parseShow(stream: TokenStream): SessionStatement | SelectValuesStatement {
  let full = false;
  while (stream.isWord("FULL") || stream.isWord("GLOBAL") || stream.isWord("SESSION") || stream.isWord("EXTENDED")) {
    full ||= stream.text === "FULL";
    stream.next();
  }
  if (stream.isWord("COUNT")) return parseShowCount(stream);
  const form = parseShown(stream);
  if (form === undefined) {
    if (stream.kind === "word") throw notServed(`SHOW ${stream.text.slice(0, 32)}`);
    throw stream.unexpected("what to show");
  }
  const { what } = form;
  let table: string | undefined;
  let database: string | undefined;
  if (what === "createDatabase") {
    if (stream.acceptWord("IF")) {
      stream.expectWord("NOT");
      stream.expectWord("EXISTS");
    }
    database = stream.name("a database");
  } else if (form.ofTable === true) {
    if (what !== "createTable" && !stream.acceptWord("FROM")) stream.expectWord("IN");
    table = stream.name("a table");
    if (stream.acceptSymbol(".")) [database, table] = [table, stream.name("a table")];
  } else if (what === "grants" && stream.acceptWord("FOR")) {
    while (stream.kind !== "end") stream.next();
  }
  if (what !== "createTable" && (stream.acceptWord("FROM") || stream.acceptWord("IN"))) {
    database = stream.name("a database");
  }
  const like = stream.acceptWord("LIKE") ? literalText(stream) : undefined;
  const where = like === undefined && stream.acceptWord("WHERE") ? parseCatalogExpression(stream) : undefined;
  if (what === "warnings" && stream.acceptWord("LIMIT")) {
    stream.operand();
    if (stream.acceptSymbol(",")) stream.operand();
  }
  return { kind: "show", what, full, table, database, like, where };
}

function parseShown(stream: TokenStream): { readonly what: string; readonly ofTable?: true } | undefined {
  if (stream.kind !== "word") return undefined;
  const first = stream.text;
  const alone = Object.hasOwn(shown, first) ? shown[first] : undefined;
  if (alone !== undefined) {
    stream.next();
    return alone;
  }
  const place = stream.mark();
  stream.next();
  const both = `${first} ${stream.text}`;
  if (stream.kind === "word" && Object.hasOwn(shown, both)) {
    stream.next();
    return shown[both];
  }
  stream.reset(place);
  return undefined;
}

/** `SHOW COUNT(*) WARNINGS`. */
function parseShowCount(stream: TokenStream): SelectValuesStatement {
  stream.next();
  for (const symbol of ["(", "*", ")"]) stream.expectSymbol(symbol);
  if (!stream.acceptWord("WARNINGS")) stream.expectWord("ERRORS");
  return { kind: "selectValues", items: [{ name: "@@session.warning_count", value: { kind: "constant", value: 0 } }] };
}

/** `KILL [CONNECTION | QUERY] id`. */
export function parseKill(stream: TokenStream): SessionStatement {
  const query = stream.acceptWord("QUERY");
  if (!query) stream.acceptWord("CONNECTION");
  const operand = stream.operand();
  const id = operand.kind === "constant" && typeof operand.value === "number" ? operand.value : undefined;
  if (id === undefined) throw stream.syntax("KILL takes the number of a connection");
  return { kind: "kill", connectionId: id, what: query ? "query" : "connection" };
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
    throw notServed("SELECT … WHERE without a table");
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
  const refusal = refusalOfFunction(word);
  if (refusal !== undefined) throw refusal;
  if (!stream.acceptSymbol("(")) throw stream.syntax(`"${name}" needs a table`);
  stream.expectSymbol(")");
  return { kind: "function", name: name.toLowerCase() };
}

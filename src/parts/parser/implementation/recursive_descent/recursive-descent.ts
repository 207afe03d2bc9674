/**
 * A hand-written recursive-descent parser for the SQL of key-value workloads.
 *
 * Algorithm: the first word decides on the grammar (`data-`, `definition-`, `session-grammar.ts`); each rule looks one
 * token ahead (two where `(a, b)` may be a row or a parenthesis). Every statement that the product does not have ends
 * in a refusal that names the missing leaf; everything else that does not fit is a syntax error with its place.
 * Invariants: time is linear in the text; nesting, values, names and rows have limits (`token-stream.ts`); only
 * SqlError is thrown.
 * Source: ClickHouse's parsers, the subset of MySQL 8.0's grammar that TAOBench and YCSB speak.
 */
import { notSelected, SqlError } from "../../../query_processing/executor.ts";
import type { IndexGrammar } from "../../key-grammar.ts";
import type { ParsedStatement, StatementParser } from "../../statement-parser.ts";
import type { Statement } from "../../statement.ts";
import { isCatalogQuery, parseCatalogQuery } from "./catalog-query-grammar.ts";
import { parseDelete, parseInsert, parseItems, parseReplace, parseSelectFrom, parseUpdate } from "./data-grammar.ts";
import { parseCreate, parseDrop } from "./definition-grammar.ts";
import { refusalOfStatement } from "./leaf-refusal.ts";
import {
  parseKill,
  parseLockTables,
  parseSavepoint,
  parseSelectValues,
  parseSet,
  parseShow,
  parseTransaction,
  parseFlush,
  parseUnlockTables,
} from "./session-grammar.ts";
import { TokenStream } from "./token-stream.ts";

const textCharactersMax = 64 * 1024 * 1024;

/** `indexes`: the rules of secondary indexes; without them a parser refuses what they would take. */
export function createParser(indexes?: IndexGrammar): StatementParser {
  return {
    parse(sql: string, start: number, literals: "constants" | "parameters"): ParsedStatement {
      if (sql.length > textCharactersMax) {
        throw new SqlError("limit_exceeded", `a text of ${sql.length} characters is longer than ${textCharactersMax}`);
      }
      const stream = new TokenStream(sql, start, literals === "parameters");
      const statement = parseStatement(stream, indexes);
      stream.expectEnd();
      return { statement, parameterCount: stream.parameterCount, values: stream.values, end: stream.end };
    },
  };
}

export const recursiveDescentParser: StatementParser = createParser();

function parseStatement(stream: TokenStream, indexes: IndexGrammar | undefined): Statement {
  if (stream.kind === "end") return { kind: "empty" };
  if (stream.isSymbol("(")) {
    throw notSelected("parser/syntax/query_features/compound_select", "a statement in parentheses");
  }
  if (stream.kind !== "word") throw stream.unexpected("a statement");
  const word = stream.text;
  stream.next();
  switch (word) {
    case "SELECT":
      return parseSelect(stream);
    case "INSERT":
      return parseInsert(stream);
    case "REPLACE":
      return parseReplace(stream);
    case "UPDATE":
      return parseUpdate(stream);
    case "DELETE":
      return parseDelete(stream);
    case "START":
    case "BEGIN":
    case "COMMIT":
    case "END":
    case "ROLLBACK":
      return parseTransaction(stream, word);
    case "SAVEPOINT":
    case "RELEASE":
      return parseSavepoint(stream, word);
    case "LOCK":
      return parseLockTables(stream);
    case "UNLOCK":
      return parseUnlockTables(stream);
    case "FLUSH":
      return parseFlush(stream);
    case "CREATE":
      return parseCreate(stream, indexes);
    case "DROP":
      return parseDrop(stream, indexes);
    case "SET":
      return parseSet(stream);
    case "USE":
      return { kind: "use", database: stream.name("a database") };
    case "SHOW":
      return parseShow(stream);
    case "KILL":
      return parseKill(stream);
    case "DESCRIBE":
    case "DESC":
      return parseDescribe(stream);
    default:
      break;
  }
  throw refusalOfStatement(word) ?? stream.syntax(`"${word.slice(0, 32)}" does not begin a statement`);
}

/** SELECT with a table, or values only: what stands first tells. */
function parseSelect(stream: TokenStream): Statement {
  const valuesOnly =
    stream.kind === "literal" ||
    stream.kind === "parameter" ||
    (stream.kind === "symbol" && stream.text !== "*") ||
    stream.isWord("NULL") ||
    stream.isWord("TRUE") ||
    stream.isWord("FALSE") ||
    (stream.kind === "word" && sessionFunctions.has(stream.text) && isCall(stream));
  if (isCatalogQuery(stream)) return { kind: "catalogQuery", query: parseCatalogQuery(stream) };
  if (valuesOnly) return parseSelectValues(stream);
  const selected = parseItems(stream);
  stream.expectWord("FROM");
  return parseSelectFrom(stream, selected);
}

/** Columns may be called as functions are: only `(` tells. */
function isCall(stream: TokenStream): boolean {
  const place = stream.mark();
  stream.next();
  const found = stream.isSymbol("(");
  stream.reset(place);
  return found;
}

const sessionFunctions = new Set([
  "DATABASE", "SCHEMA", "VERSION", "USER", "CURRENT_USER", "SESSION_USER", "SYSTEM_USER", "CONNECTION_ID", "NOW",
  "SLEEP", "LAST_INSERT_ID", "ROW_COUNT", "FOUND_ROWS", "CONCAT",
]);

function parseDescribe(stream: TokenStream): Statement {
  if (stream.isWord("SELECT")) {
    throw notSelected("parser/syntax/query_features/explain", "DESCRIBE of a statement");
  }
  const table = stream.qualifiedName("a table");
  // DESCRIBE table column.
  const like = stream.kind === "end" ? undefined : stream.name("a column");
  return { kind: "show", what: "columns", full: false, table, database: undefined, like, where: undefined };
}

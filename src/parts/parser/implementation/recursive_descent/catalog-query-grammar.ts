/**
 * SELECT … FROM information_schema.…: items, joins, conditions, grouping, order, limit.
 *
 * Algorithm: whether a SELECT is one of these is told by looking ahead to the first FROM outside parentheses and the
 * name behind it. Expressions by precedence: OR, AND, NOT, comparison, primary. Time is linear in the text (the look
 * ahead reads the items once more); nesting and lists are bounded as everywhere (`token-stream.ts`).
 */
import type {
  CatalogComparison,
  CatalogExpression,
  CatalogItem,
  CatalogQuery,
  CatalogSource,
} from "../../catalog-query.ts";
import { notSelected } from "../../../query_processing/executor.ts";
import type { Operand } from "../../statement.ts";
import type { TokenStream } from "./token-stream.ts";

const schemaName = "INFORMATION_SCHEMA";
const listMax = 1024;
const sourcesMax = 8;

/** After SELECT: whether its FROM names a table of information_schema. Nothing is taken. */
export function isCatalogQuery(stream: TokenStream): boolean {
  const place = stream.mark();
  let open = 0;
  while (stream.kind !== "end" && !(open === 0 && stream.isWord("FROM"))) {
    if (stream.isSymbol("(")) open++;
    if (stream.isSymbol(")")) open--;
    stream.next();
  }
  stream.acceptWord("FROM");
  const found = (stream.kind === "word" || stream.kind === "name") && stream.text.toUpperCase() === schemaName;
  stream.reset(place);
  return found;
}

/** After SELECT. */
export function parseCatalogQuery(stream: TokenStream): CatalogQuery {
  const distinct = stream.acceptWord("DISTINCT");
  if (!distinct) stream.acceptWord("ALL");
  const items = listOf(stream, () => parseItem(stream));
  stream.expectWord("FROM");
  const sources = parseSources(stream);
  const where = stream.acceptWord("WHERE") ? parseCatalogExpression(stream) : undefined;
  const groupBy: CatalogExpression[] = [];
  if (stream.acceptWord("GROUP")) {
    stream.expectWord("BY");
    groupBy.push(...listOf(stream, () => parseCatalogExpression(stream)));
  }
  if (stream.isWord("HAVING")) throw notSelected("query_processing/operators/totals", "HAVING");
  const orderBy: { expression: CatalogExpression; descending: boolean }[] = [];
  if (stream.acceptWord("ORDER")) {
    stream.expectWord("BY");
    orderBy.push(...listOf(stream, () => {
      const expression = parseCatalogExpression(stream);
      const descending = stream.acceptWord("DESC");
      if (!descending) stream.acceptWord("ASC");
      return { expression, descending };
    }));
  }
  const { limit, offset } = parseLimit(stream);
  if (stream.isWord("UNION")) throw notSelected("parser/syntax/query_features/compound_select", "UNION");
  return { items, distinct, sources, where, groupBy, orderBy, limit, offset };
}

function parseLimit(stream: TokenStream): { limit: Operand | undefined; offset: Operand | undefined } {
  if (!stream.acceptWord("LIMIT")) return { limit: undefined, offset: undefined };
  const first = stream.operand();
  if (stream.acceptSymbol(",")) return { limit: stream.operand(), offset: first };
  return { limit: first, offset: stream.acceptWord("OFFSET") ? stream.operand() : undefined };
}

function listOf<Item>(stream: TokenStream, parse: () => Item): Item[] {
  const list: Item[] = [];
  do {
    list.push(parse());
    if (list.length > listMax) throw stream.syntax(`a list has more than ${listMax} entries`);
  } while (stream.acceptSymbol(","));
  return list;
}

function parseItem(stream: TokenStream): CatalogItem {
  if (stream.acceptSymbol("*")) return { kind: "all", qualifier: undefined };
  const { start } = stream;
  const expression = parseCatalogExpression(stream);
  if (expression.kind === "column" && expression.name === "*") return { kind: "all", qualifier: expression.qualifier };
  const written = stream.sql.slice(start, stream.start).trim();
  return { kind: "one", expression, alias: parseAlias(stream), written };
}

const clauseWords = new Set([
  "FROM", "WHERE", "GROUP", "HAVING", "ORDER", "LIMIT", "UNION", "ON", "USING", "JOIN", "LEFT", "INNER", "CROSS",
  "RIGHT",
]);

function parseAlias(stream: TokenStream): string | undefined {
  if (stream.acceptWord("AS")) {
    if (stream.kind === "literal" && typeof stream.value === "string") {
      const text = stream.value;
      stream.next();
      return text;
    }
    return stream.name("an alias");
  }
  const named = stream.kind === "name" || (stream.kind === "word" && !clauseWords.has(stream.text));
  return named ? stream.name("an alias") : undefined;
}

function parseSources(stream: TokenStream): CatalogSource[] {
  const sources = [parseSource(stream, "inner")];
  for (;;) {
    let join: "inner" | "left" = "inner";
    if (stream.acceptSymbol(",")) {
      sources.push(parseSource(stream, "inner"));
    } else {
      if (stream.acceptWord("LEFT")) {
        stream.acceptWord("OUTER");
        join = "left";
      } else if (!stream.acceptWord("INNER")) {
        stream.acceptWord("CROSS");
      }
      if (!stream.acceptWord("JOIN")) {
        if (stream.isWord("RIGHT")) throw notSelected("parser/syntax/query_features/join_clauses", "RIGHT JOIN");
        return sources;
      }
      sources.push(withCondition(stream, parseSource(stream, join)));
    }
    if (sources.length > sourcesMax) throw stream.syntax(`a query has more than ${sourcesMax} tables`);
  }
}

function parseSource(stream: TokenStream, join: "inner" | "left"): CatalogSource {
  const schema = stream.name("information_schema");
  if (schema.toUpperCase() !== schemaName) {
    throw notSelected("query_processing/joins/nested_loop", "a table beside those of information_schema");
  }
  stream.expectSymbol(".");
  const table = stream.name("a table");
  return { table, alias: parseAlias(stream) ?? table, join, on: undefined, using: [] };
}

function withCondition(stream: TokenStream, source: CatalogSource): CatalogSource {
  if (stream.acceptWord("ON")) return { ...source, on: parseCatalogExpression(stream) };
  if (!stream.acceptWord("USING")) return source;
  stream.expectSymbol("(");
  const using = listOf(stream, () => stream.name("a column"));
  stream.expectSymbol(")");
  return { ...source, using };
}

/** An expression with any of the operators above. */
export function parseCatalogExpression(stream: TokenStream): CatalogExpression {
  return stream.nested(() => {
    const inner = [parseAnd(stream)];
    while (stream.acceptWord("OR") || stream.acceptSymbol("||")) inner.push(parseAnd(stream));
    return inner.length === 1 ? inner[0] : { kind: "or", inner };
  });
}

function parseAnd(stream: TokenStream): CatalogExpression {
  const inner = [parseNot(stream)];
  while (stream.acceptWord("AND") || stream.acceptSymbol("&&")) inner.push(parseNot(stream));
  return inner.length === 1 ? inner[0] : { kind: "and", inner };
}

function parseNot(stream: TokenStream): CatalogExpression {
  let negated = false;
  while (stream.acceptWord("NOT") || stream.acceptSymbol("!")) negated = !negated;
  const inner = parseComparison(stream);
  return negated ? { kind: "not", inner } : inner;
}

const symbolsOfComparison: Readonly<Record<string, CatalogComparison>> = {
  "=": "=", "<>": "<>", "!=": "<>", "<": "<", "<=": "<=", ">": ">", ">=": ">=",
};

function parseComparison(stream: TokenStream): CatalogExpression {
  let left = parsePrimary(stream);
  for (;;) {
    const comparison = stream.kind === "symbol" ? symbolsOfComparison[stream.text] : undefined;
    if (comparison !== undefined) {
      stream.next();
      const nullSafe = comparison === "<=" && stream.acceptSymbol(">");
      left = { kind: "comparison", comparison: nullSafe ? "<=>" : comparison, left, right: parsePrimary(stream) };
      continue;
    }
    if (stream.acceptWord("IS")) {
      const negated = stream.acceptWord("NOT");
      stream.expectWord("NULL");
      left = negate({ kind: "isNull", inner: left }, negated);
      continue;
    }
    const negated = stream.acceptWord("NOT");
    if (stream.acceptWord("LIKE")) {
      left = negate({ kind: "comparison", comparison: "LIKE", left, right: parsePrimary(stream) }, negated);
    } else if (stream.acceptWord("IN")) {
      left = negate({ kind: "in", left, among: parseAmong(stream) }, negated);
    } else if (stream.acceptWord("BETWEEN")) {
      const low = parsePrimary(stream);
      stream.expectWord("AND");
      const high = parsePrimary(stream);
      left = negate({ kind: "and", inner: [
        { kind: "comparison", comparison: ">=", left, right: low },
        { kind: "comparison", comparison: "<=", left, right: high },
      ] }, negated);
    } else if (negated) {
      throw stream.unexpected("LIKE, IN or BETWEEN");
    } else {
      return left;
    }
  }
}

function negate(inner: CatalogExpression, negated: boolean): CatalogExpression {
  return negated ? { kind: "not", inner } : inner;
}

function parseAmong(stream: TokenStream): readonly CatalogExpression[] | CatalogQuery {
  stream.expectSymbol("(");
  const among = stream.acceptWord("SELECT")
    ? stream.nested(() => parseCatalogQuery(stream))
    : listOf(stream, () => parseCatalogExpression(stream));
  stream.expectSymbol(")");
  return among;
}

function parsePrimary(stream: TokenStream): CatalogExpression {
  const inner = parseUnsorted(stream);
  // Text is compared in one way whatever collation is asked for.
  if (stream.acceptWord("COLLATE")) stream.name("a collation");
  return inner;
}

function parseUnsorted(stream: TokenStream): CatalogExpression {
  if (stream.acceptSymbol("(")) {
    if (stream.isWord("SELECT")) throw notSelected("parser/syntax/query_features/subqueries", "a subquery here");
    const inner = parseCatalogExpression(stream);
    stream.expectSymbol(")");
    return inner;
  }
  if (stream.acceptSymbol("@@")) {
    let name = stream.name("a variable");
    if (stream.acceptSymbol(".")) name = stream.name("a variable");
    return { kind: "variable", name: name.toLowerCase() };
  }
  if (stream.isWord("CASE")) return parseCase(stream);
  if (stream.isWord("BINARY")) {
    stream.next();
    return parsePrimary(stream);
  }
  const value = stream.kind !== "word" || stream.isWord("NULL") || stream.isWord("TRUE") || stream.isWord("FALSE");
  if ((value && stream.kind !== "name") || stream.text.startsWith("_")) {
    return { kind: "operand", operand: stream.operand() };
  }
  return parseNamed(stream);
}

/** `CASE WHEN … THEN … [ELSE …] END`. */
function parseCase(stream: TokenStream): CatalogExpression {
  stream.expectWord("CASE");
  const branches: { when: CatalogExpression; result: CatalogExpression }[] = [];
  const subject = stream.isWord("WHEN") ? undefined : parseCatalogExpression(stream);
  while (stream.acceptWord("WHEN")) {
    const condition = parseCatalogExpression(stream);
    stream.expectWord("THEN");
    const when: CatalogExpression = subject === undefined
      ? condition
      : { kind: "comparison", comparison: "=", left: subject, right: condition };
    branches.push({ when, result: parseCatalogExpression(stream) });
    if (branches.length > listMax) throw stream.syntax("CASE has too many branches");
  }
  const otherwise = stream.acceptWord("ELSE") ? parseCatalogExpression(stream) : undefined;
  stream.expectWord("END");
  return { kind: "case", branches, otherwise };
}

/** A function, or a column: `name`, `alias.name`, `information_schema.table.name`, `alias.*`. */
function parseNamed(stream: TokenStream): CatalogExpression {
  const word = stream.kind === "word" ? stream.text : "";
  // LEFT and RIGHT are functions here, and words that a name may not be.
  const reservedFunction = word === "LEFT" || word === "RIGHT" || word === "IF";
  if (reservedFunction) stream.next();
  const parts = reservedFunction ? [word] : [stream.name("a column")];
  if (word !== "" && stream.acceptSymbol("(")) return parseCall(stream, word);
  while (parts.length < 3 && stream.acceptSymbol(".")) {
    if (stream.acceptSymbol("*")) return { kind: "column", qualifier: parts.at(-1), name: "*" };
    parts.push(stream.name("a column"));
  }
  return { kind: "column", qualifier: parts.at(-2), name: parts[parts.length - 1] };
}

function parseCall(stream: TokenStream, name: string): CatalogExpression {
  const distinct = stream.acceptWord("DISTINCT");
  if (stream.acceptSymbol(")")) return { kind: "call", name, inner: [], distinct };
  if (name === "COUNT" && stream.acceptSymbol("*")) {
    stream.expectSymbol(")");
    return { kind: "call", name, inner: [], distinct };
  }
  const inner = listOf(stream, () => parseCatalogExpression(stream));
  if (name === "CAST" || name === "CONVERT") {
    // Values are text or whole numbers, and compared as whichever they are; the type asked for changes nothing.
    while (stream.kind !== "end" && !stream.isSymbol(")")) stream.next();
  }
  stream.expectSymbol(")");
  return { kind: "call", name, inner, distinct };
}

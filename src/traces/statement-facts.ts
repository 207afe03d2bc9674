/**
 * What one SQL statement does, told from its shape alone: verb, tables, conditions on keys, what it stores, what it
 * needs beyond reading and writing rows by key, and its fingerprint.
 *
 * A tolerant reader of both dialects, not a parser: it finds clauses at the statement's own depth. What it does not
 * see: which columns a view or a star stands for, conditions within OR (counted as residual), what a stored routine
 * does, and errors of syntax. Cost: linear in the text; of a statement of more tokens than `StatementTokens` keeps the
 * rest only counts as cut.
 */
import type { Dialect } from "./sql-scanner.ts";
import { type Comparison, endsClause, StatementConditions } from "./statement-conditions.ts";
import { fingerprintOf } from "./statement-fingerprint.ts";
import { collectNeeds } from "./statement-needs.ts";
import { type Assigned, rowsOf } from "./statement-rows.ts";
import { StatementTokens } from "./statement-tokens.ts";
import { type Verb, verbs } from "./statement-verb.ts";

export interface StatementFacts {
  readonly verb: Verb;
  readonly fingerprint: string;
  /** In small letters, without schemas, each once. */
  readonly tables: readonly string[];
  readonly comparisons: readonly Comparison[];
  /** Conditions that are no comparison of a column. */
  readonly residual: boolean;
  /** Names of `catalog/needs.yaml`. */
  readonly needs: readonly string[];
  readonly orderBy: readonly string[];
  readonly limit: boolean;
  /** The number that LIMIT or FETCH names. */
  readonly limitTo?: { readonly value: string; readonly slot: number } | undefined;
  /** Rows of VALUES. */
  readonly rows: number;
  readonly assigned: readonly Assigned[];
  /** Time comes into the conditions: now(), an interval. */
  readonly comparesTime: boolean;
  readonly cut: boolean;
  /** It ends within a literal: the rest is missing. */
  readonly unclosed?: boolean;
  /** The same of every statement that differs from this one in its literals alone. */
  readonly isTemplate: boolean;
}

export function statementFacts(sql: string, dialect: Dialect): StatementFacts {
  const tokens = new StatementTokens(sql, dialect);
  const needs = new Set<string>();
  let start = 0;
  while (tokens.isMark(start, "(")) start++;
  const main = tokens.words[start] === "WITH" ? verbAfterWith(tokens, start, needs) : start;
  const verb = verbAt(tokens, main);
  const dataVerb = /^(select|insert|replace|update|delete)$/.test(verb);
  const tables = dataVerb || verb === "truncate" || verb === "load" ? tablesOf(tokens, start) : [];
  const { rows, assigned } = rowsOf(tokens, main, verb);
  const conditions = dataVerb ? new StatementConditions(tokens, main, needs) : undefined;
  if (dataVerb) collectNeeds(tokens, main, verb, tables.length, needs);
  const limit = tokens.findAny(main, (word) => word === "LIMIT" || word === "FETCH");
  return {
    verb, fingerprint: fingerprintOf(tokens), tables, rows, assigned,
    comparisons: conditions?.comparisons ?? [], residual: conditions?.residual ?? false,
    needs: [...needs],
    orderBy: dataVerb ? orderOf(tokens, main) : [],
    limit: limit >= 0, limitTo: limit < 0 ? undefined : limitAt(tokens, limit),
    comparesTime: conditions?.comparesTime ?? false,
    cut: tokens.cut, ...(tokens.unclosed ? { unclosed: true } : {}),
    isTemplate: !tokens.cut && !conditions?.dependsOnLiterals,
  };
}

function verbAt(tokens: StatementTokens, main: number): Verb {
  const word = tokens.words[main] ?? "";
  // What goes to a file or a client is a tool's, as a dump's.
  if (word === "COPY" && tokens.find(main, "TO") >= 0) return "administration";
  return verbs[word] ?? "unknown";
}

/** The verb after WITH x AS (…), y AS (…). */
function verbAfterWith(tokens: StatementTokens, start: number, needs: Set<string>): number {
  needs.add(tokens.words[start + 1] === "RECURSIVE" ? "recursive_cte" : "cte");
  const found = tokens.findAny(start + 1, (word) => /^(SELECT|INSERT|UPDATE|DELETE|REPLACE|MERGE)$/.test(word));
  return found < 0 ? start : found;
}

const beforeTable = new Set(["FROM", "JOIN", "INTO", "UPDATE", "TRUNCATE", "COPY", "USING"]);

function tablesOf(tokens: StatementTokens, from: number): string[] {
  const found = new Set<string>();
  const defined = new Set<string>();
  for (let at = from; at < tokens.count; at++) {
    const word = tokens.words[at];
    if (word === "AS" && tokens.isMark(at + 1, "(") && tokens.isName(at - 1)) defined.add(tokens.name(at - 1));
    if (word === "UPDATE" && at > from && /^(FOR|ON|KEY|DO)$/.test(tokens.words[at - 1])) continue;
    if (!beforeTable.has(word) || (word === "FROM" && isNoClause(tokens, at))) continue;
    addTables(tokens, at, found);
  }
  for (const name of defined) found.delete(name);
  for (const none of ["dual", "stdin"]) found.delete(none);
  return [...found];
}

/** The tables that are named behind the word at `at`. */
function addTables(tokens: StatementTokens, at: number, found: Set<string>): void {
  const word = tokens.words[at];
  let next = at + 1;
  while (/^(TABLE|ONLY|LOW_PRIORITY|IGNORE|LATERAL)$/.test(tokens.words[next] ?? "")) next++;
  while (tokens.isName(next)) {
    while (tokens.isMark(next + 1, ".") && tokens.isName(next + 2)) next += 2;
    if (tokens.isMark(next + 1, "(") && word !== "INTO" && word !== "COPY") return;
    found.add(tokens.name(next));
    if (word !== "FROM") return;
    // An alias, then perhaps another table after a comma.
    let after = next + 1;
    if (tokens.words[after] === "AS") after++;
    if (tokens.isName(after) && !tokens.isMark(after, ",")) after++;
    if (tokens.isMark(after, ",")) next = after + 1;
    else if (tokens.isMark(next + 1, ",")) next += 2;
    else return;
  }
}

/** EXTRACT(… FROM …), IS DISTINCT FROM. */
function isNoClause(tokens: StatementTokens, at: number): boolean {
  if (tokens.words[at - 1] === "DISTINCT" && /^(IS|NOT)$/.test(tokens.words[at - 2] ?? "")) return true;
  for (let back = at - 1, depth = 0; back >= 0 && at - back < 40; back--) {
    if (tokens.isMark(back, ")")) depth++;
    if (tokens.isMark(back, "(") && depth-- === 0) {
      return /^(EXTRACT|SUBSTRING|TRIM|OVERLAY|POSITION)$/.test(tokens.words[back - 1] ?? "");
    }
  }
  return false;
}

function orderOf(tokens: StatementTokens, main: number): string[] {
  const order = tokens.find(main, "ORDER");
  if (order < 0) return [];
  const columns: string[] = [];
  for (let at = order + 2; at < tokens.count; at++) {
    if (tokens.isMark(at, "(")) return ["(expression)"];
    if (tokens.isName(at) && !/^(ASC|DESC|NULLS|FIRST|LAST)$/.test(tokens.words[at])) {
      if (endsClause(tokens.words[at])) break;
      if (tokens.isMark(at + 1, ".")) continue;
      columns.push(tokens.name(at));
    } else if (tokens.kinds[at] === "number") break;
  }
  return columns;
}

/** LIMIT n, LIMIT n OFFSET m, LIMIT m, n, FETCH FIRST n ROWS. */
function limitAt(tokens: StatementTokens, at: number): StatementFacts["limitTo"] {
  let place = at + 1;
  if (tokens.words[at] === "FETCH") place++;
  else if (tokens.isMark(at + 2, ",")) place += 2;
  return tokens.isValue(place) ? { value: tokens.value(place), slot: tokens.slots[place] } : undefined;
}

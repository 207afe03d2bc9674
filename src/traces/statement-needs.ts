/**
 * What a statement needs beyond reading and writing rows by key, as names of `catalog/needs.yaml`: told by its words.
 */
import type { StatementTokens } from "./statement-tokens.ts";
import type { Verb } from "./statement-verb.ts";

/** Of functions, by their names. */
const functionNeeds: Readonly<Record<string, string>> = {
  COUNT: "aggregate", SUM: "aggregate", AVG: "aggregate", MIN: "aggregate", MAX: "aggregate",
  GROUP_CONCAT: "aggregate", STRING_AGG: "aggregate", ARRAY_AGG: "aggregate", JSON_AGG: "aggregate",
  JSONB_AGG: "aggregate", BOOL_OR: "aggregate", BOOL_AND: "aggregate", STDDEV: "statistical_aggregate",
  VARIANCE: "statistical_aggregate", COALESCE: "conditional", IFNULL: "conditional", NULLIF: "conditional",
  IF: "conditional", GREATEST: "conditional", LEAST: "conditional", CAST: "cast", CONVERT: "cast",
  CONCAT: "string_function", LOWER: "string_function", UPPER: "string_function", SUBSTRING: "string_function",
  SUBSTR: "string_function", TRIM: "string_function", LENGTH: "string_function", LEFT: "string_function",
  RIGHT: "string_function", ABS: "math_function", ROUND: "math_function", FLOOR: "math_function",
  CEIL: "math_function", RAND: "math_function", RANDOM: "math_function", MOD: "math_function",
  DATE: "date_function", DATE_SUB: "date_function", DATE_ADD: "date_function", DATE_TRUNC: "date_function",
  DATE_FORMAT: "date_function", EXTRACT: "date_function", YEAR: "date_function", MONTH: "date_function",
  UNIX_TIMESTAMP: "date_function", FROM_UNIXTIME: "date_function", NOW: "date_function", MATCH: "fulltext_search",
  TO_TSVECTOR: "fulltext_search", TO_TSQUERY: "fulltext_search", JSON_EXTRACT: "json_function",
  JSON_SET: "json_function", JSONB_SET: "json_function", NEXTVAL: "sequence", CURRVAL: "sequence", ROW_NUMBER: "window",
  RANK: "window", LAG: "window", LEAD: "window", ST_DISTANCE: "spatial_function", ST_WITHIN: "spatial_function",
};

const wordNeeds: Readonly<Record<string, string>> = {
  JOIN: "join", UNION: "compound_select", INTERSECT: "compound_select", EXCEPT: "compound_select", CASE: "conditional",
  OVER: "window", RETURNING: "returning", HAVING: "having", LATERAL: "lateral", MERGE: "merge",
};

const pairNeeds: Readonly<Record<string, string>> = {
  "GROUP BY": "group_by", "FOR UPDATE": "for_update", "FOR SHARE": "for_share", "LOCK IN": "for_share",
  "ON DUPLICATE": "on_duplicate_key", "ON CONFLICT": "on_conflict",
};

/** Adds what is needed. `main`: where the statement's own verb stands; `tables`: how many it names. */
export function collectNeeds(
  tokens: StatementTokens, main: number, verb: Verb, tables: number, needs: Set<string>,
): void {
  const { words } = tokens;
  let selects = 0;
  const source = verb === "insert" || verb === "replace" ? tokens.find(main, "SELECT") : -1;
  for (let at = 0; at < words.length; at++) {
    const word = words[at];
    if (word === "") {
      if (tokens.isMark(at, "->")) needs.add("json_operator");
      else if (tokens.isMark(at, "::")) needs.add("cast");
      else if (tokens.isMark(at, "||") && tokens.dialect === "postgresql") needs.add("string_function");
      continue;
    }
    const need = tokens.isMark(at + 1, "(") ? functionNeeds[word] : undefined;
    if (need !== undefined && !(word === "LEFT" && words[at + 1] === "JOIN")) needs.add(need);
    const pair = pairNeeds[`${word} ${words[at + 1] ?? ""}`];
    if (pair !== undefined) needs.add(pair);
    if (word === "SELECT" && selects++ > 0) {
      if (isSubquery(tokens, at, source)) needs.add("subquery");
    } else if (wordNeeds[word] !== undefined) needs.add(wordNeeds[word]);
    else if (word === "DISTINCT" && words[at + 1] !== "FROM") needs.add("distinct");
  }
  const joined = needs.has("join") || needs.has("subquery") || needs.has("compound_select");
  if (tables > 1 && verb === "select" && !joined) needs.add("join");
  if (source >= 0) needs.add("insert_select");
  if (verb === "insert" && words[main + 1] === "IGNORE") needs.add("insert_ignore");
  if (verb === "replace") needs.add("replace");
}

/** Whether the SELECT at `at`, which is not the first, is within another. `source`: the one whose rows are inserted. */
function isSubquery(tokens: StatementTokens, at: number, source: number): boolean {
  if (/^(UNION|ALL|INTERSECT|EXCEPT|DISTINCT)$/.test(tokens.words[at - 1])) return false;
  const common = tokens.isMark(at - 1, "(") && tokens.words[at - 2] === "AS";
  return source !== at && !common;
}

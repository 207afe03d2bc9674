/**
 * What one SQL statement does, told from its shape alone: verb, tables, conditions on keys, what it needs beyond
 * reading and writing rows by key, and its fingerprint (the text without literals, lists of them folded).
 *
 * A tolerant reader of both dialects, not a parser: it finds clauses at the statement's own depth and the conjuncts of
 * WHERE that compare a column with a literal, parameter or expression. What it does not see: which columns a view or a
 * star stands for, conditions within OR (counted as residual), what a stored routine does, and errors of syntax.
 * Cost: linear in the text; at most `tokensMax` tokens are looked at, what follows only counts as cut.
 */
import { decodeName, type Dialect, SqlScanner, type TokenKind } from "./sql-scanner.ts";

export type Verb =
  | "select" | "insert" | "replace" | "update" | "delete" | "begin" | "commit" | "rollback" | "session" | "definition"
  | "truncate" | "load" | "call" | "administration" | "unknown";

export interface Comparison {
  readonly column: string;
  readonly operator: "=" | "in" | "range" | "prefix" | "other";
  /** Literals as written; `$1`, `?` for parameters; empty for expressions. */
  readonly values: readonly string[];
}

export interface Assigned {
  readonly column: string;
  readonly value: string;
  readonly bytes: number;
}

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
  /** Rows of VALUES. */
  readonly rows: number;
  readonly assigned: readonly Assigned[];
  /** Time comes into the conditions: now(), an interval. */
  readonly comparesTime: boolean;
  readonly cut: boolean;
}

const tokensMax = 20_000;
const fingerprintMax = 2000;
const listMax = 1000;

const verbs: Readonly<Record<string, Verb>> = {
  SELECT: "select", VALUES: "select", TABLE: "select", INSERT: "insert", REPLACE: "replace", UPDATE: "update",
  DELETE: "delete", MERGE: "update", BEGIN: "begin", START: "begin", COMMIT: "commit", END: "commit",
  ROLLBACK: "rollback", ABORT: "rollback", SET: "session", RESET: "session", USE: "session", SHOW: "session",
  DISCARD: "session", DEALLOCATE: "session", PREPARE: "session", SAVEPOINT: "session", RELEASE: "session",
  CREATE: "definition", ALTER: "definition", DROP: "definition", RENAME: "definition", COMMENT: "definition",
  TRUNCATE: "truncate", COPY: "load", LOAD: "load", CALL: "call", EXECUTE: "call", DO: "call",
  GRANT: "administration", REVOKE: "administration", ANALYZE: "administration", VACUUM: "administration",
  OPTIMIZE: "administration", CHECK: "administration", FLUSH: "administration", KILL: "administration",
  EXPLAIN: "administration", DESCRIBE: "administration", DESC: "administration", LOCK: "administration",
  UNLOCK: "administration", LISTEN: "administration", NOTIFY: "administration", CLUSTER: "administration",
  REINDEX: "administration", CHECKPOINT: "administration", DECLARE: "administration", FETCH: "administration",
  CLOSE: "administration", HANDLER: "administration", INSTALL: "administration", PURGE: "administration",
  REFRESH: "administration", SHUTDOWN: "administration", BACKUP: "administration", XA: "administration",
};

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

/** Words that stand for a value, where another name would be a column. */
const valueWords = /^(NULL|TRUE|FALSE|CURRENT_\w+|ANY|SOME|ALL|_\w+|NOW|DATE|TIMESTAMP|INTERVAL)$/;

const clauseEnd =
  /^(GROUP|HAVING|ORDER|LIMIT|OFFSET|FETCH|FOR|UNION|INTERSECT|EXCEPT|WINDOW|RETURNING|PROCEDURE|INTO|ON)$/;

export function statementFacts(sql: string, dialect: Dialect): StatementFacts {
  return new StatementReader(sql, dialect).read();
}

class StatementReader {
  readonly #dialect: Dialect;
  readonly #kinds: TokenKind[] = [];
  readonly #texts: string[] = [];
  /** In capitals for words, otherwise empty. */
  readonly #words: string[] = [];
  readonly #lengths: number[] = [];
  readonly #needs = new Set<string>();
  readonly #comparisons: Comparison[] = [];
  #cut = false;
  #residual = false;
  #comparesTime = false;

  constructor(sql: string, dialect: Dialect) {
    this.#dialect = dialect;
    const scanner = new SqlScanner(dialect);
    scanner.append(sql);
    scanner.finish();
    for (let kind = scanner.next(); kind !== "end"; kind = scanner.next()) {
      if (kind === "delimiter") {
        if (this.#kinds.length === 0) continue;
        break;
      }
      if (this.#kinds.length >= tokensMax) {
        this.#cut = true;
        break;
      }
      this.#kinds.push(kind);
      this.#texts.push(scanner.text);
      this.#words.push(kind === "word" ? scanner.text.toUpperCase() : "");
      this.#lengths.push(scanner.length);
    }
  }

  read(): StatementFacts {
    let start = 0;
    while (this.#isMark(start, "(")) start++;
    const main = this.#words[start] === "WITH" ? this.#afterWith(start) : start;
    const verb = this.#verb(main);
    const dataVerb = /^(select|insert|replace|update|delete)$/.test(verb);
    const tables = dataVerb || verb === "truncate" || verb === "load" ? this.#tables(start) : [];
    const { rows, assigned } = this.#assignments(main, verb);
    if (dataVerb) {
      this.#where(main);
      this.#collectNeeds(main, verb, tables.length);
    }
    return {
      verb, fingerprint: this.#fingerprint(), tables, rows, assigned,
      comparisons: this.#comparisons, residual: this.#residual,
      needs: [...this.#needs],
      orderBy: dataVerb ? this.#orderBy(main) : [],
      limit: this.#find(main, "LIMIT") >= 0 || this.#find(main, "FETCH") >= 0,
      comparesTime: this.#comparesTime,
      cut: this.#cut,
    };
  }

  #verb(main: number): Verb {
    const word = this.#words[main] ?? "";
    // What goes to a file or a client is a tool's, as a dump's.
    if (word === "COPY" && this.#find(main, "TO") >= 0) return "administration";
    return verbs[word] ?? "unknown";
  }

  #isMark(at: number, mark: string): boolean {
    return this.#kinds[at] === "mark" && this.#texts[at] === mark;
  }

  #isName(at: number): boolean {
    return this.#kinds[at] === "name" || this.#kinds[at] === "word";
  }

  #name(at: number): string {
    return decodeName(this.#texts[at]).toLowerCase();
  }

  /** The verb after WITH x AS (…), y AS (…). */
  #afterWith(start: number): number {
    this.#needs.add(this.#words[start + 1] === "RECURSIVE" ? "recursive_cte" : "cte");
    let depth = 0;
    for (let at = start + 1; at < this.#kinds.length; at++) {
      if (this.#isMark(at, "(")) depth++;
      else if (this.#isMark(at, ")")) depth--;
      else if (depth === 0 && /^(SELECT|INSERT|UPDATE|DELETE|REPLACE|MERGE)$/.test(this.#words[at])) return at;
    }
    return start;
  }

  /** The first place of a word at the depth of `from`, or -1. */
  #find(from: number, word: string): number {
    let depth = 0;
    for (let at = from; at < this.#kinds.length; at++) {
      if (this.#isMark(at, "(")) depth++;
      else if (this.#isMark(at, ")")) depth--;
      else if (depth === 0 && this.#words[at] === word) return at;
    }
    return -1;
  }

  #tables(from: number): string[] {
    const found = new Set<string>();
    const defined = new Set<string>();
    for (let at = from; at < this.#kinds.length; at++) {
      const word = this.#words[at];
      if (word === "AS" && this.#isMark(at + 1, "(") && this.#isName(at - 1)) defined.add(this.#name(at - 1));
      if (word === "UPDATE" && at > from && /^(FOR|ON|KEY|DO)$/.test(this.#words[at - 1])) continue;
      if (!/^(FROM|JOIN|INTO|UPDATE|TRUNCATE|COPY|USING)$/.test(word)) continue;
      if (word === "FROM" && this.#fromIsNoClause(at)) continue;
      let next = at + 1;
      while (/^(TABLE|ONLY|LOW_PRIORITY|IGNORE|LATERAL)$/.test(this.#words[next] ?? "")) next++;
      for (;;) {
        if (!this.#isName(next)) break;
        while (this.#isMark(next + 1, ".") && this.#isName(next + 2)) next += 2;
        if (this.#isMark(next + 1, "(") && word !== "INTO" && word !== "COPY") break;
        found.add(this.#name(next));
        // An alias, then perhaps another table after a comma.
        let after = next + 1;
        if (this.#words[after] === "AS") after++;
        if (this.#isName(after) && !this.#isMark(after, ",")) after++;
        if (word === "FROM" && this.#isMark(after, ",")) next = after + 1;
        else if (word === "FROM" && this.#isMark(next + 1, ",")) next += 2;
        else break;
      }
    }
    for (const name of defined) found.delete(name);
    for (const none of ["dual", "stdin"]) found.delete(none);
    return [...found];
  }

  /** EXTRACT(… FROM …), IS DISTINCT FROM. */
  #fromIsNoClause(at: number): boolean {
    if (
      this.#words[at - 1] === "DISTINCT" && (this.#words[at - 2] === "IS" || this.#words[at - 2] === "NOT")
    ) return true;
    for (let back = at - 1, depth = 0; back >= 0 && at - back < 40; back--) {
      if (this.#isMark(back, ")")) depth++;
      if (this.#isMark(back, "(") && depth-- === 0) {
        return /^(EXTRACT|SUBSTRING|TRIM|OVERLAY|POSITION)$/.test(this.#words[back - 1] ?? "");
      }
    }
    return false;
  }

  #where(main: number): void {
    const where = this.#find(main, "WHERE");
    if (where < 0) return;
    let end = where + 1;
    for (let depth = 0; end < this.#kinds.length; end++) {
      if (this.#isMark(end, "(")) depth++;
      else if (this.#isMark(end, ")") && depth-- === 0) break;
      else if (depth === 0 && clauseEnd.test(this.#words[end])) break;
    }
    this.#conjuncts(where + 1, end, 0);
  }

  #conjuncts(from: number, to: number, nesting: number): void {
    let start = from;
    let depth = 0;
    let between = false;
    for (let at = from; at <= to; at++) {
      if (this.#isMark(at, "(")) depth++;
      else if (this.#isMark(at, ")")) depth--;
      const word = depth === 0 ? this.#words[at] : "";
      if (word === "OR" || word === "XOR") {
        this.#residual = true;
        this.#needs.add("or_condition");
        return;
      }
      if (word === "BETWEEN") between = true;
      if (at < to && word !== "AND") continue;
      if (at < to && between) {
        between = false;
        continue;
      }
      this.#conjunct(start, at, nesting);
      start = at + 1;
    }
  }

  #conjunct(from: number, to: number, nesting: number): void {
    if (to <= from) return;
    if (this.#isMark(from, "(") && this.#isMark(to - 1, ")") && this.#words[from + 1] !== "SELECT" && nesting < 10) {
      const tuple = this.#closing(from) !== to - 1;
      if (!tuple) return this.#conjuncts(from + 1, to - 1, nesting + 1);
    }
    let at = from;
    while (this.#isName(at) && this.#isMark(at + 1, ".") && this.#isName(at + 2)) at += 2;
    if (!this.#isName(at) || this.#words[at] === "NOT" || this.#words[at] === "EXISTS" || this.#isMark(at + 1, "(")) {
      this.#residual = true;
      return;
    }
    const column = this.#name(at);
    let next = at + 1;
    // A cast of the column.
    if (this.#isMark(next, "::")) next += 2;
    const negated = this.#words[next] === "NOT";
    if (negated) next++;
    const operator = this.#operatorOf(next, negated);
    // A column on both sides joins.
    const right = this.#kinds[next + 1] === "name" || (
      this.#kinds[next + 1] === "word" && !this.#isMark(next + 2, "(")
    );
    if (operator === "=" && right && !valueWords.test(this.#words[next + 1])) {
      this.#residual = true;
      return;
    }
    const values = this.#literals(next, to);
    const any = operator === "=" && /^(ANY|SOME)$/.test(this.#words[next + 1] ?? "");
    this.#comparisons.push({ column, operator: any ? "in" : operator, values });
    for (let place = next; place < to; place++) {
      const word = this.#words[place];
      if (/^(NOW|CURRENT_TIMESTAMP|CURRENT_DATE|INTERVAL|LOCALTIMESTAMP|UNIX_TIMESTAMP|SYSDATE)$/.test(word)) {
        this.#comparesTime = true;
      }
    }
  }

  #operatorOf(at: number, negated: boolean): Comparison["operator"] {
    const word = this.#words[at];
    if (negated) return "other";
    if (word === "IN") return "in";
    if (word === "BETWEEN") return "range";
    if (word === "LIKE" || word === "ILIKE" || word === "RLIKE" || word === "REGEXP") {
      this.#needs.add("pattern_match");
      const text = this.#texts[at + 1] ?? "";
      return word === "LIKE" && this.#kinds[at + 1] === "string" && !/^[%_]/.test(text) ? "prefix" : "other";
    }
    switch (this.#texts[at]) {
      case "=":
        return "=";
      case "<":
      case ">":
      case "<=":
      case ">=":
        return "range";
      default:
        return "other";
    }
  }

  #literals(from: number, to: number): string[] {
    const values: string[] = [];
    for (let at = from; at < to && values.length < listMax; at++) {
      if (/^(string|number|parameter)$/.test(this.#kinds[at])) values.push(this.#valueAt(at));
    }
    return values;
  }

  #valueAt(at: number): string {
    const text = this.#texts[at];
    const length = this.#lengths[at];
    return length > text.length ? `${text}…${length}` : text;
  }

  #closing(open: number): number {
    let depth = 0;
    for (let at = open; at < this.#kinds.length; at++) {
      if (this.#isMark(at, "(")) depth++;
      else if (this.#isMark(at, ")") && --depth === 0) return at;
    }
    return this.#kinds.length;
  }

  #assignments(main: number, verb: Verb): { rows: number; assigned: Assigned[] } {
    const assigned: Assigned[] = [];
    if (verb === "update") {
      const set = this.#find(main, "SET");
      for (let at = set + 1; set >= 0 && at < this.#kinds.length; at++) {
        if (this.#words[at] === "WHERE") break;
        if (this.#isName(at) && this.#isMark(at + 1, "=")) this.#assign(assigned, this.#name(at), at + 2);
      }
      return { rows: 0, assigned };
    }
    if (verb !== "insert" && verb !== "replace") return { rows: 0, assigned };
    const values = Math.max(this.#find(main, "VALUES"), this.#find(main, "VALUE"));
    if (values < 0) return { rows: this.#find(main, "SET") >= 0 ? 1 : 0, assigned };
    const into = this.#find(main, "INTO");
    let open = into + 2;
    while (open < values && !this.#isMark(open, "(")) open++;
    const columns: string[] = [];
    for (
      let at = open + 1; at < values && !this.#isMark(at, ")"); at++
    ) if (this.#isName(at)) columns.push(this.#name(at));
    let rows = 0;
    let depth = 0;
    let column = 0;
    for (let at = values + 1; at < this.#kinds.length; at++) {
      if (depth === 0 && this.#isName(at)) break;
      if (this.#isMark(at, "(")) {
        if (depth++ === 0) {
          rows++;
          column = 0;
          this.#assign(assigned, columns[0] ?? "0", at + 1);
        }
      } else if (this.#isMark(at, ")")) depth--;
      else if (depth === 1 && this.#isMark(at, ",")) this.#assign(
        assigned, columns[++column] ?? String(column), at + 1
      );
    }
    return { rows, assigned };
  }

  /** Columns that are not listed go by their number. */
  #assign(assigned: Assigned[], column: string, at: number): void {
    let place = at;
    while (this.#isMark(place, "-") || this.#words[place]?.startsWith("_")) place++;
    if (assigned.length >= listMax || !/^(string|number|parameter)$/.test(this.#kinds[place] ?? "")) return;
    const hexadecimal = this.#kinds[place] === "number" && this.#texts[place].startsWith("0x");
    const bytes = hexadecimal ? (this.#lengths[place] - 2) / 2 : this.#lengths[place];
    assigned.push({ column, value: this.#valueAt(place), bytes });
  }

  #orderBy(main: number): string[] {
    const order = this.#find(main, "ORDER");
    if (order < 0) return [];
    const columns: string[] = [];
    for (let at = order + 2; at < this.#kinds.length; at++) {
      if (this.#isMark(at, "(")) return ["(expression)"];
      if (this.#isName(at) && !/^(ASC|DESC|NULLS|FIRST|LAST)$/.test(this.#words[at])) {
        if (clauseEnd.test(this.#words[at])) break;
        if (this.#isMark(at + 1, ".")) continue;
        columns.push(this.#name(at));
      } else if (this.#kinds[at] === "number") break;
    }
    return columns;
  }

  #collectNeeds(main: number, verb: Verb, tables: number): void {
    const needs = this.#needs;
    const words = this.#words;
    let selects = 0;
    const source = verb === "insert" || verb === "replace" ? this.#find(main, "SELECT") : -1;
    for (let at = 0; at < words.length; at++) {
      const word = words[at];
      if (word === "") {
        if (this.#isMark(at, "->")) needs.add("json_operator");
        else if (this.#isMark(at, "::")) needs.add("cast");
        else if (this.#isMark(at, "||") && this.#dialect === "postgresql") needs.add("string_function");
        continue;
      }
      const need = this.#isMark(at + 1, "(") ? functionNeeds[word] : undefined;
      if (need !== undefined && !(word === "LEFT" && words[at + 1] === "JOIN")) needs.add(need);
      const pair = pairNeeds[`${word} ${words[at + 1] ?? ""}`];
      if (pair !== undefined) needs.add(pair);
      if (word === "SELECT" && selects++ > 0) this.#innerSelect(at, source);
      else if (wordNeeds[word] !== undefined) needs.add(wordNeeds[word]);
      else if (word === "DISTINCT" && words[at + 1] !== "FROM") needs.add("distinct");
    }
    if (
      tables > 1 && verb === "select" && !needs.has("join") && !needs.has("subquery") && !needs.has("compound_select")
    ) {
      needs.add("join");
    }
    if (source >= 0) needs.add("insert_select");
    if (verb === "insert" && words[main + 1] === "IGNORE") needs.add("insert_ignore");
    if (verb === "replace") needs.add("replace");
  }

  /** `source`: the SELECT whose rows are inserted. */
  #innerSelect(at: number, source: number): void {
    const before = this.#words[at - 1];
    if (/^(UNION|ALL|INTERSECT|EXCEPT|DISTINCT)$/.test(before)) return;
    const common = this.#isMark(at - 1, "(") && this.#words[at - 2] === "AS";
    if (source !== at && !common) this.#needs.add("subquery");
  }

  #fingerprint(): string {
    const pieces: string[] = [];
    let length = 0;
    for (let at = 0; at < this.#kinds.length && length < fingerprintMax; at++) {
      const kind = this.#kinds[at];
      const literal = kind === "string" || kind === "number" || kind === "parameter";
      const text = literal ? "?" : this.#texts[at].toLowerCase();
      // A list of literals, and a list of such lists, counts once.
      const before = pieces.length;
      if (literal && pieces[before - 1] === "," && /^\?\+?$/.test(pieces[before - 2] ?? "") && this.#inList(pieces)) {
        pieces.pop();
        pieces[before - 2] = "?+";
        continue;
      }
      if (text === ")" && pieces[before - 1]?.startsWith("?") && pieces[before - 2] === "(" && this.#repeats(pieces)) {
        pieces.splice(before - 3);
        continue;
      }
      pieces.push(text);
      length += text.length + 1;
    }
    return decodeName(pieces.join(" "));
  }

  #inList(pieces: readonly string[]): boolean {
    return pieces[pieces.length - 3] === "(";
  }

  /** `(?+) , (?+)`: the second is about to be closed. */
  #repeats(pieces: readonly string[]): boolean {
    const at = pieces.length;
    return pieces[at - 3] === "," && pieces[at - 4] === ")" && pieces[at - 5]?.startsWith("?");
  }
}

const wordNeeds: Readonly<Record<string, string>> = {
  JOIN: "join", UNION: "compound_select", INTERSECT: "compound_select", EXCEPT: "compound_select", CASE: "conditional",
  OVER: "window", RETURNING: "returning", HAVING: "having", LATERAL: "lateral", MERGE: "merge",
};

const pairNeeds: Readonly<Record<string, string>> = {
  "GROUP BY": "group_by", "FOR UPDATE": "for_update", "FOR SHARE": "for_share", "LOCK IN": "for_share",
  "ON DUPLICATE": "on_duplicate_key", "ON CONFLICT": "on_conflict",
};

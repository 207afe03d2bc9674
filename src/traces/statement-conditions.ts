/**
 * The conditions of a statement: the conjuncts of its WHERE that compare a column with literals, parameters or an
 * expression.
 *
 * Conditions within OR and those that are no comparison of a column count as residual. A column on both sides joins.
 */
import type { StatementTokens } from "./statement-tokens.ts";

export interface Comparison {
  readonly column: string;
  readonly operator: "=" | "in" | "range" | "prefix" | "other";
  /** Literals as written; `$1`, `?` for parameters; empty for expressions. */
  readonly values: readonly string[];
  /** By value, the number of the literal; −1 of a parameter. */
  readonly slots: readonly number[];
  /** Both ends of the range are given. */
  readonly between?: boolean;
}

const listMax = 1000;
const nestingMax = 10;

/** Words that stand for a value, where another name would be a column. */
const valueWords = /^(NULL|TRUE|FALSE|CURRENT_\w+|ANY|SOME|ALL|_\w+|NOW|DATE|TIMESTAMP|INTERVAL)$/;

const timeWords = /^(NOW|CURRENT_TIMESTAMP|CURRENT_DATE|INTERVAL|LOCALTIMESTAMP|UNIX_TIMESTAMP|SYSDATE)$/;

const clauseEnds = new Set([
  "GROUP", "HAVING", "ORDER", "LIMIT", "OFFSET", "FETCH", "FOR", "UNION", "INTERSECT", "EXCEPT", "WINDOW", "RETURNING",
  "PROCEDURE", "INTO", "ON",
]);

/** Whether a word ends the clause before it. */
export function endsClause(word: string): boolean {
  return clauseEnds.has(word);
}

export class StatementConditions {
  readonly comparisons: Comparison[] = [];
  residual = false;
  /** Time comes into them: now(), an interval. */
  comparesTime = false;
  /** What a literal holds, and not only where it stands, has told what a condition is. */
  dependsOnLiterals = false;
  readonly #tokens: StatementTokens;
  readonly #needs: Set<string>;

  /** `main`: where the statement's own verb stands. */
  constructor(tokens: StatementTokens, main: number, needs: Set<string>) {
    this.#tokens = tokens;
    this.#needs = needs;
    const where = tokens.find(main, "WHERE");
    if (where < 0) return;
    let end = where + 1;
    for (let depth = 0; end < tokens.count; end++) {
      if (tokens.isMark(end, "(")) depth++;
      else if (tokens.isMark(end, ")") && depth-- === 0) break;
      else if (depth === 0 && endsClause(tokens.words[end])) break;
    }
    this.#conjuncts(where + 1, end, 0);
  }

  #conjuncts(from: number, to: number, nesting: number): void {
    const tokens = this.#tokens;
    let start = from;
    let depth = 0;
    let between = false;
    for (let at = from; at <= to; at++) {
      if (tokens.isMark(at, "(")) depth++;
      else if (tokens.isMark(at, ")")) depth--;
      const word = depth === 0 ? tokens.words[at] : "";
      if (word === "OR" || word === "XOR") {
        this.residual = true;
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
    const tokens = this.#tokens;
    if (to <= from) return;
    const nested = tokens.isMark(from, "(") && tokens.isMark(to - 1, ")") && tokens.words[from + 1] !== "SELECT";
    if (nested && nesting < nestingMax && tokens.closing(from) === to - 1) {
      return this.#conjuncts(from + 1, to - 1, nesting + 1);
    }
    let at = from;
    while (tokens.isName(at) && tokens.isMark(at + 1, ".") && tokens.isName(at + 2)) at += 2;
    const first = tokens.words[at];
    if (!tokens.isName(at) || first === "NOT" || first === "EXISTS" || tokens.isMark(at + 1, "(")) {
      this.residual = true;
      return;
    }
    let next = at + 1;
    // A cast of the column.
    if (tokens.isMark(next, "::")) next += 2;
    const negated = tokens.words[next] === "NOT";
    if (negated) next++;
    const operator = this.#operatorOf(next, negated);
    const name = tokens.kinds[next + 1] === "name";
    const right = name || (tokens.kinds[next + 1] === "word" && !tokens.isMark(next + 2, "("));
    if (operator === "=" && right && !valueWords.test(tokens.words[next + 1])) {
      this.residual = true;
      return;
    }
    this.#compare(at, next, to, operator);
  }

  #compare(column: number, from: number, to: number, operator: Comparison["operator"]): void {
    const tokens = this.#tokens;
    const places: number[] = [];
    for (let at = from; at < to && places.length < listMax; at++) if (tokens.isValue(at)) places.push(at);
    const any = operator === "=" && /^(ANY|SOME)$/.test(tokens.words[from + 1] ?? "");
    this.comparisons.push({
      column: tokens.name(column), operator: any ? "in" : operator,
      values: places.map((at) => tokens.value(at)), slots: places.map((at) => tokens.slots[at]),
      ...(operator === "range" && tokens.words[from] === "BETWEEN" ? { between: true } : {}),
    });
    for (let at = from; at < to; at++) if (timeWords.test(tokens.words[at])) this.comparesTime = true;
  }

  #operatorOf(at: number, negated: boolean): Comparison["operator"] {
    const tokens = this.#tokens;
    const word = tokens.words[at];
    if (negated) return "other";
    if (word === "IN") return "in";
    if (word === "BETWEEN") return "range";
    if (word === "LIKE" || word === "ILIKE" || word === "RLIKE" || word === "REGEXP") {
      this.#needs.add("pattern_match");
      this.dependsOnLiterals = true;
      const text = tokens.texts[at + 1] ?? "";
      return word === "LIKE" && tokens.kinds[at + 1] === "string" && !/^[%_]/.test(text) ? "prefix" : "other";
    }
    switch (tokens.texts[at]) {
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
}

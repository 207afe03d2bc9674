/**
 * Constraints between knobs: one comparison of two sums, as `lsm.memtable_bytes <= lsm.memory_bytes / 2`.
 *
 * Grammar:
 *   constraint = sum ( "<=" | "<" | ">=" | ">" | "=" ) sum
 *   sum        = product ( ( "+" | "-" ) product )*
 *   product    = factor ( ( "*" | "/" ) factor )*
 *   factor     = number | knob name | "(" sum ")"
 *
 * Invariants: parsing never recurses deeper than `depthMax`; evaluation reads knobs and has no effect.
 */
import { LatheError } from "./errors.ts";

const depthMax = 16;
const textLengthMax = 500;

type Operator = "+" | "-" | "*" | "/";
export type ComparisonSign = "<=" | "<" | ">=" | ">" | "=";

type Expression =
  | { readonly kind: "number"; readonly value: number }
  | { readonly kind: "knob"; readonly name: string }
  | { readonly kind: "operation"; readonly sign: Operator; readonly left: Expression; readonly right: Expression };

export interface Constraint {
  readonly text: string;
  readonly sign: ComparisonSign;
  readonly left: Expression;
  readonly right: Expression;
  /** Names of the knobs that it mentions, each once. */
  readonly knobs: readonly string[];
}

/** Errors: INVALID_ARGUMENT with the place where the text stops making sense. */
export function parseConstraint(text: string): Constraint {
  if (text.length > textLengthMax) {
    throw new LatheError(
      "LIMIT_EXCEEDED",
      `a constraint of ${text.length} characters is longer than ${textLengthMax}`,
    );
  }
  const parser = new Parser(text);
  const left = parser.sum(0);
  const sign = parser.comparison();
  const right = parser.sum(0);
  parser.end();
  return { text, sign, left, right, knobs: [...new Set([...namesIn(left), ...namesIn(right)])] };
}

/**
 * Whether the constraint holds. Undefined where a knob that it mentions is not there or is not a
 * number.
 */
export function holds(
  constraint: Constraint,
  values: Readonly<Record<string, number | string | boolean>>,
): boolean | undefined {
  const left = evaluate(constraint.left, values);
  const right = evaluate(constraint.right, values);
  if (left === undefined || right === undefined) return undefined;
  switch (constraint.sign) {
    case "<=":
      return left <= right;
    case "<":
      return left < right;
    case ">=":
      return left >= right;
    case ">":
      return left > right;
    case "=":
      return left === right;
  }
}

function evaluate(
  expression: Expression,
  values: Readonly<Record<string, number | string | boolean>>,
): number | undefined {
  if (expression.kind === "number") return expression.value;
  if (expression.kind === "knob") {
    const value = Object.hasOwn(values, expression.name) ? values[expression.name] : undefined;
    return typeof value === "number" ? value : undefined;
  }
  const left = evaluate(expression.left, values);
  const right = evaluate(expression.right, values);
  if (left === undefined || right === undefined) return undefined;
  if (expression.sign === "+") return left + right;
  if (expression.sign === "-") return left - right;
  return expression.sign === "*" ? left * right : left / right;
}

function namesIn(expression: Expression): string[] {
  if (expression.kind === "knob") return [expression.name];
  if (expression.kind === "number") return [];
  return [...namesIn(expression.left), ...namesIn(expression.right)];
}

class Parser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  sum(depth: number): Expression {
    let left = this.#product(depth);
    for (;;) {
      const sign = this.#take(/[+-]/y);
      if (sign === undefined) return left;
      left = { kind: "operation", sign: sign as Operator, left, right: this.#product(depth) };
    }
  }

  comparison(): ComparisonSign {
    const sign = this.#take(/<=|>=|<|>|=/y);
    if (sign === undefined) throw this.#error("one of <= < >= > =");
    return sign as ComparisonSign;
  }

  end(): void {
    this.#take(/$/y);
    if (this.#at < this.#text.length) throw this.#error("the end");
  }

  #product(depth: number): Expression {
    let left = this.#factor(depth);
    for (;;) {
      const sign = this.#take(/[*/]/y);
      if (sign === undefined) return left;
      left = { kind: "operation", sign: sign as Operator, left, right: this.#factor(depth) };
    }
  }

  #factor(depth: number): Expression {
    if (depth > depthMax) throw this.#error(`at most ${depthMax} nested parentheses`);
    const number = this.#take(/\d+(?:\.\d+)?/y);
    if (number !== undefined) return { kind: "number", value: Number(number) };
    const name = this.#take(/[a-z][a-z0-9_]*(?:\.[a-z0-9_]+)*/y);
    if (name !== undefined) return { kind: "knob", name };
    if (this.#take(/\(/y) === undefined) throw this.#error("a number, a knob's name or (");
    const inner = this.sum(depth + 1);
    if (this.#take(/\)/y) === undefined) throw this.#error(")");
    return inner;
  }

  #take(pattern: RegExp): string | undefined {
    while (this.#text[this.#at] === " ") this.#at++;
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  #error(expected: string): LatheError {
    const message = `constraint "${this.#text}": expected ${expected} at column ${this.#at + 1}`;
    return new LatheError("INVALID_ARGUMENT", message, { details: { column: this.#at + 1 } });
  }
}

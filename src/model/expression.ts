/**
 * Conditions over features: `a & (b | !c) => d <=> e`, as UVL writes them.
 *
 * Precedence from strongest: `!`, `&`, `|`, `=>` (to the right), `<=>`. Names are bare words, which may hold `/`, or
 * stand in double quotes. Nesting is limited: input may be hostile.
 * Source: the UVL grammar (Universal Variability Language, UVLParser.g4).
 */
import { LatheError } from "../kit/errors.ts";

export type Expression =
  | { readonly kind: "feature"; readonly path: string }
  | { readonly kind: "constant"; readonly value: boolean }
  | { readonly kind: "not"; readonly of: Expression }
  | { readonly kind: "and" | "or" | "implies" | "iff"; readonly left: Expression; readonly right: Expression };

const depthMax = 500;

const operators = [
  { sign: "<=>", kind: "iff" }, { sign: "=>", kind: "implies" }, { sign: "|", kind: "or" }, { sign: "&", kind: "and" },
] as const;

interface Token {
  readonly text: string;
  readonly name: boolean;
  /** From 0. */
  readonly column: number;
}

/** Errors: INVALID_ARGUMENT with `details.column` (from 1). */
export function parseExpression(text: string): Expression {
  const tokens = tokenize(text);
  let at = 0;
  let depth = 0;
  const fail = (message: string): never => {
    const column = (tokens[at]?.column ?? text.length) + 1;
    throw new LatheError("INVALID_ARGUMENT", `${message} at column ${column} of ${JSON.stringify(text)}`, {
      details: { column },
    });
  };
  const binary = (level: number): Expression => {
    if (level === operators.length) return unary();
    const { sign, kind } = operators[level];
    let left = binary(level + 1);
    while (tokens[at]?.text === sign && !tokens[at].name) {
      at++;
      if (kind === "implies") return { kind, left, right: binary(level) };
      left = { kind, left, right: binary(level + 1) };
    }
    return left;
  };
  const unary = (): Expression => {
    if (++depth > depthMax) fail(`the condition nests deeper than ${depthMax}`);
    const token = tokens[at];
    if (token === undefined) return fail("a feature is missing");
    at++;
    let found: Expression;
    if (token.name) found = nameOf(token);
    else if (token.text === "!") found = { kind: "not", of: unary() };
    else if (token.text === "(") {
      found = binary(0);
      if (tokens[at]?.text !== ")" || tokens[at].name) fail("a closing parenthesis is missing");
      at++;
    } else {
      at--;
      return fail(`unexpected ${JSON.stringify(token.text)}`);
    }
    depth--;
    return found;
  };
  const whole = binary(0);
  if (at < tokens.length) fail(`unexpected ${JSON.stringify(tokens[at].text)}`);
  return whole;
}

function nameOf({ text }: Token): Expression {
  if (text === "true" || text === "false") return { kind: "constant", value: text === "true" };
  return { kind: "feature", path: text };
}

function tokenize(text: string): Token[] {
  const pattern = /\s+|(<=>|=>|[!&|()])|"([^"\n]+)"|([^\s!&|()<>="]+)/gy;
  const tokens: Token[] = [];
  for (let column = 0; column < text.length; column = pattern.lastIndex) {
    pattern.lastIndex = column;
    const match = pattern.exec(text);
    if (match === null) {
      const message = `unexpected ${JSON.stringify(text[column])} at column ${column + 1} of ${JSON.stringify(text)}`;
      throw new LatheError("INVALID_ARGUMENT", message, { details: { column: column + 1 } });
    }
    if (match[1] !== undefined) tokens.push({ text: match[1], name: false, column });
    const name = match[2] ?? match[3];
    if (name !== undefined) tokens.push({ text: name, name: true, column });
  }
  return tokens;
}

/** Every feature that the condition names, each once, in order of appearance. */
export function featuresOf(expression: Expression): string[] {
  const found = new Set<string>();
  const visit = (one: Expression): void => {
    if (one.kind === "feature") found.add(one.path);
    else if (one.kind === "not") visit(one.of);
    else if (one.kind !== "constant") {
      visit(one.left);
      visit(one.right);
    }
  };
  visit(expression);
  return [...found];
}

export function evaluate(expression: Expression, selected: (path: string) => boolean): boolean {
  switch (expression.kind) {
    case "feature": return selected(expression.path);
    case "constant": return expression.value;
    case "not": return !evaluate(expression.of, selected);
    case "and": return evaluate(expression.left, selected) && evaluate(expression.right, selected);
    case "or": return evaluate(expression.left, selected) || evaluate(expression.right, selected);
    case "implies": return !evaluate(expression.left, selected) || evaluate(expression.right, selected);
    case "iff": return evaluate(expression.left, selected) === evaluate(expression.right, selected);
  }
}

/** The shortest text that parses to the same condition; `quote` writes a name. */
export function formatExpression(expression: Expression, quote: (path: string) => string = (path) => path): string {
  const write = (one: Expression, level: number): string => {
    if (one.kind === "feature") return quote(one.path);
    if (one.kind === "constant") return String(one.value);
    if (one.kind === "not") return `!${write(one.of, operators.length)}`;
    const own = operators.findIndex(({ kind }) => kind === one.kind);
    const { sign } = operators[own];
    const rightGroups = one.kind === "implies";
    const left = write(one.left, rightGroups ? own + 1 : own);
    const text = `${left} ${sign} ${write(one.right, rightGroups ? own : own + 1)}`;
    return own < level ? `(${text})` : text;
  };
  return write(expression, 0);
}

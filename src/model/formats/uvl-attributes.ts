/** Attributes of UVL: `{key value, key 'text', key [..], key {..}}`. */
import type { AttributeValue } from "../feature.ts";
import { escapeText, unescapeText, uvlError, type UvlToken } from "./uvl-tokens.ts";

const depthMax = 50;

/** Walks over the tokens of one line. */
export class TokenWalk {
  readonly file: string;
  readonly #tokens: readonly UvlToken[];
  readonly #line: number;
  #at = 0;

  constructor(file: string, tokens: readonly UvlToken[], line: number) {
    this.file = file;
    this.#tokens = tokens;
    this.#line = line;
  }

  get rest(): readonly UvlToken[] {
    return this.#tokens.slice(this.#at);
  }

  peek(): UvlToken | undefined {
    return this.#tokens[this.#at];
  }

  isSign(text: string): boolean {
    const token = this.peek();
    return token?.kind === "sign" && token.text === text;
  }

  take(what: string): UvlToken {
    const token = this.peek();
    if (token === undefined) throw this.error(`${what} is missing`);
    this.#at++;
    return token;
  }

  sign(text: string): void {
    if (!this.isSign(text)) throw this.error(`expected ${text}`);
    this.#at++;
  }

  done(): void {
    const token = this.peek();
    if (token !== undefined) throw this.error(`unexpected ${token.text}`);
  }

  error(message: string): Error {
    const token = this.peek() ?? this.#tokens.at(-1);
    return uvlError(this.file, token?.line ?? this.#line, token?.column ?? 1, message);
  }
}

/** What stands between braces; nothing where there are none. */
export function readAttributes(walk: TokenWalk, depth = 0): Record<string, AttributeValue> {
  const found: Record<string, AttributeValue> = {};
  if (!walk.isSign("{")) return found;
  if (depth > depthMax) throw walk.error(`attributes nest deeper than ${depthMax}`);
  walk.sign("{");
  while (!walk.isSign("}")) {
    const key = walk.take("an attribute");
    if (key.kind !== "name" && key.kind !== "quoted") throw walk.error(`${key.text} is not the name of an attribute`);
    if (key.kind === "name" && (key.text === "constraint" || key.text === "constraints")) {
      throw walk.error("constraints inside attributes are not supported; move them to the section constraints");
    }
    Object.defineProperty(found, key.text, { value: valueOf(walk, depth), enumerable: true, configurable: true });
    if (!walk.isSign("}")) walk.sign(",");
  }
  walk.sign("}");
  return found;
}

function valueOf(walk: TokenWalk, depth: number): AttributeValue {
  const token = walk.peek();
  // A key by itself is set.
  if (token === undefined || walk.isSign(",") || walk.isSign("}")) return true;
  if (walk.isSign("{")) return readAttributes(walk, depth + 1);
  if (walk.isSign("[")) return listOf(walk, depth + 1);
  walk.take("a value");
  if (token.kind === "number") return Number(token.text);
  if (token.kind === "string") return unescapeText(token.text);
  if (token.text === "true" || token.text === "false") return token.text === "true";
  throw walk.error(`${token.text} is not a value`);
}

function listOf(walk: TokenWalk, depth: number): AttributeValue[] {
  if (depth > depthMax) throw walk.error(`attributes nest deeper than ${depthMax}`);
  const found: AttributeValue[] = [];
  walk.sign("[");
  while (!walk.isSign("]")) {
    found.push(valueOf(walk, depth));
    if (!walk.isSign("]")) walk.sign(",");
  }
  walk.sign("]");
  return found;
}

export function writeAttributes(attributes: Readonly<Record<string, AttributeValue>>): string {
  const entries = Object.entries(attributes).map(([key, value]) => `${keyText(key)} ${valueText(value)}`);
  return `{${entries.join(", ")}}`;
}

function keyText(key: string): string {
  return /^[A-Za-z]\w*$/.test(key) ? key : `"${key}"`;
}

function valueText(value: AttributeValue): string {
  if (typeof value === "string") return `'${escapeText(value)}'`;
  if (Array.isArray(value)) return `[${value.map(valueText).join(", ")}]`;
  if (typeof value === "object") return writeAttributes(value as Readonly<Record<string, AttributeValue>>);
  return String(value);
}

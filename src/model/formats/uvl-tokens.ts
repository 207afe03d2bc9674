/**
 * Logical lines and tokens of UVL text.
 *
 * Steps:
 *   1. drop `//` comments outside quotes; a line with an open bracket goes on on the next one;
 *   2. measure the indentation, a tab up to the next multiple of 8;
 *   3. cut a line into names, strings, numbers and signs, each with line and column for messages.
 * Source: UVLLexer.g4 of the Universal Variability Language.
 */
import { LatheError } from "../../kit/errors.ts";

export interface UvlToken {
  readonly kind: "name" | "quoted" | "string" | "number" | "sign";
  readonly text: string;
  readonly line: number;
  readonly column: number;
}

export interface UvlLine {
  readonly indent: number;
  readonly tokens: readonly UvlToken[];
  readonly line: number;
}

const patterns = [
  /\s+|\/\/.*$/,
  /"([^"\n]+)"/,
  /'([^'\n]*)'/,
  /(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\w#%?\\])/,
  /([A-Za-z][\w#%?\\./-]*)/,
  /(<=>|=>|\.\.|==|!=|<=|>=|[!&|(){}[\],<>+*/=:.-])/,
];
const tokenPattern = new RegExp(patterns.map(({ source }) => source).join("|"), "gy");

export function uvlError(file: string, line: number, column: number, message: string): LatheError {
  const details = { file, line, column };
  return new LatheError("INVALID_ARGUMENT", `${file}:${line}:${column}: ${message}`, { details });
}

export function uvlLines(text: string, file: string): UvlLine[] {
  const lines: UvlLine[] = [];
  let open = 0;
  for (const [at, raw] of text.split(/\r?\n/).entries()) {
    const tokens = tokensOf(raw, at + 1, file);
    if (tokens.length === 0) continue;
    const last = lines.at(-1);
    if (open > 0 && last !== undefined) lines[lines.length - 1] = { ...last, tokens: [...last.tokens, ...tokens] };
    else lines.push({ indent: indentOf(raw), tokens, line: at + 1 });
    for (const { kind, text: sign } of tokens) {
      if (kind !== "sign") continue;
      if ("({[".includes(sign)) open++;
      if (")}]".includes(sign)) open = Math.max(0, open - 1);
    }
  }
  return lines;
}

function tokensOf(raw: string, line: number, file: string): UvlToken[] {
  const tokens: UvlToken[] = [];
  for (let column = 0; column < raw.length; column = tokenPattern.lastIndex) {
    tokenPattern.lastIndex = column;
    const match = tokenPattern.exec(raw);
    if (match === null) throw uvlError(file, line, column + 1, `unexpected ${JSON.stringify(raw[column])}`);
    const kinds = ["quoted", "string", "number", "name", "sign"] as const;
    kinds.forEach((kind, group) => {
      const found = match[group + 1];
      if (found !== undefined) tokens.push({ kind, text: found, line, column: column + 1 });
    });
  }
  return tokens;
}

function indentOf(raw: string): number {
  let indent = 0;
  for (const letter of raw) {
    if (letter === "\t") indent += 8 - (indent % 8);
    else if (letter === " ") indent++;
    else break;
  }
  return indent;
}

/** Letters that strings of UVL, or of its older parsers, cannot hold. */
export function escapeText(text: string): string {
  return text.replace(/['\\.\n\r]/g, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

export function unescapeText(text: string): string {
  return text.replace(/\\u([0-9a-f]{4})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
}

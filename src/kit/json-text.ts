/**
 * JSON that people edit: a key that stands twice in one object is an error with its place, not a value that silently
 * gives way to the later one.
 *
 * Steps: parse as usual, which tells what is no JSON; then walk the text once with the keys of every open object.
 * Source: RFC 8259, section 4: names within an object should be unique, and what happens otherwise is open.
 */
import { LatheError } from "./errors.ts";

/** Errors: CORRUPTION, with the place. `advice` says what to do about a file that cannot be read. */
export function parseJsonText(text: string, file: string, advice = ""): unknown {
  const then = advice === "" ? "" : `; ${advice}`;
  let value: unknown;
  try {
    // Editors of some systems put a mark of the byte order before everything else.
    value = JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch (cause) {
    const why = (cause as Error).message.replaceAll(/\s+/g, " ");
    throw new LatheError("CORRUPTION", `${file} is not JSON: ${why}${then}`, { cause });
  }
  const twice = duplicateKey(text);
  if (twice === undefined) return value;
  const { key, line, column } = twice;
  const message = `${file}:${line}:${column}: ${JSON.stringify(key)} stands twice in one object${then}`;
  throw new LatheError("CORRUPTION", message, { details: { key, line, column } });
}

interface KeyPlace {
  readonly key: string;
  readonly line: number;
  readonly column: number;
}

/** The first key that is repeated within its object. `text` must be JSON. */
export function duplicateKey(text: string): KeyPlace | undefined {
  const open: (Set<string> | undefined)[] = [];
  for (const { 0: token, index } of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\]]/g)) {
    if (token === "{") open.push(new Set());
    else if (token === "[") open.push(undefined);
    else if (token === "}" || token === "]") open.pop();
    else {
      const keys = open.at(-1);
      if (keys === undefined || !isKey(text, index + token.length)) continue;
      const key = JSON.parse(token) as string;
      if (keys.has(key)) return { key, ...placeOf(text, index) };
      keys.add(key);
    }
  }
  return undefined;
}

/** In JSON a text is a key where a colon follows it. */
function isKey(text: string, end: number): boolean {
  let at = end;
  while (/\s/.test(text[at] ?? "")) at++;
  return text[at] === ":";
}

function placeOf(text: string, index: number): { readonly line: number; readonly column: number } {
  const before = text.slice(0, index);
  return { line: before.split("\n").length, column: index - before.lastIndexOf("\n") };
}

/**
 * The fingerprint of a statement: its text without literals, lists of them folded, so that statements that do the same
 * count together.
 */
import { decodeName } from "./sql-scanner.ts";
import type { StatementTokens } from "./statement-tokens.ts";

const fingerprintMax = 2000;

export function fingerprintOf(tokens: StatementTokens): string {
  const pieces: string[] = [];
  let length = 0;
  for (let at = 0; at < tokens.kinds.length && length < fingerprintMax; at++) {
    const kind = tokens.kinds[at];
    const literal = kind === "string" || kind === "number" || kind === "parameter";
    const text = literal ? "?" : tokens.texts[at].toLowerCase();
    // A list of literals, and a list of such lists, counts once.
    const before = pieces.length;
    if (literal && pieces[before - 1] === "," && /^\?\+?$/.test(pieces[before - 2] ?? "") && inList(pieces)) {
      pieces.pop();
      pieces[before - 2] = "?+";
      continue;
    }
    if (text === ")" && pieces[before - 1]?.startsWith("?") && pieces[before - 2] === "(" && repeats(pieces)) {
      pieces.splice(before - 3);
      continue;
    }
    pieces.push(text);
    length += text.length + 1;
  }
  return decodeName(pieces.join(" "));
}

function inList(pieces: readonly string[]): boolean {
  return pieces[pieces.length - 3] === "(";
}

/** `(?+) , (?+)`: the second is about to be closed. */
function repeats(pieces: readonly string[]): boolean {
  const at = pieces.length;
  return pieces[at - 3] === "," && pieces[at - 4] === ")" && pieces[at - 5]?.startsWith("?");
}

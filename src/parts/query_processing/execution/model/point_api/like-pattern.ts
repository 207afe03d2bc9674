/**
 * LIKE with % and _, without case.
 *
 * Algorithm: walk both; at a `%` remember the place, and where they differ later, let that `%` take one more character.
 * Only the last `%` needs to be remembered, so that the time is at most text times pattern, and patterns are bounded.
 */
import { SqlError } from "../../../executor.ts";

const patternCharactersMax = 256;

export function like(text: string, pattern: string | undefined): boolean {
  if (pattern === undefined) return true;
  if (pattern.length > patternCharactersMax) {
    throw new SqlError("limit_exceeded", `a pattern has more than ${patternCharactersMax} characters`);
  }
  const wanted = parsePattern(pattern.toLowerCase());
  const given = text.toLowerCase();
  let at = 0;
  let place = 0;
  let anyPlace = -1;
  let anyAt = 0;
  while (at < given.length) {
    const one = wanted[place];
    if (one === anyText) {
      anyPlace = place++;
      anyAt = at;
    } else if (one === anyCharacter || one === given[at]) {
      at++;
      place++;
    } else if (anyPlace >= 0) {
      at = ++anyAt;
      place = anyPlace + 1;
    } else {
      return false;
    }
  }
  while (wanted[place] === anyText) place++;
  return place === wanted.length;
}

const anyText = Symbol("any text");
const anyCharacter = Symbol("any character");

function parsePattern(pattern: string): readonly (string | symbol)[] {
  const parts: (string | symbol)[] = [];
  for (let at = 0; at < pattern.length; at++) {
    if (pattern[at] === "\\" && at + 1 < pattern.length) parts.push(pattern[++at]);
    else if (pattern[at] === "%") parts.push(anyText);
    else parts.push(pattern[at] === "_" ? anyCharacter : pattern[at]);
  }
  return parts;
}

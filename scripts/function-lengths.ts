/**
 * Lengths of functions, read from indentation: a line that opens a named function or method, up to the
 * line that closes its block at the same indentation. Good enough for a ratchet, and free of a compiler
 * API.
 */
export interface FunctionLength {
  readonly name: string;
  readonly line: number;
  readonly lines: number;
}

// One alternative per form: functions, methods, arrows.
const name = String.raw`([A-Za-z_$][\w$]*)`;
const modifiers = String.raw`(?:(?:private|public|static|override|async|get|set)\s+)*\*?`;
const functionForm = String.raw`(?:async\s+)?function\*?\s+${name}`;
const methodForm = String.raw`${modifiers}(#?[A-Za-z_$][\w$]*)\s*(?:<[^>]*>)?\([^;]*\)\s*(?::[^={]+)?\{\s*$`;
const arrowForm = String.raw`const\s+${name}\s*=\s*(?:async\s*)?\([^;]*=>\s*\{\s*$`;
const opening = new RegExp(
  String.raw`^(\s*)(?:export\s+)?(?:default\s+)?(?:${functionForm}|${methodForm}|${arrowForm})`,
);
const keywords = new Set(["if", "for", "while", "switch", "catch", "return", "with", "function", "constructor"]);

export function functionLengths(text: string): FunctionLength[] {
  const lines = text.split("\n");
  const found: FunctionLength[] = [];
  lines.forEach((line, index) => {
    const match = opening.exec(line);
    const name = match?.[2] ?? match?.[3] ?? match?.[4];
    if (match === null || name === undefined || (keywords.has(name) && name !== "constructor")) return;
    const indent = match[1];
    let end = index;
    while (end < lines.length && !(lines[end].startsWith(`${indent}}`) && !lines[end].startsWith(`${indent}} `))) end++;
    if (end < lines.length && end > index) found.push({ name, line: index + 1, lines: end - index + 1 });
  });
  return found;
}

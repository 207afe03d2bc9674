/**
 * Which modules a TypeScript file mentions: static imports and exports, `import("…")`, and
 * `new URL("….ts", import.meta.url)`, which is how a part names the module of a background job.
 *
 * Works on text, because products are cut from source that keeps one style: a statement of a module begins at the first
 * column. Comments are skipped by line. Every built product is type-checked and started by tests, which would notice a
 * miss.
 */
export interface Mention {
  /** Where the text between the quotes begins and ends. */
  readonly start: number;
  readonly end: number;
  readonly specifier: string;
}

const statementPattern = /^(?:import|export)\b[^"';]*?\bfrom\s*"([^"\n]+)"|^import\s*"([^"\n]+)"/gm;
const expressionPattern = /\bimport\(\s*"([^"\n]+)"\s*\)|\bnew URL\(\s*"(\.[^"\n]+\.ts)"\s*,\s*import\.meta\.url\s*\)/g;

export function scanImports(source: string): Mention[] {
  const mentions: Mention[] = [];
  for (const pattern of [statementPattern, expressionPattern]) {
    for (const match of source.matchAll(pattern)) {
      if (isInComment(source, match.index)) continue;
      const specifier = match[1] ?? match[2];
      const start = match.index + match[0].lastIndexOf(`"${specifier}"`) + 1;
      mentions.push({ start, end: start + specifier.length, specifier });
    }
  }
  return mentions.sort((one, other) => one.start - other.start);
}

/** The source with every specifier replaced by what `rewrite` gives. */
export function rewriteImports(source: string, rewrite: (specifier: string) => string): string {
  let text = "";
  let at = 0;
  for (const { start, end, specifier } of scanImports(source)) {
    text += source.slice(at, start) + rewrite(specifier);
    at = end;
  }
  return text + source.slice(at);
}

function isInComment(source: string, at: number): boolean {
  const line = source.slice(source.lastIndexOf("\n", at) + 1, at);
  return /^\s*(\*|\/\*|\/\/)/.test(line) || line.includes("// ");
}

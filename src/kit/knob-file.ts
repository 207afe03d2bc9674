/**
 * Knob files: `name: value` per line, the flat subset of YAML that a product reads without any dependency.
 *
 *   # a comment
 *   lsm.block_cache_bytes: 67108864   # another
 *
 * Strict on purpose: nesting, lists, anchors and duplicate names are errors with their line, never
 * guessed at.
 */
import { LatheError } from "./errors.ts";

const textLengthMax = 1 << 20;
const namePattern = "[a-z][a-z0-9_]*(?:\\.[a-z0-9_]+)*";
const plainPattern = "[^\\s#\"'&*[\\]{}|>!%@`,][^\\s#]*";
const linePattern = new RegExp(`^(${namePattern})\\s*:\\s+(?:"([^"\\\\]*)"|(${plainPattern}))\\s*(?:#.*)?$`);

export interface KnobLine {
  readonly name: string;
  readonly value: number | string | boolean;
  readonly line: number;
}

/**
 * Reads a knob file. `file` appears in messages. Errors: INVALID_ARGUMENT with every wrong line,
 * LIMIT_EXCEEDED.
 */
export function parseKnobFile(text: string, file: string): KnobLine[] {
  if (text.length > textLengthMax) {
    throw new LatheError(
      "LIMIT_EXCEEDED",
      `${file} is larger than ${textLengthMax} bytes; a knob file has one line per knob`,
    );
  }
  const lines: KnobLine[] = [];
  const problems: string[] = [];
  const seenAt = new Map<string, number>();
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const line = index + 1;
    const trimmed = raw.trim();
    if (trimmed === "" || trimmed.startsWith("#") || trimmed === "---") continue;
    const match = linePattern.exec(raw.trimEnd());
    if (match === null) {
      problems.push(
        `${file}:${line}: expected \`name: value\` (no indentation), found ${JSON.stringify(raw.slice(0, 60))}`,
      );
      continue;
    }
    const name = match[1];
    const before = seenAt.get(name);
    if (before !== undefined) problems.push(`${file}:${line}: ${name} is there already, in line ${before}`);
    seenAt.set(name, line);
    lines.push({ name, value: match[2] ?? parseScalar(match[3]), line });
  }
  if (problems.length > 0) {
    throw new LatheError("INVALID_ARGUMENT", problems.join("\n"), { details: { problems } });
  }
  return lines;
}

/** The assignment that a knob file makes. */
export function knobValuesOf(lines: readonly KnobLine[]): Record<string, number | string | boolean> {
  return Object.fromEntries(lines.map((line) => [line.name, line.value]));
}

/** `name=value` of a command line. Errors: INVALID_ARGUMENT. */
export function parseKnobArgument(argument: string): [name: string, value: number | string | boolean] {
  const at = argument.indexOf("=");
  if (at <= 0 || at === argument.length - 1) {
    throw new LatheError(
      "INVALID_ARGUMENT",
      `--knob ${argument}: expected name=value, as lsm.block_cache_bytes=67108864`,
    );
  }
  return [argument.slice(0, at), parseScalar(argument.slice(at + 1))];
}

export function parseScalar(text: string): number | string | boolean {
  if (text === "true") return true;
  if (text === "false") return false;
  return /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:e[+-]?\d+)?$/i.test(text) ? Number(text) : text;
}

export function formatScalar(value: number | string | boolean): string {
  if (typeof value !== "string") return String(value);
  return typeof parseScalar(value) === "string" && /^[A-Za-z0-9_./-]+$/.test(value) ? value : `"${value}"`;
}

/**
 * Reads a YAML file against a zod schema and says everything that is wrong with it at once, each with its place.
 *
 * Used for knobs, contracts and part descriptors, hence its home in the first room of the chain.
 * Steps:
 *   1. parse with positions; integers outside ±2^53 stay bigint: 64-bit values are exact or refused, never rounded;
 *   2. validate; every issue becomes a `Problem`: file, line, column, what was expected, what was found, a suggestion.
 * Invariants: never throws for what a person wrote; a file of more than `textLengthMax` characters is not parsed.
 */
import { LineCounter, type Document, isMap, isScalar, parseDocument } from "yaml";
import { z } from "zod";
import { suggestion } from "../kit/suggestion.ts";

const textLengthMax = 1 << 20;

export type Path = readonly (string | number)[];

export interface Place {
  readonly line: number;
  readonly column: number;
}

export interface Problem extends Place {
  readonly file: string;
  /** Where in the data, as `data.tables[0].primary_key`; empty for the whole file. */
  readonly path: string;
  /** What was expected, what was found, and a suggestion, as one clause. */
  readonly message: string;
}

export type YamlResult<T> =
  | { readonly ok: true; readonly value: T; readonly placeOf: (path: Path) => Place; readonly document: Document }
  | { readonly ok: false; readonly problems: readonly Problem[] };

export function readYaml<T>(text: string, file: string, schema: z.ZodType<T>): YamlResult<T> {
  if (text.length > textLengthMax) {
    const message = `expected at most ${textLengthMax} characters, found ${text.length}`;
    return { ok: false, problems: [{ file, line: 1, column: 1, path: "", message }] };
  }
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, intAsBigInt: true, prettyErrors: false });
  if (document.errors.length > 0) {
    const problems = document.errors.map((error) => ({
      file,
      ...placeAt(lineCounter, error.pos[0]),
      path: "",
      message: error.code === "DUPLICATE_KEY"
        ? `${keyAt(text, error.pos[0])} stands twice in one mapping`
        : `not valid YAML: ${error.message}`,
    }));
    return { ok: false, problems };
  }
  const placeOf = (path: Path) => placeOfPath(document, lineCounter, path, "value");
  const data = dataOf(document);
  if (data instanceof Error) {
    return {
      ok: false,
      problems: [{ file, line: 1, column: 1, path: "", message: `not valid YAML: ${data.message}` }],
    };
  }
  const parsed = schema.safeParse(data);
  if (parsed.success) return { ok: true, value: parsed.data, placeOf, document };
  const shape = inputShape(schema);
  const problems = parsed.error.issues.flatMap((issue) =>
    problemsOfIssue(issue, data, shape).map(({ path, message, at }) => ({
      file,
      ...placeOfPath(document, lineCounter, path, at),
      path: formatPath(path),
      message,
    })),
  );
  return { ok: false, problems: sortProblems(problems) };
}

/** The key that begins there, as it is written. */
function keyAt(text: string, offset: number): string {
  return /^("[^"\n]*"|'[^'\n]*'|[^:\n{}[\],]+)/.exec(text.slice(offset, offset + 80))?.[0].trim() ?? "a key";
}

export function formatProblem(problem: Problem): string {
  const subject = problem.path === "" ? "" : `${problem.path}: `;
  return `${problem.file}:${problem.line}:${problem.column}: ${subject}${problem.message}`;
}

export function sortProblems<P extends Place>(problems: readonly P[]): P[] {
  return problems.toSorted((one, other) => one.line - other.line || one.column - other.column);
}

export function formatPath(path: Path): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === "number") return `${text}[${step}]`;
    return text === "" ? step : `${text}.${step}`;
  }, "");
}

/** JSON Schema of what a file may hold, for editors. */
export function jsonSchemaOf(schema: z.ZodType): Record<string, unknown> {
  return z.toJSONSchema(schema, {
    io: "input",
    unrepresentable: "any",
    override: ({ zodSchema, jsonSchema }) => {
      if (zodSchema._zod.def.type === "bigint") jsonSchema.type = "integer";
      // Bounds of a double's exact integers are an artefact here, not a rule of the contract.
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
    },
  }) as Record<string, unknown>;
}

/** Plain data, or the error where aliases do not resolve or would multiply the file (a "billion laughs"). */
function dataOf(document: Document): unknown {
  try {
    return narrowIntegers(document.toJS({ maxAliasCount: 20 }));
  } catch (error) {
    if (error instanceof RangeError) return new Error("it is nested too deeply, or an alias stands for what it is in");
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** Integers that a double holds exactly become numbers; the others stay bigint. */
function narrowIntegers(value: unknown): unknown {
  if (typeof value === "bigint") {
    return value >= BigInt(
      Number.MIN_SAFE_INTEGER,
    ) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
  }
  if (Array.isArray(value)) return value.map(narrowIntegers);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, narrowIntegers(inner)]));
}

interface FoundProblem {
  readonly path: Path;
  readonly message: string;
  /** Whether the problem is with the key or with its value. */
  readonly at: "key" | "value";
}

function problemsOfIssue(issue: z.core.$ZodIssue, data: unknown, shape: JsonShape): FoundProblem[] {
  const path = issue.path as Path;
  if (issue.code === "unrecognized_keys") {
    const known = knownKeys(shape, path);
    return issue.keys.map((key) => ({
      path: [...path, key],
      message: `unknown key${suggestion(key, known) || `; expected ${listOf(known)}`}`,
      at: "key",
    }));
  }
  const value = valueAt(data, path);
  if (issue.code === "custom") {
    const found = issue.message.startsWith("expected") ? `, found ${describeValue(value)}` : "";
    return [{ path, message: issue.message + found, at: "value" }];
  }
  const tooLarge = typeof value === "bigint" && issue.code === "invalid_type";
  const expected = tooLarge ? `a whole number of at most ${Number.MAX_SAFE_INTEGER}` : expectation(issue);
  if (value === undefined) return [{ path, message: `missing; expected ${expected}`, at: "value" }];
  const words = issue.code === "invalid_value" ? issue.values.map(String) : [];
  const hint = typeof value === "string" ? suggestion(value, words) : "";
  return [{ path, message: `expected ${expected}, found ${describeValue(value)}${hint}`, at: "value" }];
}

const typeWords: Readonly<Record<string, string>> = {
  object: "a mapping", record: "a mapping", array: "a list", string: "a text", number: "a number",
  int: "a whole number", boolean: "true or false", bigint: "a whole number",
};

function expectation(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "invalid_type":
      return typeWords[issue.expected] ?? issue.expected;
    case "invalid_value":
      return listOf(issue.values.map(String));
    case "too_small":
      return `${issue.inclusive === false ? "more than" : "at least"} ${bound(issue.minimum, issue.origin)}`;
    case "too_big":
      return `${issue.inclusive === false ? "less than" : "at most"} ${bound(issue.maximum, issue.origin)}`;
    default:
      return issue.message;
  }
}

function bound(limit: number | bigint, origin: string): string {
  if (origin === "array") return `${limit} ${Number(limit) === 1 ? "entry" : "entries"}`;
  if (origin === "string") return `${limit} ${Number(limit) === 1 ? "character" : "characters"}`;
  return String(limit);
}

function describeValue(value: unknown): string {
  if (value === null) return "nothing";
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : `a list of ${value.length}`;
  if (typeof value === "object") return "a mapping";
  if (typeof value !== "string") return String(value);
  return JSON.stringify(value.length > 60 ? `${value.slice(0, 57)}...` : value);
}

function listOf(words: readonly string[]): string {
  if (words.length <= 1) return words[0] ?? "nothing";
  return `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}

function valueAt(data: unknown, path: Path): unknown {
  return path.reduce<unknown>((inner, step) => (inner as Record<string | number, unknown> | undefined)?.[step], data);
}

interface JsonShape {
  readonly properties?: Readonly<Record<string, JsonShape>>;
  readonly items?: JsonShape;
  readonly anyOf?: readonly JsonShape[];
}

function inputShape(schema: z.ZodType): JsonShape {
  return jsonSchemaOf(schema) as JsonShape;
}

function knownKeys(shape: JsonShape, path: Path): string[] {
  let current: JsonShape | undefined = shape;
  for (const step of path) {
    const alternatives: readonly JsonShape[] = current?.anyOf ?? (current === undefined ? [] : [current]);
    const next = alternatives.map((one) => (typeof step === "number" ? one.items : one.properties?.[step]));
    current = next.find((one) => one !== undefined);
  }
  const alternatives = current?.anyOf ?? (current === undefined ? [] : [current]);
  return alternatives.flatMap((one) => Object.keys(one.properties ?? {}));
}

/** The place of a value or key; for what is missing, the place of the nearest mapping or list around it. */
function placeOfPath(document: Document, lineCounter: LineCounter, path: Path, at: "key" | "value"): Place {
  for (let length = path.length; length > 0; length--) {
    const parent = length === 1 ? document.contents : document.getIn(path.slice(0, length - 1), true);
    const step = path[length - 1];
    if (isMap(parent)) {
      const pair = parent.items.find((item) => isScalar(item.key) && String(item.key.value) === String(step));
      const missing = length < path.length;
      const key = pair?.key as { range?: [number, number, number] } | undefined;
      const value = pair?.value as { range?: [number, number, number] } | null | undefined;
      const range = at === "key" || missing ? key?.range : (value?.range ?? key?.range);
      if (range !== undefined) return placeAt(lineCounter, range[0]);
    } else {
      const node = document.getIn(path.slice(0, length), true) as { range?: [number, number, number] } | undefined;
      if (node?.range !== undefined) return placeAt(lineCounter, node.range[0]);
    }
  }
  return { line: 1, column: 1 };
}

function placeAt(lineCounter: LineCounter, offset: number): Place {
  const { line, col } = lineCounter.linePos(offset);
  return { line: Math.max(1, line), column: Math.max(1, col) };
}

/**
 * Reads free text by the rules of `catalog/text-rules.yaml`.
 *
 *   1. Every phrase becomes a pattern over words; numbers with their units are read where it says {count}, {bytes},
 *      {duration} or {share}.
 *   2. Of phrases that overlap the longest counts.
 *   3. A phrase with a negation up to three words before it, in the same clause, gives what the rule says under
 *      `not`, or nothing, which is told.
 *   4. Words that no phrase covers, and that are no filler, are listed as not understood.
 * Limit: 64 KiB of text; patterns have no nested repetition, so that the time is linear in text and rules.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { LatheError } from "../../kit/errors.ts";
import { formatProblem, readYaml } from "../../knobs/yaml-document.ts";
import { factNames, type TextFact, type TextReader, type TextReading } from "./text-reader.ts";

const value = z.union([z.string(), z.number()]);
const facts = z.partialRecord(z.enum(factNames), value);

const ruleSchema = z.strictObject({
  phrases: z.array(z.string().min(1)).min(1),
  set: facts.optional(),
  not: facts.optional(),
  need: z.string().optional(),
  confidence: z.number().min(0).max(1),
});

const fileSchema = z.strictObject({
  negations: z.array(z.string()).min(1),
  ignored: z.array(z.string()),
  rules: z.array(ruleSchema).min(1),
});

type Rule = z.output<typeof ruleSchema>;

const file = join(import.meta.dirname, "..", "..", "..", "catalog", "text-rules.yaml");
const textBytesMax = 64 * 1024;
const negationWords = 3;

const numberWords: Readonly<Record<string, number>> = {
  one: 1, two: 2, three: 3, four: 4, five: 5, six: 6, seven: 7, eight: 8, nine: 9, ten: 10, twelve: 12, hundred: 100,
  thousand: 1000, million: 1e6, billion: 1e9,
};
const scales: Readonly<Record<string, number>> = {
  k: 1e3, m: 1e6, mio: 1e6, million: 1e6, millions: 1e6, thousand: 1e3, hundred: 100, billion: 1e9, b: 1e9, "": 1,
};
const byteUnits: Readonly<Record<string, number>> = {
  b: 1, byte: 1, bytes: 1, kb: 1e3, kib: 1024, k: 1024, mb: 1e6, mib: 2 ** 20, gb: 1e9, gib: 2 ** 30, g: 2 ** 30,
  tb: 1e12, tib: 2 ** 40,
};
const memoryMiB: Readonly<Record<string, number>> = { k: 2 ** -10, m: 1, g: 2 ** 10, t: 2 ** 20 };
/** In microseconds. */
const timeUnits: Readonly<Record<string, number>> = {
  us: 1, "µs": 1, microsecond: 1, ms: 1e3, millisecond: 1e3, s: 1e6, sec: 1e6, second: 1e6, min: 6e7, minute: 6e7,
  h: 3.6e9, hour: 3.6e9, day: 8.64e10, week: 6.048e11,
};

const digits = "(?:\\d{1,3}(?:[,_ ]\\d{3})+|\\d+)(?:\\.\\d+)?";
const words = Object.keys(numberWords).join("|");
const large = "hundred|thousand|million|billion";
const placeholders: Readonly<Record<string, string>> = {
  "{count}": `(${digits}\\s?(?:k|m|mio|millions?|${large}|b)?|(?:${words})(?:\\s(?:${large}))?)`,
  "{bytes}": `(${digits}[\\s-]?(?:${Object.keys(byteUnits).join("|")}))`,
  "{duration}": `((?:${digits}|${words}|a|an)?[\\s-]?(?:${Object.keys(timeUnits).join("|")})s?)`,
  "{share}": `(${digits}\\s?(?:%|percent))`,
};

interface Pattern {
  readonly rule: Rule;
  readonly kind: string | undefined;
  readonly expression: RegExp;
}

interface Match {
  readonly rule: Rule;
  readonly kind: string | undefined;
  readonly number: string | undefined;
  readonly start: number;
  readonly end: number;
}

export class RuleReader implements TextReader {
  readonly #patterns: readonly Pattern[];
  readonly #negations: ReadonlySet<string>;
  readonly #ignored: ReadonlySet<string>;

  /** Errors: INVALID_ARGUMENT with every problem of the rules. */
  constructor() {
    const read = readYaml(readFileSync(file, "utf8"), "text-rules.yaml", fileSchema);
    if (!read.ok) throw new LatheError("INVALID_ARGUMENT", read.problems.map(formatProblem).join("\n"));
    const { rules, negations, ignored } = read.value;
    this.#patterns = rules.flatMap((rule) => rule.phrases.map((phrase) => patternOf(rule, phrase)));
    this.#negations = new Set(negations);
    this.#ignored = new Set(ignored);
  }

  /** The needs that rules name, so that a test can hold them to the catalog. */
  get needs(): readonly string[] {
    return this.#patterns.flatMap(({ rule }) => rule.need ?? []);
  }

  /** Errors: LIMIT_EXCEEDED. */
  read(source: string): TextReading {
    if (source.length > textBytesMax) {
      throw new LatheError(
        "LIMIT_EXCEEDED", `the text has ${source.length} characters; at most ${textBytesMax} are read`
      );
    }
    const text = source.toLowerCase().replaceAll("’", "'");
    const matches = this.#matches(text);
    const found: TextFact[] = [];
    const unused: { words: string; because: string }[] = [];
    for (const match of matches) {
      const shown = source.slice(match.start, match.end).replace(/\s+/g, " ");
      const negation = this.#negationBefore(text, match, matches);
      const told = negation === undefined ? shown : `${negation} ${shown}`;
      const { rule } = match;
      const set = negation === undefined ? rule.set : rule.not;
      for (const [name, one] of Object.entries(set ?? {})) {
        found.push(
          { name, value: one === "$" ? numberFor(name, match) : one, confidence: rule.confidence, words: told }
        );
      }
      if (rule.need !== undefined && negation === undefined) {
        found.push({ name: "need", value: rule.need, confidence: rule.confidence, words: told });
      }
      if (
        negation !== undefined && Object.keys(set ?? {}).length === 0
      ) unused.push({ words: told, because: "denied: left out" });
    }
    const kept = strongest(found, unused);
    return { facts: kept, unused, notUnderstood: this.#rest(text, matches) };
  }

  /** The longest first, none over another; then in the order of the text. */
  #matches(text: string): Match[] {
    const all = this.#patterns.flatMap(({ rule, kind, expression }) =>
      [...text.matchAll(expression)].map((found): Match => ({
        rule, kind, number: kind === undefined ? undefined : found[
          1
        ], start: found.index, end: found.index + found[0].length,
      })),
    );
    all.sort((one, other) => other.end - other.start - (one.end - one.start) || one.start - other.start);
    const taken: Match[] = [];
    for (const match of all) {
      if (taken.every(({ start, end }) => match.end <= start || match.start >= end)) taken.push(match);
    }
    return taken.sort((one, other) => one.start - other.start);
  }

  #negationBefore(text: string, { start }: Match, matches: readonly Match[]): string | undefined {
    const clause = text.slice(Math.max(0, start - 60), start);
    const from = Math.max(...[".", ",", ";", ":", "\n", " but ", " and "].map((mark) => clause.lastIndexOf(mark)));
    const before = clause.slice(from + 1).match(/[\p{L}']+/gu)?.slice(-negationWords) ?? [];
    const negation = before.findLast((word) => this.#negations.has(word));
    if (negation !== undefined) return negation;
    // "no joins, triggers or views": a list goes on being denied.
    const previous = matches.findLast(({ end }) => end <= start);
    const between = previous === undefined ? "x" : text.slice(previous.end, start);
    if (previous === undefined || !/^\s*(,|or|nor|, or|,? and)\s*$/.test(between)) return undefined;
    return this.#negationBefore(text, previous, matches);
  }

  #rest(text: string, matches: readonly Match[]): string[] {
    let rest = text;
    for (const { start, end } of matches) rest = rest.slice(0, start) + " ".repeat(end - start) + rest.slice(end);
    const found = rest.match(/[\p{L}\p{N}][\p{L}\p{N}'%/.-]*/gu) ?? [];
    const left = found.map((word) => word.replace(/[.'-]+$/, ""))
      .filter((word) => !this.#ignored.has(word) && !this.#negations.has(word) && word !== "");
    return [...new Set(left)];
  }
}

function patternOf(rule: Rule, phrase: string): Pattern {
  const kind = Object.keys(placeholders).find((name) => phrase.includes(name));
  const pieces = phrase.split(" ").map((piece) => {
    if (placeholders[piece] !== undefined) return placeholders[piece];
    const escaped = piece.toLowerCase().replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
    // read/s is reads/s, too.
    return escaped.includes("/") ? escaped.replace("/", "s?\\s?/\\s?") : `${escaped.replace(/s$/, "")}s?`;
  });
  const expression = new RegExp(`(?<![\\p{L}\\p{N}])${pieces.join("[\\s-]+")}(?![\\p{L}\\p{N}])`, "gu");
  return { rule, kind, expression };
}

function strongest(found: readonly TextFact[], unused: { words: string; because: string }[]): TextFact[] {
  const best = new Map<string, TextFact>();
  for (const fact of found) {
    const key = fact.name === "need" ? `need ${fact.value}` : fact.name;
    const before = best.get(key);
    if (before === undefined || fact.confidence > before.confidence) best.set(key, fact);
    const outdone = before === undefined ? undefined : fact.confidence > before.confidence ? before : fact;
    const by = best.get(key);
    if (outdone !== undefined && by !== undefined && outdone.value !== by.value) {
      unused.push({ words: outdone.words, because: `${by.words} says ${by.name} ${by.value} with more confidence` });
    }
  }
  return [...best.values()];
}

/** The phrase's number in the unit of the fact. */
function numberFor(name: string, { kind, number = "" }: Match): number {
  const text = number.trim();
  const found = /^([\d,_ .]*\d)?[\s-]*(.*)$/.exec(text);
  const [, plain, unit = ""] = found ?? [];
  const [first = "", second = ""] = unit.split(/[\s-]+/);
  const amount = plain === undefined ? (numberWords[first] ?? 1) : Number(plain.replace(/[,_ ]/g, ""));
  const rest = plain === undefined && (numberWords[first] !== undefined || /^an?$/.test(first)) ? second : first;
  switch (kind) {
    case "{bytes}": {
      // Memory is sold in powers of two, whatever its unit is called.
      if (name === "memory_mib") return Math.max(1, Math.round(amount * (memoryMiB[rest[0]] ?? 2 ** -20)));
      return Math.round(amount * (byteUnits[rest] ?? 1));
    }
    case "{duration}": {
      const us = amount * (timeUnits[rest] ?? timeUnits[rest.replace(/s$/, "")] ?? 1);
      return name.endsWith("_us") ? Math.round(us) : Math.max(1, Math.round(us / 1000));
    }
    case "{share}":
      return amount;
    default:
      return Math.round(amount * (scales[rest] ?? 1));
  }
}

/**
 * The specification of a leaf that a part implements: `catalog/specs/<leaf>.md`, and what is wrong with one.
 *
 * Its sections stand in one order: purpose, what it relies on, what it guarantees (each line with the test that shows
 * it), before and after its operations with their errors, invariants, concurrency where it matters, limits, and what
 * was borrowed. `specificationProblems` holds it to the facts: parts, edges, tests, the closed set of error codes.
 * Source: SysSpec's rely and guarantee with cases of pre- and postconditions (FAST 2026).
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { catalogRoot } from "./load-model.ts";

export const specificationSections = [
  "Purpose", "Rely", "Guarantee", "Pre", "Post", "Invariants", "Limits", "Borrowed from",
] as const;

/** It may stand behind the invariants. */
const optionalSection = "Concurrency";

export interface Specification {
  /** The leaf that its title names. */
  readonly leaf: string;
  /** What stands between the title and the first section. */
  readonly head: string;
  /** In the order of the file. */
  readonly sections: ReadonlyMap<string, string>;
}

/** What a specification is held to. */
export interface SpecificationFacts {
  readonly leaf: string;
  /** Folders of the parts that implement it, as `src/parts/core/wal`. */
  readonly partFolders: readonly string[];
  /** Ends of the `requires` edges of it and of the groups above it that a part implements. */
  readonly requires: readonly string[];
  readonly errorCodes: ReadonlySet<string>;
  /** Those that the parts, their ports and the kit can raise. */
  readonly raised: ReadonlySet<string>;
  readonly sqlReasons: ReadonlySet<string>;
  /** The text of a file of the repository; undefined where there is none. */
  readonly textOf: (file: string) => string | undefined;
}

export function specificationFile(leaf: string): string {
  return `specs/${leaf}.md`;
}

/** Undefined where none is written. */
export function loadSpecification(leaf: string, catalog: string = catalogRoot): Specification | undefined {
  const file = join(catalog, specificationFile(leaf));
  return existsSync(file) ? parseSpecification(readFileSync(file, "utf8")) : undefined;
}

export function parseSpecification(text: string): Specification {
  const [head, ...parts] = text.split(/^## /m);
  const [title, ...rest] = head.split("\n");
  const sections = parts.map((part) => {
    const end = part.indexOf("\n");
    return end < 0 ? ([part.trim(), ""] as const) : ([part.slice(0, end).trim(), part.slice(end).trim()] as const);
  });
  return { leaf: title.replace(/^# /, "").trim(), head: rest.join("\n").trim(), sections: new Map(sections) };
}

/** What is wrong with it, a sentence each; empty where nothing is. */
export function specificationProblems(specification: Specification, facts: SpecificationFacts): string[] {
  const { leaf, head, sections } = specification;
  const problems: string[] = [];
  if (leaf !== facts.leaf) problems.push(`its title names ${leaf}`);
  const unnamed = facts.partFolders.filter((folder) => !head.includes(`\`${folder}\``));
  problems.push(...unnamed.map((folder) => `does not name ${folder}`));
  for (const name of specificationSections) {
    if ((sections.get(name) ?? "") === "") problems.push(`has no section ${name}, or an empty one`);
  }
  const order = [...sections.keys()].filter((name) => name !== optionalSection).join(", ");
  if (order !== specificationSections.join(", ")) problems.push(`its sections are ${order}`);
  const rely = sections.get("Rely") ?? "";
  const forgotten = facts.requires.filter((path) => !rely.includes(`\`${path}\``));
  problems.push(...forgotten.map((path) => `Rely does not name ${path}`));
  problems.push(...guaranteeProblems(sections.get("Guarantee") ?? "", facts), ...codeProblems(sections, facts));
  return problems;
}

/** Every guarantee is followed by the test that shows it. */
function guaranteeProblems(text: string, { textOf }: SpecificationFacts): string[] {
  const problems: string[] = [];
  for (const line of text.split(/^- /m).filter((one) => one.trim() !== "")) {
    const test = /^ {2}Test: `([^`]+)`, "(.+)"$/m.exec(line);
    if (test === null) {
      problems.push(`no test for: ${line.split("\n")[0]}`);
      continue;
    }
    const [, file, name] = test;
    const source = textOf(file);
    if (source === undefined) problems.push(`names ${file}, which is not there`);
    else if (!source.includes(name)) problems.push(`${file} has no test "${name}"`);
  }
  return problems;
}

/** Error codes stand in backticks; reasons of SQL behind `SqlError`, several in a row. */
function codeProblems(sections: Specification["sections"], facts: SpecificationFacts): string[] {
  const text = [...sections.values()].join("\n");
  const codes = new Set([...text.matchAll(/`([A-Z]+(?:_[A-Z]+)+|CORRUPTION|BACKPRESSURE|CLOSED|LOCKED|PROTOCOL)`/g)]
    .map(([, code]) => code));
  const unknown = [...codes].filter((code) => !facts.errorCodes.has(code));
  const foreign = [...codes].filter((code) => facts.errorCodes.has(code) && !facts.raised.has(code));
  const runs = [...text.matchAll(/SqlError\s+((?:`[a-z_]+`(?:,\s+|\s+or\s+)?)+)/g)].map(([, run]) => run);
  const named = runs.flatMap((run) => [...run.matchAll(/`([a-z_]+)`/g)].map(([, reason]) => reason));
  const reasons = [...new Set(named)].filter((reason) => !facts.sqlReasons.has(reason));
  return [
    ...unknown.map((code) => `names ${code}, which is no error code`),
    ...foreign.map((code) => `names ${code}, which none of its parts can raise`),
    ...reasons.map((reason) => `names ${reason}, which is no reason of a SqlError`),
  ];
}

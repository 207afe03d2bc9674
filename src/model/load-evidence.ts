/**
 * What the SpecDB paper says of single systems, phrase by phrase, and the leaves that carry each phrase: the evidence
 * for the `systems` of the feature model. One file per table of the paper's appendix, and `paper.yaml` for the rest.
 *
 * The review of the model against the paper can thus be repeated by a machine (`evidenceProblems`):
 *   1. every phrase goes to a leaf, or stands under `outside` with the reason why it is no choice of its own;
 *   2. no phrase goes to a leaf that lacks the mark of the phrase's system;
 *   3. every mark of a leaf rests on a phrase; what is known otherwise stands under `systems_general`, never in both;
 *   4. a table has as many rows as the paper prints, and no row is without a phrase.
 * Edges are held to the same marks (`edgesAgainstSystems`): a system that has a leaf and lacks what the leaf requires
 * does without it, so that either the edge claims too much or a mark is missing.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { LatheError } from "../kit/errors.ts";
import { formatProblem, type Problem, readYaml } from "../knobs/yaml-document.ts";
import { surveyedSystems } from "./feature.ts";
import type { FeatureModel } from "./feature-model.ts";
import { catalogRoot } from "./load-model.ts";

const system = z.enum(surveyedSystems);
const text = z.string().min(1).max(200);
const leaves = z.array(z.string()).min(1);

const tableSchema = z.strictObject({
  system,
  /** Its number in the paper. */
  table: z.number().int(),
  rows: z.array(
    z.strictObject({
      module: text,
      path: text.optional(),
      phrases: z.record(text, leaves),
      outside: z.record(text, text).optional(),
    }),
  ),
});

const paperSchema = z.array(z.strictObject({ system, section: text, phrase: text, leaves }));

/** Rows of the appendix's tables, as the paper prints them. */
export const appendixRows: Readonly<Record<(typeof surveyedSystems)[number], number>> = {
  postgresql: 42, mysql: 42, mariadb: 48, sqlite: 29, duckdb: 36, clickhouse: 40, tidb: 41, cockroachdb: 38,
  yugabytedb: 34,
};

/** One phrase of the paper. */
export interface Evidence {
  readonly system: (typeof surveyedSystems)[number];
  /** The file and the row: where a reader finds it. */
  readonly where: string;
  readonly phrase: string;
  readonly leaves: readonly string[];
  /** Why no leaf carries it; then `leaves` is empty. */
  readonly outside: string | undefined;
}

export interface EvidenceBook {
  readonly phrases: readonly Evidence[];
  /** Rows of the appendix that the files hold, by system. */
  readonly rows: ReadonlyMap<string, number>;
}

/** Errors: INVALID_ARGUMENT with every problem. */
export function loadEvidence(directory: string = join(catalogRoot, "evidence")): EvidenceBook {
  const problems: Problem[] = [];
  const read = <T>(file: string, schema: z.ZodType<T>): T | undefined => {
    const found = readYaml(readFileSync(join(directory, file), "utf8"), file, schema);
    if (found.ok) return found.value;
    problems.push(...found.problems);
    return undefined;
  };
  const files = readdirSync(directory).filter((file) => file.endsWith(".yaml"));
  const tables = files.sort().flatMap((file) => (file === "paper.yaml" ? [] : [read(file, tableSchema) ?? []].flat()));
  const paper = read("paper.yaml", paperSchema) ?? [];
  if (problems.length > 0) {
    throw new LatheError("INVALID_ARGUMENT", problems.map(formatProblem).join("\n"), { details: { problems } });
  }
  const ofTables = tables.flatMap((table) => table.rows.flatMap((row, at) => phrasesOf(table.system, row, at)));
  const ofPaper = paper.map(({ section, ...one }) => ({ ...one, where: `section ${section}`, outside: undefined }));
  return { phrases: [...ofTables, ...ofPaper], rows: new Map(tables.map((one) => [one.system, one.rows.length])) };
}

type Row = z.infer<typeof tableSchema>["rows"][number];

function phrasesOf(of: Evidence["system"], { module, path, phrases, outside }: Row, at: number): Evidence[] {
  const where = `row ${at + 1} of ${of} (${path === undefined ? module : `${module} / ${path}`})`;
  return [
    ...Object.entries(phrases).map(([phrase, carriers]) => {
      return { system: of, where, phrase, leaves: carriers, outside: undefined };
    }),
    ...Object.entries(outside ?? {}).map(([phrase, reason]) => {
      return { system: of, where, phrase, leaves: [], outside: reason };
    }),
  ];
}

/** What model and evidence say differently; empty where they agree. */
export function evidenceProblems(model: FeatureModel, { phrases, rows }: EvidenceBook): string[] {
  const problems: string[] = [];
  const shown = new Set<string>();
  for (const { system: of, where, phrase, leaves: carriers, outside } of phrases) {
    if (carriers.length === 0 && outside === undefined) problems.push(`${where}: "${phrase}" goes to no leaf`);
    for (const path of carriers) {
      const feature = model.find(path);
      if (feature?.kind !== "leaf") problems.push(`${where}: "${phrase}" goes to ${path}, which is no leaf`);
      else if (!feature.systems.includes(of)) {
        problems.push(`${where}: "${phrase}" goes to ${path}, which is not marked ${of}`);
      }
      shown.add(`${path} ${of}`);
    }
  }
  for (const { path, systems, systemsGeneral } of model.features.filter(({ kind }) => kind === "leaf")) {
    const bare = systems.filter((one) => !shown.has(`${path} ${one}`));
    problems.push(...bare.map((one) => `${path} is marked ${one}, but no phrase of the paper says so`));
    const both = systems.filter((one) => systemsGeneral.includes(one));
    problems.push(...both.map((one) => `${path} has ${one} both from the paper and by general knowledge`));
  }
  for (const [name, count] of Object.entries(appendixRows)) {
    const found = rows.get(name) ?? 0;
    if (found !== count) problems.push(`the table of ${name} has ${count} rows in the paper and ${found} here`);
  }
  return problems;
}

/** Requirements that a surveyed system does without, as sentences; empty where marks and edges agree. */
export function edgesAgainstSystems({ features, edges }: Pick<FeatureModel, "features" | "edges">): string[] {
  const having = (end: string, general: boolean) => {
    const below = features.filter(({ kind, path }) => kind === "leaf" && (path === end || path.startsWith(`${end}/`)));
    return new Set(below.flatMap((leaf) => (general ? [...leaf.systems, ...leaf.systemsGeneral] : leaf.systems)));
  };
  return edges.filter(({ kind }) => kind === "requires").flatMap(({ from, to }) => {
    const provided = having(to, true);
    const without = [...having(from, false)].filter((one) => !provided.has(one));
    return without.map((one) => `${from} requires ${to}, but ${one} has the one and not the other`);
  });
}

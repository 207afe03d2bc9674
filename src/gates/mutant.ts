/**
 * Mutants: planted changes of a product that the gates must reject, and benign ones that they must admit.
 *
 * They test the testers. A mutant is data (`mutants/*.yaml`): which file of a product, which text there, what
 * instead. A text that is not found exactly once is an error, so that a mutant cannot silently become a no-op
 * when the source changes.
 * A gate that rejects whatever is changed would find every fault; so each planted one has a benign twin, which changes
 * the same place and must be admitted.
 */
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { sourceRoot } from "../foundry/part-descriptor.ts";
import { LatheError } from "../kit/errors.ts";

const mutantSchema = z.strictObject({
  name: z.string().regex(/^[a-z0-9-]+$/),
  planted: z.boolean(),
  description: z.string(),
  /** An example whose product has the files, where not every product does. Undefined: every product has them. */
  contract: z.string().regex(/^[a-z0-9-]+$/).optional(),
  /** Gates of which one must be the first to reject it; a rejection for another reason may be an accident. */
  expectedGates: z.array(z.string()).default([]),
  /** Of a planted fault: the benign variant that changes the same place harmlessly. Several may share one. */
  twin: z.string().optional(),
  edits: z.array(z.strictObject({ file: z.string(), find: z.string(), replace: z.string() })).min(1),
}).refine(({ planted, expectedGates }) => planted === expectedGates.length > 0, {
  error: "expectedGates: a planted fault names the gates that find it, a benign variant none",
}).refine(({ planted, twin }) => planted === (twin !== undefined), {
  error: "twin: a planted fault names the benign variant of its place, a benign variant none",
});

/** `planted`: wrong on purpose, to be rejected. Otherwise benign, to be admitted. */
export type Mutant = z.infer<typeof mutantSchema>;

/** All mutants of a directory, by name. Errors: INVALID_ARGUMENT naming the file. */
export function loadMutants(directory = join(sourceRoot, "gates", "mutants")): Mutant[] {
  const names = readdirSync(directory).filter((name) => name.endsWith(".yaml"));
  return names.sort().map((name) => {
    const parsed = mutantSchema.safeParse(parse(readFileSync(join(directory, name), "utf8")));
    if (!parsed.success) {
      throw new LatheError("INVALID_ARGUMENT", `mutant ${name}: ${z.prettifyError(parsed.error)}`);
    }
    return parsed.data;
  });
}

/**
 * Copies a product to `target` with the mutant's edits. Errors: NOT_FOUND where a text is not there exactly once,
 * INVALID_ARGUMENT where an edit changes nothing.
 */
export function plantMutant(productDirectory: string, mutant: MutantEdits, target: string): void {
  cpSync(productDirectory, target, { recursive: true });
  for (const [file, text] of mutatedFiles(productDirectory, mutant)) writeFileSync(join(target, file), text);
}

export type MutantEdits = Pick<Mutant, "name" | "edits"> & Partial<Mutant>;

/** The files that a mutant changes, as they are with its edits, by path. Errors: as plantMutant. */
export function mutatedFiles(directory: string, { name, edits }: MutantEdits): Map<string, string> {
  const files = new Map<string, string>();
  for (const { file, find, replace } of edits) {
    if (find.trimEnd() === replace.trimEnd()) {
      throw new LatheError("INVALID_ARGUMENT", `mutant ${name}: an edit of ${file} changes nothing`);
    }
    const path = join(directory, file);
    if (!existsSync(path)) throw new LatheError("NOT_FOUND", `mutant ${name}: there is no ${file}`);
    const pieces = (files.get(file) ?? readFileSync(path, "utf8")).split(find.trimEnd());
    if (pieces.length !== 2) {
      throw new LatheError(
        "NOT_FOUND",
        `mutant ${name}: its text stands ${pieces.length - 1} times in ${file}, not once`,
      );
    }
    files.set(file, pieces.join(replace.trimEnd()));
  }
  return files;
}

/** Lines that may lie between an edit of a fault and the nearest one of its twin: a function's length. */
const twinLinesMax = 40;

/**
 * Why the twins that planted mutants name are none: they do not exist, are not benign, or change another place.
 * `sourceOf` gives the text of a file that they change.
 */
export function twinProblems(mutants: readonly Mutant[], sourceOf: (file: string) => string): string[] {
  const byName = new Map(mutants.map((mutant) => [mutant.name, mutant]));
  return mutants.filter(({ planted }) => planted).flatMap((mutant) => {
    const twin = byName.get(mutant.twin ?? "");
    if (twin === undefined) return [`${mutant.name}: there is no twin ${mutant.twin}`];
    if (twin.planted) return [`${mutant.name}: its twin ${twin.name} is not benign`];
    const distances = mutant.edits.flatMap((edit) => {
      const others = twin.edits.filter(({ file }) => file === edit.file);
      return others.map((other) => linesBetween(sourceOf(edit.file), edit.find, other.find));
    });
    if (distances.length === 0) return [`${mutant.name}: its twin ${twin.name} changes other files`];
    const nearest = Math.min(...distances);
    return nearest > twinLinesMax ? [`${mutant.name}: its twin ${twin.name} lies ${nearest} lines away`] : [];
  });
}

function linesBetween(text: string, one: string, other: string): number {
  const lineOf = (find: string) => text.slice(0, text.indexOf(find.trimEnd())).split("\n").length;
  return Math.abs(lineOf(one) - lineOf(other));
}

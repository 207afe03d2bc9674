/**
 * Mutants: planted changes of a product that the gates must reject, and benign ones that they must admit.
 *
 * They test the testers. A mutant is data (`mutants/*.yaml`): which file of a product, which text there, what
 * instead. A text that is not found exactly once is an error, so that a mutant cannot silently become a no-op
 * when the source changes.
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
  edits: z.array(z.strictObject({ file: z.string(), find: z.string(), replace: z.string() })).min(1),
}).refine(({ planted, expectedGates }) => planted === expectedGates.length > 0, {
  error: "expectedGates: a planted fault names the gates that find it, a benign variant none",
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

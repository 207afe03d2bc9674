/** `catalog/needs.yaml`: what statements and schemas may need, and the feature of the model that serves it. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { LatheError } from "../../kit/errors.ts";
import { formatProblem, readYaml } from "../../knobs/yaml-document.ts";

const needSchema = z.strictObject({ name: z.string().min(1), feature: z.string().min(1), what: z.string().min(1) });
const fileSchema = z.strictObject({ statements: z.array(needSchema).min(1), schema: z.array(needSchema).min(1) });

export type CatalogNeed = Readonly<z.output<typeof needSchema>>;

export interface NeedsCatalog {
  readonly statements: ReadonlyMap<string, CatalogNeed>;
  readonly schema: ReadonlyMap<string, CatalogNeed>;
}

const file = join(import.meta.dirname, "..", "..", "..", "catalog", "needs.yaml");

/** Errors: INVALID_ARGUMENT with every problem of the file. */
export function loadNeeds(): NeedsCatalog {
  const read = readYaml(readFileSync(file, "utf8"), "needs.yaml", fileSchema);
  if (!read.ok) throw new LatheError("INVALID_ARGUMENT", read.problems.map(formatProblem).join("\n"));
  const byName = (needs: readonly CatalogNeed[]) => new Map(needs.map((need) => [need.name, need]));
  return { statements: byName(read.value.statements), schema: byName(read.value.schema) };
}

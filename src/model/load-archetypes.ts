/** The archetypes of `catalog/features/archetypes.yaml`: ready-made selections that a contract is compared with. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { LatheError } from "../kit/errors.ts";
import { formatProblem, type Problem, readYaml } from "../knobs/yaml-document.ts";
import type { FeatureModel } from "./feature-model.ts";
import { catalogRoot } from "./load-model.ts";
import { nearestPaths } from "./nearest-paths.ts";

const archetypeSchema = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9_]*$/, "a name of small letters, digits and _"),
  /** What a workload looks like that it fits. */
  when: z.string().min(1),
  source: z.string().min(1),
  /** Leaves and groups; what they need beyond is added by completion. */
  picks: z.array(z.string()).min(1),
});

export type Archetype = Readonly<z.output<typeof archetypeSchema>>;

/** In the order of the file. Errors: INVALID_ARGUMENT with every problem, unknown paths included. */
export function loadArchetypes(model: FeatureModel, directory: string = join(catalogRoot, "features")): Archetype[] {
  const file = "archetypes.yaml";
  const read = readYaml(readFileSync(join(directory, file), "utf8"), file, z.array(archetypeSchema).min(1));
  const problems: Problem[] = read.ok ? [] : [...read.problems];
  const archetypes = read.ok ? read.value : [];
  archetypes.forEach(({ name, picks }, at) =>
    picks.forEach((path, pick) => {
      if (model.has(path) || !read.ok) return;
      const nearest = nearestPaths(model, path, 3).join(", ");
      const message = `${name} picks ${path}, which is not in the model; nearest: ${nearest}`;
      problems.push({ file, ...read.placeOf([at, "picks", pick]), path: "", message });
    }),
  );
  if (problems.length === 0) return archetypes;
  throw new LatheError("INVALID_ARGUMENT", problems.map(formatProblem).join("\n"), { details: { problems } });
}

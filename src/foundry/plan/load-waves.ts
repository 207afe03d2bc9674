/** The waves of `catalog/waves.yaml`, by which selections are scheduled that bring none of their own. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { LatheError } from "../../kit/errors.ts";
import { formatProblem, readYaml } from "../../knobs/yaml-document.ts";
import { catalogRoot } from "../../model/load-model.ts";
import type { Wave } from "./wave.ts";

const wavesSchema = z
  .array(
    z.strictObject({
      number: z.int().min(1),
      title: z.string().min(1),
      prefixes: z.array(z.string().regex(/^[a-z][a-z0-9_/]*$/, "a path of the model")).min(1),
    }),
  )
  .min(1);

/** Errors: INVALID_ARGUMENT with every problem of the file. */
export function loadWaves(directory: string = catalogRoot): Wave[] {
  const read = readYaml(readFileSync(join(directory, "waves.yaml"), "utf8"), "waves.yaml", wavesSchema);
  if (read.ok) return read.value.map(({ number, prefixes }) => ({ number, prefixes }));
  throw new LatheError("INVALID_ARGUMENT", read.problems.map(formatProblem).join("\n"));
}

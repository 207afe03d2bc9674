/** The knobs of a built product, from the catalog: those that its `knobs.yaml` names. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { knobValuesOf, parseKnobFile } from "../kit/knob-file.ts";
import { LatheError } from "../kit/errors.ts";
import type { Knob } from "../knobs/knob.ts";

/**
 * With the product's own values as defaults: they are the baseline of a study. Errors: NOT_FOUND,
 * INVALID_ARGUMENT.
 */
export function productKnobs(productDirectory: string, catalog: readonly Knob[]): Knob[] {
  const file = join(productDirectory, "knobs.yaml");
  if (!existsSync(file)) {
    throw new LatheError(
      "NOT_FOUND",
      `${productDirectory} holds no product (no knobs.yaml): \`lathe build\` makes one`,
    );
  }
  const values = knobValuesOf(parseKnobFile(readFileSync(file, "utf8"), file));
  return catalog
    .filter((knob) => Object.hasOwn(values, knob.name))
    .map((knob) => ({ ...knob, default: values[knob.name] }));
}

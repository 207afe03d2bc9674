/**
 * The selection of a product: the chosen leaves with their reasons, and the parts that implement them.
 *
 * Its hash is that of the leaves, as `lathe select` tells it, and stands in the header of every file on disk. Knob
 * values and the code inside a part do not change it, so a tuned product opens the data of an untuned one.
 */
import type { Composition } from "./composition.ts";
import { implementedLeaves } from "./part-descriptor.ts";
import type { FeatureSelection } from "./select/feature-selection.ts";

export interface SelectedPart {
  readonly role: string;
  readonly name: string;
  readonly path: string;
  readonly leaves: readonly string[];
}

export interface Selection extends FeatureSelection {
  readonly parts: readonly SelectedPart[];
}

export function makeSelection(features: FeatureSelection, composition: Composition): Selection {
  const wanted = new Set(features.leaves);
  const parts = composition.parts.map((part) => ({
    role: part.role,
    name: part.name,
    path: part.path,
    leaves: implementedLeaves(part).filter((leaf) => wanted.has(leaf)),
  }));
  return { ...features, parts };
}

/**
 * The selection of a product: the chosen leaves with their reasons, and the parts that implement them.
 *
 * Its hash is that of the leaves, as `lathe select` tells it: it says what was built. Files on disk carry another
 * (`format-hash.ts`), so what has no bytes on disk may be added or left out and the data still open.
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

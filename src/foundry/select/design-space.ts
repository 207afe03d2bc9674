/**
 * What selections are made in: the model, its rules and archetypes, and the parts at hand. Read once per process, for
 * reading the model takes longer than a selection; selections are kept too, since one command asks for the same one
 * several times.
 */
import { canonicalHash } from "../../contract/canonical-json.ts";
import type { Contract } from "../../contract/contract.ts";
import type { FeatureModel } from "../../model/feature-model.ts";
import { type Archetype, loadArchetypes } from "../../model/load-archetypes.ts";
import { loadModel } from "../../model/load-model.ts";
import { LatheError } from "../../kit/errors.ts";
import { nearestPaths } from "../../model/nearest-paths.ts";
import { implementedLeaves, loadPartDescriptors, type PartDescriptor, withOwnParts } from "../part-descriptor.ts";
import type { FeatureSelection } from "./feature-selection.ts";
import { loadSelectRules, type SelectRules } from "./select-rules.ts";
import { type Overrides, selectFeatures } from "./select-features.ts";

export interface DesignSpace {
  readonly model: FeatureModel;
  readonly rules: SelectRules;
  readonly archetypes: readonly Archetype[];
  readonly library: readonly PartDescriptor[];
}

export const noOverrides: Overrides = { with: [], without: [] };

let catalog: Omit<DesignSpace, "library"> | undefined;
let libraryParts: readonly PartDescriptor[] | undefined;

/**
 * With parts of the user's own directories, which are read anew each time.
 * Errors: INVALID_ARGUMENT with every problem of the catalog and of descriptors; NOT_FOUND for a directory without any.
 */
export function designSpace(partsDirectories: readonly string[] = []): DesignSpace {
  if (catalog === undefined) {
    const model = loadModel();
    catalog = { model, rules: loadSelectRules(model), archetypes: loadArchetypes(model) };
  }
  libraryParts ??= loadPartDescriptors();
  if (partsDirectories.length === 0) return { ...catalog, library: libraryParts };
  const library = withOwnParts(libraryParts, partsDirectories);
  refuseUnknownLeaves(library, catalog.model);
  return { ...catalog, library };
}

function refuseUnknownLeaves(library: readonly PartDescriptor[], model: FeatureModel): void {
  const problems = library.flatMap((part) =>
    implementedLeaves(part)
      .filter((leaf) => model.find(leaf)?.kind !== "leaf")
      .map((leaf) => {
        const near = nearestPaths(model, leaf, 3).join(", ");
        return `${part.path}/part.yaml: ${leaf} is no leaf of the feature model; nearest: ${near}`;
      }),
  );
  if (problems.length > 0) throw new LatheError("INVALID_ARGUMENT", problems.join("\n"), { details: { problems } });
}

const selectionsMax = 50;
const selections = new Map<string, FeatureSelection>();

/** Errors: those of `selectFeatures`. */
export function selectFor(
  contract: Contract,
  overrides: Overrides = noOverrides,
  space: DesignSpace = designSpace(),
): FeatureSelection {
  const parts = space.library.map((part) => [part.path, part.role, part.leaves, part.offers]);
  const key = canonicalHash([contract, overrides, parts]);
  const known = selections.get(key);
  if (known !== undefined) return known;
  const made = selectFeatures({ ...space, contract, overrides });
  if (selections.size >= selectionsMax) selections.clear();
  selections.set(key, made);
  return made;
}

/** Leaves of a selection that no part implements: all of them at once, each with what is known of it. */
import { LatheError } from "../kit/errors.ts";
import type { DesignSpace } from "./select/design-space.ts";
import type { FeatureSelection } from "./select/feature-selection.ts";
import { composeParts } from "./composition.ts";

/** Errors: NOT_SELECTED where there is one. */
export function refuseMissingLeaves({ leaves, contract }: FeatureSelection, { library }: DesignSpace): void {
  const { missing } = composeParts(leaves, library);
  if (missing.length === 0) return;
  const message = `${contract} needs ${missing.length} leaves that no part implements:\n  ${missing.join("\n  ")}`;
  throw new LatheError("NOT_SELECTED", message, { details: { missing } });
}

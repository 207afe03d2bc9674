/** Use case: pictures of the feature model: a module, a selection, or the neighbourhood of a feature. */
import { implementedLeaves, loadPartDescriptors } from "../foundry/part-descriptor.ts";
import { assert } from "../kit/assert.ts";
import { LatheError } from "../kit/errors.ts";
import { modelName } from "../model/load-model.ts";
import { drawNeighbourhood, drawTree } from "../report/model-figure.ts";
import { complete, explanationText, openModel, type PickArguments } from "./model.ts";

export interface DrawRequest {
  /** The top of the tree, or the middle of the neighbourhood; the whole model where left out. */
  readonly path?: string | undefined;
  readonly around: boolean;
  readonly depth?: number | undefined;
  /** Draws only what this choice selects, completed. */
  readonly picks?: PickArguments | undefined;
}

/** Errors: NOT_FOUND for a path, CONSTRAINT with the steps where the choice contradicts itself. */
export function drawModel(file: string | undefined, { path, around, depth, picks }: DrawRequest): string {
  const model = openModel(file);
  const marked = new Set(model.name === modelName ? loadPartDescriptors().flatMap(implementedLeaves) : []);
  const top = model.feature(path ?? model.root.path).path;
  if (around) {
    if (path === undefined) throw new LatheError("INVALID_ARGUMENT", "--around needs the path of a feature");
    if (picks === undefined && depth === undefined) return drawNeighbourhood(model, top, marked);
    const message = "--around shows every edge of a feature; --from, --with, --without and --depth are for trees";
    throw new LatheError("INVALID_ARGUMENT", message);
  }
  const depthShown = depth ?? (path === undefined && picks === undefined ? 2 : Number.MAX_SAFE_INTEGER);
  if (picks === undefined) return drawTree(model, top, { depth: depthShown, marked, title: top });
  const found = complete(file, picks, false);
  if (found.outcome === "conflict") {
    const { explanation, picks: involved } = found.conflict;
    const message = `this choice contradicts itself:\n${explanationText(explanation)}`;
    throw new LatheError("CONSTRAINT", message, { details: { picks: involved } });
  }
  assert(found.outcome === "complete", "a choice is completed or contradicts itself");
  const title = picks.from ?? "selection";
  return drawTree(model, top, { depth: depthShown, marked, title, selected: new Set(found.completed.selected) });
}

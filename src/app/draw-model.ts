/** Use case: pictures of the feature model: a module, a selection, or the neighbourhood of a feature. */
import { implementedLeaves, loadPartDescriptors } from "../foundry/part-descriptor.ts";
import { LatheError } from "../kit/errors.ts";
import { modelName } from "../model/load-model.ts";
import { drawNeighbourhood, drawTree } from "../report/model-figure.ts";
import { complete, openModel, type PickArguments } from "./model.ts";

export interface DrawRequest {
  /** The top of the tree, or the middle of the neighbourhood; the whole model where left out. */
  readonly path?: string | undefined;
  readonly around: boolean;
  readonly depth?: number | undefined;
  /** Draws only what this choice selects, completed. */
  readonly picks?: PickArguments | undefined;
}

/** Errors: NOT_FOUND for a path, CONSTRAINT where the choice contradicts itself. */
export function drawModel(file: string | undefined, { path, around, depth, picks }: DrawRequest): string {
  const model = openModel(file);
  const marked = new Set(model.name === modelName ? loadPartDescriptors().flatMap(implementedLeaves) : []);
  const top = model.feature(path ?? model.root.path).path;
  if (around) return drawNeighbourhood(model, top, marked);
  const depthShown = depth ?? (path === undefined && picks === undefined ? 2 : Number.MAX_SAFE_INTEGER);
  if (picks === undefined) return drawTree(model, top, { depth: depthShown, marked, title: top });
  const found = complete(file, picks, false);
  if (found.outcome !== "complete") {
    throw new LatheError("CONSTRAINT", "this choice contradicts itself; lathe model conflict tells why");
  }
  const title = picks.from ?? "selection";
  return drawTree(model, top, { depth: depthShown, marked, title, selected: new Set(found.completed.selected) });
}

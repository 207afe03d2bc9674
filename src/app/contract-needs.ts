/**
 * What a contract's `needs` come to: the leaves that a build would miss, each named before anything is built.
 *
 *   1. The contract is selected for as a build would do it, so that what a need requires is counted, too.
 *   2. Leaves of that selection without a part are missing; a need is a problem where it is one of them or above one.
 *   3. Needs that no selection meets together are one problem, with the minimal reason that select gives.
 */
import type { Contract } from "../contract/contract.ts";
import { missingLeaves } from "../foundry/missing-leaves.ts";
import { designSpace } from "../foundry/select/design-space.ts";
import { selectFeatures } from "../foundry/select/select-features.ts";
import { LatheError } from "../kit/errors.ts";
import { formatPath, type Path, type Place, type Problem } from "../knobs/yaml-document.ts";

export interface NeedsCheck {
  readonly problems: readonly Problem[];
  readonly missingLeaves: readonly string[];
}

export function checkNeeds(contract: Contract, file: string, placeOf: (path: Path) => Place): NeedsCheck {
  const needs = contract.needs ?? [];
  if (needs.length === 0) return { problems: [], missingLeaves: [] };
  const problemAt = (path: Path, message: string) => ({ file, ...placeOf(path), path: formatPath(path), message });
  const space = designSpace();
  try {
    const selection = selectFeatures({ ...space, contract, overrides: { with: [], without: [] } });
    const missing = missingLeaves(selection, space).map(({ path }) => path);
    const problems = needs.flatMap(({ feature }, at) => {
      const lacks = missing.some((leaf) => leaf === feature || leaf.startsWith(`${feature}/`));
      const message = `no part serves ${feature} yet; remove it where the workload can do without, or write a part`;
      return lacks ? [problemAt(["needs", at], message)] : [];
    });
    return { problems, missingLeaves: missing };
  } catch (error) {
    if (!(error instanceof LatheError)) throw error;
    return { problems: [problemAt(["needs"], error.message)], missingLeaves: [] };
  }
}

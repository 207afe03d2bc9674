/** A selection of leaves in which each says why it is there: what `lathe select` finds, as `selection.json` has it. */
import type { ArchetypeScore } from "./score-archetypes.ts";

/**
 * `asked`: by the user. `rule`: by a rule of the catalog. `workload`: the contract's `needs` name it. `part`: it
 * comes with the part of a chosen leaf. `required`, `mandatory`, `default`: brought by another leaf. `drawn`: the
 * contract leaves it open, and a draw took it.
 */
export type Origin = "asked" | "rule" | "workload" | "part" | "required" | "mandatory" | "default" | "drawn";

/** Of a selection that was drawn among those that a contract leaves open: what draws it again. */
export interface Draw {
  readonly kind: "solver" | "uniform" | "pairwise";
  readonly seed: number;
  /** From 1, of `count`. */
  readonly number: number;
  readonly count: number;
}

export interface Decision {
  readonly path: string;
  readonly origin: Origin;
  /** One clause. */
  readonly because: string;
  /** The picks that it rests on; empty where it holds in every selection, or was decided as a default. */
  readonly by?: readonly string[] | undefined;
  /** The variation point that a rule decided. */
  readonly point?: string | undefined;
}

/** What was wanted by somebody and is not there. */
export interface LeftOut {
  readonly path: string;
  readonly wantedBy: Origin;
  readonly because: string;
}

export interface FeatureSelection {
  readonly version: 1;
  readonly contract: string;
  readonly contractHash: string;
  /** Version of the model that it was made with (`model-version.ts`). */
  readonly model: string;
  /** What the user asked for and left out, sorted. */
  readonly overrides: { readonly with: readonly string[]; readonly without: readonly string[] };
  /** Where it was drawn, and not made by rules. */
  readonly draw?: Draw;
  /** Sorted. */
  readonly leaves: readonly string[];
  /** One per leaf, in the same order. */
  readonly decisions: readonly Decision[];
  readonly leftOut: readonly LeftOut[];
  /** What must stay out, with the reason: by the user or by a rule. */
  readonly excluded: readonly { readonly path: string; readonly because: string }[];
  /** The best first. */
  readonly archetypes: readonly ArchetypeScore[];
  /** Leaves that no part implements of those that the selection takes. */
  readonly withoutPart: readonly string[];
  /** SHA-256 in hex of the leaves. */
  readonly hash: string;
}

/** The vocabulary of the feature model: features, groups, edges and free constraints, all immutable data. */
import type { Expression } from "./expression.ts";

/** The nine systems that the SpecDB paper distils, in its order. */
export const surveyedSystems = [
  "postgresql", "mysql", "mariadb", "sqlite", "duckdb", "clickhouse", "tidb", "cockroachdb", "yugabytedb",
] as const;

/** How a feature hangs on its parent. `cardinality` comes from foreign models only: `[n..m]` of a group. */
export type Relation = "mandatory" | "optional" | "xor" | "or" | "cardinality";

/** Where a statement of the model was read. */
export interface Origin {
  readonly file: string;
  readonly line: number;
}

/** A value of an attribute that Lathe carries for others and does not interpret. */
export type AttributeValue =
  | boolean | number | string | readonly AttributeValue[] | { readonly [key: string]: AttributeValue };

export interface Feature {
  /** Unique. In Lathe's own model the path, as `core/wal`; in a foreign model the feature's name. */
  readonly path: string;
  /** Undefined for the root only. */
  readonly parent: string | undefined;
  readonly kind: "leaf" | "group";
  readonly relation: Relation;
  /** Position in the model's `groups`; undefined for the root. */
  readonly group: number | undefined;
  /** In model order. */
  readonly children: readonly string[];
  readonly description: string;
  /** Surveyed systems that have it, by the paper's appendix or text. */
  readonly systems: readonly string[];
  /** Surveyed systems that have it by general knowledge, unchecked. */
  readonly systemsGeneral: readonly string[];
  /** What completion takes from its group where nothing else decides. */
  readonly isDefault: boolean;
  /** Where the feature comes from: `appendix`, `paper`, `general`, `structure`, `lathe`, or a document's name. */
  readonly source: string;
  readonly attributes: Readonly<Record<string, AttributeValue>>;
  readonly origin: Origin | undefined;
}

/** Siblings that one rule binds: of the members between `min` and `max` are selected where the parent is. */
export interface Group {
  readonly parent: string;
  readonly relation: Relation;
  readonly members: readonly string[];
  readonly min: number;
  readonly max: number;
}

export type EdgeKind = "requires" | "mutex" | "reference" | "cooperate";

export interface Edge {
  readonly kind: EdgeKind;
  /** `requires` and `reference` point from the one that needs to the one that is needed; the others are symmetric. */
  readonly from: string;
  /** May be a group: some leaf below it. */
  readonly to: string;
  /** Why; for `cooperate` the invariant that both keep and neither owns. */
  readonly reason: string;
  /** `paper`, `implied` (by the paper), `schedule` (only explains the printed layers), `proposed` or `lathe`. */
  readonly source: string;
  readonly origin: Origin | undefined;
}

/** A condition over any number of features, beyond requires and mutex. */
export interface Constraint {
  readonly expression: Expression;
  readonly reason: string;
  readonly origin: Origin | undefined;
}

/**
 * What differs between two versions of a model.
 *
 * Versions are compared over the features that both have: features that one lacks count as left out there. Whether an
 * edit keeps, narrows or widens what can be selected is decided by the solver: each statement of one version is asked
 * to be violated in the other. No violation possible either way: a refactoring; only the new one forbids more: a
 * specialisation; only the old one did: a generalisation; else arbitrary.
 * What restricts nothing (descriptions, systems, defaults, reasons) is told as changed, feature by feature and edge by
 * edge; where a model comes from in its files is no part of it.
 * Source: Thüm, Batory, Kästner 2009, reasoning about edits to feature models.
 */
import { edgeKey } from "./build-model.ts";
import { isDeepStrictEqual } from "node:util";
import { clausesOf } from "./clauses.ts";
import { formatExpression } from "./expression.ts";
import type { Edge, Feature } from "./feature.ts";
import type { FeatureModel } from "./feature-model.ts";
import { Reasoner } from "./reasoner.ts";
import { statementText } from "./sentence.ts";

export type EditKind = "refactoring" | "specialisation" | "generalisation" | "arbitrary";

/** A feature or an edge that both versions have, with what they say of it otherwise. */
export interface ChangedStatement {
  readonly what: string;
  readonly fields: readonly string[];
}

export interface ModelDifference {
  /** Nothing differs at all. */
  readonly same: boolean;
  /** Undefined where a counted group or a deep condition keeps it from being decided. */
  readonly kind: EditKind | undefined;
  readonly added: readonly string[];
  readonly removed: readonly string[];
  /** Features that hang or are grouped otherwise. */
  readonly moved: readonly string[];
  readonly edgesAdded: readonly string[];
  readonly edgesRemoved: readonly string[];
  readonly conditionsAdded: readonly string[];
  readonly conditionsRemoved: readonly string[];
  readonly changed: readonly ChangedStatement[];
  /** A selection that only the one version allows; leaves out what it does not have. */
  readonly onlyBefore: readonly string[] | undefined;
  readonly onlyAfter: readonly string[] | undefined;
}

export function diffModels(before: FeatureModel, after: FeatureModel): ModelDifference {
  const decidable = isPlain(before) && isPlain(after);
  const onlyBefore = decidable ? separating(before, after) : undefined;
  const onlyAfter = decidable ? separating(after, before) : undefined;
  const kinds = { "true true": "arbitrary", "true false": "specialisation", "false true": "generalisation" } as const;
  const key = `${onlyBefore !== undefined} ${onlyAfter !== undefined}`;
  const found = key === "false false" ? "refactoring" : kinds[key as keyof typeof kinds];
  const kind = decidable ? found : undefined;
  const paths = (model: FeatureModel) => model.features.map(({ path }) => path);
  const shared = paths(after).filter((path) => before.has(path));
  const edges = (model: FeatureModel) => new Map(model.edges.map((edge) => [edgeKey(edge), edge]));
  const texts = (from: FeatureModel, without: FeatureModel) => {
    const own = [...edges(from)].filter(([one]) => !edges(without).has(one));
    return own.map(([, edge]) => statementText({ kind: "edge", edge }));
  };
  const place = (model: FeatureModel, path: string) => {
    const { parent, relation } = model.feature(path);
    const group = model.groupOf(path);
    return [parent, relation, ...(relation === "cardinality" ? [group?.min, group?.max] : [])].join(" ");
  };
  const conditions = (model: FeatureModel) => model.constraints.map(({ expression }) => formatExpression(expression));
  const beyond = (list: readonly string[], other: readonly string[]) => list.filter((one) => !other.includes(one));
  const listed = {
    added: paths(after).filter((path) => !before.has(path)),
    removed: paths(before).filter((path) => !after.has(path)),
    moved: shared.filter((path) => place(before, path) !== place(after, path)),
    edgesAdded: texts(after, before),
    edgesRemoved: texts(before, after),
    conditionsAdded: beyond(conditions(after), conditions(before)),
    conditionsRemoved: beyond(conditions(before), conditions(after)),
    changed: changedStatements(before, after),
  };
  const unlisted = isDeepStrictEqual(before.groups, after.groups);
  const same = unlisted && Object.values(listed).every((list) => list.length === 0);
  return { same, kind, ...listed, onlyBefore, onlyAfter };
}

const featureFields = ["description", "systems", "systemsGeneral", "isDefault", "source", "attributes"] as const;
const edgeFields = ["reason", "source"] as const;

function changedStatements(before: FeatureModel, after: FeatureModel): ChangedStatement[] {
  const features = after.features.filter(({ path }) => before.has(path)).map((now): ChangedStatement => {
    return { what: now.path, fields: differing<Feature>(featureFields, before.feature(now.path), now) };
  });
  const earlier = new Map(before.edges.map((edge) => [edgeKey(edge), edge]));
  const edges = after.edges.flatMap((now): ChangedStatement[] => {
    const then = earlier.get(edgeKey(now));
    if (then === undefined) return [];
    return [{ what: `${now.from} ${now.kind} ${now.to}`, fields: differing<Edge>(edgeFields, then, now) }];
  });
  return [...features, ...edges].filter(({ fields }) => fields.length > 0);
}

function differing<T>(fields: readonly (keyof T & string)[], one: T, other: T): string[] {
  return fields.filter((field) => !isDeepStrictEqual(one[field], other[field]));
}

/** A selection that `one` allows and `other` does not; undefined where there is none. */
function separating(one: FeatureModel, other: FeatureModel): string[] | undefined {
  const reasoner = new Reasoner(one);
  const solver = reasoner.newSolver();
  const missing = one.features.filter(({ path }) => !other.has(path));
  for (const { path } of missing) {
    if (solver.solve([reasoner.literal(path)])) return reasoner.selectionOf(reasoner.remember(solver));
  }
  // Features that only the other has are left out here.
  const renamed = other.features.map(({ path }) => {
    if (one.has(path)) return one.position(path) + 1;
    const variable = solver.newVariable();
    solver.addClause([-variable]);
    return variable;
  });
  for (const { literals } of clausesOf(other).clauses) {
    const violated = literals.map((literal) => -Math.sign(literal) * renamed[Math.abs(literal) - 1]);
    if (solver.solve(violated)) return reasoner.selectionOf(reasoner.remember(solver));
  }
  return undefined;
}

/** Counters and deep conditions stand for themselves in clauses; statements about them cannot be asked one by one. */
function isPlain(model: FeatureModel): boolean {
  return clausesOf(model).variables === model.features.length;
}

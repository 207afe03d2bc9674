/**
 * Builds a feature model from statements in any order and says everything that is wrong with them at once.
 *
 * Steps:
 *   1. names are unique, parents exist, one root, every feature hangs below it (no cycle of parents);
 *   2. siblings are put in groups: `xor`, `or` and `cardinality` siblings with the same `groupName` form one group,
 *      `mandatory` and `optional` runs form one each;
 *   3. features are put in depth-first order, groups of a parent in order of their first member;
 *   4. edges are put in order of kind and ends, whichever way they came;
 *   5. ends of edges and names in constraints exist; no edge joins a feature with itself or stands twice.
 * The result is canonical: exporting and importing it gives the same order again.
 */
import { LatheError } from "../kit/errors.ts";
import { formatExpression, featuresOf } from "./expression.ts";
import type { AttributeValue, Constraint, Edge, Feature, Group, Origin, Relation } from "./feature.ts";
import { FeatureModel } from "./feature-model.ts";
import { nearestPaths } from "./nearest-paths.ts";

export interface FeatureStatement {
  readonly path: string;
  readonly parent: string | undefined;
  readonly relation: Relation;
  /** Tells groups of one parent and relation apart; one group where left out. */
  readonly groupName?: string | undefined;
  /** Bounds of a `cardinality` group. */
  readonly min?: number | undefined;
  readonly max?: number | undefined;
  readonly description?: string | undefined;
  readonly systems?: readonly string[] | undefined;
  readonly systemsGeneral?: readonly string[] | undefined;
  readonly isDefault?: boolean | undefined;
  readonly source?: string | undefined;
  readonly attributes?: Readonly<Record<string, AttributeValue>> | undefined;
  readonly origin?: Origin | undefined;
}

export interface ModelStatements {
  readonly name: string;
  readonly features: readonly FeatureStatement[];
  readonly edges?: readonly Edge[];
  readonly constraints?: readonly Constraint[];
}

export interface ModelProblem {
  readonly kind: "duplicate" | "parent" | "tree" | "group" | "endpoint" | "edge";
  readonly message: string;
  readonly origin: Origin | undefined;
}

/** Errors: INVALID_ARGUMENT with every problem in the message and in `details.problems`. */
export function buildModel(statements: ModelStatements): FeatureModel {
  const problems: ModelProblem[] = [];
  const tree = buildTree(statements.features, problems);
  const edges = statements.edges ?? [];
  const constraints = statements.constraints ?? [];
  checkEdges(statements.features, edges, problems);
  checkConstraints(statements.features, constraints, problems);
  if (problems.length > 0 || tree === undefined) throw problemsError(statements.name, problems);
  return new FeatureModel({ name: statements.name, ...tree, edges: arranged(edges, tree.features), constraints });
}

const kindOrder = ["requires", "mutex", "reference", "cooperate"];

/** By kind, then by the positions of their ends. */
function arranged(edges: readonly Edge[], features: readonly Feature[]): Edge[] {
  const positions = new Map(features.map(({ path }, position) => [path, position]));
  const position = (path: string) => positions.get(path) as number;
  return edges.toSorted((one, other) =>
    kindOrder.indexOf(one.kind) - kindOrder.indexOf(other.kind) ||
    position(one.from) - position(other.from) || position(one.to) - position(other.to));
}

export function problemsError(name: string, problems: readonly ModelProblem[]): LatheError {
  const lines = problems.map(({ message, origin }) => `${origin ? `${origin.file}:${origin.line}: ` : ""}${message}`);
  const count = `${problems.length} problem${problems.length === 1 ? "" : "s"}`;
  const message = `the model ${name} has ${count}:\n${lines.join("\n")}`;
  return new LatheError("INVALID_ARGUMENT", message, { details: { problems } });
}

type Tree = Pick<FeatureModel, "features" | "groups">;

function buildTree(statements: readonly FeatureStatement[], problems: ModelProblem[]): Tree | undefined {
  const byPath = new Map<string, FeatureStatement>();
  for (const one of statements) {
    const first = byPath.get(one.path);
    if (first === undefined) byPath.set(one.path, one);
    else {
      const where = first.origin ? `, first in ${first.origin.file}:${first.origin.line}` : "";
      problems.push({ kind: "duplicate", message: `${one.path} stands twice${where}`, origin: one.origin });
    }
  }
  const children = new Map<string, FeatureStatement[]>();
  const roots: FeatureStatement[] = [];
  for (const one of byPath.values()) {
    if (one.parent === undefined) roots.push(one);
    else if (byPath.has(one.parent)) children.set(one.parent, [...(children.get(one.parent) ?? []), one]);
    else {
      const message = `${one.path}: its parent ${one.parent} is missing`;
      problems.push({ kind: "parent", message, origin: one.origin });
    }
  }
  if (roots.length !== 1) {
    const found = roots.length === 0 ? "none" : roots.map(({ path }) => path).join(", ");
    problems.push({ kind: "tree", message: `a model has exactly one root, found ${found}`, origin: roots[1]?.origin });
    return undefined;
  }
  const tree = new TreeBuilder(children, problems);
  tree.add(roots[0], undefined);
  for (const one of byPath.values()) {
    if (!tree.reached.has(one.path) && one.parent !== undefined && byPath.has(one.parent)) {
      problems.push({ kind: "tree", message: `${one.path} does not hang below the root`, origin: one.origin });
    }
  }
  return { features: tree.features, groups: tree.groups };
}

class TreeBuilder {
  readonly features: Feature[] = [];
  readonly groups: Group[] = [];
  readonly reached = new Set<string>();
  readonly #children: ReadonlyMap<string, readonly FeatureStatement[]>;
  readonly #problems: ModelProblem[];

  constructor(children: ReadonlyMap<string, readonly FeatureStatement[]>, problems: ModelProblem[]) {
    this.#children = children;
    this.#problems = problems;
  }

  add(statement: FeatureStatement, group: number | undefined): void {
    this.reached.add(statement.path);
    const bundles = groupSiblings(this.#children.get(statement.path) ?? []);
    const children = bundles.flat();
    this.features.push({
      path: statement.path,
      parent: statement.parent,
      kind: children.length === 0 ? "leaf" : "group",
      relation: statement.relation,
      group,
      children: children.map(({ path }) => path),
      description: statement.description ?? "",
      systems: statement.systems ?? [],
      systemsGeneral: statement.systemsGeneral ?? [],
      isDefault: statement.isDefault ?? false,
      source: statement.source ?? "",
      attributes: statement.attributes ?? {},
      origin: statement.origin,
    });
    for (const members of bundles) {
      const number = this.groups.length;
      this.groups.push(this.#groupOf(statement.path, members));
      for (const member of members) this.add(member, number);
    }
  }

  #groupOf(parent: string, members: readonly FeatureStatement[]): Group {
    const { relation, origin } = members[0];
    const bounds = {
      mandatory: [members.length, members.length],
      optional: [0, members.length],
      xor: [1, 1],
      or: [1, members.length],
      cardinality: [members[0].min ?? 0, members[0].max ?? members.length],
    }[relation];
    const [min, max] = bounds;
    if (min > max || min > members.length) {
      const message = `the group below ${parent} wants [${min}..${max}] of ${members.length} features`;
      this.#problems.push({ kind: "group", message, origin });
    }
    return { parent, relation, members: members.map(({ path }) => path), min, max: Math.min(max, members.length) };
  }
}

function groupSiblings(siblings: readonly FeatureStatement[]): FeatureStatement[][] {
  const bundles = new Map<string, FeatureStatement[]>();
  let run = 0;
  siblings.forEach((one, at) => {
    const plain = one.relation === "mandatory" || one.relation === "optional";
    if (plain && (one.relation !== siblings[at - 1]?.relation || one.groupName !== siblings[at - 1]?.groupName)) run++;
    const key = plain ? `run ${run}` : `${one.relation} ${one.groupName ?? ""}`;
    bundles.set(key, [...(bundles.get(key) ?? []), one]);
  });
  return [...bundles.values()];
}

function checkEdges(features: readonly FeatureStatement[], edges: readonly Edge[], problems: ModelProblem[]): void {
  const known = new Set(features.map(({ path }) => path));
  const seen = new Map<string, Edge>();
  for (const edge of edges) {
    const { origin } = edge;
    for (const end of [edge.from, edge.to]) {
      if (!known.has(end)) problems.push({ kind: "endpoint", message: missing(features, end, edge.kind), origin });
    }
    if (edge.from === edge.to) {
      problems.push({ kind: "edge", message: `${edge.kind} joins ${edge.from} with itself`, origin });
    }
    const key = edgeKey(edge);
    const first = seen.get(key);
    if (first === undefined) seen.set(key, edge);
    else {
      const where = first.origin ? `, first in ${first.origin.file}:${first.origin.line}` : "";
      const message = `${edge.kind} from ${edge.from} to ${edge.to} stands twice${where}`;
      problems.push({ kind: "edge", message, origin });
    }
  }
}

/** The same for the same edge: symmetric kinds do not care which end comes first. */
export function edgeKey({ kind, from, to }: Edge): string {
  const symmetric = kind === "mutex" || kind === "cooperate";
  return symmetric && to < from ? `${kind} ${to} ${from}` : `${kind} ${from} ${to}`;
}

function checkConstraints(
  features: readonly FeatureStatement[],
  constraints: readonly Constraint[],
  problems: ModelProblem[],
): void {
  const known = new Set(features.map(({ path }) => path));
  for (const { expression, origin } of constraints) {
    for (const path of featuresOf(expression).filter((one) => !known.has(one))) {
      const message = missing(features, path, `the constraint ${formatExpression(expression)}`);
      problems.push({ kind: "endpoint", message, origin });
    }
  }
}

function missing(features: readonly FeatureStatement[], path: string, where: string): string {
  const nearest = nearestPaths({ features }, path, 3);
  const offer = nearest.length === 0 ? "" : `; nearest: ${nearest.join(", ")}`;
  return `${where} names ${path}, which is not in the model${offer}`;
}

/** Random feature models and the brute-force list of their selections, for differential tests. */
import { buildModel, edgeKey, type FeatureStatement } from "./build-model.ts";
import { evaluate, type Expression } from "./expression.ts";
import type { Constraint, Edge, Relation } from "./feature.ts";
import type { FeatureModel } from "./feature-model.ts";
import type { RandomNumbers } from "./random-numbers.ts";
import { Reasoner } from "./reasoner.ts";
import { violationsOf } from "./violations.ts";

export interface RandomModelShape {
  readonly features: number;
  readonly edges: number;
  readonly constraints: number;
  readonly childrenMax: number;
  /** Keeps only rules that do not make the model void. */
  readonly satisfiable?: boolean;
}

/** A root `f0` and features `f1` … below it, with edges of every kind between any two. */
export function randomModel(random: RandomNumbers, shape: RandomModelShape): FeatureModel {
  const features: FeatureStatement[] = [{ path: "f0", parent: undefined, relation: "mandatory" }];
  for (let parent = 0; features.length < shape.features; parent++) {
    let children = Math.min(1 + random.below(shape.childrenMax), shape.features - features.length);
    const groups = 1 + random.below(2);
    for (let group = 0; group < groups && children > 0; group++) {
      const size = group === groups - 1 ? children : 1 + random.below(children);
      children -= size;
      const relation = random.pick<Relation>(["mandatory", "optional", "optional", "xor", "or", "cardinality"]);
      const min = random.below(size + 1);
      const max = min + random.below(size - min + 1);
      for (let member = 0; member < size; member++) {
        const path = `f${features.length}`;
        features.push({ path, parent: `f${parent}`, relation, groupName: `g${group}`, min, max });
      }
    }
  }
  const rules = randomRules(random, features, shape);
  if (shape.satisfiable !== true) return buildModel({ name: "random", features, ...rules });
  // Only rules that a selection of the bare tree satisfies.
  const reasoner = new Reasoner(buildModel({ name: "random", features }));
  reasoner.satisfiable([]);
  const selected = new Set(reasoner.selectionOf(reasoner.lastFound));
  const edges = rules.edges.filter(({ kind, from, to }) =>
    kind === "mutex" ? !(selected.has(from) && selected.has(to)) : !selected.has(from) || selected.has(to));
  const constraints = rules.constraints.filter(({ expression }) => evaluate(expression, (path) => selected.has(path)));
  return buildModel({ name: "random", features, edges, constraints });
}

function randomRules(random: RandomNumbers, features: readonly FeatureStatement[], shape: RandomModelShape) {
  const edges = new Map<string, Edge>();
  for (let turn = 0; turn < shape.edges && features.length > 1; turn++) {
    const [from, to] = [random.pick(features).path, random.pick(features).path];
    const kind = random.pick(["requires", "requires", "mutex", "reference", "cooperate"] as const);
    const edge: Edge = { kind, from, to, reason: "drawn", source: "random", origin: undefined };
    if (from !== to) edges.set(edgeKey(edge), edge);
  }
  const constraints = Array.from({ length: shape.constraints }, (): Constraint => {
    return { expression: randomExpression(random, features, 3), reason: "drawn", origin: undefined };
  });
  return { edges: [...edges.values()], constraints };
}

function randomExpression(random: RandomNumbers, features: readonly FeatureStatement[], depth: number): Expression {
  if (depth === 0 || random.chance(0.2)) return { kind: "feature", path: random.pick(features).path };
  if (random.chance(0.05)) return { kind: "constant", value: random.chance(0.7) };
  if (random.chance(0.2)) return { kind: "not", of: randomExpression(random, features, depth - 1) };
  return {
    kind: random.pick(["and", "or", "or", "implies", "implies", "iff"] as const),
    left: randomExpression(random, features, depth - 1),
    right: randomExpression(random, features, depth - 1),
  };
}

/** Every valid selection, as sets of paths. For at most about 16 features. */
export function allSelections(model: FeatureModel): Set<string>[] {
  const paths = model.features.map(({ path }) => path);
  const found: Set<string>[] = [];
  for (let bits = 0; bits < 2 ** paths.length; bits++) {
    const selected = new Set(paths.filter((_, at) => ((bits >> at) & 1) === 1));
    if (violationsOf(model, selected).length === 0) found.push(selected);
  }
  return found;
}

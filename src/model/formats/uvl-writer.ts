/**
 * The model as UVL: tree, groups, requires and mutex natively, so that foreign tools honour them; the rest in
 * attributes.
 *
 * | in the model                  | in UVL                                                                       |
 * |-------------------------------|------------------------------------------------------------------------------|
 * | feature                       | its path in double quotes                                                    |
 * | description, systems, source  | attributes `doc`, `systems`, `systems_general`, `source`, `default`, `origin` |
 * | requires, mutex               | `"a" => "b"`, `!("a" & "b")`; reason and source in an attribute of `a`       |
 * | reference, cooperate          | attribute of the first end: they restrict nothing                            |
 * | condition                     | as it is; reasons in the root's attribute `conditions`                       |
 * The root carries `lathe true`: then only constraints that an attribute names are edges.
 * Letters that UVL's strings cannot hold stand as `\uXXXX`.
 */
import { formatExpression } from "../expression.ts";
import type { AttributeValue, Edge, Feature, Group, Origin } from "../feature.ts";
import type { FeatureModel } from "../feature-model.ts";
import { writeAttributes } from "./uvl-attributes.ts";

const keywords = { mandatory: "mandatory", optional: "optional", xor: "alternative", or: "or" };

export function writeUvl(model: FeatureModel): string {
  const lines = [`namespace ${quote(model.name)}`, "", "features"];
  const addFeature = (feature: Feature, depth: number): void => {
    const { uvl_type: type, ...attributes } = attributesOf(model, feature);
    const typed = typeof type === "string" ? `${type} ` : "";
    lines.push(`${"\t".repeat(depth)}${typed}${quote(feature.path)} ${writeAttributes(attributes)}`);
    for (const group of model.groupsBelow(feature.path)) {
      lines.push(`${"\t".repeat(depth + 1)}${groupKeyword(group)}`);
      for (const member of group.members) addFeature(model.feature(member), depth + 2);
    }
  };
  addFeature(model.root, 1);
  lines.push("", "constraints");
  for (const { kind, from, to } of model.edges) {
    if (kind === "requires") lines.push(`\t${quote(from)} => ${quote(to)}`);
    if (kind === "mutex") lines.push(`\t!(${quote(from)} & ${quote(to)})`);
  }
  for (const { expression } of model.constraints) lines.push(`\t${formatExpression(expression, quote)}`);
  return `${lines.join("\n")}\n`;
}

function groupKeyword({ relation, min, max }: Group): string {
  return relation === "cardinality" ? `[${min}..${max}]` : keywords[relation];
}

function quote(path: string): string {
  return `"${path.replaceAll(/["\n]/g, "_")}"`;
}

function attributesOf(model: FeatureModel, feature: Feature): Record<string, AttributeValue> {
  const { description, systems, systemsGeneral, source, isDefault, origin } = feature;
  const found: Record<string, AttributeValue> = {};
  if (feature.parent === undefined) {
    found.lathe = true;
    if (model.constraints.length > 0) {
      found.conditions = model.constraints.map(({ reason, origin: where }) => ({ reason, ...originOf(where) }));
    }
  }
  if (description !== "") found.doc = description;
  if (systems.length > 0) found.systems = systems;
  if (systemsGeneral.length > 0) found.systems_general = systemsGeneral;
  if (source !== "") found.source = source;
  if (isDefault) found.default = true;
  Object.assign(found, originOf(origin));
  for (const kind of ["requires", "mutex", "reference", "cooperate"] as const) {
    const edges = model.edgesFrom(feature.path).filter((edge) => edge.kind === kind);
    if (edges.length > 0) found[kind] = edges.map(edgeAttribute);
  }
  return { ...found, ...feature.attributes };
}

function edgeAttribute({ kind, to, reason, source, origin }: Edge): AttributeValue {
  const about = { source, ...originOf(origin) };
  return kind === "cooperate" ? { with: to, invariant: reason, ...about } : { to, reason, ...about };
}

function originOf(origin: Origin | undefined): Record<string, AttributeValue> {
  return origin === undefined ? {} : { origin: `${origin.file}:${origin.line}` };
}

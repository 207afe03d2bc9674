/**
 * The model as JSON, our own format: `format`, `version`, then features, edges and conditions in model order. What is
 * empty is left out. Reading what was written gives the same model.
 */
import { z } from "zod";
import { LatheError } from "../../kit/errors.ts";
import { parseJsonText } from "../../kit/json-text.ts";
import { buildModel, type FeatureStatement } from "../build-model.ts";
import { formatExpression, parseExpression } from "../expression.ts";
import type { AttributeValue, Feature } from "../feature.ts";
import type { FeatureModel } from "../feature-model.ts";

const format = "lathe feature model";
const version = 1;

const origin = z.strictObject({ file: z.string(), line: z.int() }).optional();
const attribute: z.ZodType<AttributeValue> = z.lazy(() =>
  z.union([z.boolean(), z.number(), z.string(), z.array(attribute), z.record(z.string(), attribute)]));

const fileSchema = z.strictObject({
  format: z.literal(format),
  version: z.literal(version),
  name: z.string(),
  features: z.array(
    z.strictObject({
      path: z.string().min(1),
      parent: z.string().optional(),
      relation: z.enum(["mandatory", "optional", "xor", "or", "cardinality"]),
      groupName: z.string().optional(),
      min: z.int().min(0).optional(),
      max: z.int().min(0).optional(),
      description: z.string().optional(),
      systems: z.array(z.string()).optional(),
      systemsGeneral: z.array(z.string()).optional(),
      isDefault: z.boolean().optional(),
      source: z.string().optional(),
      attributes: z.record(z.string(), attribute).optional(),
      origin,
    }),
  ),
  edges: z.array(
    z.strictObject({
      kind: z.enum(["requires", "mutex", "reference", "cooperate"]),
      from: z.string(),
      to: z.string(),
      reason: z.string(),
      source: z.string(),
      origin,
    }),
  ),
  conditions: z.array(z.strictObject({ condition: z.string(), reason: z.string(), origin })),
});

export function writeModelJson(model: FeatureModel): string {
  const quote = (path: string) => `"${path}"`;
  return `${JSON.stringify(
    {
      format,
      version,
      name: model.name,
      features: model.features.map((feature) => statementOf(model, feature)),
      edges: model.edges,
      conditions: model.constraints.map(({ expression, ...rest }) => {
        return { condition: formatExpression(expression, quote), ...rest };
      }),
    },
    null,
    1,
  )}\n`;
}

function statementOf(model: FeatureModel, feature: Feature): FeatureStatement {
  const { path, parent, relation, description, systems, systemsGeneral, isDefault, source, attributes } = feature;
  const group = model.groupOf(path);
  const filled = <T extends string | readonly unknown[]>(value: T) => (value.length === 0 ? undefined : value);
  const counted = relation === "cardinality" ? { min: group?.min, max: group?.max } : {};
  return {
    path,
    parent,
    relation,
    ...(feature.group === undefined ? {} : { groupName: String(feature.group) }),
    ...counted,
    description: filled(description),
    systems: filled(systems),
    systemsGeneral: filled(systemsGeneral),
    isDefault: isDefault || undefined,
    source: filled(source),
    attributes: Object.keys(attributes).length === 0 ? undefined : attributes,
    origin: feature.origin,
  };
}

/** Errors: CORRUPTION (no JSON), FORMAT_UNKNOWN (another format or version), INVALID_ARGUMENT with every problem. */
export function readModelJson(text: string, file: string): FeatureModel {
  const data = parseJsonText(text, file);
  const head = data as { format?: unknown; version?: unknown } | null;
  if (head?.format !== format || head.version !== version) {
    const message = `${file} is not a ${format} of version ${version}; write it anew with lathe model export`;
    throw new LatheError("FORMAT_UNKNOWN", message);
  }
  const parsed = fileSchema.safeParse(data);
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path, message }) => `${file}: ${path.join(".")}: ${message}`);
    throw new LatheError("INVALID_ARGUMENT", problems.join("\n"), { details: { problems } });
  }
  const { name, features, edges, conditions } = parsed.data;
  return buildModel({
    name,
    features: features.map((one) => ({ ...one, parent: one.parent })),
    edges: edges.map((one) => ({ ...one, origin: one.origin })),
    constraints: conditions.map(({ condition, reason, origin: where }) => {
      return { expression: parseExpression(condition), reason, origin: where };
    }),
  });
}

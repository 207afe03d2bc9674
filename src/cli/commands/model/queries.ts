/** `lathe model check`, `show`, `find`. */
import type { Command } from "commander";
import {
  checkModel, explanationText, type FeaturePage, findFeatures, type ModelAnalysis, showFeature,
} from "../../../app/model.ts";
import { type AlternativePage, findAlternatives } from "../../../app/dimensions.ts";
import { LatheError } from "../../../kit/errors.ts";
import { type CommandOutput, runAction, withFrame } from "../../command-frame.ts";

export const modelOption = [
  "--model <file>", "a model's file (.uvl, .json, FeatureIDE .xml, DIMACS .cnf) in place of the catalog",
] as const;

interface QueryOptions {
  readonly model?: string;
  readonly json?: boolean;
}

interface FindOptions extends QueryOptions {
  readonly system?: string;
  readonly source?: string;
  readonly leaves?: boolean;
  readonly dimension?: string;
}

export function registerQueries(model: Command): void {
  const check = model
    .command("check")
    .description("what is wrong or remarkable: void, dead, false-optional, contradicting, cyclic, redundant, atomic")
    .option(...modelOption)
    .option("--redundant", "list what the rest of the model implies, each with what implies it");
  withFrame(check, {
    examples: ["lathe model check", "lathe model check --json", "lathe model check --model other.uvl --redundant"],
    exitCodes: [7, 10],
  }).action((options: QueryOptions & { redundant?: boolean }) =>
    runAction(options.json, () => {
      const found = checkModel(options.model);
      const bad = found.void || found.dead.length + found.falseOptional.length + found.requiresCycles.length > 0;
      return { json: shortened(found), text: checkText(found, options.redundant ?? false), exitCode: bad ? 10 : 0 };
    }));
  const show = model
    .command("show")
    .description("one feature: its group, edges with reasons, systems that have it, specification, what is below it")
    .argument("[path]", "a feature's path; the modules where it is left out", "")
    .option(...modelOption);
  withFrame(show, { examples: ["lathe model show storage/storage_model/row", "lathe model show"], exitCodes: [7] })
    .action((path: string, options: QueryOptions) => runAction(options.json, () => {
      const page = showFeature(options.model, path);
      return { json: page, text: pageText(page) };
    }));
  const find = model
    .command("find")
    .description("features whose path or description holds every word")
    .argument("[words...]", "words, in any order")
    .option("--system <name>", "only what this surveyed system has, as postgresql")
    .option("--source <name>", "only what comes from there, as appendix, paper, lathe")
    .option("--leaves", "leaves only")
    .option("--dimension <name>", "instead: the paper's alternatives of a dimension, as deployment or workload/htap")
    .option(...modelOption);
  const examples = [
    "lathe model find bloom",
    "lathe model find join --system duckdb --leaves",
    "lathe model find --dimension deployment",
  ];
  withFrame(find, { examples, exitCodes: [7] })
    .action((words: string[], options: FindOptions) => runAction(options.json, () => findOutput(words, options)));
}

function findOutput(words: readonly string[], options: FindOptions): CommandOutput {
  if (options.dimension !== undefined) {
    const beside = words.length > 0 || options.leaves || options.source !== undefined || options.model !== undefined;
    if (beside) throw new LatheError("INVALID_ARGUMENT", "--dimension stands alone, or with --system");
    const alternatives = findAlternatives(options.dimension, options.system);
    const none = "no alternative of it is one of this system";
    return { json: { alternatives }, text: alternatives.map(alternativeText).join("\n") || none };
  }
  const { system, source, leaves } = options;
  const { found, nearest } = findFeatures(options.model, { words, system, source, leavesOnly: leaves ?? false });
  const lines = found.map(({ path, description }) => (description === "" ? path : `${path}\n    ${description}`));
  const none = ["nothing has all of these words", ...(nearest.length === 0 ? [] : [`nearest: ${nearest.join(", ")}`])];
  return { json: { found, nearest }, text: (found.length === 0 ? none : lines).join("\n") };
}

function alternativeText({ dimension, name, title, systems, systemsGeneral, when }: AlternativePage): string {
  const lines = [`${dimension}/${name}  ${title}`];
  if (systems.length > 0) lines.push(`  in ${systems.join(", ")}`);
  if (systemsGeneral.length > 0) lines.push(`  by general knowledge in ${systemsGeneral.join(", ")}`);
  return [...lines, `  realised by ${when}`].join("\n");
}

/** Findings by path: what scripts rely on; with the sentences beside them. */
function shortened(found: ModelAnalysis): object {
  const paths = (list: ModelAnalysis["dead"]) => list.map(({ path }) => path);
  const why = [...found.dead, ...found.falseOptional].map(({ path, witness }) => {
    return [path, witness?.steps.map(({ sentence }) => sentence) ?? []] as const;
  });
  return {
    ...found,
    dead: paths(found.dead),
    falseOptional: paths(found.falseOptional),
    voidWitness: found.voidWitness?.steps.map(({ sentence }) => sentence) ?? [],
    why: Object.fromEntries(why),
  };
}

function checkText(found: ModelAnalysis, listRedundant: boolean): string {
  const { edges } = found;
  const lines = [
    `${found.name}: ${amount(found.features, "feature")}, ${amount(found.leaves, "leaf", "leaves")}`,
    `edges: ${edges.requires} requires, ${edges.mutex} mutex, ${edges.reference} reference, ` +
      `${edges.cooperate} cooperate; ${found.constraints} conditions`,
    found.void
      ? "void: no selection satisfies the model"
      : `not void: a selection of ${amount(found.example.length, "feature")} satisfies it`,
    ...(found.voidWitness === undefined ? [] : [explanationText(found.voidWitness)]),
    `core (in every selection): ${found.core.length}`,
  ];
  for (const [title, list] of [["dead", found.dead], ["false-optional", found.falseOptional]] as const) {
    lines.push(`${title}: ${list.length}`);
    for (const { path, witness } of list) {
      lines.push(path, ...(witness === undefined ? [] : [explanationText(witness)]));
    }
  }
  lines.push(`contradicting: ${found.contradicting.length}`);
  for (const { statement, origin } of found.contradicting) lines.push(`  ${statement}  [${origin}]`);
  lines.push(`cycles of requires: ${found.requiresCycles.length}`);
  for (const cycle of found.requiresCycles) lines.push(`  ${[...cycle, cycle[0]].join(" → ")}`);
  lines.push(`atomic sets (always together): ${found.atomicSets.length}`);
  for (const set of found.atomicSets) lines.push(`  ${set.join(", ")}`);
  lines.push(`redundant (the rest of the model says it too): ${found.redundant.length}`);
  if (listRedundant) {
    for (const { statement, origin, witness } of found.redundant) {
      lines.push(`  ${statement}  [${origin}]`, ...witness.map((one) => `      since ${one}`));
    }
  }
  return lines.join("\n");
}

function pageText({ feature, edges, conditions, children, leaves, specification }: FeaturePage): string {
  const { path, relation, description, systems, systemsGeneral, source, origin, isDefault } = feature;
  const groups = { mandatory: "mandatory", optional: "optional", xor: "one of its group", or: "any of its group" };
  const inGroup = relation === "cardinality" ? "counted group" : groups[relation];
  const kind = feature.parent === undefined ? "the root, which is always selected" : inGroup;
  const below = feature.kind === "leaf" ? "a leaf" : `${amount(leaves, "leaf", "leaves")} below`;
  const from = source === "" ? [] : [`source: ${source}`];
  const place = [`${kind}${isDefault ? ", the default" : ""}`, below, ...from].join("; ");
  const lines = [path, ...(description === "" ? [] : [`  ${description}`]), `  ${place}`];
  if (systems.length > 0) lines.push(`  in ${systems.join(", ")}`);
  if (systemsGeneral.length > 0) lines.push(`  by general knowledge also in ${systemsGeneral.join(", ")}`);
  if (origin !== undefined) lines.push(`  ${origin.file}:${origin.line}`);
  if (specification !== undefined) lines.push(`  specification: ${specification.file}`, `    ${specification.purpose}`);
  for (const { kind: edge, from, to, reason } of edges) {
    const verbs = { requires: ["requires", "is required by"], reference: ["refers to", "is referred to by"] };
    const [out, back] = edge in verbs ? verbs[edge as keyof typeof verbs] : [symmetricVerb(edge), symmetricVerb(edge)];
    lines.push(`  ${from === path ? `${out} ${to}` : `${back} ${from}`}: ${reason}`);
  }
  for (const condition of conditions) lines.push(`  condition: ${condition}`);
  for (const child of children) lines.push(`  ${signOf(child.relation)} ${child.path}  ${child.description}`);
  return lines.join("\n");
}

function amount(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

function symmetricVerb(kind: string): string {
  return kind === "mutex" ? "excludes" : "cooperates with";
}

function signOf(relation: string): string {
  return { mandatory: "●", optional: "○", xor: "△", or: "▲" }[relation] ?? "◇";
}

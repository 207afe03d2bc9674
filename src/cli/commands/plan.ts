/** `lathe plan WHAT`, `lathe plan diff A B`, `lathe plan draw WHAT`. */
import type { Command } from "commander";
import {
  adviceOnPlan, type ContractNode, diffPlans, drawPlanOf, formatStep, formatWhy, type LayerMode,
  type NamedDifference, type Plan, planAddition, planFor, renderContractSpec, specifyContractNode, type SubPlan,
  writePlanFile, writePlanPicture,
} from "../../app/plan.ts";
import { LatheError } from "../../kit/errors.ts";
import { adviceLines } from "../advice-lines.ts";
import { type CommandOutput, runAction, withFrame } from "../command-frame.ts";
import { collect, forceHelp, partsHelp } from "../knob-arguments.ts";

interface ModeOptions {
  readonly waves?: boolean;
  readonly strict?: boolean;
  readonly json?: boolean;
}

interface ShowOptions extends ModeOptions {
  readonly with: readonly string[];
  readonly without: readonly string[];
  readonly parts: readonly string[];
  readonly add?: string;
  readonly contract?: string;
  readonly out?: string;
  readonly force?: boolean;
}

const whatHelp = "a selection or archetype of the catalog, as tpcc; a contract.yaml; or a selection's file";

export function registerPlan(program: Command): void {
  const plan = program
    .command("plan")
    .description("the order in which a selection is built: contract nodes and layers");
  const show = registerShow(plan);
  registerDiff(plan);
  registerDraw(plan);
  // `lathe plan --help` asks for the whole, of which the default command is most.
  plan.addHelpText("after", () => `\nlathe plan WHAT:\n${show.helpInformation()}`);
}

function withModes(command: Command): Command {
  return command
    .option("--waves", "layers by modules, as the SpecDB paper prints them: an edge within a module makes no layer")
    .option("--strict", "layers by the longest path: what is in one layer can be built at once (the default)");
}

function modeOf({ waves, strict }: ModeOptions): LayerMode {
  if (waves && strict) throw new LatheError("INVALID_ARGUMENT", "--waves and --strict exclude one another; give one");
  return waves ? "waves" : "strict";
}

function registerShow(plan: Command): Command {
  const command = withModes(
    plan
      .command("show", { isDefault: true })
      .description("plan a selection (the word show can be left out)")
      .argument("<what>", whatHelp),
  )
    .option("--add <path>", "what is left to build when this feature is added: it, what it needs, changed contracts")
    .option("--with <path>", "of a contract: select this feature; can be given again", collect, [])
    .option("--without <path>", "of a contract: leave this feature out; can be given again", collect, [])
    .option("--parts <dir>", partsHelp, collect, [])
    .option("--contract <name>", "the specification of one contract node, as Markdown")
    .option("--out <file>", "write the plan as JSON, for lathe plan diff and draw")
    .option("--force", forceHelp);
  withFrame(command, {
    examples: [
      "lathe plan tpcc --waves",
      "lathe plan examples/taobench-o/contract.yaml --json",
      "lathe plan tpcc --add storage/page_io/replacement/clock_sweep",
      "lathe plan tpcc --contract oltp_durability_coord",
      "lathe plan tpcc --waves --out tpcc-plan.json",
    ],
    exitCodes: [5, 7, 9, 11],
  }).action((what: string, options: ShowOptions) => runAction(options.json, () => show(what, options)));
  return command;
}

function show(what: string, options: ShowOptions): CommandOutput {
  const mode = modeOf(options);
  const { add, contract, out } = options;
  if (add !== undefined && contract !== undefined) {
    throw new LatheError("INVALID_ARGUMENT", "--add and --contract answer different questions; give one");
  }
  const asked = add === undefined ? contract === undefined ? undefined : "--contract" : "--add";
  if (asked !== undefined && out !== undefined) {
    throw new LatheError("INVALID_ARGUMENT", `--out writes a whole plan; it does not go with ${asked}`);
  }
  const overrides = { with: options.with, without: options.without, parts: options.parts };
  if (contract !== undefined) {
    const spec = specifyContractNode(what, mode, contract, overrides);
    return { json: spec, text: renderContractSpec(spec) };
  }
  if (add !== undefined) {
    const sub = planAddition(what, mode, add, overrides);
    return { json: sub, text: formatSubPlan(sub, add) };
  }
  const made = planFor(what, mode, overrides);
  if (out !== undefined) writePlanFile(out, made, options.force ?? false);
  const advice = adviceOnPlan(made);
  const told = out === undefined ? formatPlan(made) : `${out}: ${summaryOf(made)}`;
  const text = [told, ...(advice.length === 0 ? [] : ["", "Valid, but unwise:", ...adviceLines(advice)])].join("\n");
  return { json: { ...made, advice }, text };
}

function registerDiff(plan: Command): void {
  const command = withModes(
    plan
      .command("diff")
      .description("what changed between two plans: nodes, layers, edges, contracts")
      .argument("<before>", "a plan's file, or anything that can be planned")
      .argument("<after>", "likewise"),
  );
  withFrame(command, {
    examples: ["lathe plan diff old-plan.json new-plan.json", "lathe plan diff tpcc server_oltp_innodb --waves --json"],
    exitCodes: [7, 9],
  }).action((before: string, after: string, options: ModeOptions) =>
    runAction(options.json, () => {
      const difference = diffPlans(before, after, modeOf(options));
      return { json: difference, text: formatDifference(difference) };
    }),
  );
}

function registerDraw(plan: Command): void {
  const command = withModes(
    plan
      .command("draw")
      .description("draw a plan as SVG: layers as columns")
      .argument("<what>", `${whatHelp}; or a plan's`),
  ).option("--out <file>", "where to write", "plan.svg").option("--force", forceHelp);
  withFrame(command, {
    examples: ["lathe plan draw tpcc --waves --out tpcc.svg", "lathe plan draw tpcc-plan.json"],
    exitCodes: [5, 7, 9, 11],
  }).action((what: string, options: ModeOptions & { readonly out: string; readonly force?: boolean }) =>
    runAction(options.json, () => {
      const { plan: drawn, svg } = drawPlanOf(what, modeOf(options));
      writePlanPicture(options.out, svg, options.force ?? false);
      return { json: { file: options.out, hash: drawn.hash }, text: `${options.out}: ${summaryOf(drawn)}` };
    }),
  );
}

function summaryOf({ name, leaves, cooperateEdges, contracts, mergedNodes, layers, mode }: Plan): string {
  const merged = `${contracts} contracts, ${mergedNodes} nodes if each contract is one`;
  const how = mode === "waves" ? "by waves" : "strictly";
  return `${name}: ${leaves} leaves, ${cooperateEdges} cooperate edges, ${merged}; ${layerCount(layers)} ${how}`;
}

function layerCount({ length }: Plan["layers"]): string {
  return `${length} ${length === 1 ? "layer" : "layers"}`;
}

function formatPlan(plan: Plan): string {
  const lines = [summaryOf(plan), `hash ${plan.hash}`, "", ...formatLayers(plan.layers), ""];
  for (const contract of plan.contractNodes) lines.push(...formatContract(contract), "");
  if (plan.bareMergeCycle.length > 0) {
    lines.push("If every contract were one node, they would need one another in a circle:");
    lines.push(...plan.bareMergeCycle.map(formatStep), "");
  }
  for (const { from, to, reason, cycle } of plan.checkAfter) {
    lines.push(`Check after both are built: ${from} agrees with ${to} (${reason}); to wait for it closes a circle:`);
    lines.push(...cycle.map(formatStep), "");
  }
  if (plan.unmet.length > 0) {
    lines.push("Not selected, although required:");
    lines.push(...plan.unmet.map(({ from, to, reason }) => `  ${from} requires ${to} (${reason})`));
  }
  return lines.join("\n").trimEnd();
}

function formatLayers(layers: Plan["layers"]): string[] {
  return layers.flatMap((nodes, at) => {
    const modules = Map.groupBy(nodes, (node) => node.split("/")[0]);
    const parts = [...modules].map(([module, paths]) => {
      const rest = paths.map((path) => path.slice(module.length + 1));
      return paths.length === 1 ? paths[0] : `${module}/{${rest.join(", ")}}`;
    });
    return wrap(`Layer ${at + 1}:`.padEnd(10), parts.join("; "));
  });
}

const columnsMax = 110;

/** Words after a head, continued below the first of them. */
function wrap(head: string, text: string): string[] {
  const lines: string[] = [];
  let line = head;
  for (const word of text.split(" ")) {
    if (line.length + word.length + 1 > columnsMax && line.trim() !== "" && line !== head) {
      lines.push(line);
      line = " ".repeat(head.length);
    }
    line += ` ${word}`;
  }
  return [...lines, line];
}

function formatContract(contract: ContractNode): string[] {
  const { path, members, invariants } = contract;
  const lines = [`${path}: ${formatWhy(contract)}`];
  lines.push(...wrap("  members:", members.join(", ")));
  for (const { text, members: ends } of invariants) lines.push(...wrap("  keeps:", `${text} (${ends.join(" = ")})`));
  return lines;
}

function formatSubPlan({ addition, layers, contractNodes, name }: SubPlan, asked: string): string {
  const { added, offered } = addition;
  const lines = [`${name} with ${asked}: ${added.length} to build in ${layerCount(layers)}`, ""];
  lines.push(...added.map(({ path, because }) => `  ${path}: ${because}`), "", ...formatLayers(layers), "");
  for (const contract of contractNodes) {
    lines.push(`to wire and test again: ${formatContract(contract).join("\n")}`, "");
  }
  if (offered.length > 0) lines.push("Could be added too:");
  lines.push(...offered.map(({ path, because }) => `  ${path}: ${because}`));
  return lines.join("\n").trimEnd();
}

function formatDifference(difference: NamedDifference): string {
  const { before, after, same, nodesAdded, nodesRemoved, nodesMoved, edgesAdded, edgesRemoved } = difference;
  if (same) return `${before} and ${after} are the same plan`;
  const lines = [`from ${before} to ${after}`];
  lines.push(...nodesAdded.map((path) => `+ ${path}`), ...nodesRemoved.map((path) => `- ${path}`));
  lines.push(...nodesMoved.map((moved) => `~ ${moved.path}: layer ${moved.before} -> ${moved.after}`));
  for (const { path, membersAdded, membersRemoved, formBefore, formAfter } of difference.contractsChanged) {
    const members = [...membersAdded.map((one) => `+${one}`), ...membersRemoved.map((one) => `-${one}`)].join(" ");
    lines.push(`~ ${path}: ${members}${formBefore === formAfter ? "" : ` ${formBefore} -> ${formAfter}`}`);
  }
  lines.push(...edgesAdded.map(({ from, to, kind }) => `+ ${from} ${kind} ${to}`));
  lines.push(...edgesRemoved.map(({ from, to, kind }) => `- ${from} ${kind} ${to}`));
  return lines.join("\n");
}

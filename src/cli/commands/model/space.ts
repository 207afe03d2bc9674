/** `lathe model count`, `sample`. */
import { join } from "node:path";
import type { Command } from "commander";
import {
  countSpace, type GroupCount, type Sample, type SampleArguments, sampleSpace, type SpaceArguments, type SpaceCount,
  writeSample,
} from "../../../app/model-space.ts";
import { LatheError } from "../../../kit/errors.ts";
import { formatMagnitude, formatShare } from "../../../kit/magnitude.ts";
import { type CommandOutput, runAction, withFrame } from "../../command-frame.ts";
import { withPicks } from "./picks.ts";

interface SpaceOptions {
  readonly with?: string[];
  readonly without?: string[];
  readonly from?: string;
  readonly implemented?: boolean;
  readonly decisions?: string;
  readonly contract?: string;
  readonly model?: string;
  readonly json?: boolean;
}

interface SampleOptions extends SpaceOptions {
  readonly count?: string;
  readonly seed: string;
  readonly uniform?: boolean;
  readonly pairwise?: boolean;
  readonly over?: string[];
  readonly out?: string;
}

export function registerSpace(model: Command): void {
  const counting = withSpace(
    model
      .command("count")
      .description("how many valid configurations there are: of each module or group alone, and of the whole")
      .argument("[groups...]", "groups to count alone; where left out, every module, and the whole with all its rules"),
  ).option("--shares", "of every feature the share of configurations that have it");
  withFrame(counting, {
    examples: [
      "lathe model count",
      "lathe model count storage concurrency/isolation",
      "lathe model count --implemented --shares",
      "lathe model count --with storage/storage_model/row/heap --without replication --json",
      "lathe model count --contract contract.yaml --shares",
    ],
    exitCodes: [7, 9],
  }).action((groups: string[], options: SpaceOptions & { shares?: boolean }) =>
    runAction(options.json, (context) => {
      const found = countSpace(spaceOf(options), groups, options.shares ?? false, context);
      return { json: found, text: countText(found) };
    }));
  const sampling = withSpace(
    model
      .command("sample")
      .description(
        "valid configurations at random, or few that have every pair of choices, as lathe plan reads them; " +
          "with --contract as lathe build --selection takes them",
      ),
  )
    .option("--count <n>", "how many; 10 where left out, or as many as all pairs take")
    .option("--seed <n>", "the same seed gives the same sample", "1")
    .option("--uniform", "every valid configuration is as likely as any other; counts them first")
    .option("--pairwise", "cover every pair of choices that can occur together")
    .option("--over <points...>", "with --pairwise: only leaves below these features")
    .option("--out <dir>", "write each as a selection's file into this directory, which is missing or empty");
  withFrame(sampling, {
    examples: [
      "lathe model sample --count 3 --seed 7",
      "lathe model sample --implemented --uniform --count 100 --out samples",
      "lathe model sample --implemented --pairwise --json",
      "lathe model sample --pairwise --over storage/storage_model recovery --with core/wal",
      "lathe model sample --contract contract.yaml --pairwise --out samples",
    ],
    exitCodes: [5, 6, 7, 9, 10, 11],
  }).action((options: SampleOptions) => runAction(options.json, (context) => sample(options, context)));
}

function withSpace(command: Command): Command {
  return withPicks(command)
    .option("--with <paths...>", "features to select")
    .option("--implemented", "only what the parts library can build")
    .option("--contract <file>", "only what the parts library can build and this contract.yaml leaves open")
    .option("--decisions <n>", "counting gives up after so many, and tells a bound: 400,000 where left out");
}

function spaceOf(options: SpaceOptions): SpaceArguments {
  const { with: chosen, without, from, implemented, decisions, model, contract } = options;
  return {
    model,
    picks: { with: chosen ?? [], without: without ?? [], from },
    implemented: implemented ?? false,
    contract,
    decisionsMax: decisions === undefined ? undefined : naturalOf("--decisions", decisions),
  };
}

function naturalOf(flag: string, text: string, least = 0): number {
  if (/^\d{1,9}$/.test(text) && Number(text) >= least) return Number(text);
  const from = least === 0 ? "" : ` from ${least} on`;
  throw new LatheError("INVALID_ARGUMENT", `${flag} takes a whole number${from}, not ${text}`);
}

function countText(found: SpaceCount): string {
  const { groups, configurations, exact, features } = found;
  const widest = Math.max(0, ...groups.map(({ path }) => path.length));
  const line = ({ path, alone, exact: own }: GroupCount) =>
    `${path.padEnd(widest)}  ${own ? "" : "at most "}${formatMagnitude(alone)}`;
  const lines = [
    "each alone, by the rules within it:",
    ...groups.map((one) => `  ${line(one)}`),
  ];
  if (configurations === undefined) return lines.join("\n");
  const bound = "at most: what could not be counted in time is counted by the tree alone, without edges";
  lines.push(`the whole, with all its rules: ${formatMagnitude(configurations)} (${exact ? "exact" : bound})`);
  for (const { path, configurations: own } of features) {
    lines.push(`  ${formatShare(own, configurations).padStart(8)}  ${path}`);
  }
  return lines.join("\n");
}

async function sample(
  options: SampleOptions,
  context: Parameters<typeof sampleSpace>[1],
): Promise<CommandOutput> {
  const { uniform, pairwise, over = [], count, seed, out } = options;
  if (uniform && pairwise) throw new LatheError("INVALID_ARGUMENT", "--uniform and --pairwise are two; take one");
  if (over.length > 0 && !pairwise) throw new LatheError("INVALID_ARGUMENT", "--over goes with --pairwise");
  const wanted: SampleArguments = {
    ...spaceOf(options),
    seed: naturalOf("--seed", seed),
    kind: pairwise ? "pairwise" : uniform ? "uniform" : "solver",
    count: count === undefined ? undefined : naturalOf("--count", count, 1),
    over,
  };
  const found = sampleSpace(wanted, context);
  if (out !== undefined) await writeSample(out, found);
  return { json: out === undefined ? found : { ...found, out }, text: sampleText(found, out) };
}

function sampleText({ selections, configurations, pairs, kind, contract }: Sample, out: string | undefined): string {
  const lines = out === undefined
    ? selections.flatMap(({ name, leaves }) => [`${name}: ${leaves.length} leaves`, ...leaves.map((one) => `  ${one}`)])
    : [`wrote ${selections.length} selections to ${out}`];
  if (configurations !== undefined) lines.push(`drawn uniformly, of ${formatMagnitude(configurations)}`);
  if (kind === "solver") lines.push("drawn by the solver from random values, which is not uniform; see --uniform");
  if (contract !== undefined && out !== undefined && selections.length > 0) {
    lines.push(`drawn for ${contract.name} (${contract.hash.slice(0, 12)}); build one: ` +
      `lathe build CONTRACT --selection ${join(out, `${selections[0].name}.json`)} --out DIR`);
  }
  if (pairs !== undefined) {
    const { points, coverable, covered, impossible } = pairs;
    lines.push(`${points} open leaves, ${selections.length} selections: ${covered} of ${coverable} pairs of choices ` +
      `that can occur together are in one; ${impossible} cannot occur`);
  }
  return lines.join("\n");
}

/**
 * Use cases about all configurations of a model: how many there are, and samples of them.
 *
 * Samples are drawn in one of three ways: by the solver with random first values (quick, favours no particular ones but
 * is not uniform), uniformly from the counted space, or pairwise. `implemented` narrows the model to what the parts
 * library can build.
 */
import { join } from "node:path";
import { libraryModel } from "../foundry/library-model.ts";
import { designSpace } from "../foundry/select/design-space.ts";
import { LatheError } from "../kit/errors.ts";
import { backboneOf } from "../model/backbone.ts";
import { findConflict } from "../model/conflict.ts";
import { explanationText } from "../model/explain.ts";
import { ConfigurationSpace, decisionsMaxDefault } from "../model/counting/configuration-space.ts";
import type { FeatureModel } from "../model/feature-model.ts";
import { modelName } from "../model/load-model.ts";
import { pairwiseSample } from "../model/pairwise-sample.ts";
import { RandomNumbers } from "../model/random-numbers.ts";
import { type Picks, Reasoner } from "../model/reasoner.ts";
import { subModel } from "../model/sub-model.ts";
import { openModel, type PickArguments, picksOf } from "./model.ts";
import { intoNewDirectory } from "./new-directory.ts";
import { replaceFile } from "./replace-file.ts";
import type { UseCaseContext } from "./use-case.ts";

export interface SpaceArguments {
  readonly model?: string | undefined;
  readonly picks: PickArguments;
  /** Only what the parts library can build. */
  readonly implemented: boolean;
  readonly decisionsMax?: number | undefined;
}

export interface GroupCount {
  readonly path: string;
  /** Ways to fill its subtree by the rules within it; rules that lead out of it are left aside. */
  readonly alone: bigint;
  readonly exact: boolean;
}

export interface SpaceCount {
  readonly name: string;
  /** Undefined where only groups were asked for. */
  readonly configurations: bigint | undefined;
  /** Otherwise a number that is not smaller: what could not be counted in time is counted by the tree alone. */
  readonly exact: boolean;
  readonly decisions: number;
  readonly groups: readonly GroupCount[];
  /** In how many configurations a feature is; only where asked for, and where the count is exact. */
  readonly features: readonly { readonly path: string; readonly configurations: bigint }[];
}

/** With `groups` those alone; otherwise the modules and the whole. Errors: NOT_FOUND, those of picks. */
export function countSpace(
  space: SpaceArguments,
  groups: readonly string[],
  withFeatures: boolean,
  context: Pick<UseCaseContext, "progress">,
): SpaceCount {
  const model = spaceModel(space);
  const picks = picksOf(model, space.picks);
  const decisionsMax = space.decisionsMax ?? decisionsMaxDefault;
  const counted = (groups.length > 0 ? groups : model.modules)
    .map((path) => countGroup(model, path, picks, decisionsMax));
  const none = { configurations: undefined, exact: true, decisions: 0, features: [] };
  if (groups.length > 0 && !withFeatures) return { name: model.name, groups: counted, ...none };
  if (model.features.length > slowFeatures && !space.implemented && picks.chosen.length === 0) {
    context.progress("counting the whole model: this takes half a minute");
  }
  const found = new ConfigurationSpace(model, picks, decisionsMax);
  const shares = withFeatures && found.exact ? found.shares() : [];
  return {
    name: model.name,
    configurations: found.count,
    exact: found.exact,
    decisions: found.decisions,
    groups: counted,
    features: shares.map((configurations, at) => ({ path: model.features[at].path, configurations })),
  };
}

const slowFeatures = 500;

function countGroup(model: FeatureModel, path: string, picks: Picks, decisionsMax: number): GroupCount {
  const part = subModel(model, path);
  const within = (paths: readonly string[]) => paths.filter((one) => part.has(one));
  const inside = { chosen: within(picks.chosen), excluded: within(picks.excluded) };
  const space = new ConfigurationSpace(part, inside, decisionsMax);
  return { path, alone: space.count, exact: space.exact };
}

/** Errors: INVALID_ARGUMENT for `implemented` with a foreign model. */
function spaceModel({ model: file, implemented }: SpaceArguments): FeatureModel {
  const model = openModel(file);
  if (!implemented) return model;
  if (model.name !== modelName) {
    const message = `--implemented is about the catalog's model and its parts, not ${model.name}`;
    throw new LatheError("INVALID_ARGUMENT", message);
  }
  return libraryModel(model, designSpace().library);
}

export interface SampleArguments extends SpaceArguments {
  readonly seed: number;
  readonly kind: "solver" | "uniform" | "pairwise";
  /** Of pairwise samples the most; undefined for as many as it takes. */
  readonly count: number | undefined;
  /** Pairwise: features whose leaves are paired; all where it is empty. */
  readonly over: readonly string[];
}

export interface Sample {
  readonly kind: SampleArguments["kind"];
  readonly seed: number;
  /** Leaves, as selections have them. */
  readonly selections: readonly { readonly name: string; readonly leaves: readonly string[] }[];
  /** Of a uniform sample, among how many. */
  readonly configurations: bigint | undefined;
  readonly pairs: PairCounts | undefined;
}

export interface PairCounts {
  readonly points: number;
  readonly coverable: number;
  readonly covered: number;
  readonly impossible: number;
}

const countDefault = 10;

/**
 * Errors: CONSTRAINT with a minimal conflict where no configuration has the picks; LIMIT_EXCEEDED where the space is
 * too large to be counted.
 */
export function sampleSpace(wanted: SampleArguments, context: Pick<UseCaseContext, "progress">): Sample {
  const model = spaceModel(wanted);
  const picks = picksOf(model, wanted.picks);
  const reasoner = new Reasoner(model);
  const conflict = findConflict(reasoner, picks);
  if (conflict !== undefined) {
    throw new LatheError("CONSTRAINT", `no configuration has these picks:\n${explanationText(conflict.explanation)}`);
  }
  const { seed, kind, count = countDefault } = wanted;
  const random = new RandomNumbers(seed);
  const drawn = (draw: () => string[]) => Array.from({ length: count }, draw);
  if (kind === "pairwise") return pairwise(wanted, reasoner, picks, context);
  if (kind === "solver") {
    const selections = named(model, drawn(() => drawBySolver(reasoner, picks, random)));
    return { kind, seed, selections, configurations: undefined, pairs: undefined };
  }
  const space = new ConfigurationSpace(model, picks, wanted.decisionsMax);
  const selections = named(model, drawn(() => space.draw(random)));
  return { kind, seed, selections, configurations: space.count, pairs: undefined };
}

function pairwise(
  { seed, count, over }: SampleArguments,
  reasoner: Reasoner,
  picks: Picks,
  { progress }: Pick<UseCaseContext, "progress">,
): Sample {
  const { model } = reasoner;
  const leaves = over.length === 0 ? model.leaves : over.flatMap((path) => model.leavesBelow(path));
  // What every configuration has, or none, is paired by itself.
  const backbone = backboneOf(reasoner, reasoner.literalsOf(picks)) as Int8Array;
  const open = leaves.filter(({ path }) => backbone[reasoner.literal(path)] === 0);
  const points = model.sorted(new Set(open.map(({ path }) => path)));
  if (points.length > slowFeatures) progress(`pairing ${points.length} leaves: this takes minutes`);
  const { selections, ...pairs } = pairwiseSample(reasoner, {
    points, seed, picks, ...(count === undefined ? {} : { selectionsMax: count }),
    onSelection: (left) => {
      if (points.length > slowFeatures) progress(`${left} pairs are open`);
    },
  });
  return { kind: "pairwise", seed, selections: named(model, selections), configurations: undefined, pairs };
}

/** A valid configuration that the solver finds when it tries random values first. */
function drawBySolver(reasoner: Reasoner, picks: Picks, random: RandomNumbers): string[] {
  const solver = reasoner.newSolver();
  for (const literal of reasoner.literalsOf(picks)) solver.addClause([literal]);
  const { features } = reasoner.clauses;
  for (let variable = 1; variable <= features; variable++) solver.setPhase(variable, random.chance(0.5));
  solver.solve();
  return reasoner.selectionOf(reasoner.remember(solver));
}

function named(model: FeatureModel, selections: readonly (readonly string[])[]): Sample["selections"] {
  const digits = String(selections.length).length;
  return selections.map((paths, at) => ({
    name: `sample-${String(at + 1).padStart(digits, "0")}`,
    leaves: paths.filter((path) => model.feature(path).kind === "leaf").sort(),
  }));
}

/** One file per selection, `sample-1.json` …, which `lathe plan` reads. Errors: ALREADY_EXISTS, the system's. */
export async function writeSample(directory: string, { selections, seed, kind }: Sample): Promise<void> {
  await intoNewDirectory(directory, async () => {
    for (const { name, leaves } of selections) {
      const content = { name, kind, seed, leaves };
      replaceFile(join(directory, `${name}.json`), `${JSON.stringify(content, null, 2)}\n`);
    }
  });
}

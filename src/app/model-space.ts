/**
 * Use cases about all configurations of a model: how many there are, and samples of them.
 *
 * Samples are drawn in one of three ways: by the solver with random first values (quick, favours no particular ones but
 * is not uniform), uniformly from the counted space, or pairwise. `implemented` narrows the model to what the parts
 * library can build, a contract further to what it leaves open; what is drawn for one builds.
 */
import { join } from "node:path";
import { canonicalHash } from "../contract/canonical-json.ts";
import { libraryModel } from "../foundry/library-model.ts";
import { ContractSpace } from "../foundry/select/contract-space.ts";
import { designSpace } from "../foundry/select/design-space.ts";
import type { FeatureSelection } from "../foundry/select/feature-selection.ts";
import { LatheError } from "../kit/errors.ts";
import { backboneOf } from "../model/backbone.ts";
import { findConflict } from "../model/conflict.ts";
import { explanationText } from "../model/explain.ts";
import { ConfigurationSpace, decisionsMaxDefault } from "../model/counting/configuration-space.ts";
import type { FeatureModel } from "../model/feature-model.ts";
import { modelName } from "../model/load-model.ts";
import { type PairwiseSample, pairwiseSample } from "../model/pairwise-sample.ts";
import { RandomNumbers } from "../model/random-numbers.ts";
import { type Picks, Reasoner } from "../model/reasoner.ts";
import { subModel } from "../model/sub-model.ts";
import { loadServedContract } from "./contract.ts";
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
  /** A contract's file: only what the library can build and the contract leaves open. */
  readonly contract?: string | undefined;
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
  const { model, picks } = openSpace(space);
  const decisionsMax = space.decisionsMax ?? decisionsMaxDefault;
  const counted = (groups.length > 0 ? groups : model.modules)
    .map((path) => countGroup(model, path, picks, decisionsMax));
  const none = { configurations: undefined, exact: true, decisions: 0, features: [] };
  if (groups.length > 0 && !withFeatures) return { name: model.name, groups: counted, ...none };
  const narrowed = space.implemented || space.contract !== undefined;
  if (model.features.length > slowFeatures && !narrowed && picks.chosen.length === 0) {
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

interface OpenSpace {
  readonly model: FeatureModel;
  readonly picks: Picks;
  readonly reasoner: Reasoner;
  readonly ofContract: ContractSpace | undefined;
}

/** Errors: INVALID_ARGUMENT for `implemented` and `contract` with a foreign model; those of contracts and of picks. */
function openSpace({ model: file, implemented, contract, picks: picked }: SpaceArguments): OpenSpace {
  const model = openModel(file);
  const ofCatalog = [...(implemented ? ["--implemented"] : []), ...(contract === undefined ? [] : ["--contract"])];
  if (ofCatalog.length > 0 && model.name !== modelName) {
    const message = `${ofCatalog[0]} is about the catalog's model and its parts, not ${model.name}`;
    throw new LatheError("INVALID_ARGUMENT", message);
  }
  const picks = picksOf(model, picked);
  if (contract !== undefined) {
    const overrides = { with: picks.chosen, without: picks.excluded };
    const ofContract = new ContractSpace(loadServedContract(contract).contract, overrides, designSpace());
    const { reasoner } = ofContract;
    return { model: reasoner.model, picks: ofContract.picks, reasoner, ofContract };
  }
  const narrowed = implemented ? libraryModel(model, designSpace().library) : model;
  return { model: narrowed, picks, reasoner: new Reasoner(narrowed), ofContract: undefined };
}

export interface SampleArguments extends SpaceArguments {
  readonly seed: number;
  readonly kind: "solver" | "uniform" | "pairwise";
  /** Of pairwise samples the most; undefined for as many as it takes. */
  readonly count: number | undefined;
  /** Pairwise: features whose leaves are paired; all where it is empty. */
  readonly over: readonly string[];
}

export interface SampledSelection {
  readonly name: string;
  /** Sorted. */
  readonly leaves: readonly string[];
  /** With reasons; where it was drawn for a contract. */
  readonly selection: FeatureSelection | undefined;
}

export interface Sample {
  readonly kind: SampleArguments["kind"];
  readonly seed: number;
  /** Of the contract that it was drawn for; `lathe build` takes its selections. */
  readonly contract: { readonly name: string; readonly hash: string } | undefined;
  readonly selections: readonly SampledSelection[];
  /** Of a uniform sample, among how many. */
  readonly configurations: bigint | undefined;
  readonly pairs: Omit<PairwiseSample, "selections"> | undefined;
}

const countDefault = 10;

/**
 * Errors: CONSTRAINT with a minimal conflict where no configuration has the picks; INVALID_ARGUMENT with one where the
 * contract has none; LIMIT_EXCEEDED where the space is too large to be counted; those of contracts.
 */
export function sampleSpace(wanted: SampleArguments, context: Pick<UseCaseContext, "progress">): Sample {
  const space = openSpace(wanted);
  const { model, picks, reasoner, ofContract } = space;
  const conflict = findConflict(reasoner, picks);
  if (conflict !== undefined) {
    throw new LatheError("CONSTRAINT", `no configuration has these picks:\n${explanationText(conflict.explanation)}`);
  }
  const { seed, kind, count = countDefault } = wanted;
  const random = new RandomNumbers(seed);
  const drawn = (draw: () => string[]) => Array.from({ length: count }, draw);
  const contract = ofContract === undefined
    ? undefined
    : { name: ofContract.contract.name, hash: canonicalHash(ofContract.contract) };
  const of = { kind, seed, contract };
  if (kind === "pairwise") {
    const { selections, ...pairs } = pairwise(wanted, reasoner, picks, context);
    return { ...of, selections: named(space, selections, of), configurations: undefined, pairs };
  }
  if (kind === "solver") {
    const selections = named(space, drawn(() => drawBySolver(reasoner, picks, random)), of);
    return { ...of, selections, configurations: undefined, pairs: undefined };
  }
  const counted = new ConfigurationSpace(model, picks, wanted.decisionsMax);
  const selections = named(space, drawn(() => counted.draw(random)), of);
  return { ...of, selections, configurations: counted.count, pairs: undefined };
}

function pairwise(
  { seed, count, over }: SampleArguments,
  reasoner: Reasoner,
  picks: Picks,
  { progress }: Pick<UseCaseContext, "progress">,
): PairwiseSample {
  const { model } = reasoner;
  const leaves = over.length === 0 ? model.leaves : over.flatMap((path) => model.leavesBelow(path));
  // What every configuration has, or none, is paired by itself.
  const backbone = backboneOf(reasoner, reasoner.literalsOf(picks)) as Int8Array;
  const open = leaves.filter(({ path }) => backbone[reasoner.literal(path)] === 0);
  const points = model.sorted(new Set(open.map(({ path }) => path)));
  if (points.length > slowFeatures) progress(`pairing ${points.length} leaves: this takes minutes`);
  return pairwiseSample(reasoner, {
    points, seed, picks, ...(count === undefined ? {} : { selectionsMax: count }),
    onSelection: (left) => {
      if (points.length > slowFeatures) progress(`${left} pairs are open`);
    },
  });
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

function named(
  { model, ofContract }: OpenSpace,
  drawn: readonly (readonly string[])[],
  { kind, seed }: Pick<Sample, "kind" | "seed">,
): SampledSelection[] {
  const digits = String(drawn.length).length;
  return drawn.map((paths, at) => {
    const leaves = paths.filter((path) => model.feature(path).kind === "leaf").sort();
    const selection = ofContract?.selectionOf(leaves, { kind, seed, number: at + 1, count: drawn.length });
    return { name: `sample-${String(at + 1).padStart(digits, "0")}`, leaves, selection };
  });
}

/**
 * One file per selection, `sample-1.json` …, which `lathe plan` reads, and `lathe build` where it was drawn for a
 * contract. Errors: ALREADY_EXISTS, the system's.
 */
export async function writeSample(directory: string, { selections, seed, kind }: Sample): Promise<void> {
  await intoNewDirectory(directory, async () => {
    for (const { name, leaves, selection } of selections) {
      const content = selection ?? { name, kind, seed, leaves };
      replaceFile(join(directory, `${name}.json`), `${JSON.stringify(content, null, 2)}\n`);
    }
  });
}

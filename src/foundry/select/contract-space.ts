/**
 * What a contract leaves open among the selections that the parts library can build, and selections drawn from it.
 *
 * Steps:
 *   1. the model is narrowed to what the library can build (`library-model.ts`);
 *   2. overrides, what the contract decides by the rules of `catalog/select-rules.yaml`, and what its workload needs
 *      are picked; if they do not go together, a minimal set of them that does not is the error;
 *   3. what every selection with these picks has in common is decided; all else is open, and whoever draws chooses.
 * A drawn selection is written as `lathe select` writes one, with the draw that it came from; a leaf says whether the
 * contract asks for it, whether it follows, or whether the draw took it.
 */
import { canonicalHash } from "../../contract/canonical-json.ts";
import type { Contract } from "../../contract/contract.ts";
import { backboneOf } from "../../model/backbone.ts";
import { type Picks, Reasoner } from "../../model/reasoner.ts";
import { libraryModel } from "../library-model.ts";
import { decidedByContract, type Demand, demandsOf, meetDemands } from "./demands.ts";
import type { DesignSpace } from "./design-space.ts";
import { factsOf } from "./facts.ts";
import type { Decision, Draw, FeatureSelection } from "./feature-selection.ts";
import { modelVersion } from "./model-version.ts";
import type { Overrides } from "./select-features.ts";

export class ContractSpace {
  readonly contract: Contract;
  /** Of the narrowed model. */
  readonly reasoner: Reasoner;
  /** What the contract and the overrides decide. */
  readonly picks: Picks;
  readonly #overrides: Overrides;
  /** Of the model as the catalog has it. */
  readonly #version: string;
  readonly #demands: ReadonlyMap<string, Demand>;
  /** By variable: 1 where every selection has it. */
  readonly #backbone: Int8Array;

  /** Errors: NOT_FOUND for unknown paths; INVALID_ARGUMENT with demands that contradict one another. */
  constructor(contract: Contract, overrides: Overrides, { model, rules, library }: DesignSpace) {
    for (const path of [...overrides.with, ...overrides.without]) model.feature(path);
    const needs = (contract.needs ?? []).map(({ feature, because }): Demand => {
      model.feature(feature);
      return { path: feature, selected: true, because: `${feature} is needed by the workload: ${because}` };
    });
    const demands = [...demandsOf(overrides, rules, factsOf(contract), decidedByContract), ...needs];
    this.contract = contract;
    this.reasoner = new Reasoner(libraryModel(model, library));
    const literals = demands.map(({ path, selected }) => this.reasoner.literal(path, selected));
    if (!this.reasoner.satisfiable(literals)) {
      // What contradicts without the library says more than a part that nobody wrote.
      meetDemands(new Reasoner(model), demands);
      meetDemands(this.reasoner, demands);
    }
    const pathsOf = (wanted: boolean) => demands.filter(({ selected }) => selected === wanted).map(({ path }) => path);
    this.picks = { chosen: [...new Set(pathsOf(true))], excluded: [...new Set(pathsOf(false))] };
    this.#overrides = overrides;
    this.#version = modelVersion(model);
    this.#demands = new Map(demands.toReversed().map((demand) => [demand.path, demand]));
    this.#backbone = backboneOf(this.reasoner, this.reasoner.literalsOf(this.picks)) as Int8Array;
  }

  /** What was drawn, as a selection that builds. */
  selectionOf(drawn: readonly string[], draw: Draw): FeatureSelection {
    const { contract } = this;
    const leaves = [...drawn].sort();
    const excluded = [...this.#demands.values()].filter(({ selected }) => !selected);
    return {
      version: 1,
      contract: contract.name,
      contractHash: canonicalHash(contract),
      model: this.#version,
      overrides: { with: [...this.#overrides.with].sort(), without: [...this.#overrides.without].sort() },
      draw,
      leaves,
      decisions: leaves.map((path) => this.#decisionOf(path, draw)),
      leftOut: [],
      excluded: excluded.map(({ path, because }) => ({ path, because })).sort(byPath),
      archetypes: [],
      withoutPart: [],
      hash: canonicalHash({ leaves }),
    };
  }

  #decisionOf(path: string, { kind, seed, number, count }: Draw): Decision {
    const demand = this.#demands.get(path);
    if (demand !== undefined) {
      const origin = this.#overrides.with.includes(path) ? "asked" : "rule";
      return { path, origin, because: demand.because };
    }
    if (this.#backbone[this.reasoner.literal(path)] === 1) {
      return { path, origin: "required", because: "every product that the library can build for this contract has it" };
    }
    return { path, origin: "drawn", because: `drawn (${kind}, seed ${seed}, ${number} of ${count})` };
  }
}

const byPath = (one: { readonly path: string }, other: { readonly path: string }) => (one.path < other.path ? -1 : 1);

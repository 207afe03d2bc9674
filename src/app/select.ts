/**
 * Use cases around a selection: from a contract or a benchmark's name to leaves with reasons.
 */
import { existsSync, readFileSync } from "node:fs";
import { benchmarkProfiles } from "../contract/benchmarks.ts";
import type { Contract } from "../contract/contract.ts";
import { composeContract } from "../contract/interview.ts";
import { loadContract, parseContract, problemsError } from "../contract/parse.ts";
import { explainLeftOut, explainSelected, type SelectionReason } from "../foundry/select/explain-selection.ts";
import type { FeatureSelection } from "../foundry/select/feature-selection.ts";
import { type DesignSpace, designSpace } from "../foundry/select/design-space.ts";
import { type Overrides, selectFeatures } from "../foundry/select/select-features.ts";
import { LatheError } from "../kit/errors.ts";
import { suggestion } from "../kit/suggestion.ts";
import { replaceFile } from "./replace-file.ts";

export type { FeatureSelection, Overrides, SelectionReason };

interface Selected {
  readonly contract: Contract;
  readonly model: DesignSpace["model"];
  readonly rules: DesignSpace["rules"];
  readonly selection: FeatureSelection;
}

/** `what`: a contract's file, or `benchmark/profile`. Errors: those of contracts and of `selectFeatures`. */
export function selectFor(what: string, overrides: Overrides): FeatureSelection {
  return select(what, overrides).selection;
}

/** Why a path is selected, or is not. */
export function explainSelection(
  what: string,
  overrides: Overrides,
  question: { readonly why: string } | { readonly whyNot: string },
): SelectionReason {
  const { contract, model, rules, selection } = select(what, overrides);
  if ("why" in question) return explainSelected(selection, model, question.why);
  return explainLeftOut(selection, model, rules, contract, question.whyNot);
}

function select(what: string, overrides: Overrides): Selected {
  const space = designSpace(overrides.parts);
  const { model, rules } = space;
  const contract = contractOf(what);
  return { contract, model, rules, selection: selectFeatures({ ...space, contract, overrides }) };
}

function contractOf(what: string): Contract {
  if (existsSync(what)) return loadContract(what);
  const names = benchmarkProfiles.map(({ benchmark, profile }) => `${benchmark}/${profile}`);
  if (!names.includes(what)) {
    const known = `benchmarks: ${names.join(", ")}`;
    const message = `there is no file and no benchmark ${what}${suggestion(what, names)} (${known})`;
    throw new LatheError("NOT_FOUND", message, { details: { names } });
  }
  const result = parseContract(composeContract({ workload: what }), what);
  if (!result.ok) throw problemsError(result.problems);
  return result.contract;
}

/** Replaces an older selection only. Errors: ALREADY_EXISTS, and what the system says. */
export function writeSelectionFile(file: string, selection: FeatureSelection): void {
  if (existsSync(file) && !/^\s*\{\s*"version"/.test(readFileSync(file, "utf8").slice(0, 100))) {
    throw new LatheError("ALREADY_EXISTS", `${file} is there already and is no selection; choose another file`);
  }
  replaceFile(file, `${JSON.stringify(selection, null, 2)}\n`);
}

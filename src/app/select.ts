/**
 * Use cases around a selection: from a contract, a benchmark's name, or sources that a contract is inferred from, to
 * leaves with reasons.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { benchmarkProfiles } from "../contract/benchmarks.ts";
import type { Contract } from "../contract/contract.ts";
import { composeContract } from "../contract/interview.ts";
import type { TextReading } from "../contract/text/text-reader.ts";
import { loadContract, parseContract, problemsError } from "../contract/parse.ts";
import { explainLeftOut, explainSelected, type SelectionReason } from "../foundry/select/explain-selection.ts";
import type { FeatureSelection } from "../foundry/select/feature-selection.ts";
import { type DesignSpace, designSpace } from "../foundry/select/design-space.ts";
import { SelectSession } from "../foundry/select/select-session.ts";
import { type Overrides, selectFeatures } from "../foundry/select/select-features.ts";
import { LatheError } from "../kit/errors.ts";
import { suggestion } from "../kit/suggestion.ts";
import { adviceOn, type AdviceTold } from "./advice.ts";
import { type Inference, infer, isSource } from "./infer.ts";
import { refuseOccupied, selectionFile, writeResult } from "./replace-file.ts";
import { inferFromText, readDescription } from "./text-contract.ts";
import type { UseCaseContext } from "./use-case.ts";

export type { FeatureSelection, Inference, Overrides, SelectionReason };
export type { SelectSession, VariationPoint } from "../foundry/select/select-session.ts";
export { describeReading } from "./text-contract.ts";
export { describeSource } from "./infer.ts";

interface Selected {
  readonly contract: Contract;
  readonly model: DesignSpace["model"];
  readonly rules: DesignSpace["rules"];
  readonly selection: FeatureSelection;
}

/** What a selection is made for. */
export interface SelectSubject {
  readonly contract: Contract;
  /** What was read and guessed, where the contract was inferred. */
  readonly inference?: Inference | undefined;
  /** What was understood, where the contract is from free text. */
  readonly reading?: TextReading | undefined;
}

export interface SubjectRequest {
  /** A contract's file, a product's directory, `benchmark/profile`, or sources. */
  readonly what: readonly string[];
  readonly kind?: string | undefined;
  /** A description instead of sources; a .txt or .md file stands for its content. */
  readonly text?: string | undefined;
  /** MB of each log or trace that are read. */
  readonly limitMB?: number | undefined;
  /** As of `infer`. */
  readonly sampleEvery?: number | undefined;
  readonly partial?: boolean | undefined;
}

/** Errors: those of contracts and of `infer`. */
export async function selectSubject(request: SubjectRequest, context?: UseCaseContext): Promise<SelectSubject> {
  const { what, kind } = request;
  const described = what.length === 1 && kind === undefined && /\.(txt|md)$/i.test(what[0]);
  const text = request.text ?? (described ? readDescription(what[0]) : undefined);
  if (text !== undefined) {
    if (text.trim() === "") throw new LatheError("INVALID_ARGUMENT", "the description is empty");
    if (what.length > 0 && !described) throw new LatheError("INVALID_ARGUMENT", "--text stands alone, without sources");
    const { contract, ...reading } = await inferFromText(text);
    return { contract, reading };
  }
  if (what.length === 0) throw new LatheError(
    "INVALID_ARGUMENT", "name a contract, a benchmark or sources, or say --text"
  );
  // A product's directory stands for the contract in it.
  const inside = what.length === 1 && kind === undefined ? join(what[0], "contract.yaml") : undefined;
  if (inside !== undefined && existsSync(inside)) return { contract: loadContract(inside) };
  if (what.length === 1 && kind === undefined && !isSource(what[0])) return { contract: contractOf(what[0]) };
  const contracts = what.filter((one) => /\.ya?ml$/i.test(one));
  if (contracts.length > 0) {
    throw new LatheError("INVALID_ARGUMENT", `${contracts[0]} is a contract and stands alone; the others are sources`);
  }
  const { limitMB, sampleEvery, partial } = request;
  const inference = await infer({ sources: what, kind, limitMB, sampleEvery, partial }, context);
  return { contract: inference.contract, inference };
}

/** Errors: those of `selectFeatures`. */
export function selectFor({ contract }: SelectSubject, overrides: Overrides): FeatureSelection {
  return select(contract, overrides).selection;
}

/** What is valid but unwise about it, the gravest first. */
export function adviceOnSelection({ leaves }: FeatureSelection, parts: Overrides["parts"]): AdviceTold[] {
  return adviceOn(designSpace(parts).model, leaves);
}

/** A walk through what is open. Errors: those of `selectFeatures`. */
export function selectSession({ contract }: SelectSubject, overrides: Overrides): SelectSession {
  return new SelectSession(designSpace(overrides.parts), contract, overrides);
}

/** Why a path is selected, or is not. */
export function explainSelection(
  subject: SelectSubject,
  overrides: Overrides,
  question: { readonly why: string } | { readonly whyNot: string },
): SelectionReason {
  const { contract, model, rules, selection } = select(subject.contract, overrides);
  if ("why" in question) return explainSelected(selection, model, question.why);
  return explainLeftOut(selection, model, rules, contract, question.whyNot);
}

function select(contract: Contract, overrides: Overrides): Selected {
  const space = designSpace(overrides.parts);
  const { model, rules } = space;
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

/** Before a walk, so that its answers are not lost. Errors: those of `writeSelectionFile`. */
export function refuseSelectionPlace(file: string, force: boolean): void {
  refuseOccupied(file, selectionFile, force);
}

/** Replaces an older selection only, unless forced. Errors: ALREADY_EXISTS, and what the system says. */
export function writeSelectionFile(file: string, selection: FeatureSelection, force: boolean): void {
  writeResult(file, `${JSON.stringify(selection, null, 2)}\n`, selectionFile, force);
}

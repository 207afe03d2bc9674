/**
 * Use cases around a contract: check it, explain it, write a new one.
 */
import type { Contract } from "../contract/contract.ts";
import { explainContract, type TopicExplanation } from "../contract/explain.ts";
import {
  type Answer, answerProblem, type Answers, composeContract, parseAnswers, type Question, questions,
} from "../contract/interview.ts";
import { parseContract, problemsError, readContractText } from "../contract/parse.ts";
import { findUnserved, undrivenProblems, unservedProblems } from "../contract/serve-check.ts";
import { LatheError } from "../kit/errors.ts";
import { readTextFile } from "../kit/text-file.ts";
import { formatProblem, type Problem } from "../knobs/yaml-document.ts";
import { checkNeeds } from "./contract-needs.ts";
import { contractFile, writeResult } from "./replace-file.ts";

export type { Answer, Answers, Question, TopicExplanation };
export { answerProblem, questions };

export interface ContractCheck {
  readonly file: string;
  readonly name: string | undefined;
  /** `valid`: it can be built. `unserved`: well formed, but parts are missing. `invalid`: see the problems. */
  readonly verdict: "valid" | "unserved" | "invalid";
  readonly problems: readonly Problem[];
  readonly missingLeaves: readonly string[];
  /** What no driver makes load of yet: it can be built and served, not measured by run, bench and evolve. */
  readonly undriven: readonly Problem[];
}

/** Errors: NOT_FOUND. */
export function checkContract(file: string): ContractCheck {
  const result = parseContract(readContractText(file), file);
  if (!result.ok) {
    return { file, name: undefined, verdict: "invalid", problems: result.problems, missingLeaves: [], undriven: [] };
  }
  const { contract, placeOf } = result;
  const needs = checkNeeds(contract, file, placeOf);
  const problems = [...unservedProblems(contract, file, placeOf), ...needs.problems];
  const leaves = [...findUnserved(contract).flatMap(({ leaf }) => leaf ?? []), ...needs.missingLeaves];
  return {
    file,
    name: contract.name,
    verdict: problems.length === 0 && leaves.length === 0 ? "valid" : "unserved",
    problems,
    missingLeaves: [...new Set(leaves)],
    undriven: undrivenProblems(contract, file, placeOf),
  };
}

export interface LoadedContract {
  readonly contract: Contract;
  readonly text: string;
}

/** A contract that can be built. Errors: NOT_FOUND, INVALID_ARGUMENT, NOT_SELECTED; each with every problem. */
export function loadServedContract(file: string): LoadedContract {
  const { text, contract, placeOf } = readWellFormed(file);
  const problems = unservedProblems(contract, file, placeOf);
  if (problems.length > 0) {
    throw new LatheError("NOT_SELECTED", problems.map(formatProblem).join("\n"), { details: { problems } });
  }
  return { contract, text };
}

/** What is measured is a server under load; a library is measured by the program that uses it. */
function refuseLibrary({ name, surface }: Contract): void {
  if (!surface.protocols.includes("embedded")) return;
  throw new LatheError(
    "INVALID_ARGUMENT",
    `${name} is a library in its program's process: there is no server to measure. \`lathe build\` makes it and runs ` +
      "its suites, `lathe check` judges it; to tune its engine, run a contract with a server over the same tables",
  );
}

/** A contract that can be built and driven. Errors: those of `loadServedContract`; INVALID_ARGUMENT. */
export function loadDrivenContract(file: string): LoadedContract {
  const loaded = loadServedContract(file);
  refuseLibrary(loaded.contract);
  const problems = undrivenProblems(loaded.contract, file, readWellFormed(file).placeOf);
  if (problems.length === 0) return loaded;
  const way = "it can be built and served all the same (lathe build, lathe serve) and judged (lathe check); " +
    "run, bench and evolve measure only what a driver drives";
  throw new LatheError("INVALID_ARGUMENT", `${formatProblems(problems)}\n${way}`, { details: { problems } });
}

/** Errors: NOT_FOUND, INVALID_ARGUMENT with every problem. */
function readWellFormed(file: string) {
  const text = readContractText(file);
  const result = parseContract(text, file);
  if (!result.ok) throw problemsError(result.problems);
  return { text, contract: result.contract, placeOf: result.placeOf };
}

export interface ContractExplanation {
  readonly name: string;
  readonly description: string;
  readonly topics: readonly TopicExplanation[];
  readonly invariants: readonly { readonly text: string; readonly oracle?: string | undefined }[];
  readonly nonGoals: readonly string[];
  readonly unserved: readonly Problem[];
  readonly undriven: readonly Problem[];
}

/** Errors: NOT_FOUND, INVALID_ARGUMENT. */
export function explainContractFile(file: string): ContractExplanation {
  const { contract, placeOf } = readWellFormed(file);
  return {
    name: contract.name,
    description: contract.description,
    topics: explainContract(contract),
    invariants: contract.invariants,
    nonGoals: contract.nonGoals,
    unserved: [...unservedProblems(contract, file, placeOf), ...checkNeeds(contract, file, placeOf).problems],
    undriven: undrivenProblems(contract, file, placeOf),
  };
}

const answersBytesMax = 1 << 20;

/** Answers of an unattended interview. Errors: those of `readTextFile`, INVALID_ARGUMENT. */
export function readAnswers(file: string): Answers {
  return parseAnswers(readTextFile(file, { bytesMax: answersBytesMax }), file);
}

export interface NewContract {
  readonly file: string;
  readonly name: string;
  readonly check: ContractCheck;
}

/** Writes the contract that the answers make. Errors: ALREADY_EXISTS, INVALID_ARGUMENT, PERMISSION. */
export function writeNewContract(file: string, answers: Answers, options: { readonly force: boolean }): NewContract {
  const text = composeContract(answers);
  const result = parseContract(text, file);
  if (!result.ok) throw problemsError(result.problems);
  writeResult(file, text, contractFile, options.force);
  return { file, name: result.contract.name, check: checkContract(file) };
}

export function formatProblems(problems: readonly Problem[]): string {
  return problems.map(formatProblem).join("\n");
}

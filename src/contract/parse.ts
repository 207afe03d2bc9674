/**
 * Text of a `contract.yaml` to a `Contract`, or everything that is wrong with it, each with file, line and column.
 */
import { existsSync } from "node:fs";
import { LatheError } from "../kit/errors.ts";
import { readTextFile } from "../kit/text-file.ts";
import { formatProblem, type Path, type Place, type Problem, readYaml } from "../knobs/yaml-document.ts";
import type { Contract } from "./contract.ts";
import { contractSchema, toContract } from "./schema.ts";

export type ContractResult =
  | { readonly ok: true; readonly contract: Contract; readonly placeOf: (path: Path) => Place }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** `file` appears in messages. Never throws for what a person wrote. */
export function parseContract(text: string, file: string): ContractResult {
  const read = readYaml(text, file, contractSchema);
  if (!read.ok) return read;
  return { ok: true, contract: toContract(read.value), placeOf: read.placeOf };
}

/** Errors: NOT_FOUND; INVALID_ARGUMENT with one line per problem and `details.problems`. */
export function loadContract(file: string): Contract {
  const result = parseContract(readContractText(file), file);
  if (result.ok) return result.contract;
  throw problemsError(result.problems);
}

export function problemsError(problems: readonly Problem[]): LatheError {
  return new LatheError("INVALID_ARGUMENT", problems.map(formatProblem).join("\n"), { details: { problems } });
}

const bytesMax = 4 << 20;

/** Errors: those of `readTextFile`. */
export function readContractText(file: string): string {
  if (!existsSync(file)) {
    const what = "there is no such file; `lathe contract new` writes one";
    throw new LatheError("NOT_FOUND", `cannot read the contract ${file}: ${what}`);
  }
  return readTextFile(file, { bytesMax, directory: "it is a directory; name the contract.yaml in it" });
}

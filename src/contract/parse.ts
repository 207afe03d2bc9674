/**
 * Text of a `contract.yaml` to a `Contract`, or everything that is wrong with it, each with file, line and column.
 */
import { readFileSync } from "node:fs";
import { translateSystemError } from "../kit/env/system-error.ts";
import { LatheError } from "../kit/errors.ts";
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

export function readContractText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === "ENOENT";
    if (!missing && (cause as NodeJS.ErrnoException).code !== "EISDIR") {
      throw translateSystemError(cause, "read", `the contract ${file}`);
    }
    const what = missing
      ? "there is no such file; `lathe contract new` writes one"
      : "it is a directory; name the contract.yaml in it";
    throw new LatheError("NOT_FOUND", `cannot read the contract ${file}: ${what}`, { cause });
  }
}

/** Use case: from a description in free text to a contract, with what was understood and what was not. */
import type { Contract } from "../contract/contract.ts";
import { parseContract, problemsError } from "../contract/parse.ts";
import { RuleReader } from "../contract/text/rule-reader.ts";
import { composeFromText } from "../contract/text/text-contract.ts";
import type { TextReader, TextReading } from "../contract/text/text-reader.ts";
import { LatheError } from "../kit/errors.ts";
import { readTextFile } from "../kit/text-file.ts";

export interface TextInference extends TextReading {
  readonly contract: Contract;
  readonly text: string;
}

/** Errors: INVALID_ARGUMENT (nothing was understood, or facts that do not go together), LIMIT_EXCEEDED. */
export async function inferFromText(text: string, reader: TextReader = new RuleReader()): Promise<TextInference> {
  const reading = await reader.read(text);
  if (reading.facts.length === 0) {
    const words = reading.notUnderstood.slice(0, 20).join(", ");
    const example = "session store with 30 minute expiry, 10k writes/s, 4 GB RAM";
    throw new LatheError("INVALID_ARGUMENT", `nothing of the text was understood (${words}); say it as: ${example}`);
  }
  const composed = composeFromText(reading, "from-text");
  const result = parseContract(composed, "the text's contract");
  if (result.ok) return { ...reading, contract: result.contract, text: composed };
  const said = reading.facts.map(formatFact).join("\n");
  const error = problemsError(result.problems);
  throw new LatheError(
    "INVALID_ARGUMENT", `what the text says does not go together:\n${error.message}\nunderstood:\n${said}`
  );
}

const descriptionBytesMax = 1 << 20;

/** Errors: those of `readTextFile`. */
export function readDescription(file: string): string {
  return readTextFile(file, { bytesMax: descriptionBytesMax });
}

/** The lines that show a reading. */
export function describeReading({ facts, unused, notUnderstood }: TextReading): string {
  const lines = ["Understood:", ...facts.map(formatFact)];
  if (unused.length > 0) lines.push(
    "Understood, and not used:", ...unused.map(({ words, because }) => `  "${words}": ${because}`)
  );
  if (notUnderstood.length > 0) lines.push(`Not understood: ${notUnderstood.join(", ")}`);
  return lines.join("\n");
}

function formatFact({ name, value, confidence, words }: TextReading["facts"][number]): string {
  return `  "${words}": ${name} ${value} (${Math.round(100 * confidence)} % sure)`;
}

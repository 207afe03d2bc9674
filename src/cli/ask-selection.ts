/**
 * Walks the open points of a selection in the terminal: `lathe select … --interactive`.
 *
 * Enter keeps what was decided. A pick that contradicts what stands is explained on the spot, with repairs to choose
 * from.
 */
import type { Readable, Writable } from "node:stream";
import * as prompts from "@clack/prompts";
import type { SelectSession, VariationPoint } from "../app/select.ts";
import { LatheError } from "../kit/errors.ts";

/** Where questions go to and answers come from; the terminal where left out. */
export interface PromptStreams {
  readonly input?: Readable | undefined;
  readonly output?: Writable | undefined;
}

const rest = "the rest";
const leftOut = "leave it out";

/** Errors: CANCELLED. */
export async function askSelection(session: SelectSession, streams: PromptStreams = {}): Promise<void> {
  const common = { input: streams.input, output: streams.output };
  prompts.intro("Enter keeps what was decided; Ctrl-C writes nothing.", common);
  for (const point of session.points()) {
    if (await askPoint(session, point, common)) break;
  }
  prompts.outro(flagsOf(session) === "" ? "Nothing was changed." : `The same again: ${flagsOf(session)}`, common);
}

/** The overrides of a walk as flags. */
export function flagsOf({ overrides }: SelectSession): string {
  return [
    ...overrides.with.map((path) => `--with ${path}`), ...overrides.without.map((path) => `--without ${path}`),
  ].join(" ");
}

/** Whether the rest is to be kept as it is. */
async function askPoint(session: SelectSession, point: VariationPoint, common: PromptStreams): Promise<boolean> {
  for (;;) {
    const decided = point.decided ?? leftOut;
    const message = `${point.path}: ${point.description}\n  decided: ${decided}\n  ${point.because}`;
    const options = point.alternatives.map(({ path, description, hasPart, possible }) => ({
      value: path ?? leftOut,
      label: path === null ? leftOut : path.slice(path.lastIndexOf("/") + 1),
      hint: [
        ...(path === null ? [] : [description]), ...(hasPart ? [] : ["no part yet"]),
        ...(possible ? [] : ["contradicts what stands"]),
      ].join("; "),
    }));
    const more = { value: rest, label: "keep this and everything that follows", hint: "" };
    const answer = await prompts.select({ message, options: [...options, more], initialValue: decided, ...common });
    const value = given(answer);
    if (value === rest) return true;
    const outcome = session.pick(point.path, value === leftOut ? null : value);
    if (outcome.ok) {
      if (outcome.changes.length > 0) prompts.log.warn(outcome.changes.join("\n"), common);
      return false;
    }
    prompts.log.error(`${value} cannot be:\n${outcome.because}`, common);
    if (outcome.repairs.length === 0) continue;
    const repairs = outcome.repairs.map(({ text }, at) => ({ value: String(at), label: text, hint: "" }));
    const back = { value: "back", label: "choose something else", hint: "" };
    const chosen = given(await prompts.select({ message: "What now?", options: [...repairs, back], ...common }));
    if (chosen === "back") continue;
    session.drop(outcome.repairs[Number(chosen)].points);
    session.pick(point.path, value === leftOut ? null : value);
    return false;
  }
}

function given<T>(answer: T): Exclude<T, symbol> {
  if (prompts.isCancel(answer)) throw new LatheError("CANCELLED", "stopped; nothing was written");
  return answer as Exclude<T, symbol>;
}

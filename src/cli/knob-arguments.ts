/** Values of flags that several commands share: repeated `--knob name=value`, directories of parts, whole numbers. */
import { InvalidArgumentError } from "commander";
import { parseKnobArgument } from "../kit/knob-file.ts";

/** Errors: INVALID_ARGUMENT. */
export function knobArguments(texts: readonly string[]): Record<string, number | string | boolean> {
  return Object.fromEntries(texts.map(parseKnobArgument));
}

export const forceHelp = "overwrite the file, whatever it is";

export const partsHelp = "a directory of parts of your own, laid out as src/parts; can be given again";

export function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

/** A whole number of a flag; commander turns the error into a usage message. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    throw new InvalidArgumentError(`expected a whole number from ${min} to ${max}.`);
  };
}

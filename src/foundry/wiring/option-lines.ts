/** Lines that hand knobs to the parts that own them, as options by name. */
import type { Knob } from "../../knobs/knob.ts";
import type { PartDescriptor } from "../part-descriptor.ts";
import type { Role } from "../role.ts";

/** Options that are not named after their knob. */
const optionOfKnob: Readonly<Record<string, string>> = { "row_cache.bytes": "capacityBytes" };

export type KnobLines = (role: Role, indent: string) => string[];

export function optionLines(part: PartDescriptor | undefined, knobs: readonly Knob[], indent: string): string[] {
  const names = new Set(part?.knobs ?? []);
  return knobs
    .filter((knob) => names.has(knob.name))
    .map((knob) => `${indent}${optionName(knob.name)}: knobs[${JSON.stringify(knob.name)}],`);
}

/** `limits: { … }` around the lines of knobs, or nothing. */
export function limitLines(lines: readonly string[], indent: string): string[] {
  return lines.length === 0 ? [] : [`${indent}limits: {`, ...lines, `${indent}},`];
}

function optionName(knob: string): string {
  const noun = knob.slice(knob.indexOf(".") + 1);
  return optionOfKnob[knob] ?? noun.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/**
 * The ladder of a knob: the values that a search may give it, in order.
 *
 * A search over every byte count between 1 MiB and 1 GiB spends its trials on values that no
 * measurement can tell apart and no person would type. So each knob has at most `rungsMax` rungs:
 *   log2      powers of two within the bounds, and the bounds themselves
 *   linear    every integer where they are few, else evenly spaced ones
 *   choice    the choices, in catalog order
 *   boolean   false, true
 * The default is always a rung.
 */
import { LatheError } from "../kit/errors.ts";
import type { Knob, KnobValue } from "../knobs/knob.ts";

export const rungsMax = 64;
const linearRungs = 16;

/** Errors: INVALID_ARGUMENT for a knob whose bounds or choices do not make a range. */
export function ladderOf(knob: Knob): readonly KnobValue[] {
  if (knob.type === "boolean") return [false, true];
  if (knob.type === "choice") {
    if (knob.choices === undefined || knob.choices.length === 0)
      throw invalid(knob, "it has no choices");
    if (knob.choices.length > rungsMax) throw invalid(knob, `it has more than ${rungsMax} choices`);
    return knob.choices;
  }
  const { min, max } = boundsOf(knob);
  const values = knob.scale === "log2" ? powersOfTwo(knob, min, max) : evenlySpaced(knob, min, max);
  return [...new Set([...values, knob.default as number])].sort((a, b) => a - b);
}

/** Whether the rungs have an order, so that a step up or down means something. */
export function isOrdered(knob: Knob): boolean {
  return knob.type === "integer" || knob.type === "number";
}

/** The rung on which `value` stands, or the nearest one where it stands between two. */
export function rungOf(ladder: readonly KnobValue[], value: KnobValue): number {
  const exact = ladder.indexOf(value);
  if (exact >= 0 || typeof value !== "number") return exact;
  const distances = ladder.map((rung) => Math.abs((rung as number) - value));
  return distances.indexOf(Math.min(...distances));
}

function boundsOf(knob: Knob): { min: number; max: number } {
  const { min, max } = knob;
  if (min === undefined || max === undefined || !(min <= max) || !Number.isFinite(max - min)) {
    throw invalid(knob, "a knob that is searched needs finite bounds, the smaller one first");
  }
  if (knob.type === "integer" && !(Number.isSafeInteger(min) && Number.isSafeInteger(max))) {
    throw invalid(knob, "the bounds of an integer are integers");
  }
  return { min, max };
}

function powersOfTwo(knob: Knob, min: number, max: number): number[] {
  const positiveMin = min > 0 ? min : knob.type === "integer" ? 1 : max / 2 ** 16;
  const values = min > 0 ? [min, max] : [min, positiveMin, max];
  for (let exponent = Math.ceil(Math.log2(positiveMin)); 2 ** exponent <= max; exponent++)
    values.push(2 ** exponent);
  if (values.length > rungsMax)
    throw invalid(knob, `its range spans more than ${rungsMax} powers of two`);
  return values;
}

function evenlySpaced(knob: Knob, min: number, max: number): number[] {
  const whole = knob.type === "integer";
  const steps = whole ? Math.min(linearRungs, max - min) : linearRungs;
  if (steps === 0) return [min];
  return Array.from({ length: steps + 1 }, (_, step) => {
    const value = min + ((max - min) * step) / steps;
    return whole ? Math.round(value) : value;
  });
}

function invalid(knob: Knob, reason: string): LatheError {
  return new LatheError("INVALID_ARGUMENT", `the knob ${knob.name} cannot be searched: ${reason}`);
}

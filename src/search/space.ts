/**
 * The space of a study: which knobs may vary, which points of their ladders satisfy every
 * constraint, and what is near what.
 *
 * Invariants:
 *   1. Knobs whose risk is durability or consistency are not in a space unless the contract allows
 *      it by name: a search must not find out that losing data is fast.
 *   2. Every candidate that leaves this file is in range and satisfies the constraints of the whole
 *      product, not only those of the knobs that vary.
 */
import { LatheError } from "../kit/errors.ts";
import { constraintProblems, valueProblem } from "../kit/knob-table.ts";
import { suggestion } from "../kit/suggestion.ts";
import type { Knob, KnobValue } from "../knobs/knob.ts";
import { type Candidate, createCandidate } from "./candidate.ts";
import { isOrdered, ladderOf, rungOf } from "./ladder.ts";
import type { RandomStream, Space } from "./proposer.ts";
import { pick } from "./random-stream.ts";

export interface SpaceOptions {
  /** Knobs of these impacts vary; where nothing is said, those of the highest that the product has. */
  readonly impacts?: readonly Knob["impact"][] | undefined;
  /** Exactly these knobs vary, whatever their impact. */
  readonly names?: readonly string[] | undefined;
  /** Risky knobs that the contract allows to vary, by name. */
  readonly riskyAllowed?: readonly string[] | undefined;
}

const sampleAttemptsMax = 1000;

/**
 * Errors: INVALID_ARGUMENT for names that are not there, forbidden knobs asked for by name, or an
 * empty space.
 */
export function createSpace(table: readonly Knob[], options: SpaceOptions = {}): Space {
  const { impacts, names, riskyAllowed = [] } = options;
  const known = table.map((knob) => knob.name);
  for (const name of [...(names ?? []), ...riskyAllowed]) {
    if (known.includes(name)) continue;
    throw new LatheError(
      "INVALID_ARGUMENT",
      `${name} is not a knob of this product${suggestion(name, known)}`,
    );
  }
  const mayVary = (knob: Knob) => !isForbidden(knob) || riskyAllowed.includes(knob.name);
  const forbidden = table.find((knob) => names?.includes(knob.name) === true && !mayVary(knob));
  if (forbidden !== undefined) {
    const message =
      `${forbidden.name} weakens ${forbidden.risk}; a study may vary it only where ` +
      `the contract allows it`;
    throw new LatheError("INVALID_ARGUMENT", message);
  }
  const varying = table.filter((knob) => mayVary(knob) && ladderOf(knob).length > 1);
  const knobs = names === undefined
    ? knobsOfImpact(varying, impacts)
    : varying.filter((knob) => names.includes(knob.name));
  if (knobs.length > 0) return { knobs, table };
  const message = "no knob of this product may vary: the space is empty";
  throw new LatheError("INVALID_ARGUMENT", message);
}

function knobsOfImpact(knobs: readonly Knob[], impacts: SpaceOptions["impacts"]): Knob[] {
  const highest = (["high", "medium", "low"] as const).find((impact) => knobs.some((knob) => knob.impact === impact));
  return knobs.filter(({ impact }) => impacts === undefined ? impact === highest : impacts.includes(impact));
}

/**
 * The space without values that would break the memory guard by themselves: a knob that counts
 * memory ends at half of what the contract grants, or at its default where that is more.
 */
export function limitMemory(space: Space, memoryBytesMax: number): Space {
  const limited = space.knobs.map((knob) => {
    if (knob.unit !== "bytes" || knob.risk !== "memory") return knob;
    const max = Math.max(knob.default as number, Math.floor(memoryBytesMax / 2));
    return knob.max === undefined || knob.max <= max ? knob : { ...knob, max };
  });
  return { ...space, knobs: limited.filter((knob) => ladderOf(knob).length > 1) };
}

function isForbidden(knob: Knob): boolean {
  return knob.risk === "durability" || knob.risk === "consistency";
}

/** Values of every knob of the product at a candidate. */
export function valuesAt(space: Space, candidate: Candidate): Record<string, KnobValue> {
  return {
    ...Object.fromEntries(space.table.map((knob) => [knob.name, knob.default])),
    ...candidate.knobs,
  };
}

/**
 * What is wrong with a candidate: knobs that may not vary, values out of range, broken constraints.
 * Empty: nothing.
 */
export function problemsOf(space: Space, candidate: Candidate): string[] {
  const problems: string[] = [];
  for (const [name, value] of Object.entries(candidate.knobs)) {
    const knob = space.knobs.find((one) => one.name === name);
    const problem =
      knob === undefined ? "it may not vary in this study" : valueProblem(knob, value);
    if (problem !== undefined) problems.push(`${name}: ${problem}`);
  }
  return problems.length > 0
    ? problems
    : constraintProblems(space.table, valuesAt(space, candidate));
}

export function isInSpace(space: Space, candidate: Candidate): boolean {
  return problemsOf(space, candidate).length === 0;
}

/**
 * A uniform point of the ladders that satisfies the constraints; undefined where a thousand draws
 * found none.
 */
export function sample(space: Space, random: RandomStream): Candidate | undefined {
  for (let attempt = 0; attempt < sampleAttemptsMax; attempt++) {
    const values = Object.fromEntries(
      space.knobs.map((knob) => [knob.name, pick(ladderOf(knob), random)]),
    );
    const candidate = createCandidate(values, space.table);
    if (isInSpace(space, candidate)) return candidate;
  }
  return undefined;
}

/** A change of one knob, seen from a candidate. */
export interface Move {
  readonly knob: Knob;
  /** Rungs up (positive) or down; 0 for knobs without order. */
  readonly stride: number;
  readonly candidate: Candidate;
}

/** Every change of one knob that stays in the space, in catalog order and from near to far. */
export function movesFrom(space: Space, from: Candidate): Move[] {
  const values = valuesAt(space, from);
  return space.knobs.flatMap((knob) => {
    const ladder = ladderOf(knob);
    const at = rungOf(ladder, values[knob.name]);
    return ladder
      .map((value, rung) => ({ value, stride: isOrdered(knob) ? rung - at : 0 }))
      .filter(({ value }) => value !== values[knob.name])
      .sort((a, b) => Math.abs(a.stride) - Math.abs(b.stride))
      .map(({ value, stride }) => {
        const candidate = createCandidate({ ...from.knobs, [knob.name]: value }, space.table);
        return { knob, stride, candidate };
      })
      .filter(({ candidate }) => isInSpace(space, candidate));
  });
}

/** How many points the ladders have, the constraints left aside. */
export function pointCount(space: Space): number {
  return space.knobs.reduce((count, knob) => count * ladderOf(knob).length, 1);
}

/** Every point of the ladders that satisfies the constraints, in lexicographic order of rungs. */
export function* points(space: Space): Generator<Candidate> {
  const ladders = space.knobs.map((knob) => ladderOf(knob));
  const total = pointCount(space);
  for (let number = 0; number < total; number++) {
    let rest = number;
    const values: Record<string, KnobValue> = {};
    for (const [index, knob] of space.knobs.entries()) {
      values[knob.name] = ladders[index][rest % ladders[index].length];
      rest = Math.floor(rest / ladders[index].length);
    }
    const candidate = createCandidate(values, space.table);
    if (isInSpace(space, candidate)) yield candidate;
  }
}

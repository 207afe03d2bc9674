/**
 * Random search: uniform over the ladders of the space, without repeats. The policy that every
 * other one has to beat.
 *
 * Algorithm:
 *   1. Draw points until one was not tried yet, at most `drawsMax` times. Ladders are spaced by
 *      each knob's scale, so a uniform rung of a log2 knob is uniform in the exponent.
 *   2. Where the draws found nothing new and the space is small enough to walk, one of the points
 *      that are left.
 *   3. Nothing left: undefined.
 * Source: Bergstra and Bengio, "Random Search for Hyper-Parameter Optimization" (2012).
 */
import type { Candidate } from "./candidate.ts";
import type { Proposer, RandomStream, StudyView } from "./proposer.ts";
import { pick } from "./random-stream.ts";
import { pointCount, points, sample } from "./space.ts";
import { triedIds } from "./tried.ts";

const drawsMax = 100;
const walkableMax = 20_000;

export function createRandomProposer(): Proposer {
  return { name: "random", propose };
}

function propose(view: StudyView, random: RandomStream): Candidate | undefined {
  const tried = triedIds(view);
  for (let draw = 0; draw < drawsMax; draw++) {
    const candidate = sample(view.space, random);
    if (candidate === undefined) break;
    if (!tried.has(candidate.id)) return candidate;
  }
  if (pointCount(view.space) > walkableMax) return undefined;
  const left = [...points(view.space)].filter(({ id }) => !tried.has(id));
  return left.length === 0 ? undefined : pick(left, random);
}

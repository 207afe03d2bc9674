/**
 * Greedy search: changes one knob of the incumbent at a time, the most promising change first.
 *
 * A measurement of a database sees effects of a few percent at best, so one rung of a long ladder
 * is seldom visible. The policy therefore strides before it steps: a quarter of the ladder first,
 * the far end next, single rungs last.
 *
 * Algorithm: every move of one knob that was not tried before gets a rank; the lowest tuple wins,
 * ties go to catalog order.
 *   1. momentum   0 where the last kept trial moved this knob in this direction: what helped once
 *      may help again
 *   2. repeated   1 where this knob had this value in an earlier trial or incumbent
 *   3. attempts   how often this knob was tried since the incumbent changed: breadth before depth
 *   4. impact     high, medium, low, as the catalog says
 *   5. hint       −1 where this direction screened better without being kept (a shorter stride may
 *      pass the guards) or the
 *                 other direction screened worse (on a hill, one side down means the other up); 1
 *                 where this one did
 *   6. stride     a quarter of the ladder, then all of it, then anything else from far to near;
 *      after such a hint from near to far
 *   7. direction  up before down: defaults are set to be safe on small machines
 * When no single change is left: two changes at once, drawn at random from the moves, preferring
 * those that screened above zero. When those are used up as well: any point that is left, as random
 * search has it. Source: hill climbing with a tabu list (Glover 1989) and momentum, as people tune.
 */
import { type Candidate, createCandidate, differingKnobs } from "./candidate.ts";
import { ladderOf, rungOf } from "./ladder.ts";
import type { Proposer, RandomStream, StudyView, TrialView } from "./proposer.ts";
import { createRandomProposer } from "./random.ts";
import { pick } from "./random-stream.ts";
import { isInSpace, type Move, movesFrom, valuesAt } from "./space.ts";
import { triedIds } from "./tried.ts";

const hintMin = 0.01;
const pairDrawsMax = 200;
const anyOther = createRandomProposer();
const impactRank = { high: 0, medium: 1, low: 2 } as const;

export function createGreedyProposer(): Proposer {
  return { name: "greedy", propose };
}

function propose(view: StudyView, random: RandomStream): Candidate | undefined {
  const tried = triedIds(view);
  const moves = movesFrom(view.space, view.incumbent);
  const fresh = moves.filter(({ candidate }) => !tried.has(candidate.id));
  if (fresh.length === 0)
    return proposePair(view, moves, tried, random) ?? anyOther.propose(view, random);
  const ranked = fresh.map((move) => ({ move, rank: rankOf(move, view) }));
  ranked.sort((a, b) => compareRanks(a.rank, b.rank));
  return ranked[0].move.candidate;
}

function rankOf(move: Move, view: StudyView): number[] {
  const direction = Math.sign(move.stride);
  const own = view.trials
    .map((trial, position) => ({ trial, position, step: stepOf(trial, view) }))
    .filter(({ step }) => step?.name === move.knob.name);
  const lastKept = view.trials.findLastIndex(({ outcome }) => outcome === "kept");
  const keptHere = own.find(({ position }) => position === lastKept);
  const momentum = direction !== 0 && keptHere?.step?.direction === direction ? 0 : 1;
  const value = valuesAt(view.space, move.candidate)[move.knob.name];
  const valueIn = (candidate: Candidate) => valuesAt(view.space, candidate)[move.knob.name];
  const repeated = own.some(({ trial }) =>
    [valueIn(trial.candidate), valueIn(trial.incumbent)].includes(value),
  );
  const attempts = own.filter(({ position }) => position > lastKept).length;
  const estimates = (of: number) =>
    own
      .filter(({ trial, step }) => step?.direction === of && trial.outcome !== "kept")
      .map(({ trial }) => trial.estimate ?? 0);
  const ahead = direction === 0 ? [] : estimates(direction);
  const behind = direction === 0 ? [] : estimates(-direction);
  const promising = ahead.some((estimate) => estimate > hintMin);
  const hint = ahead.some(isWorse) ? 1 : promising || behind.some(isWorse) ? -1 : 0;
  const stride = promising ? Math.abs(move.stride) : strideRank(move);
  return [
    momentum,
    repeated ? 1 : 0,
    attempts,
    impactRank[move.knob.impact],
    hint,
    stride,
    -direction,
  ];
}

function isWorse(estimate: number): boolean {
  return estimate < -hintMin;
}

/** A quarter of the ladder first, then the whole way, then the longer stride of what is left. */
function strideRank(move: Move): number {
  if (move.stride === 0) return 0;
  const rungs = ladderOf(move.knob).length;
  const length = Math.abs(move.stride);
  const quarter = Math.max(1, Math.round(rungs / 4));
  return length === quarter ? 0 : length > quarter ? 1 + 1 / length : 3 - length / rungs;
}

/**
 * The knob and direction in which a trial left its incumbent; undefined where it changed more than
 * one.
 */
function stepOf(
  trial: TrialView,
  view: StudyView,
): { name: string; direction: number } | undefined {
  const names = differingKnobs(trial.candidate, trial.incumbent);
  const knob = view.space.knobs.find(({ name }) => name === names[0]);
  if (names.length !== 1 || knob === undefined) return undefined;
  const ladder = ladderOf(knob);
  const rung = (candidate: Candidate) => rungOf(ladder, valuesAt(view.space, candidate)[knob.name]);
  return { name: knob.name, direction: Math.sign(rung(trial.candidate) - rung(trial.incumbent)) };
}

function proposePair(
  view: StudyView,
  moves: readonly Move[],
  tried: ReadonlySet<string>,
  random: RandomStream,
): Candidate | undefined {
  const estimates = new Map(
    view.trials.map(({ candidate, estimate }) => [candidate.id, estimate ?? 0]),
  );
  const hopeful = moves.filter(({ candidate }) => (estimates.get(candidate.id) ?? 0) > 0);
  for (let draw = 0; draw < pairDrawsMax && moves.length > 0; draw++) {
    const pool = draw < pairDrawsMax / 2 && hopeful.length > 0 ? hopeful : moves;
    const [first, second] = [pick(pool, random), pick(moves, random)];
    if (first.knob.name === second.knob.name) continue;
    const values = { ...first.candidate.knobs, ...changeOf(second, view.incumbent) };
    const candidate = createCandidate(values, view.space.table);
    if (!tried.has(candidate.id) && isInSpace(view.space, candidate)) return candidate;
  }
  return undefined;
}

/** The new value of the one knob that a move changes, also where that is the default. */
function changeOf(move: Move, from: Candidate): Record<string, Candidate["knobs"][string]> {
  const name = differingKnobs(move.candidate, from)[0];
  return { [name]: move.candidate.knobs[name] ?? move.knob.default };
}

function compareRanks(a: readonly number[], b: readonly number[]): number {
  for (let position = 0; position < a.length; position++) {
    if (a[position] !== b[position]) return a[position] - b[position];
  }
  return 0;
}

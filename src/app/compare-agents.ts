/**
 * Two agents compared on one live store: blocks of the same traffic under the one and the other, in pairs.
 *
 * The measurement law asks for launches because two processes of the same code differ persistently. Here both sides are
 * the same process and the same store, and only the agent changes, so what persists is common to both; what remains is
 * drift of the machine and of the store, and what one side leaves to the other.
 *
 *   1. Per pair a coin drawn from the seed puts one side first, so drift has the same chance to fall on either.
 *   2. A block begins with a wash-in under its own agent that is not measured and ends at rest: what the other one left
 *      behind (debt, another shape of the levels) is worked off there.
 *   3. The measured part is a fixed number of operations and a timed drain, until the agent has nothing left to do: no
 *      side can leave its work to the next block.
 *   4. The estimate is over pairs: logarithms of the cost of the candidate by that of the incumbent, with the exact
 *      signed-rank interval, which the coin makes valid under any noise (statistics/interval.ts).
 * Invariant: the number of pairs is fixed before the first; no pair is left out.
 */
import { fixedSizeInterval, type Interval } from "../bench/statistics/interval.ts";
import { SeededRandom } from "../bench/statistics/seeded-random.ts";

export const agentSides = ["incumbent", "candidate"] as const;
export type AgentSide = (typeof agentSides)[number];

/** What a measured part took; less is better for all. */
export interface BlockCost {
  /** From its first operation to the end of its drain. */
  readonly wallSeconds: number;
  /** Of all threads of the process. */
  readonly cpuSeconds: number;
  /** Bytes that flushes and compactions wrote. */
  readonly writtenBytes: number;
}

export type CostName = keyof BlockCost;
export const costNames: readonly CostName[] = ["wallSeconds", "cpuSeconds", "writtenBytes"];

export interface AgentComparisonOptions {
  readonly pairs: number;
  readonly seed: number;
  readonly confidence: number;
  /** Puts the side's agent in force, runs the wash-in, and comes to rest. */
  washIn(side: AgentSide): Promise<void>;
  /** Runs and drains the measured part of the pair's block; both sides of a pair get the same operations. */
  measure(side: AgentSide, pair: number): Promise<BlockCost>;
}

export interface AgentPair {
  readonly first: AgentSide;
  readonly incumbent: BlockCost;
  readonly candidate: BlockCost;
}

export type AgentVerdict = "candidate dearer" | "candidate cheaper" | "no difference shown";

export interface AgentComparison {
  readonly pairs: readonly AgentPair[];
  /** Ratio of costs, candidate by incumbent. */
  readonly ratios: Readonly<Record<CostName, Interval>>;
  readonly verdicts: Readonly<Record<CostName, AgentVerdict>>;
}

export async function compareAgents(options: AgentComparisonOptions): Promise<AgentComparison> {
  const random = new SeededRandom(options.seed);
  const pairs: AgentPair[] = [];
  for (let pair = 0; pair < options.pairs; pair++) {
    const order = random.coin() ? agentSides : agentSides.toReversed();
    const costs = new Map<AgentSide, BlockCost>();
    for (const side of order) {
      await options.washIn(side);
      costs.set(side, await options.measure(side, pair));
    }
    const [incumbent, candidate] = agentSides.map((side) => costs.get(side) as BlockCost);
    pairs.push({ first: order[0], incumbent, candidate });
  }
  const ratios = recordOf((name) => ratioOf(pairs, name, options.confidence));
  return { pairs, ratios, verdicts: recordOf((name) => verdictOf(ratios[name])) };
}

function ratioOf(pairs: readonly AgentPair[], name: CostName, confidence: number): Interval {
  const logRatios = pairs.map(({ incumbent, candidate }) => Math.log(candidate[name] / incumbent[name]));
  const interval = fixedSizeInterval(logRatios, confidence);
  const [estimate, low, high] = [interval.estimate, interval.low, interval.high].map(Math.exp);
  return { ...interval, estimate, low, high, method: interval.method.replace("launches", "pairs of blocks") };
}

function verdictOf({ low, high }: Interval): AgentVerdict {
  if (low > 1) return "candidate dearer";
  return high < 1 ? "candidate cheaper" : "no difference shown";
}

function recordOf<Value>(make: (name: CostName) => Value): Record<CostName, Value> {
  return { wallSeconds: make("wallSeconds"), cpuSeconds: make("cpuSeconds"), writtenBytes: make("writtenBytes") };
}

/** The comparison of agents on simulated stores with noise, drift, and what one side leaves to the other. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { SeededRandom } from "../bench/statistics/seeded-random.ts";
import { type AgentComparison, type AgentSide, compareAgents } from "./compare-agents.ts";

interface World {
  /** Cost of the candidate by that of the incumbent. */
  readonly effect: number;
  readonly noise?: number;
  /** By how much each block is dearer than the one before it. */
  readonly drift?: number;
}

async function compare(world: World, seed: number, pairs = 12): Promise<AgentComparison> {
  const { effect, noise = 0.05, drift = 0 } = world;
  const random = new SeededRandom(seed ^ 0x5eed);
  let blocks = 0;
  let agent: AgentSide = "incumbent";
  return await compareAgents({
    pairs,
    seed,
    confidence: 0.95,
    washIn: (side) => {
      agent = side;
      return Promise.resolve();
    },
    measure: (side) => {
      assert.equal(agent, side, "the block's own agent was washed in");
      const cost = Math.exp(blocks++ * drift + random.normal() * noise) * (side === "candidate" ? effect : 1);
      return Promise.resolve({ wallSeconds: cost, cpuSeconds: 2 * cost, writtenBytes: 1e6 });
    },
  });
}

async function shareOf(world: World, holds: (comparison: AgentComparison) => boolean): Promise<number> {
  const studies = 300;
  let count = 0;
  for (let seed = 1; seed <= studies; seed++) if (holds(await compare(world, seed))) count++;
  return count / studies;
}

test("the same agent twice: no difference is shown but in one study of twenty, also where the machine drifts", async () => {
  for (const drift of [0, 0.01, -0.03]) {
    const shown = await shareOf({ effect: 1, drift }, (one) => one.verdicts.wallSeconds !== "no difference shown");
    assert.ok(shown <= 0.09, `${shown} at a drift of ${drift}`);
  }
});

test("a planted slower agent is shown as slower, a faster one as faster, and the interval covers the truth", async () => {
  assert.ok((await shareOf({ effect: 1.15 }, (one) => one.verdicts.wallSeconds === "candidate dearer")) > 0.95);
  assert.ok((await shareOf({ effect: 0.85 }, (one) => one.verdicts.cpuSeconds === "candidate cheaper")) > 0.95);
  const covers = ({ ratios: { wallSeconds } }: AgentComparison) => wallSeconds.low <= 1.15 && wallSeconds.high >= 1.15;
  assert.ok((await shareOf({ effect: 1.15, drift: 0.01 }, covers)) >= 0.91);
});

test("orders come from the seed, both occur, and equal costs are no difference", async () => {
  const [one, again, other] = [await compare({ effect: 1 }, 7, 20), await compare({ effect: 1 }, 7, 20), await compare({ effect: 1 }, 8, 20)];
  const orders = (comparison: AgentComparison) => comparison.pairs.map(({ first }) => first);
  assert.deepEqual(orders(one), orders(again));
  assert.notDeepEqual(orders(one), orders(other));
  assert.equal(new Set(orders(one)).size, 2);
  assert.deepEqual([one.ratios.writtenBytes.estimate, one.verdicts.writtenBytes], [1, "no difference shown"]);
  assert.match(one.ratios.wallSeconds.method, /20 pairs of blocks/);
});

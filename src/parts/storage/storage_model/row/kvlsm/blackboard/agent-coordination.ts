/** The coordination that products have: agents around the blackboard. */
import { AgentRunner } from "./agent-runner.ts";
import { compactionAgentOf } from "./compaction-agents.ts";
import type { Coordinate } from "./coordination.ts";
import { flushAgent } from "./flush-agent.ts";
import { WriteStall } from "./write-stall.ts";

export const coordinate: Coordinate = (options) => {
  const { board, env } = options;
  const agents = [flushAgent, compactionAgentOf(board.tuning.compactionStyle)];
  const runner = new AgentRunner({ ...options, agents });
  return { runner, stall: new WriteStall(board, runner, env.clock) };
};

/** The compaction agents that the engine has, by the option that chooses one. */
import type { Agent } from "./agent.ts";
import { compactionAgent } from "./compaction-agent.ts";
import type { CompactionStyle } from "./options.ts";
import { tieredCompactionAgent } from "./tiered-compaction-agent.ts";

const agents: Readonly<Record<CompactionStyle, Agent>> = {
  leveled: compactionAgent,
  tiered: tieredCompactionAgent,
};

export function compactionAgentOf(style: CompactionStyle): Agent {
  return agents[style];
}

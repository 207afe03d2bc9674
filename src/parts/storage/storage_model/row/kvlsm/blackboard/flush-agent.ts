/** The flush agent: whenever a frozen memtable waits and another may be written, write the oldest. */
import type { Agent, BlackboardView, Proposal } from "./agent.ts";

export const flushAgent: Agent = {
  name: "flush",
  step(view: BlackboardView): Proposal | undefined {
    if (view.flushRunning || view.immutables.length === 0) return undefined;
    return { kind: "flush" };
  },
};

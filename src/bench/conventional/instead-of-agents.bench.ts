/**
 * Puts the conventional variant in the place of the agents wherever the engine is opened, so that every test of the
 * engine can be run on it: `node --import ./src/bench/conventional/instead-of-agents.bench.ts --test FILES`.
 */
import { registerHooks } from "node:module";

const conventional = new URL("./conventional-coordination.bench.ts", import.meta.url).href;

registerHooks({
  resolve(specifier, context, nextResolve) {
    const resolved = nextResolve(specifier, context);
    return resolved.url.endsWith("/blackboard/agent-coordination.ts") ? { ...resolved, url: conventional } : resolved;
  },
});

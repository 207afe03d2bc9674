/** `lathe model …`: questions to the feature model. */
import type { Command } from "commander";
import { registerCompare } from "./model/compare.ts";
import { registerDraw } from "./model/draw.ts";
import { registerModelFiles } from "./model/files.ts";
import { registerPicks } from "./model/picks.ts";
import { registerQueries } from "./model/queries.ts";
import { registerSpace } from "./model/space.ts";

export function registerModel(program: Command): void {
  const model = program
    .command("model")
    .description("the feature model: check it, search it, complete and explain a choice, draw, convert");
  registerQueries(model);
  registerPicks(model);
  registerSpace(model);
  registerCompare(model);
  registerDraw(model);
  registerModelFiles(model);
}

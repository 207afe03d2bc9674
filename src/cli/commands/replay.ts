/** `lathe replay STUDY`. */
import type { Command } from "commander";
import { replayStudy } from "../../app/replay.ts";
import { runAction, withFrame } from "../command-frame.ts";

export function registerReplay(program: Command): void {
  const command = program
    .command("replay")
    .description("reproduce every decision of a study from its journal")
    .argument("<study>", "a study's directory or its journal");
  const examples = ["lathe replay lathe-out", "lathe replay lathe-out --json"];
  withFrame(command, { examples, exitCodes: [7, 10] }).action(
    (study: string, options: { json?: boolean }) =>
      runAction(options.json, async () => {
        const result = await replayStudy({ study });
        const end = result.ended ? "" : "; the journal does not hold the study's end";
        const verdict = `${result.reproduced} of ${result.decisions} decisions reproduced${end}`;
        const text = [...result.differences, verdict].join("\n");
        return { json: result, text, exitCode: result.differences.length === 0 ? 0 : 10 };
      }),
  );
}

/** `lathe run CONTRACT`: the main job. */
import { type Command, Option } from "commander";
import { runContract } from "../../app/run.ts";
import { parseBudget } from "../budget.ts";
import { runAction, withFrame } from "../command-frame.ts";
import { wholeNumber } from "../knob-arguments.ts";

interface RunOptions {
  readonly out: string;
  readonly budget: string;
  readonly policy: "greedy" | "random";
  readonly seed: number;
  readonly force?: boolean;
  readonly json?: boolean;
}

export function registerRun(program: Command): void {
  const command = program
    .command("run")
    .description("contract to verdict: build, check, calibrate, measure, search, confirm, re-measure, report")
    .argument("<contract>", "a contract.yaml")
    .option("--out <dir>", "directory for product, journal and report; a study that is there is resumed", "lathe-out")
    .option("--budget <spec>", "trials or time of the search: 3, 20m, 1.5h, or 3,20m", "3")
    .addOption(
      new Option("--policy <name>", "what proposes candidates").choices(["greedy", "random"]).default("greedy"),
    )
    .option("--seed <n>", "seed of everything that is drawn", wholeNumber(0, 2 ** 32 - 1), 1)
    .option("--force", "replace a product that you changed");
  withFrame(command, {
    examples: [
      "lathe run examples/taobench-o/contract.yaml",
      "lathe run contract.yaml --budget 30m --policy random --json",
    ],
    exitCodes: [5, 6, 9, 10, 11],
  }).action((contract: string, options: RunOptions) =>
    runAction(options.json, async (context) => {
      const { out, policy, seed } = options;
      const budget = parseBudget(options.budget);
      const request = { contractFile: contract, directory: out, budget, policy, seed, force: options.force ?? false };
      const { summary, ...json } = await runContract(request, context);
      return { json, text: summary };
    }),
  );
}

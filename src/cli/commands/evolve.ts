/** `lathe evolve PRODUCT`: a study over a product that is there. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { evolveProduct } from "../../app/evolve.ts";
import { parseBudget } from "../budget.ts";
import { runAction, withFrame } from "../command-frame.ts";
import { collect, wholeNumber } from "../knob-arguments.ts";

interface EvolveOptions {
  readonly study?: string;
  readonly budget: string;
  readonly policy: "greedy" | "random";
  readonly seed: number;
  readonly vary: readonly string[];
  readonly alpha: number;
  readonly json?: boolean;
}

export function registerEvolve(program: Command): void {
  const command = program
    .command("evolve")
    .description("search for a better configuration of a product, and keep only what is confirmed")
    .argument("<product>", "directory that `lathe build` wrote")
    .option(
      "--study <dir>",
      "directory of the study (default: below .lathe/studies of the product); resumed where it is",
    )
    .option("--budget <spec>", "trials or time: 3, 20m, 1.5h, or 3,20m", "20m")
    .addOption(
      new Option("--policy <name>", "what proposes candidates").choices(["greedy", "random"]).default("greedy"),
    )
    .option("--seed <n>", "seed of everything that is drawn", wholeNumber(0, 2 ** 32 - 1), 1)
    .option("--vary <knob>", "a knob that may vary (default: the highest impact); may be repeated", collect, [])
    .option("--alpha <p>", "chance of keeping what is no gain, over the whole study", probability, 0.05);
  withFrame(command, {
    examples: [
      "lathe evolve build/taobench-o --budget 1h",
      "lathe evolve build/taobench-o --vary lsm.block_cache_bytes --vary row_cache.bytes --policy random",
    ],
    exitCodes: [3, 5, 6, 7, 11],
  }).action((product: string, options: EvolveOptions) =>
    runAction(options.json, async (context) => {
      const { study, policy, seed, vary, alpha } = options;
      const budget = parseBudget(options.budget);
      const request = { productDirectory: product, studyDirectory: study, budget, policy, seed, knobs: vary, alpha };
      const { summary, ...json } = await evolveProduct(request, context);
      // What was measured is kept and shown, but the job was not done.
      return { json, text: summary, exitCode: context.signal.aborted ? 130 : 0 };
    }),
  );
}

function probability(text: string): number {
  const value = Number(text);
  if (value > 0 && value < 0.5) return value;
  throw new InvalidArgumentError("expected a number between 0 and 0.5.");
}

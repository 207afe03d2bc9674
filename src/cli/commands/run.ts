/** `lathe run CONTRACT`: the main job. */
import { type Command, Option } from "commander";
import { runContract } from "../../app/run.ts";
import { parseBudget, parseWarmUp } from "../budget.ts";
import { runAction, withFrame } from "../command-frame.ts";
import { wholeNumber } from "../knob-arguments.ts";

interface RunOptions {
  readonly out: string;
  readonly budget: string;
  readonly policy: "greedy" | "random";
  readonly seed: number;
  readonly scale?: number;
  readonly warmUp?: string;
  readonly mariadb: boolean;
  readonly force?: boolean;
  readonly verify: boolean;
  readonly json?: boolean;
}

export function registerRun(program: Command): void {
  const command = program
    .command("run")
    .description("contract to verdict: build, check, calibrate, measure, search, confirm, re-measure, report")
    .argument("<contract>", "a contract.yaml")
    .option("--out <dir>", "directory for product, journal and report; a study that is there is resumed", "lathe-out")
    .option("--budget <spec>", "trials, time, or both: 3, 20m, 1.5h, or 3,7m (whichever ends first)", "3,7m")
    .addOption(
      new Option("--policy <name>", "what proposes candidates").choices(["greedy", "random"]).default("greedy"),
    )
    .option("--seed <n>", "seed of everything that is drawn", wholeNumber(0, 2 ** 32 - 1), 1)
    .option("--scale <n>", "edges or records to load instead of the contract's", wholeNumber(100, 100_000_000))
    .option("--warm-up <time>", "each side of a launch serves so long before it is measured (default: 4s)")
    .option("--no-mariadb", "leave MariaDB out of the table even where it is installed")
    .option("--force", "replace a product that you changed")
    .option("--no-verify", "build without running the suites of the product's parts");
  withFrame(command, {
    examples: [
      "lathe run examples/taobench-o/contract.yaml",
      "lathe run contract.yaml --budget 30m --policy random --json",
    ],
    exitCodes: [3, 5, 6, 7, 9, 10, 11],
  }).action((contract: string, options: RunOptions) =>
    runAction(options.json, async (context) => {
      const { out, policy, seed } = options;
      const budget = parseBudget(options.budget);
      const { scale, mariadb, force = false } = options;
      const warmUpMs = options.warmUp === undefined ? undefined : parseWarmUp(options.warmUp);
      const verify = options.verify ? "new" : "none";
      const build = { contractFile: contract, directory: out, force, verify } as const;
      const study = { budget, policy, seed, scale, warmUpMs, mariadb } as const;
      const { summary, ...json } = await runContract({ ...build, ...study }, context);
      // What was measured is kept and shown, but the job was not done.
      return { json, text: summary, exitCode: context.signal.aborted ? 130 : 0 };
    }),
  );
}

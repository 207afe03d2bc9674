/** `lathe sim`: engine and node in a simulation with faults. */
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import type { Command } from "commander";
import { simulate, type SimulateResult } from "../../app/simulate.ts";
import { LatheError } from "../../kit/errors.ts";
import { runAction, withFrame } from "../command-frame.ts";
import { wholeNumber } from "../knob-arguments.ts";

interface SimOptions {
  readonly seeds: number;
  readonly seed: number;
  readonly minutes?: number;
  readonly scenario?: string;
  readonly everyCall?: boolean;
  readonly point?: string;
  readonly kept?: string;
  readonly checkDeterminism?: boolean;
  readonly workers: number;
  readonly json?: boolean;
}

const seedsDefault = 400;
const operationsShown = 40;

export function registerSim(program: Command): void {
  const command = program
    .command("sim")
    .description("run engine, log and node in a deterministic simulation that crashes them and makes their disk fail")
    .option("--seeds <n>", "scenarios to draw, one per seed", wholeNumber(1, 2 ** 32), seedsDefault)
    .option("--seed <s>", "the first seed", wholeNumber(0, 2 ** 32 - 1), 1)
    .option("--minutes <m>", "draw scenarios for so long instead", wholeNumber(1, 10_000))
    .option("--scenario <name>", "one subject alone: engine, bare-engine, log or node")
    .option("--every-call", "fixed scenarios instead, failing at every I/O call in every way")
    .option("--point <text>", "one of those points alone, as printed: crash:17 or crash:17+ioError:3")
    .option("--kept <file>", "a scenario from a file, as --json prints it with a failure")
    .option("--check-determinism", "run every seed twice and compare the hashes of all that happened")
    .option("--workers <n>", "processes", wholeNumber(1, 256), availableParallelism());
  withFrame(command, {
    examples: [
      "lathe sim",
      "lathe sim --every-call --json",
      "lathe sim --scenario engine --seed 159 --seeds 1",
      "lathe sim --minutes 10 --check-determinism",
    ],
    exitCodes: [8, 10],
  }).action((options: SimOptions) =>
    runAction(options.json, async (context) => {
      const { seeds, seed, minutes, scenario, everyCall = false, point, checkDeterminism = false, workers } = options;
      const kept = options.kept === undefined ? undefined : readKept(options.kept);
      const result = await simulate(
        { seeds, firstSeed: seed, minutes, scenario, everyCall, point, kept, checkDeterminism, workers },
        context,
      );
      return { json: result, text: formatSimulation(result), exitCode: result.failures.length === 0 ? 0 : 10 };
    }),
  );
}

function readKept(file: string) {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new LatheError("INVALID_ARGUMENT", `${file} is no scenario: ${(error as Error).message}`, { cause: error });
  }
}

function formatSimulation(result: SimulateResult): string {
  const { seeds, points, lives, events, seconds, runsPerSecond, failures } = result;
  const lines = Object.entries(result.coverage).map(([event, count]) => `${String(count).padStart(12)}  ${event}`);
  lines.push("");
  for (const { message, replay, scenario } of failures) {
    lines.push(`FAILED  ${message}`, `        replay: ${replay}`, "        shrunk to:");
    lines.push(`        faults per life ${JSON.stringify(scenario.faults)}`);
    const shown = scenario.operations.slice(0, operationsShown);
    lines.push(...shown.map((operation) => `        ${JSON.stringify(operation)}`));
    if (scenario.operations.length > shown.length) lines.push(`        … ${scenario.operations.length} operations`);
    lines.push("");
  }
  const done = `${seeds} seeds and ${points} points: ${lives} lives, ${events} events in ${seconds.toFixed(1)} s`;
  return [...lines, `${done} (${runsPerSecond.toFixed(0)} runs/s); ${failures.length} failures`].join("\n");
}

/** `lathe sim`: engine and node in a simulation with faults. */
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import type { Command } from "commander";
import { simulate, type SimulateRequest, type SimulateResult } from "../../app/simulate.ts";
import { LatheError } from "../../kit/errors.ts";
import { runAction, withFrame } from "../command-frame.ts";
import { wholeNumber } from "../knob-arguments.ts";

type Scenario = NonNullable<SimulateRequest["kept"]>;

interface SimOptions {
  readonly seeds: number;
  readonly seed?: number;
  readonly minutes?: number;
  readonly scenario?: string;
  readonly everyCall?: boolean;
  readonly point?: string;
  readonly kept?: string;
  readonly checkDeterminism?: boolean;
  readonly workers: number;
  readonly record?: string;
  readonly json?: boolean;
}

const seedsDefault = 400;
const operationsShown = 40;

export function registerSim(program: Command): void {
  const command = program
    .command("sim")
    .description("run engine, log and node in a deterministic simulation that crashes them and makes their disk fail")
    .option("--seeds <n>", "scenarios to draw, one per seed", wholeNumber(1, 2 ** 32), seedsDefault)
    .option("--seed <s>", "the first seed (default: 1, or behind what --record has)", wholeNumber(0, 2 ** 32 - 1))
    .option("--minutes <m>", "draw scenarios for so long instead", wholeNumber(1, 10_000))
    .option(
      "--scenario <name>",
      "one alone: engine, bare-engine, log, node, relaxed-node, memory, memory-node or sessions",
    )
    .option("--every-call", "fixed scenarios instead, failing at every I/O call in every way")
    .option("--point <text>", "one of those points alone, as printed: crash:17 or crash:17+ioError:3")
    .option("--kept <file>", "a scenario from a file, as --json prints it with a failure")
    .option("--check-determinism", "run every seed twice and compare the hashes of all that happened")
    .option("--workers <n>", "processes", wholeNumber(1, 256), availableParallelism())
    .option("--record <file>", "add the results to a .json file and a .md page beside it, and go on from there");
  withFrame(command, {
    examples: [
      "lathe sim",
      "lathe sim --every-call --json",
      "lathe sim --scenario engine --seed 159 --seeds 1",
      "lathe sim --scenario sessions --seeds 20            # open transactions, ended at calls of the run",
      "lathe sim --minutes 10 --check-determinism",
      "lathe sim --seeds 100000 --record simulation.json   # stop with Ctrl-C, run again to go on",
    ],
    exitCodes: [8, 10],
  }).action((options: SimOptions) =>
    runAction(options.json, async (context) => {
      const { seeds, seed, minutes, scenario, everyCall = false, point, checkDeterminism = false } = options;
      const { workers, record } = options;
      const kept = options.kept === undefined ? undefined : readKept(options.kept);
      const result = await simulate(
        { seeds, firstSeed: seed, minutes, scenario, everyCall, point, kept, checkDeterminism, workers, record },
        context,
      );
      return { json: result, text: formatSimulation(result), exitCode: exitCodeFor(result) };
    }),
  );
}

function exitCodeFor({ failures, stopped }: SimulateResult): number {
  if (failures.length > 0) return 10;
  return stopped ? 130 : 0;
}

/** A scenario alone, or what `--json` printed: then its first failure's. */
function readKept(file: string): Scenario {
  let found: Partial<Scenario> & { failures?: { scenario: Scenario }[] };
  try {
    found = JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new LatheError("INVALID_ARGUMENT", `${file} is no scenario: ${(error as Error).message}`, { cause: error });
  }
  const scenario = found.failures?.[0]?.scenario ?? found;
  if (typeof scenario.subject === "string" && Array.isArray(scenario.operations) && Array.isArray(scenario.faults)) {
    return scenario as Scenario;
  }
  throw new LatheError("INVALID_ARGUMENT", `${file} is no scenario: it needs subject, operations and faults`);
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
  const end = result.stopped ? "; stopped by Ctrl-C, what was done by then is above" : "";
  return [...lines, `${done} (${runsPerSecond.toFixed(0)} runs/s); ${failures.length} failures${end}`].join("\n");
}

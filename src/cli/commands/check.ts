/** `lathe check CONTRACT`: the gates. */
import type { Command } from "commander";
import { checkProduct, type CheckRequest, type CheckResult, describeGates } from "../../app/check.ts";
import { checkMetamorphic, type MetamorphicRequest, type MetamorphicResult } from "../../app/check-metamorphic.ts";
import { scrubDirectory, type ScrubResult } from "../../app/scrub.ts";
import { LatheError } from "../../kit/errors.ts";
import { runAction, withFrame } from "../command-frame.ts";
import { wholeNumber } from "../knob-arguments.ts";

interface CheckOptions {
  readonly mutants?: boolean;
  readonly only: readonly string[];
  readonly effort: number;
  readonly patch?: string;
  readonly seconds?: number;
  readonly memory?: number;
  readonly record?: string;
  readonly seed: number;
  readonly work?: string;
  readonly metamorphic?: boolean;
  readonly seeds?: number;
  readonly minutes?: number;
  readonly knobSets?: number;
  readonly replay?: string;
  readonly scrub?: string;
  readonly json?: boolean;
}

export function registerCheck(program: Command): void {
  const command = program
    .command("check")
    .description("put the product of a contract, its mutants or a patch through the gates")
    .argument("[contract]", "a contract.yaml")
    .option("--scrub <dir>", "in place of the gates: read every byte of a stopped server's data and say what is wrong")
    .option("--mutants", "also check every mutant (must be rejected) and benign variant (must be admitted)")
    .option("--only <names...>", "with --mutants: these alone, and not the product itself", [])
    .option("--record <file>", "with --mutants or --metamorphic: keep results in FILE.json and .md, and go on there")
    .option("--effort <n>", "multiplies what is random or long in the gates", wholeNumber(1, 1000), 1)
    .option("--patch <file>", "judge a stranger's unified diff over a copy of the product")
    .option("--seconds <n>", "with --patch: how long it may run alone (60)", wholeNumber(1, 3600))
    .option("--memory <mebibytes>", "with --patch: how much memory it may take then (1024)", wholeNumber(64, 1 << 20))
    .option("--seed <n>", "seed of tables, keys, values and schedules", wholeNumber(0, 2 ** 32 - 1), 1)
    .option("--work <dir>", "directory to work in; on a disk, not on tmpfs")
    .option("--metamorphic", "in place of the gates: random programs on the engine under every knob set, against a map")
    .option("--seeds <n>", "with --metamorphic: programs, from --seed on (50)", wholeNumber(1, 10_000_000))
    .option("--minutes <n>", "with --metamorphic: stop after so long", wholeNumber(1, 100_000))
    .option("--knob-sets <n>", "with --metamorphic: so many per program, drawn by its seed (all)", wholeNumber(1, 1000))
    .option("--replay <file>", "in place of the gates: run one operation file of --metamorphic again");
  const { product, http, library, candidate, patch, patchRules } = describeGates();
  const list = (lines: readonly string[]) => lines.map((line) => `  ${line}`).join("\n");
  command.addHelpText(
    "after",
    `\nGates of a product, in this order (all of them here; in a study once, at its start):\n${list(product)}\n\n` +
      `Gates of a product with an HTTP surface (without MySQL: these, and those above that look inside):\n` +
      `${list(http)}\n\n` +
      `Gates of a library, which has no surface:\n${list(library)}\n\n` +
      `Gates of every candidate of a study, before it is measured:\n${list(candidate)}\n\n` +
      `Gates of a patch, before those of a product:\n${list(patch)}\n\n${patchRules.join("\n\n")}`,
  );
  withFrame(command, {
    examples: [
      "lathe check examples/taobench-o/contract.yaml",
      "lathe check examples/taobench-o/contract.yaml --mutants --record examples/bars/mutants",
      "lathe check examples/taobench-o/contract.yaml --mutants --only skip-fsync --json",
      "lathe check examples/sndv-kv/contract.yaml --mutants --record examples/bars/mutants-http",
      "lathe check examples/embedded/contract.yaml --mutants --only library-log-flushed-later",
      "lathe check contract.yaml --patch faster.diff",
      "lathe check contract.yaml --metamorphic --seeds 2000 --record examples/bars/metamorphic",
      "lathe check --scrub ./data --json",
    ],
    exitCodes: [3, 7, 9, 10],
  }).action((contract: string | undefined, options: CheckOptions) =>
    runAction(options.json, async (context) => {
      if (options.scrub !== undefined) {
        const scrubbed = await scrubDirectory(options.scrub, context);
        return { json: scrubbed, text: formatScrub(scrubbed), exitCode: scrubbed.damagedFiles === 0 ? 0 : 7 };
      }
      if (contract === undefined) {
        throw new LatheError("INVALID_ARGUMENT", "name a contract.yaml, or a data directory with --scrub");
      }
      if (options.metamorphic === true || options.replay !== undefined) {
        const found = await checkMetamorphic(metamorphicRequestOf(contract, options), context);
        return { json: found, text: formatMetamorphic(found), exitCode: found.verdict === "admit" ? 0 : 10 };
      }
      const result = await checkProduct(requestOf(contract, options), context);
      return { json: result, text: formatCheck(result), exitCode: passed(result) ? 0 : 10 };
    }),
  );
}

function formatScrub({ directory, files, damagedFiles, checkedBytes, entries, logEntries }: ScrubResult): string {
  const lines = files.flatMap(({ file, kind, problems }) =>
    problems.map(({ severity, offset, what }) => `${severity.padEnd(7)} ${file} (${kind}) at byte ${offset}: ${what}`),
  );
  const counts = `${files.length} files, ${checkedBytes} bytes checked, ${entries} entries, ${logEntries} log entries`;
  const verdict = damagedFiles === 0 ? "no damage" : `${damagedFiles} files are DAMAGED; see \`lathe repair --help\``;
  return [...lines, `${directory}: ${counts}: ${verdict}`].join("\n");
}

function formatMetamorphic({ contract, verdict, programs, runs, operations, failure }: MetamorphicResult): string {
  const counts = `${contract}: ${verdict} (${programs} programs, ${runs} runs, ${operations} operations)`;
  if (failure === undefined) return counts;
  const { knobs, operation, expected, got, file, command } = failure;
  const lines = [counts, `under "${knobs}": ${operation}`, `  expected ${expected}`, `  got      ${got}`];
  return [...lines, `the program is in ${file}; again: ${command}`].join("\n");
}

/** Errors: INVALID_ARGUMENT for options that do not go together. */
function metamorphicRequestOf(contractFile: string, options: CheckOptions): MetamorphicRequest {
  const { patch: patchFile, seed, seeds, minutes, knobSets, record: recordFile, replay: replayFile, work } = options;
  if (recordFile !== undefined && (patchFile !== undefined || replayFile !== undefined)) {
    throw new LatheError("INVALID_ARGUMENT", "--record keeps new programs on the contract's own product; leave it out");
  }
  return { contractFile, patchFile, seed, seeds, minutes, knobSets, recordFile, replayFile, workDirectory: work };
}

/** Errors: INVALID_ARGUMENT for options that do not go together. */
function requestOf(contractFile: string, options: CheckOptions): CheckRequest {
  const { mutants = false, only: names, patch: patchFile, seed, effort } = options;
  const { work: workDirectory, record: recordFile } = options;
  if (patchFile !== undefined && mutants) {
    throw new LatheError("INVALID_ARGUMENT", "--patch and --mutants ask for two different checks; give one of them");
  }
  if (!mutants && (names.length > 0 || recordFile !== undefined)) {
    throw new LatheError("INVALID_ARGUMENT", "--only belongs to --mutants, --record to it or --metamorphic");
  }
  const patchLimits = { secondsMax: options.seconds, memoryMiBMax: options.memory };
  return { contractFile, mutants, names, recordFile, patchFile, patchLimits, seed, effort, workDirectory };
}

/** The product or patch is admitted, every planted fault rejected by a gate that should, and nothing harmless is. */
function passed(result: CheckResult): boolean {
  return result.verdict !== "reject" && result.mutants.every(({ right }) => right);
}

function formatCheck(result: CheckResult): string {
  const lines = result.gates.map((gate) => {
    return `${gate.verdict.padEnd(12)} ${gate.gate.padEnd(22)} ${gate.seconds.toFixed(1)} s  ${gate.reason}`;
  });
  for (const mutant of result.mutants) {
    const { name, planted, verdict, gate, reason, right, expectedGates, seconds } = mutant;
    const by = gate === undefined ? "" : `  ${gate}: ${reason.slice(0, 160)}`;
    const due = planted ? `to be rejected by ${expectedGates.join(" or ")}` : "to be admitted";
    const wanted = right ? "" : `  WRONG: ${due}`;
    lines.push(
      `${verdict.padEnd(12)} ${planted ? "mutant" : "benign"} ${name.padEnd(34)} ${seconds.toFixed(1)} s${wanted}${by}`,
    );
  }
  if (result.skipped.length > 0) {
    lines.push("", `left out: ${result.skipped.map(({ name, reason }) => `${name} (${reason})`).join("; ")}`);
  }
  if (result.mutants.length > 0) {
    const right = result.mutants.filter((one) => one.right).length;
    lines.push("", `${right} of ${result.mutants.length} mutants and benign variants judged rightly`);
  }
  if (result.patch !== undefined) {
    const { files, linesAdded, linesRemoved } = result.patch;
    lines.push("", `the patch changes ${files.length} files, +${linesAdded} -${linesRemoved} lines`);
  }
  return [...lines, "", `${result.contract}: ${result.verdict ?? "not judged itself"}`].join("\n");
}

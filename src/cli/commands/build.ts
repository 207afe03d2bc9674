/** `lathe build CONTRACT --out DIR`. */
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { type Command, Option } from "commander";
import {
  type BuildReport, constructFromContract, type ConstructReport, sizeSentence, suiteTimeoutSecondsDefault,
  surveyFromContract, verifiedSentence,
} from "../../app/build.ts";
import { runAction, withFrame } from "../command-frame.ts";
import { collect, knobArguments, partsHelp, wholeNumber } from "../knob-arguments.ts";

interface BuildOptions {
  readonly out: string;
  readonly knob: readonly string[];
  readonly with: readonly string[];
  readonly without: readonly string[];
  readonly parts: readonly string[];
  readonly selection?: string;
  readonly force?: boolean;
  readonly dryRun?: boolean;
  readonly verify: "new" | "all" | false;
  readonly suiteTimeout: number;
  readonly json?: boolean;
}

export function registerBuild(program: Command): void {
  const command = program
    .command("build")
    .description("assemble the product that a contract asks for, as a project of its own")
    .argument("<contract>", "a contract.yaml")
    .requiredOption(
      "--out <dir>",
      "directory of the product; created, or replaced where it holds an unchanged product",
    )
    .option("--knob <name=value>", "a knob value other than the default; may be repeated", collect, [])
    .option("--with <path>", "select this feature, whatever the rules say; can be given again", collect, [])
    .option("--without <path>", "leave this feature out; can be given again", collect, [])
    .option("--selection <file>", "build what lathe select, or model sample --contract, wrote for this contract")
    .option("--parts <dir>", partsHelp, collect, [])
    .option("--force", "replace a product that you changed; your files are kept in .lathe/replaced/")
    .option("--dry-run", "tell what would change, and write nothing")
    .addOption(
      new Option("--verify <which>", "suites to run: new (what has not passed with the same bytes), or all")
        .choices(["new", "all"])
        .default("new"),
    )
    .option("--no-verify", "run no suite, and only look whether the product loads; the report says so")
    .option(
      "--suite-timeout <seconds>",
      "how long one suite may take before the build gives it up",
      wholeNumber(1, 86_400),
      suiteTimeoutSecondsDefault,
    );
  withFrame(command, {
    examples: [
      "lathe build examples/taobench-o/contract.yaml --out build/taobench-o",
      "lathe build contract.yaml --out ./store --knob lsm.block_cache_bytes=134217728",
      "lathe build contract.yaml --out ./store --without architecture/observability",
      "lathe build contract.yaml --out ./store --selection samples/sample-01.json",
      "lathe build contract.yaml --out ./store --parts ./parts --with storage/page_io/replacement/clock_sweep",
    ],
    exitCodes: [3, 5, 6, 7, 8, 9, 10, 11, 12, 13],
  }).action((contract: string, options: BuildOptions) =>
    runAction(options.json, async (context) => {
      const knobs = knobArguments(options.knob);
      const force = options.force ?? false;
      const verify = options.verify === false ? "none" : options.verify;
      const overrides = { with: options.with, without: options.without, parts: options.parts };
      const selected = { overrides, selectionFile: options.selection };
      const suiteTimeoutMs = options.suiteTimeout * 1000;
      const where = { contractFile: contract, directory: options.out };
      const request = { ...where, knobs, force, verify, suiteTimeoutMs, ...selected } as const;
      if (options.dryRun) {
        const survey = surveyFromContract(request);
        return { json: { ...survey, dryRun: true }, text: formatSurvey(survey) };
      }
      const report = await constructFromContract(request, context);
      return { json: report, text: formatReport(report) };
    }),
  );
}

const pathsMax = 20;

/** `  ~ product.ts`, a line per file, cut where they are many. */
function changeLines({ changes }: BuildReport): string[] {
  if (changes === undefined) return [];
  const { added, changed, removed } = changes;
  const lines = [
    ...added.map((path) => `  + ${path}`), ...changed.map((path) => `  ~ ${path}`),
    ...removed.map((path) => `  - ${path}`),
  ];
  if (lines.length <= pathsMax) return lines;
  return [...lines.slice(0, pathsMax), `  … and ${lines.length - pathsMax} more (--json has all)`];
}

function changeSentence({ filesAdded, filesChanged, filesRemoved, filesUnchanged }: BuildReport): string {
  return `${filesAdded} files added, ${filesChanged} changed, ${filesRemoved} removed, ${filesUnchanged} unchanged`;
}

/** Values that the owner had set and the product cannot have. */
function droppedLines({ droppedKnobs }: BuildReport): string[] {
  return droppedKnobs.map(({ name, value, because }) => `your value of ${name} (${value}) is not kept: ${because}`);
}

/** Parts that were given and not taken. */
function unusedLines({ partsUnused }: BuildReport): string[] {
  return partsUnused.map((path) => `of --parts, ${path} is not taken: nothing selects that leaf (--with ${path} does)`);
}

function formatSurvey(report: BuildReport): string {
  const lines = [
    `nothing was written; ${report.directory} would hold ${report.product}: ${report.parts} parts, ` +
      `${report.leaves} leaves`,
    changeSentence(report), ...changeLines(report),
  ];
  if (report.carriedKnobs.length > 0) lines.push(`your values are kept: ${report.carriedKnobs.join(", ")}`);
  lines.push(...droppedLines(report), ...unusedLines(report));
  for (const { path, kind } of report.setAside) {
    lines.push(`yours${kind === "removed" ? "" : ", goes to .lathe/replaced/"}: ${path} (${kind})`);
  }
  return lines.join("\n");
}

function standsInFormer(): boolean {
  return statSync(".").ino !== statSync(process.cwd()).ino;
}

/** As a shell takes it for one word. */
function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

function formatReport(report: ConstructReport): string {
  const lines = [
    `${report.replaced ? "rebuilt" : "built"} ${report.product} in ${report.directory}: ${report.parts} parts, ` +
      `${report.leaves} leaves, ${report.knobs} knobs, ${report.files} files, ${Math.round(report.bytes / 1024)} KiB`,
    `planned in ${report.layers} layers with ${report.contracts} contract nodes`,
    ...(report.replaced ? [changeSentence(report), ...changeLines(report)] : []),
    sizeSentence(report.source),
    verifiedSentence(report),
    `selection ${report.selectionHash.slice(0, 16)}`,
  ];
  if (report.carriedKnobs.length > 0) lines.push(`kept your values of ${report.carriedKnobs.join(", ")}`);
  lines.push(...droppedLines(report), ...unusedLines(report));
  for (const { path, kind, kept } of report.setAside) {
    lines.push(kept === undefined ? `yours: ${path} (${kind})` : `yours, kept as ${kept}: ${path} (${kind})`);
  }
  const isLibrary = existsSync(join(report.directory, "pack.ts"));
  const place = shellWord(report.directory);
  const next = isLibrary ? `cd ${place} && npm pack` : `lathe serve ${place} --data ./data`;
  // A shell that stands in a directory that was replaced is in the old one, which is gone.
  lines.push(`next: ${standsInFormer() ? "cd . && " : ""}${next}`);
  return lines.join("\n");
}

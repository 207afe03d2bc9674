/** `lathe select CONTRACT` and `lathe select SOURCE…`. */
import type { Command } from "commander";
import {
  adviceOnSelection, describeReading, describeSource, explainSelection, type FeatureSelection, type Inference,
  refuseSelectionPlace, selectFor, selectSession, selectSubject,
  type SelectionReason, writeSelectionFile,
} from "../../app/select.ts";
import { sourceKinds } from "../../app/infer.ts";
import { LatheError } from "../../kit/errors.ts";
import type { UseCaseContext } from "../../app/use-case.ts";
import { adviceLines } from "../advice-lines.ts";
import { askSelection } from "../ask-selection.ts";
import { type CommandOutput, runAction, withFrame } from "../command-frame.ts";
import { collect, forceHelp, partsHelp, wholeNumber } from "../knob-arguments.ts";

interface SelectOptions {
  readonly with: readonly string[];
  readonly without: readonly string[];
  readonly parts: readonly string[];
  readonly why?: string;
  readonly whyNot?: string;
  readonly out?: string;
  readonly force?: boolean;
  readonly kind?: string;
  readonly limit?: number;
  readonly sample?: number;
  readonly partial?: boolean;
  readonly text?: string;
  readonly interactive?: boolean;
  readonly json?: boolean;
}

const kinds = Object.keys(sourceKinds).join(", ");

export const limitHelp = "MB of each log or trace that are read, from its beginning; 20 MB a second are usual";

export const sampleHelp = "of logs and traces read only the first session and every n-th from there, each whole; " +
  "counts become estimates, and what was left out is told";

export const partialHelp = "read a .gz that is cut or damaged as far as it goes, and tell how far that was";

export const kindHelp = `what the sources are, where their content does not tell: ${kinds}`;

export function registerSelect(program: Command): void {
  const command = program
    .command("select")
    .description("the leaves of the feature model that a contract or a workload needs, each with the reason for it")
    .argument(
      "[what...]",
      "a contract.yaml, a benchmark as taobench/o, or sources of one workload: SQL dumps, query logs, CSV, a trace; " +
        "or a description as .txt or .md",
    )
    .option("--with <path>", "select this feature, whatever the rules say; can be given again", collect, [])
    .option("--without <path>", "leave this feature out; can be given again", collect, [])
    .option("--parts <dir>", partsHelp, collect, [])
    .option("--why <path>", "why this feature is selected")
    .option("--why-not <path>", "why this feature is not selected")
    .option("--interactive", "walk through what is open, with what was decided as the proposal; needs a terminal")
    .option("--kind <kind>", kindHelp)
    .option("--limit <mb>", limitHelp, wholeNumber(1, 1e9))
    .option("--sample <n>", sampleHelp, wholeNumber(1, 1e6))
    .option("--partial", partialHelp)
    .option("--text <words>", "a description of the workload instead of a contract")
    .option("--out <file>", "write selection.json; lathe plan and lathe build --selection read it")
    .option("--force", forceHelp);
  withFrame(command, {
    examples: [
      "lathe select examples/taobench-o/contract.yaml",
      "lathe select ycsb/a --without architecture/observability --json",
      "lathe select key_value/sndv --why core/wal",
      "lathe select taobench/o --out selection.json",
      "lathe select dump.sql general.log",
      'lathe select --text "session store with 30 minute expiry, 10k writes/s, 4 GB RAM"',
      "lathe select contract.yaml --interactive --out selection.json",
    ],
    exitCodes: [5, 7, 8, 11],
  }).action((what: string[], options: SelectOptions) =>
    runAction(options.json, (context) => select(what, options, context)),
  );
}

async function select(
  what: readonly string[], options: SelectOptions, context: UseCaseContext
): Promise<CommandOutput> {
  const { why, whyNot, out, kind, force = false } = options;
  const overrides = { with: options.with, without: options.without, parts: options.parts };
  if (why !== undefined && whyNot !== undefined) {
    throw new LatheError("INVALID_ARGUMENT", "--why and --why-not are two questions; ask one");
  }
  if (out !== undefined) refuseSelectionPlace(out, force);
  const { text: words, limit: limitMB, sample: sampleEvery, partial } = options;
  const subject = await selectSubject({ what, kind, text: words, limitMB, sampleEvery, partial }, context);
  if (why !== undefined) return answer(explainSelection(subject, overrides, { why }));
  if (whyNot !== undefined) return answer(explainSelection(subject, overrides, { whyNot }));
  if (options.interactive) refuseWithoutTerminal(options);
  const walk = options.interactive ? selectSession(subject, overrides) : undefined;
  if (walk !== undefined) await askSelection(walk);
  const selection = walk?.finish() ?? selectFor(subject, overrides);
  if (out !== undefined) writeSelectionFile(out, selection, force);
  const advice = adviceOnSelection(selection, options.parts);
  const told = out === undefined ? formatSelection(selection) : `${out}: ${summaryOf(selection)}`;
  const text = [told, ...(advice.length === 0 ? [] : ["", "Valid, but unwise:", ...adviceLines(advice)])].join("\n");
  if (subject.reading !== undefined) {
    const understood = describeReading(subject.reading);
    return { json: { ...selection, advice, understood: subject.reading }, text: `${understood}\n\n${text}` };
  }
  if (subject.inference === undefined) return { json: { ...selection, advice }, text };
  const { sources, guesses, needs } = subject.inference;
  return { json: {
    ...selection, advice, inferred: { sources, guesses, needs }
  }, text: `${formatInference(subject.inference)}\n\n${text}` };
}

function refuseWithoutTerminal({ json }: SelectOptions): void {
  if (process.stdin.isTTY && process.stdout.isTTY && !json) return;
  const why = json ? "--interactive and --json do not go together" : "--interactive needs a terminal";
  throw new LatheError("INVALID_ARGUMENT", `${why}; say what to change with --with PATH and --without PATH`);
}

function formatInference({ sources, guesses, statements }: Inference): string {
  const lines = sources.map(describeSource);
  if (statements.length > 0) lines.push("Most frequent statements:");
  lines.push(...statements.map(({ fingerprint, count }) => `  ${count}  ${shorten(fingerprint, 100)}`));
  lines.push(`${guesses.length} guesses; lathe contract infer writes the contract, in which each is marked`);
  return lines.join("\n");
}

function shorten(text: string, lengthMax: number): string {
  return text.length > lengthMax ? `${text.slice(0, lengthMax)}…` : text;
}

function answer(reason: SelectionReason): CommandOutput {
  const head = `${reason.path} is ${reason.selected ? "" : "not "}selected`;
  return { json: reason, text: [head, ...reason.reasons.map((line) => `  ${line}`)].join("\n") };
}

function summaryOf({ contract, leaves, withoutPart, hash }: FeatureSelection): string {
  const parts = `${withoutPart.length} of them without a part`;
  return `${contract}: ${leaves.length} leaves, ${parts}; hash ${hash.slice(0, 12)}`;
}

const origins = [
  ["asked", "Asked for"], ["workload", "Needed by the workload"], ["rule", "Chosen by rules"], [
    "part", "Come with the parts of these"
  ],
  ["required", "Required by others"], ["mandatory", "Mandatory"], ["default", "Chosen where several would do"],
] as const;

function formatSelection(selection: FeatureSelection): string {
  const lines = [summaryOf(selection), ""];
  const scored = selection.archetypes.filter(({ score }) => score > 0);
  lines.push("Archetypes that it resembles:");
  lines.push(...scored.slice(0, 3).map(({ name, score, reasons }) => `  ${name} ${score}: ${reasons.join(", ")}`), "");
  for (const [origin, title] of origins) {
    const found = selection.decisions.filter((decision) => decision.origin === origin);
    if (found.length === 0) continue;
    // Leaves of one part have one reason.
    const reasons = Map.groupBy(found, ({ because }) => because);
    lines.push(`${title}:`);
    for (const [because, some] of reasons) lines.push(...some.map(({ path }) => `  ${path}`), `    ${because}`);
    lines.push("");
  }
  if (selection.leftOut.length > 0) lines.push("Wanted, and left out:");
  lines.push(...selection.leftOut.map(({ path, because }) => `  ${path}\n    ${because}`));
  if (selection.withoutPart.length > 0) lines.push("", "Without a part of the library:");
  lines.push(...selection.withoutPart.map((path) => `  ${path}`));
  return lines.join("\n").trimEnd();
}

/** `lathe contract infer SOURCE…`. */
import type { Command } from "commander";
import { describeSource, infer, type Inference, writeInferredContract } from "../../app/infer.ts";
import { runAction, withFrame } from "../command-frame.ts";
import { wholeNumber } from "../knob-arguments.ts";
import { kindHelp, limitHelp, partialHelp, sampleHelp } from "./select.ts";

/** As many as are listed; the contract has all of them. */
const guessesMax = 50;

interface InferOptions {
  readonly out?: string;
  readonly kind?: string;
  readonly name?: string;
  readonly limit?: number;
  readonly sample?: number;
  readonly partial?: boolean;
  readonly force?: boolean;
  readonly json?: boolean;
}

export function registerInfer(contract: Command): void {
  const command = contract
    .command("infer")
    .description("write the contract that dumps, query logs, CSV files or a trace show, each value with its evidence")
    .argument("<source...>", "sources of one workload, as a dump and a log; .gz is decompressed")
    .option("--kind <kind>", kindHelp)
    .option("--limit <mb>", limitHelp, wholeNumber(1, 1e9))
    .option("--sample <n>", sampleHelp, wholeNumber(1, 1e6))
    .option("--partial", partialHelp)
    .option("--name <name>", "name of the product; the first source's where left out")
    .option("--out <file>", "file to write; standard output where left out")
    .option("--force", "overwrite the file");
  withFrame(command, {
    examples: [
      "lathe contract infer dump.sql general.log --out contract.yaml",
      "lathe contract infer tables/ --name my-store",
      "lathe contract infer huge.log.gz --limit 2000 --out contract.yaml",
      "lathe contract infer huge.log --sample 20 --out contract.yaml",
      "lathe contract infer postgresql.log --kind postgresql-log --json",
    ],
    exitCodes: [5, 7, 8, 11],
  }).action((sources: string[], options: InferOptions) =>
    runAction(options.json, async (context) => {
      const { out, kind, name, limit, sample, partial } = options;
      const inference = await infer({ sources, kind, name, limitMB: limit, sampleEvery: sample, partial }, context);
      if (out !== undefined) writeInferredContract(out, inference.text, options.force ?? false);
      const { contract: made, ...json } = inference;
      return { json: { ...json, name: made.name, contract: out }, text: inferText(inference, out) };
    }),
  );
}

function inferText({ text, sources, guesses, leftOut, needs, nearest }: Inference, out: string | undefined): string {
  if (out === undefined) return text;
  const lines = [...sources.map(describeSource), ...leftOut.map((what) => `left out: ${what}`), ""];
  lines.push(`wrote ${out}; ${guesses.length} guesses, marked in it:`);
  const shown = guesses.slice(0, guessesMax);
  lines.push(...shown.map(({ path, because }) => `  ${path}${because === "" ? "" : `: ${because}`}`));
  if (guesses.length > shown.length) lines.push(`  and ${guesses.length - shown.length} more`);
  if (needs.length > 0) lines.push("", "needed beyond rows by key:");
  lines.push(...needs.map(({ feature, because }) => `  ${feature}: ${because}`));
  lines.push("", `nearest benchmark: ${nearest}`, `next: lathe select ${out}, or lathe contract explain ${out}`);
  return lines.join("\n");
}

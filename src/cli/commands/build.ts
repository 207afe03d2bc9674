/** `lathe build CONTRACT --out DIR`. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { buildFromContract, type BuildReport, sizeSentence } from "../../app/build.ts";
import { runAction, withFrame } from "../command-frame.ts";
import { collect, knobArguments } from "../knob-arguments.ts";

interface BuildOptions {
  readonly out: string;
  readonly knob: readonly string[];
  readonly force?: boolean;
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
    .option("--force", "replace a product that you changed; your files are kept in .lathe/replaced/");
  withFrame(command, {
    examples: [
      "lathe build examples/taobench-o/contract.yaml --out build/taobench-o",
      "lathe build contract.yaml --out ./store --knob lsm.block_cache_bytes=134217728",
    ],
    exitCodes: [5, 6, 9, 11],
  }).action((contract: string, options: BuildOptions) =>
    runAction(options.json, () => {
      const knobs = knobArguments(options.knob);
      const force = options.force ?? false;
      const report = buildFromContract({ contractFile: contract, directory: options.out, knobs, force });
      return { json: report, text: formatReport(report) };
    }),
  );
}

function formatReport(report: BuildReport): string {
  const lines = [
    `${report.replaced ? "rebuilt" : "built"} ${report.product} in ${report.directory}: ${report.parts} parts, ` +
      `${report.leaves} leaves, ${report.knobs} knobs, ${report.files} files, ${Math.round(report.bytes / 1024)} KiB`,
    sizeSentence(report.source),
    `selection ${report.selectionHash.slice(0, 16)}`,
  ];
  if (report.carriedKnobs.length > 0) lines.push(`kept your values of ${report.carriedKnobs.join(", ")}`);
  for (const { path, kind } of report.setAside) lines.push(`yours, kept in .lathe/replaced/: ${path} (${kind})`);
  const isLibrary = existsSync(join(report.directory, "pack.ts"));
  const next = isLibrary ? `cd ${report.directory} && npm pack` : `lathe serve ${report.directory} --data ./data`;
  lines.push(`next: ${next}`);
  return lines.join("\n");
}

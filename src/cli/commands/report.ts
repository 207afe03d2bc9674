/** `lathe report STUDY`. */
import type { Command } from "commander";
import { writeReport } from "../../app/report.ts";
import { runAction, withFrame } from "../command-frame.ts";

export function registerReport(program: Command): void {
  const command = program
    .command("report")
    .description("write the report of a study again, from its journal alone")
    .argument("<study>", "a study's directory or its journal")
    .option("--out <file>", "HTML file to write (default: report.html in the study's directory)");
  const examples = ["lathe report lathe-out", "lathe report lathe-out --out report.html"];
  withFrame(command, { examples, exitCodes: [5, 7] }).action(
    (study: string, options: { out?: string; json?: boolean }) =>
      runAction(options.json, async () => {
        const result = await writeReport({ study, out: options.out });
        return { json: { report: result.report }, text: `${result.summary}\n${result.report}` };
      }),
  );
}

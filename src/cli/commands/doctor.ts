/** `lathe doctor`. */
import type { Command } from "commander";
import { type DoctorReport, examineMachine } from "../../app/doctor.ts";
import { runAction, withFrame } from "../command-frame.ts";

export function registerDoctor(program: Command): void {
  const command = program
    .command("doctor")
    .description("what this machine has, and the command that adds what is missing")
    .option("--dir <dir>", "the directory to work in", ".");
  withFrame(command, { examples: ["lathe doctor", "lathe doctor --dir /mnt/data --json"], exitCodes: [12] }).action(
    (options: { dir: string; json?: boolean }) =>
      runAction(options.json, () => {
        const report = examineMachine(options.dir);
        return { json: report, text: formatFindings(report), exitCode: report.verdict === "broken" ? 12 : 0 };
      }),
  );
}

function formatFindings(report: DoctorReport): string {
  const signs = { good: "✓", missing: "-", poor: "!", broken: "✗" };
  const lines = report.findings.flatMap((finding) => {
    const line = `${signs[finding.state]} ${finding.name.padEnd(13)} ${finding.found}`;
    if (finding.state === "good") return [line];
    return [line, `${" ".repeat(16)}for: ${finding.purpose}`, `${" ".repeat(16)}do:  ${finding.remedy ?? "nothing"}`];
  });
  const verdict = {
    good: "everything is there",
    usable: "Lathe works here; what is marked is optional or adds noise",
    broken: "Lathe cannot work here: mend what is marked ✗",
  }[report.verdict];
  return [...lines, "", verdict].join("\n");
}

/** `lathe repair DIR`: a usable store out of a damaged one. */
import type { Command } from "commander";
import { repairDirectory, type RepairResult } from "../../app/repair.ts";
import { runAction, withFrame } from "../command-frame.ts";

interface RepairOptions {
  readonly out?: string;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

export function registerRepair(program: Command): void {
  const command = program
    .command("repair")
    .description("save what can be read of a damaged data directory into a new one; the original is only read")
    .argument("<dir>", "a data directory of a stopped server, or a bare store")
    .option("--out <dir>", "where to put what is saved; missing or empty (default: DIR-repaired)")
    .option("--dry-run", "say what would be saved and lost; write nothing");
  withFrame(command, {
    examples: ["lathe repair ./data --dry-run", "lathe repair ./data --out ./data-repaired --json"],
    exitCodes: [3, 5, 6, 7, 8, 11],
  }).action((directory: string, options: RepairOptions) =>
    runAction(options.json, async (context) => {
      const { out, dryRun = false } = options;
      const result = await repairDirectory({ directory, out, dryRun }, context);
      return { json: result, text: formatRepair(result), exitCode: result.complete ? 0 : 7 };
    }),
  );
}

function formatRepair({ directory, out, files, manifest, savedEntries, log, complete }: RepairResult): string {
  const lines: string[] = [];
  for (const { file, outcome, savedEntries: saved, lostEntries, lostRanges, problems } of files) {
    if (outcome === "kept") continue;
    lines.push(`${outcome.padEnd(9)} ${file}: ${saved} entries saved, ${lostEntries ?? "an unknown number of"} lost`);
    for (const problem of problems) lines.push(`          ${problem}`);
    for (const { first = "the first key", next = "the last key" } of lostRanges) {
      lines.push(`          lost: keys from ${first} to ${next} (hex); older versions of them may have come back`);
    }
  }
  if (manifest === "rebuilt") {
    lines.push("the manifest was lost: all tables were merged; deleted keys may have come back");
  }
  for (const segment of log?.unreadable ?? []) lines.push(`lost      ${segment}: missing, or its header is damaged`);
  for (const { from, to } of log?.lost ?? []) {
    if (to === undefined) lines.push(`lost: log entries from ${from} on; nobody knows how many were acknowledged`);
    else lines.push(`lost: log entries ${from} to ${to}; those behind them are applied without them`);
  }
  const kept = files.filter(({ outcome }) => outcome === "kept").length;
  const logEntries = log?.savedEntries ?? 0;
  lines.push(`${kept} of ${files.length} tables kept, ${savedEntries} entries and ${logEntries} log entries saved`);
  lines.push(complete ? "nothing is lost" : "something is lost, see above");
  if (out === undefined) lines.push(`${directory} was only read`);
  else lines.push(`the repaired store is in ${out}; ${directory} is as it was`);
  return lines.join("\n");
}

/** `lathe restore SET --data NEW`. */
import type { Command } from "commander";
import { restoreBackup } from "../../app/restore.ts";
import { runAction, withFrame } from "../command-frame.ts";

interface RestoreOptions {
  readonly data: string;
  readonly id?: string;
  readonly json?: boolean;
}

export function registerRestore(program: Command): void {
  const command = program
    .command("restore")
    .description("make a data directory from a backup, and check that it opens and holds the same")
    .argument("<set>", "the directory that `lathe backup --to` wrote")
    .requiredOption("--data <dir>", "the new data directory; missing or empty")
    .option("--id <id>", "which backup (default: the newest)");
  withFrame(command, {
    examples: [
      "lathe restore ./backups --data ./data-restored",
      "lathe restore ./backups --id 20260102T030405Z --data ./data-restored --json",
    ],
    exitCodes: [3, 5, 6, 7, 8, 11],
  }).action((set: string, options: RestoreOptions) =>
    runAction(options.json, async (context) => {
      const { data, id } = options;
      const result = await restoreBackup({ set, id, data }, context);
      const counts = `${result.files} files, ${result.keyCount} keys`;
      const password = "no password is in a backup: the next start makes one, or takes LATHE_PASSWORD";
      const text = `${result.data}: backup ${result.id}, ${counts}; it opens and holds the same; ${password}`;
      return { json: result, text };
    }),
  );
}

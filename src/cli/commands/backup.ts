/** `lathe backup --data DIR --to SET` and `lathe backup --verify SET`. */
import type { Command } from "commander";
import { type BackupResult, backUp, verifyBackups, type VerifyResult } from "../../app/backup.ts";
import { LatheError } from "../../kit/errors.ts";
import { runAction, withFrame } from "../command-frame.ts";

interface BackupOptions {
  readonly data?: string;
  readonly to?: string;
  readonly verify?: string;
  readonly id?: string;
  readonly json?: boolean;
}

export function registerBackup(program: Command): void {
  const command = program
    .command("backup")
    .description("back up the data of a running or stopped server, or verify backups")
    .option("--data <dir>", "the server's data directory; a running one is asked for a checkpoint")
    .option("--to <dir>", "the set of backups to add to; files that the last one has too are linked, not copied")
    .option("--verify <dir>", "read every file of every backup in a set again, and compare")
    .option("--id <id>", "with --verify: this backup alone");
  command.addHelpText(
    "after",
    "\nEach backup is a directory of its own, named by its time; `rm -r` removes one. The password is not in it.\n" +
      "A running server is asked over control.sock in its data directory: run this as the same user on its machine.",
  );
  withFrame(command, {
    examples: [
      "lathe backup --data ./data --to ./backups",
      "lathe backup --verify ./backups --json",
      "lathe restore ./backups --data ./data-restored",
    ],
    exitCodes: [3, 5, 6, 7, 8, 13],
  }).action((options: BackupOptions) =>
    runAction(options.json, async (context) => {
      if (options.verify !== undefined) {
        const result = await verifyBackups(options.verify, options.id, context);
        const damaged = result.backups.some(({ problems }) => problems.length > 0);
        return { json: result, text: formatVerify(result), exitCode: damaged ? 7 : 0 };
      }
      if (options.data === undefined || options.to === undefined) {
        throw new LatheError("INVALID_ARGUMENT", "name --data DIR and --to DIR, or --verify DIR");
      }
      const result = await backUp(options.data, options.to, context);
      return { json: result, text: formatBackup(result) };
    }),
  );
}

function formatBackup({ set, id, files, bytes, linkedBytes, keyCount }: BackupResult): string {
  const linked = linkedBytes === 0 ? "" : `, ${mebibytes(linkedBytes)} of them linked`;
  return `${set}/${id}: ${files} files, ${mebibytes(bytes)}${linked}; ${keyCount} keys, read again and equal`;
}

function formatVerify({ backups, partial }: VerifyResult): string {
  const lines = backups.flatMap(({ id, bytes, problems }) => [
    `${id}: ${mebibytes(bytes)}, ${problems.length === 0 ? "good" : "DAMAGED"}`,
    ...problems.map((problem) => `  ${problem}`),
  ]);
  const left = "no backup: it was not finished; remove it when no backup is under way";
  return [...lines, ...partial.map((name) => `${name}: ${left}`)].join("\n");
}

function mebibytes(bytes: number): string {
  return `${(bytes / (1 << 20)).toFixed(1)} MiB`;
}

/** `lathe import FILE --table T`: rows from CSV or NDJSON. */
import { type Command, Option } from "commander";
import { type BadRow, importAsJob, importTable } from "../../app/import.ts";
import { batchBytesMax, writersMax } from "../../app/import-job.ts";
import type { BinaryEncoding, RowFormatName } from "../../app/row-format.ts";
import { runAction, withFrame } from "../command-frame.ts";
import { wholeNumber } from "../knob-arguments.ts";

interface ImportOptions {
  readonly table: string;
  readonly url?: string;
  readonly product?: string;
  readonly data?: string;
  readonly ca?: string;
  readonly insecure?: boolean;
  readonly format: RowFormatName;
  readonly binary: BinaryEncoding;
  readonly skipBad: number;
  readonly fromLine: number;
  readonly job?: string;
  readonly writers: number;
  readonly batchBytes: number;
  readonly json?: boolean;
}

export function registerImport(program: Command): void {
  const command = program
    .command("import")
    .description("insert the rows of a CSV or NDJSON file into a table, in batches that are whole or not there")
    .argument("<file>", "decompressed where it ends in .gz")
    .requiredOption("--table <name>", "the table; it must exist")
    .option("--url <url>", "a running server: mysql://user:password@host:port")
    .option("--ca <file>", "with --url: the certificate (PEM) of who vouches for the server; it is checked then")
    .option("--insecure", "with --url: go on where the server offers no TLS, or nobody vouches for it")
    .option("--product <dir>", "with --data: the product whose data they are")
    .option("--data <dir>", "the data directory of a stopped product; it is served on loopback meanwhile")
    .addOption(new Option("--format <name>", "of the file").choices(["csv", "ndjson"]).default("csv"))
    .addOption(new Option("--binary <encoding>", "of bytes").choices(["base64", "hex"]).default("base64"))
    .option("--skip-bad <n>", "bad rows to pass over; they are listed with their lines", wholeNumber(0, 1_000_000), 0)
    .option("--from-line <n>", "pass over what begins on earlier lines", wholeNumber(1, 2 ** 53 - 1), 1)
    .option("--job <name>", "keep the progress under this name in the store: given again, it goes on where it ended")
    .option("--writers <n>", "with --job: connections that write at once", wholeNumber(1, writersMax), 4)
    .option(
      "--batch-bytes <n>", "with --job: a batch is as many rows as have so many bytes",
      wholeNumber(1, batchBytesMax), 256 << 10,
    );
  withFrame(command, {
    examples: [
      "lathe import t.csv.gz --url mysql://lathe:secret@127.0.0.1:3306 --table t",
      "lathe import t.csv --url mysql://lathe:secret@127.0.0.1:3306 --table t --job monday --writers 8",
      "lathe import t.ndjson --format ndjson --product build/taobench-o --data ./data --table t --skip-bad 10",
    ],
    exitCodes: [3, 5, 6, 7, 8, 10],
  }).action((file: string, options: ImportOptions) =>
    runAction(options.json, async (context) => {
      const { table, url, product, data, ca, insecure, format, binary, skipBad, fromLine } = options;
      const place = { url, product, data, ca, insecure };
      const request = { ...place, file, table, format, binary, skipBad, fromLine };
      const { job, writers, batchBytes } = options;
      if (job !== undefined) {
        const result = await importAsJob({ ...request, job, writers, batchBytes }, context);
        const { rows, rowsNow, badRows } = result;
        const text = `${table}: ${rows} rows by job ${job}, ${rowsNow} of them now; all of it is on the device`;
        return { json: result, text: [...badLines(badRows), text].join("\n") };
      }
      const result = await importTable(request, context);
      const bad = badLines(result.badRows);
      return { json: result, text: [...bad, `${table}: ${result.rows} rows, ${bad.length} bad`].join("\n") };
    }),
  );
}

function badLines(badRows: readonly BadRow[]): string[] {
  return badRows.map(({ line, what }) => `line ${line}: ${what}`);
}

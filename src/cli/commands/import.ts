/** `lathe import FILE --table T`: rows from CSV or NDJSON. */
import { type Command, Option } from "commander";
import { importTable } from "../../app/import.ts";
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
    .option("--from-line <n>", "pass over what begins on earlier lines", wholeNumber(1, 2 ** 53 - 1), 1);
  withFrame(command, {
    examples: [
      "lathe import t.csv.gz --url mysql://lathe:secret@127.0.0.1:3306 --table t",
      "lathe import t.ndjson --format ndjson --product build/taobench-o --data ./data --table t --skip-bad 10",
    ],
    exitCodes: [3, 5, 6, 7, 8, 10],
  }).action((file: string, options: ImportOptions) =>
    runAction(options.json, async (context) => {
      const { table, url, product, data, ca, insecure, format, binary, skipBad, fromLine } = options;
      const place = { url, product, data, ca, insecure };
      const request = { ...place, file, table, format, binary, skipBad, fromLine };
      const result = await importTable(request, context);
      const bad = result.badRows.map(({ line, what }) => `line ${line}: ${what}`);
      return { json: result, text: [...bad, `${table}: ${result.rows} rows, ${bad.length} bad`].join("\n") };
    }),
  );
}

/** `lathe export --table T`: rows as CSV or NDJSON. */
import { type Command, Option } from "commander";
import { exportTable } from "../../app/export.ts";
import type { BinaryEncoding, RowFormatName } from "../../app/row-format.ts";
import { LatheError } from "../../kit/errors.ts";
import { runAction, withFrame } from "../command-frame.ts";

interface ExportOptions {
  readonly table: string;
  readonly url?: string;
  readonly product?: string;
  readonly data?: string;
  readonly ca?: string;
  readonly insecure?: boolean;
  readonly format: RowFormatName;
  readonly binary: BinaryEncoding;
  readonly out?: string;
  readonly json?: boolean;
}

export function registerExport(program: Command): void {
  const command = program
    .command("export")
    .description("write the rows of a table as CSV or NDJSON, in key order")
    .requiredOption("--table <name>", "the table")
    .option("--url <url>", "a running server: mysql://user:password@host:port")
    .option("--ca <file>", "with --url: the certificate (PEM) of who vouches for the server; it is checked then")
    .option("--insecure", "with --url: go on where the server offers no TLS, or nobody vouches for it")
    .option("--product <dir>", "with --data: the product whose data they are")
    .option("--data <dir>", "the data directory of a stopped product; it is served on loopback meanwhile")
    .addOption(new Option("--format <name>", "of the file").choices(["csv", "ndjson"]).default("csv"))
    .addOption(new Option("--binary <encoding>", "of bytes").choices(["base64", "hex"]).default("base64"))
    .option("--out <file>", "where to write; compressed where it ends in .gz (default: standard output)");
  withFrame(command, {
    examples: [
      "lathe export --url mysql://lathe:secret@db.example:3306 --ca tls-certificate.pem --table t --out t.csv.gz",
      "lathe export --product build/taobench-o --data ./data --table t --format ndjson",
    ],
    exitCodes: [3, 5, 6, 7, 8, 11],
  }).action((options: ExportOptions) =>
    runAction(options.json, async (context) => {
      const { table, url, product, data, ca, insecure, format, binary, out } = options;
      if (options.json === true && out === undefined) {
        throw new LatheError("INVALID_ARGUMENT", "--json needs --out: standard output cannot hold rows and a result");
      }
      const place = { url, product, data, ca, insecure };
      const result = await exportTable({ ...place, table, format, binary, out }, context);
      const text = out === undefined ? "" : `${out}: ${result.rows} rows, ${result.bytes} bytes before compression`;
      return { json: result, text };
    }),
  );
}

/**
 * Use case: write the rows of a table as CSV or NDJSON, in key order, page by page.
 *
 * Memory: one page, whose rows are adjusted to about 1 MiB. Rows that change meanwhile are written as they are when
 * their page is read; for a picture of one moment export a restored backup. A file gets its name when it is whole.
 */
import { createWriteStream, existsSync, renameSync, rmSync } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { isSystemError, translateSystemError } from "../kit/env/system-error.ts";
import { LatheError } from "../kit/errors.ts";
import { ByteProgress } from "./byte-progress.ts";
import { type DataPlace, withEndpoint } from "./data-endpoint.ts";
import { type BinaryEncoding, csvHeader, encodeRow, type RowFormatName } from "./row-format.ts";
import { type Cell, SqlTable } from "./sql-table.ts";
import type { UseCaseContext } from "./use-case.ts";

export interface ExportRequest extends DataPlace {
  readonly table: string;
  readonly format: RowFormatName;
  readonly binary: BinaryEncoding;
  /** Compressed where it ends in .gz; standard output where it is undefined. */
  readonly out: string | undefined;
}

export interface ExportResult {
  readonly table: string;
  readonly rows: number;
  readonly bytes: number;
  readonly out: string | undefined;
}

const pageBytes = 1 << 20;
const pageRowsMax = 4096;

/** Errors: ALREADY_EXISTS, NOT_FOUND, INVALID_ARGUMENT, DISK_FULL, IO_ERROR, CANCELLED. */
export function exportTable(request: ExportRequest, context: UseCaseContext): Promise<ExportResult> {
  const { out } = request;
  if (out !== undefined && existsSync(out)) {
    throw new LatheError("ALREADY_EXISTS", `${out} is there already; name another file, or remove it`);
  }
  return withEndpoint(request, async (endpoint) => {
    const table = await SqlTable.open(endpoint, request.table);
    const counts = { rows: 0, bytes: 0 };
    const text = Readable.from(pages(table, request, counts, context), { objectMode: false });
    try {
      if (out === undefined) await pipeline(text, process.stdout, { end: false });
      else await writeFile(text, out);
    } catch (error) {
      // Ctrl-C reaches a product of our own too: what it says then is no news.
      context.signal.throwIfAborted();
      throw outputFailure(error, out);
    } finally {
      table.close();
    }
    return { table: request.table, ...counts, out };
  });
}

async function* pages(
  table: SqlTable,
  { format, binary }: ExportRequest,
  counts: { rows: number; bytes: number },
  context: UseCaseContext,
): AsyncGenerator<Buffer> {
  if (format === "csv") yield Buffer.from(csvHeader(table.columns));
  let after: readonly Cell[] | undefined;
  let limit = 64;
  const progress = new ByteProgress(context, `of ${table.name} written`);
  for (;;) {
    context.signal.throwIfAborted();
    const rows = await table.page(after, limit);
    if (rows.length === 0) return;
    const page = Buffer.from(rows.map((row) => encodeRow(format, table.columns, row, binary)).join(""));
    counts.rows += rows.length;
    counts.bytes += page.length;
    yield page;
    await progress.add(page.length);
    after = rows[rows.length - 1];
    if (rows.length < limit) return;
    limit = Math.max(1, Math.min(pageRowsMax, Math.floor((pageBytes * rows.length) / page.length)));
  }
}

function outputFailure(error: unknown, out: string | undefined): unknown {
  if (!isSystemError(error)) return error;
  if (error.code === "EPIPE") {
    return new LatheError("CANCELLED", "the reader of standard output is gone", { cause: error });
  }
  return translateSystemError(error, "write", out ?? "standard output");
}

async function writeFile(text: Readable, out: string): Promise<void> {
  const partial = `${out}.partial`;
  try {
    const target = createWriteStream(partial, { flush: true });
    if (out.endsWith(".gz")) await pipeline(text, createGzip(), target);
    else await pipeline(text, target);
    renameSync(partial, out);
  } catch (error) {
    rmSync(partial, { force: true });
    throw error;
  }
}

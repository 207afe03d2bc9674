/**
 * Use case: insert the rows of a CSV or NDJSON file into a table, in batches, each as a whole or not at all.
 *
 *   1. Lines are decoded one by one; a row that cannot be is bad, and is told of with its line.
 *   2. A batch that the server refuses is tried again row by row, so that the bad ones are found.
 *   3. More bad rows than `skipBad` end the import. What was inserted before stays; the error names the line from which
 *      `fromLine` goes on.
 * Memory: one batch and one row; a row has at most 16 MiB.
 */
import { createReadStream, existsSync } from "node:fs";
import type { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { parse } from "csv-parse";
import { LatheError } from "../kit/errors.ts";
import { type DataPlace, withEndpoint } from "./data-endpoint.ts";
import { type BinaryEncoding, decodeCell, decodeJsonLine, type RowFormatName } from "./row-format.ts";
import { type Cell, SqlTable, type TableColumn } from "./sql-table.ts";
import type { UseCaseContext } from "./use-case.ts";

export interface ImportRequest extends DataPlace {
  readonly table: string;
  readonly format: RowFormatName;
  readonly binary: BinaryEncoding;
  /** Decompressed where it ends in .gz. */
  readonly file: string;
  /** Bad rows that are passed over. */
  readonly skipBad: number;
  /** Rows that begin on an earlier line are passed over. */
  readonly fromLine: number;
}

export interface BadRow {
  readonly line: number;
  readonly what: string;
}

export interface ImportResult {
  readonly table: string;
  readonly rows: number;
  readonly badRows: readonly BadRow[];
}

interface Row {
  readonly line: number;
  readonly cells: readonly Cell[];
}

interface CsvRecord {
  readonly record: (string | null)[];
  readonly info: { readonly lines: number };
}

/** Sizes of insert statements: a few, because each is prepared once. */
const batchRows = 128;
const batchBytes = 1 << 20;
const recordBytesMax = 16 << 20;

/** Errors: CONSTRAINT (too many bad rows), NOT_FOUND, INVALID_ARGUMENT, IO_ERROR, CANCELLED. */
export function importTable(request: ImportRequest, context: UseCaseContext): Promise<ImportResult> {
  const { file } = request;
  if (!existsSync(file)) throw new LatheError("NOT_FOUND", `${file} does not exist; name the file to import`);
  return withEndpoint(request, async (endpoint) => {
    const table = await SqlTable.open(endpoint, request.table);
    try {
      return await new Import(table, request, context).run();
    } finally {
      table.close();
    }
  });
}

class Import {
  readonly #table: SqlTable;
  readonly #request: ImportRequest;
  readonly #context: UseCaseContext;
  readonly #bad: BadRow[] = [];
  #batch: Row[] = [];
  #batchBytes = 0;
  #rows = 0;

  constructor(table: SqlTable, request: ImportRequest, context: UseCaseContext) {
    this.#table = table;
    this.#request = request;
    this.#context = context;
  }

  async run(): Promise<ImportResult> {
    const { file, format, fromLine } = this.#request;
    const raw = createReadStream(file);
    const source = file.endsWith(".gz") ? raw.pipe(createGunzip()) : raw;
    raw.on("error", (error) => source.destroy(error));
    try {
      for await (const { line, decode, what } of format === "csv" ? this.#csvRows(source) : this.#jsonRows(source)) {
        this.#context.signal.throwIfAborted();
        if (line < fromLine) continue;
        if (decode === undefined) await this.#refuse({ line, what: what ?? "it cannot be read" });
        else await this.#take(line, decode);
      }
    } catch (error) {
      const code = (error as { code?: string }).code ?? "";
      if (!code.startsWith("Z_")) throw error;
      const what = `${file} is no whole gzip file: ${(error as Error).message}`;
      throw new LatheError("CORRUPTION", what, { cause: error });
    } finally {
      raw.destroy();
    }
    await this.#flush();
    return { table: this.#request.table, rows: this.#rows, badRows: this.#bad };
  }

  async #take(line: number, decode: () => Cell[]): Promise<void> {
    let cells: Cell[];
    try {
      cells = decode();
    } catch (error) {
      if ((error as { code?: string }).code !== "CONSTRAINT") throw error;
      return this.#refuse({ line, what: (error as Error).message });
    }
    this.#batch.push({ line, cells });
    for (const cell of cells) {
      this.#batchBytes += typeof cell === "string" || cell instanceof Uint8Array ? cell.length : 8;
    }
    if (this.#batch.length >= batchRows || this.#batchBytes >= batchBytes) await this.#flush();
  }

  async #flush(): Promise<void> {
    const batch = this.#batch;
    this.#batch = [];
    this.#batchBytes = 0;
    if (batch.length === batchRows && (await this.#insert(batch)) === undefined) return;
    for (const row of batch) {
      const refusal = await this.#insert([row]);
      if (refusal !== undefined) await this.#refuse({ line: row.line, what: refusal });
    }
  }

  /** Why the server refuses the rows; undefined where they are in. Errors of the connection go on. */
  async #insert(rows: readonly Row[]): Promise<string | undefined> {
    try {
      await this.#table.insert(rows.map(({ cells }) => cells));
      this.#rows += rows.length;
      return undefined;
    } catch (error) {
      const code = (error as { code?: string }).code ?? "";
      if (!["MYSQL", "LIMIT_EXCEEDED"].includes(code)) throw error;
      return (error as Error).message;
    }
  }

  async #refuse(bad: BadRow): Promise<void> {
    this.#bad.push(bad);
    const { skipBad, file } = this.#request;
    if (this.#bad.length <= skipBad) return;
    // What stands before it is inserted, so that the line is a clean place to go on from.
    const before = this.#batch;
    this.#batch = [];
    for (const row of before) await this.#insert([row]);
    throw new LatheError(
      "CONSTRAINT",
      `${file}, line ${bad.line}: ${bad.what}; ${this.#rows} rows are inserted: correct the line and go on with ` +
        `--from-line ${bad.line}, or pass over bad rows with --skip-bad N`,
      { details: { line: bad.line, rows: this.#rows, badRows: this.#bad } },
    );
  }

  async *#jsonRows(source: Readable): AsyncGenerator<{ line: number; decode?: () => Cell[]; what?: string }> {
    const { binary } = this.#request;
    let line = 0;
    for await (const text of linesOf(source)) {
      line++;
      if (text === undefined) yield { line, what: `the line has more than ${recordBytesMax} bytes` };
      else if (text.trim() !== "") yield { line, decode: () => decodeJsonLine(this.#table.columns, text, binary) };
    }
  }

  async *#csvRows(source: Readable): AsyncGenerator<{ line: number; decode?: () => Cell[]; what?: string }> {
    const { file, binary } = this.#request;
    // A field without quotes that is empty is NULL; this is the one place that still knows of quotes.
    const cast = (text: string, { quoting }: { quoting: boolean }) => (text === "" && !quoting ? null : text);
    const options = { bom: true, relax_column_count: true, info: true, cast, max_record_size: recordBytesMax };
    const parser = source.pipe(parse({ ...options, skip_empty_lines: false }));
    source.on("error", (error) => parser.destroy(error));
    let header: TableColumn[] | undefined;
    let line = 1;
    try {
      for await (const { record, info } of parser as AsyncIterable<CsvRecord>) {
        const at = line;
        line = info.lines + 1;
        if (header === undefined) header = headerOf(record, this.#table, file);
        else if (record.length !== 1 || record[0] !== null || header.length === 1) {
          const columns = header;
          yield { line: at, decode: () => cellsOf(record, columns, this.#table.columns, binary) };
        }
      }
    } catch (error) {
      if (!String((error as { code?: string }).code).startsWith("CSV_")) throw error;
      // Behind quotes that do not match nobody knows where a row begins, so there is no going on.
      await this.#flush();
      throw new LatheError("CONSTRAINT", `${file}, line ${line}: ${(error as Error).message}; correct the line`, {
        cause: error,
        details: { line, rows: this.#rows },
      });
    }
  }
}

/**
 * The lines of a stream, ended by LF alone: JSON may hold other characters that some call line ends. A line beyond the
 * limit is undefined, and is not kept.
 */
async function* linesOf(source: Readable): AsyncGenerator<string | undefined> {
  let parts: Buffer[] = [];
  let length = 0;
  const line = () => (length > recordBytesMax ? undefined : Buffer.concat(parts).toString("utf8"));
  for await (const chunk of source as AsyncIterable<Buffer>) {
    for (let from = 0; from < chunk.length; ) {
      const end = chunk.indexOf(0x0a, from);
      const part = chunk.subarray(from, end < 0 ? chunk.length : end);
      length += part.length;
      if (length <= recordBytesMax) parts.push(part);
      else parts = [];
      if (end < 0) break;
      yield line();
      parts = [];
      length = 0;
      from = end + 1;
    }
  }
  if (length > 0) yield line();
}

/** The columns in the order of the file. Errors: INVALID_ARGUMENT. */
function headerOf(record: readonly (string | null)[], table: SqlTable, file: string): TableColumn[] {
  const header = record.map((name) => {
    const column = table.columns.find((one) => one.name === name);
    if (column !== undefined) return column;
    const known = table.columns.map((one) => one.name).join(", ");
    throw new LatheError("INVALID_ARGUMENT", `${file}: the header names ${String(name)}; ${table.name} has ${known}`);
  });
  if (new Set(header).size === header.length) return header;
  throw new LatheError("INVALID_ARGUMENT", `${file}: the header names a column twice`);
}

function cellsOf(
  record: readonly (string | null)[],
  header: readonly TableColumn[],
  columns: readonly TableColumn[],
  binary: BinaryEncoding,
): Cell[] {
  if (record.length !== header.length) {
    throw new LatheError("CONSTRAINT", `${record.length} fields where the header has ${header.length}`);
  }
  return columns.map((column) => {
    const at = header.indexOf(column);
    return decodeCell(column, at < 0 ? null : record[at], binary);
  });
}

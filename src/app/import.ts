/**
 * Use case: insert the rows of a CSV or NDJSON file into a table, in batches, each as a whole or not at all.
 *
 *   1. Lines are decoded one by one; a row that cannot be is bad, and is told of with its line.
 *   2. A statement that the server refuses is tried again row by row, so that the bad ones are found; a server that
 *      fails (full disk, lost connection) ends the import instead, because no row is at fault.
 *   3. More bad rows than `skipBad` end the import. Whatever ends it, rows went in in the order of the file, what was
 *      inserted stays, and the error names the line from which `fromLine` goes on.
 * Memory: one batch and one row; a row has at most 16 MiB.
 */
import { createReadStream, existsSync } from "node:fs";
import { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { type CastingFunction, parse } from "csv-parse";
import type { MySqlError } from "../bench/clients/mysql-error.ts";
import { isSystemError, translateSystemError } from "../kit/env/system-error.ts";
import { errorCodeOf, LatheError } from "../kit/errors.ts";
import { ByteProgress } from "./byte-progress.ts";
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

interface RowToTake {
  readonly line: number;
  readonly decode?: () => Cell[];
  readonly what?: string | undefined;
}

interface CsvRecord {
  readonly record: (string | null)[];
  readonly info: { readonly lines: number };
}

/** Rows of insert statements: a few sizes, because each is prepared once. */
const statementRows = [128, 32, 8, 1];
const batchRows = statementRows[0];
const batchBytes = 1 << 20;
const recordBytesMax = 16 << 20;
/** Errors without a class of their own that are about one row: a text, a value, a size. */
const rowErrorNumbers = new Set([1153, 1300, 1366, 3170]);
/** Stands for a field that is no UTF-8; a lone surrogate, which no column takes. */
const notUtf8 = "\ud800";
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

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

class TooManyBadRows extends Error {
  readonly details: Record<string, unknown>;

  constructor(message: string, { details }: { details: Record<string, unknown> }) {
    super(message);
    this.details = details;
  }
}

class Import {
  readonly #table: SqlTable;
  readonly #request: ImportRequest;
  readonly #context: UseCaseContext;
  readonly #bad: BadRow[] = [];
  #batch: Row[] = [];
  #batchBytes = 0;
  #rows = 0;
  /** Every row that begins before it is inserted or bad. */
  #next = 1;

  constructor(table: SqlTable, request: ImportRequest, context: UseCaseContext) {
    this.#table = table;
    this.#request = request;
    this.#context = context;
  }

  async run(): Promise<ImportResult> {
    const { file, format, fromLine } = this.#request;
    const source = bytesOf(file, new ByteProgress(this.#context, `of ${file} read`));
    this.#next = fromLine;
    try {
      for await (const { line, decode, what } of format === "csv" ? this.#csvRows(source) : this.#jsonRows(source)) {
        this.#context.signal.throwIfAborted();
        if (line < fromLine) continue;
        if (this.#batch.length === 0) this.#next = line;
        await this.#take(line, decode, what);
      }
      await this.#flush();
    } catch (error) {
      throw this.#stopped(error);
    }
    return { table: this.#table.name, rows: this.#rows, badRows: this.#bad };
  }

  /** Rows are inserted in the order of the file, so that whatever ends the import leaves a line to go on from. */
  async #take(line: number, decode: (() => Cell[]) | undefined, what = "it cannot be read"): Promise<void> {
    let refusal = what;
    let cells: Cell[] | undefined;
    try {
      cells = decode?.();
    } catch (error) {
      if ((error as { code?: string }).code !== "CONSTRAINT") throw error;
      refusal = (error as Error).message;
    }
    if (cells === undefined) {
      await this.#flush();
      this.#next = line;
      return this.#refuse({ line, what: refusal });
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
    for (let from = 0; from < batch.length; ) {
      const size = statementRows.find((rows) => rows <= batch.length - from) ?? 1;
      const rows = batch.slice(from, from + size);
      from += size;
      if ((await this.#insert(rows)) === undefined) continue;
      // One of them is bad, and the server took none: which one shows when they go one by one.
      for (const row of rows) {
        const refusal = await this.#insert([row]);
        if (refusal !== undefined) this.#refuse({ line: row.line, what: refusal });
      }
    }
  }

  /** Why the server refuses the rows; undefined where they are in. Failures that are not the rows' go on. */
  async #insert(rows: readonly Row[]): Promise<string | undefined> {
    this.#next = rows[0].line;
    try {
      await this.#table.insert(rows.map(({ cells }) => cells));
    } catch (error) {
      const { code, number, sqlState } = error as Partial<MySqlError>;
      const isRows = code === "MYSQL" && (/^2[123]/.test(sqlState ?? "") || rowErrorNumbers.has(number ?? 0));
      if (!isRows && errorCodeOf(error) !== "LIMIT_EXCEEDED") throw error;
      return (error as Error).message;
    }
    this.#rows += rows.length;
    this.#next = rows[rows.length - 1].line + 1;
    return undefined;
  }

  #refuse(bad: BadRow): void {
    this.#bad.push(bad);
    const { skipBad, file } = this.#request;
    if (this.#bad.length > skipBad) {
      const { line, what } = bad;
      throw new TooManyBadRows(
        `${file}, line ${line}: ${what}; ${this.#rows} rows are inserted: correct the line and go on with ` +
          `--from-line ${line}, or pass over bad rows with --skip-bad N`,
        { details: { line, rows: this.#rows, badRows: this.#bad } },
      );
    }
    this.#next = bad.line + 1;
  }

  /** What ended the import, with how far it came. */
  #stopped(error: unknown): unknown {
    const { signal } = this.#context;
    if (error instanceof TooManyBadRows) return new LatheError("CONSTRAINT", error.message, { details: error.details });
    // Ctrl-C reaches a product of our own too: what it says then is no news.
    const cause = signal.aborted ? signal.reason : error;
    const code = errorCodeOf(cause);
    if (code === undefined || code === "INVALID_ARGUMENT") return cause;
    const { message, details } = cause as LatheError;
    const mayBeIn = code === "CLOSED" || code === "TIMEOUT" || code === "IO_ERROR";
    const again = mayBeIn ? "; rows there that did get in are then refused as duplicates" : "";
    const how = `${this.#rows} rows are inserted: go on with --from-line ${this.#next}${again}`;
    const facts = { ...details, line: this.#next, rows: this.#rows, badRows: this.#bad };
    return new LatheError(code, `${message}; ${how}`, { cause, details: facts });
  }

  async *#jsonRows(source: AsyncGenerator<Buffer>): AsyncGenerator<RowToTake> {
    const { binary } = this.#request;
    let line = 0;
    for await (const { text, what } of linesOf(source)) {
      line++;
      if (text === undefined) yield { line, what };
      else if (text.trim() !== "") yield { line, decode: () => decodeJsonLine(this.#table.columns, text, binary) };
    }
  }

  async *#csvRows(source: AsyncGenerator<Buffer>): AsyncGenerator<RowToTake> {
    const { file, binary } = this.#request;
    // Fields come as bytes. One without quotes that is empty is NULL; this is the one place that still knows of quotes.
    const cast = ((field: Uint8Array, { quoting }: { quoting: boolean }) =>
      field.length === 0 && !quoting ? null : fieldText(field)) as unknown as CastingFunction;
    const limits = { relax_column_count: true, max_record_size: recordBytesMax, skip_empty_lines: false };
    const bytes = Readable.from(source, { objectMode: false });
    const parser = bytes.pipe(parse({ ...limits, encoding: null, info: true, cast }));
    bytes.on("error", (error) => parser.destroy(error));
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
      throw new LatheError("CONSTRAINT", `${file}: ${(error as Error).message}; correct it`, { cause: error });
    } finally {
      bytes.destroy();
    }
    if (header !== undefined) return;
    throw new LatheError("INVALID_ARGUMENT", `${file} is empty; its first line is to name columns`);
  }
}

/** The file's bytes, decompressed where its name says so. Errors: CORRUPTION, INVALID_ARGUMENT, the system's. */
async function* bytesOf(file: string, progress: ByteProgress): AsyncGenerator<Buffer> {
  const raw = createReadStream(file);
  const source = file.endsWith(".gz") ? raw.pipe(createGunzip()) : raw;
  raw.on("error", (error) => source.destroy(error));
  let first = true;
  try {
    for await (const chunk of source as AsyncIterable<Buffer>) {
      yield first ? withoutMark(chunk, file) : chunk;
      first = false;
      await progress.add(chunk.length);
    }
  } catch (error) {
    if (isSystemError(error)) throw translateSystemError(error, "read", file);
    if (!String((error as { code?: string }).code).startsWith("Z_")) throw error;
    throw new LatheError("CORRUPTION", `${file} is no whole gzip file: ${(error as Error).message}`, { cause: error });
  } finally {
    raw.destroy();
  }
}

/** Without a byte order mark. Errors: INVALID_ARGUMENT (UTF-16). */
function withoutMark(chunk: Buffer, file: string): Buffer {
  if (chunk.length >= 2 && [0xfeff, 0xfffe].includes(chunk.readUInt16BE(0))) {
    throw new LatheError("INVALID_ARGUMENT", `${file} is UTF-16; convert it: iconv -f UTF-16 -t UTF-8`);
  }
  return chunk.subarray(0, 3).equals(Buffer.of(0xef, 0xbb, 0xbf)) ? chunk.subarray(3) : chunk;
}

function fieldText(field: Uint8Array): string {
  try {
    return utf8.decode(field);
  } catch {
    return notUtf8;
  }
}

/**
 * The lines of a stream, ended by LF alone: JSON may hold other characters that some call line ends. A line that is too
 * long is not kept.
 */
async function* linesOf(source: AsyncGenerator<Buffer>): AsyncGenerator<{ text?: string; what?: string }> {
  let parts: Buffer[] = [];
  let length = 0;
  const line = () => {
    if (length > recordBytesMax) return { what: `the line has more than ${recordBytesMax} bytes` };
    const text = fieldText(Buffer.concat(parts));
    return text === notUtf8 ? { what: "it is no UTF-8" } : { text };
  };
  for await (const chunk of source) {
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

/**
 * RowSource: the rows of a CSV or NDJSON file one by one, each with the line on which it begins.
 *
 * A row that cannot be read comes with what is wrong with it, and reading goes on; where nobody knows any more where a
 * row begins (quotes that do not match), `broken` comes last. Memory: one row, which has at most 16 MiB.
 */
import { createReadStream } from "node:fs";
import { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { type CastingFunction, parse } from "csv-parse";
import { isSystemError, translateSystemError } from "../kit/env/system-error.ts";
import { LatheError } from "../kit/errors.ts";
import type { ByteProgress } from "./byte-progress.ts";
import { type BinaryEncoding, decodeCell, decodeJsonLine, type RowFormatName } from "./row-format.ts";
import type { Cell, TableColumn } from "./sql-table.ts";

export interface RowFile {
  readonly format: RowFormatName;
  readonly binary: BinaryEncoding;
  /** Decompressed where it ends in .gz. */
  readonly file: string;
}

/** What rows are read for. */
export interface RowTarget {
  readonly name: string;
  readonly columns: readonly TableColumn[];
}

export interface SourceRow {
  readonly line: number;
  /** Errors: CONSTRAINT, for a row that does not fit its columns. */
  readonly decode?: () => Cell[];
  /** Why it cannot be read. */
  readonly what?: string | undefined;
  /** Nothing can be read from here on. */
  readonly broken?: LatheError;
}

interface CsvRecord {
  readonly record: (string | null)[];
  readonly info: { readonly lines: number };
}

const recordBytesMax = 16 << 20;
/** Stands for a field that is no UTF-8; a lone surrogate, which no column takes. */
const notUtf8 = "\ud800";
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Errors: INVALID_ARGUMENT (header, UTF-16), CORRUPTION (gzip), those of the system. */
export function rowsOf(source: RowFile, target: RowTarget, progress: ByteProgress): AsyncGenerator<SourceRow> {
  const bytes = bytesOf(source.file, progress);
  return source.format === "csv" ? csvRows(source, target, bytes) : jsonRows(source, target, bytes);
}

/** The row's cells, or why it is bad. */
export function cellsOrWhat({ decode, what = "it cannot be read" }: SourceRow): readonly Cell[] | string {
  try {
    return decode?.() ?? what;
  } catch (error) {
    if ((error as { code?: string }).code !== "CONSTRAINT") throw error;
    return (error as Error).message;
  }
}

/** Roughly what cells take in a statement. */
export function bytesOfCells(cells: readonly Cell[]): number {
  let bytes = 0;
  for (const cell of cells) bytes += typeof cell === "string" || cell instanceof Uint8Array ? cell.length : 8;
  return bytes;
}

async function* jsonRows(
  { binary }: RowFile, { columns }: RowTarget, source: AsyncGenerator<Buffer>,
): AsyncGenerator<SourceRow> {
  let line = 0;
  for await (const { text, what } of linesOf(source)) {
    line++;
    if (text === undefined) yield { line, what };
    else if (text.trim() !== "") yield { line, decode: () => decodeJsonLine(columns, text, binary) };
  }
}

async function* csvRows(
  { file, binary }: RowFile, target: RowTarget, source: AsyncGenerator<Buffer>,
): AsyncGenerator<SourceRow> {
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
      if (header === undefined) header = headerOf(record, target, file);
      else if (record.length !== 1 || record[0] !== null || header.length === 1) {
        const named = header;
        yield { line: at, decode: () => cellsOf(record, named, target.columns, binary) };
      }
    }
  } catch (error) {
    if (!String((error as { code?: string }).code).startsWith("CSV_")) throw error;
    // Behind quotes that do not match nobody knows where a row begins, so there is no going on.
    const message = `${file}: ${(error as Error).message}; correct it`;
    yield { line, broken: new LatheError("CONSTRAINT", message, { cause: error }) };
    return;
  } finally {
    bytes.destroy();
  }
  if (header !== undefined) return;
  throw new LatheError("INVALID_ARGUMENT", `${file} is empty; its first line is to name columns`);
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
function headerOf(record: readonly (string | null)[], table: RowTarget, file: string): TableColumn[] {
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

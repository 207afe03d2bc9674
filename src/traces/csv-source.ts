/**
 * Reads a CSV or TSV file, or a directory of them, as tables: RFC 4180 as csv-parse reads it.
 *
 *   1. The separator is the one of `,`, `;`, tab and `|` that comes most often in the first line.
 *   2. The first line is a header if no field of it is empty, a number or a time, and all differ. Otherwise columns are
 *      named by their place.
 *   3. Every field goes into its column's sample: types by exclusion, lengths, nulls (empty without quotes), and
 *      whether all of the first values differ.
 * Limits: a record has at most 16 MiB; a longer one ends the reading of its file, which is listed with its line, as are
 * records with too few or too many fields.
 */
import { readdirSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { Readable } from "node:stream";
import { parse } from "csv-parse";
import { LatheError } from "../kit/errors.ts";
import { isBinary } from "./detect-kind.ts";
import { firstText, type SourceReading, textChunks } from "./source-text.ts";
import { newColumn, newTable, type TraceTable } from "./table-definition.ts";
import { UnparsedList } from "./unparsed.ts";

export interface CsvTable {
  readonly file: string;
  readonly table: TraceTable;
  readonly unparsed: UnparsedList;
  readonly remarks: readonly string[];
}

const recordBytesMax = 16 << 20;
const columnsMax = 1000;
const filesMax = 1000;
const separators = [",", ";", "\t", "|"];

interface CsvRecord {
  readonly record: (string | null)[];
  readonly info: { readonly lines: number };
}

/** Errors: LIMIT_EXCEEDED (too many files), INVALID_ARGUMENT (binary, no rows at all), those of `textChunks`. */
export async function readCsvSource(path: string, reading: SourceReading = {}): Promise<CsvTable[]> {
  if (!statSync(path).isDirectory()) {
    const table = await readCsv(path, reading);
    refuseWithoutRows(path, [table]);
    return [table];
  }
  const names = readdirSync(path).filter((name) => /\.(csv|tsv)(\.gz)?$/i.test(name)).sort();
  if (names.length > filesMax) {
    throw new LatheError(
      "LIMIT_EXCEEDED", `${path} has ${names.length} files; at most ${filesMax} are read: name them`
    );
  }
  const tables: CsvTable[] = [];
  for (const name of names) tables.push(await readCsv(join(path, name), reading));
  refuseWithoutRows(path, tables);
  return tables;
}

function refuseWithoutRows(path: string, tables: readonly CsvTable[]): void {
  if (tables.some(({ table, unparsed }) => table.rows > 0 || unparsed.count > 0)) return;
  const [{ table }] = tables;
  const has = tables.length > 1 ? `none of the ${tables.length} files in ${path} has a row`
    : table.columns.length === 0 ? `${tables[0].file} is empty` : `${tables[0].file} has a header and no rows`;
  throw new LatheError(
    "INVALID_ARGUMENT", `${has}: expected are a line with the names of the columns and below it rows, whose values ` +
      "tell types, sizes and keys",
  );
}

async function readCsv(file: string, reading: SourceReading): Promise<CsvTable> {
  const begin = await firstText(file, 64 * 1024);
  if (isBinary(begin)) throw new LatheError("INVALID_ARGUMENT", `${file}:1: it is binary, not CSV`);
  const [line = ""] = begin.split(/\r?\n/);
  const unparsed = new UnparsedList();
  const rows = new CsvReading(file, unparsed);
  const parser = parse({
    encoding: "latin1", delimiter: separatorOf(line), info: true, relax_column_count: true, relax_quotes: true,
    skip_empty_lines: true, max_record_size: recordBytesMax,
    cast: (value, { quoting }) => (value === "" && !quoting ? null : value),
  });
  const own = { ...reading, onBroken: (told: string) => rows.remarks.push(`${told}; all counts are of these`) };
  const source = Readable.from(textChunks(file, own)).map((text: string) => Buffer.from(text, "latin1"));
  source.on("error", (error) => parser.destroy(error));
  source.pipe(parser);
  try {
    for await (const { record, info } of parser as AsyncIterable<CsvRecord>) rows.take(record, info.lines);
  } catch (cause) {
    const { code, message, lines } = cause as { code?: string; message: string; lines?: number };
    if (!code?.startsWith("CSV_")) throw cause;
    const what = code === "CSV_MAX_RECORD_SIZE" ? `a record of more than ${recordBytesMax} bytes` : message;
    unparsed.add(lines ?? rows.lines + 1, `${what}; the rest of the file was not read`, "");
  } finally {
    source.destroy();
  }
  const table = rows.finish();
  if (table.columns.length === 0) rows.remarks.push("the file is empty: there is no table in it");
  return { file, table, unparsed, remarks: rows.remarks };
}

function separatorOf(line: string): string {
  const counts = separators.map((separator) => line.split(separator).length);
  return separators[counts.indexOf(Math.max(...counts))];
}

class CsvReading {
  lines = 0;
  readonly remarks: string[] = [];
  readonly #table: TraceTable;
  readonly #unparsed: UnparsedList;
  #first: readonly (string | null)[] | undefined;

  constructor(file: string, unparsed: UnparsedList) {
    const name = basename(file).replace(/(\.(csv|tsv|gz))+$/i, "");
    this.#table = newTable(name, basename(file));
    this.#unparsed = unparsed;
  }

  take(record: readonly (string | null)[], line: number): void {
    this.lines = line;
    if (this.#first === undefined) {
      this.#first = record;
      this.#begin(record, line);
      return;
    }
    this.#row(record, line);
  }

  #begin(record: readonly (string | null)[], line: number): void {
    const header = isHeader(record);
    if (record.length > columnsMax) this.#unparsed.add(line, `more than ${columnsMax} columns`, record.join(","));
    for (const [at, field] of record.slice(0, columnsMax).entries()) {
      const name = header ? Buffer.from(field ?? "", "latin1").toString("utf8").trim() : `column_${at + 1}`;
      this.#table.columns.push(newColumn(name));
    }
    this.remarks.push(header ? "the first line was taken for a header" : "no header: columns are named by their place");
    if (!header) this.#row(record, line);
  }

  #row(record: readonly (string | null)[], line: number): void {
    const { columns } = this.#table;
    if (record.length !== columns.length) {
      const text = record.map((field) => field ?? "").join(",");
      this.#unparsed.add(line, `${record.length} fields where ${columns.length} were expected`, text);
      return;
    }
    this.#table.rows++;
    for (const [at, field] of record.entries()) {
      const { sample } = columns[at];
      if (field === null || field === "\\N" || field === "NULL") sample.addNull();
      else sample.add(field.length > 256 ? field.slice(0, 256) : field, field.length, true);
    }
  }

  finish(): TraceTable {
    for (const column of this.#table.columns) {
      column.family = column.sample.family;
      column.nullable = column.sample.nulls > 0;
    }
    return this.#table;
  }
}

function isHeader(record: readonly (string | null)[]): boolean {
  const names = record.map((field) => field?.trim() ?? "");
  if (new Set(names).size < names.length) return false;
  const value = /^[-+]?[\d.,]+(e[-+]?\d+)?$|^\d{4}-\d\d-\d\d/i;
  return names.every((name) => name !== "" && name.length <= 100 && !value.test(name));
}

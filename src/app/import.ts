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
import { existsSync } from "node:fs";
import { errorCodeOf, LatheError } from "../kit/errors.ts";
import { ByteProgress } from "./byte-progress.ts";
import { type DataPlace, withEndpoint } from "./data-endpoint.ts";
import { type ImportJobRequest, type ImportJobResult, runImportJob } from "./import-job.ts";
import { bytesOfCells, cellsOrWhat, type RowFile, rowsOf, type SourceRow } from "./row-source.ts";
import { type Cell, isRowError, SqlTable } from "./sql-table.ts";
import type { UseCaseContext } from "./use-case.ts";

export interface ImportRequest extends DataPlace, RowFile {
  readonly table: string;
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

/** Rows of insert statements: a few sizes, because each is prepared once. */
const statementRows = [128, 32, 8, 1];
const batchRows = statementRows[0];
const batchBytes = 1 << 20;

/** Errors: CONSTRAINT (too many bad rows), NOT_FOUND, INVALID_ARGUMENT, IO_ERROR, CANCELLED. */
export function importTable(request: ImportRequest, context: UseCaseContext): Promise<ImportResult> {
  requireFile(request);
  return withEndpoint(request, async (endpoint) => {
    const table = await SqlTable.open(endpoint, request.table);
    try {
      return await new Import(table, request, context).run();
    } finally {
      table.close();
    }
  });
}

/** The same by several connections, in batches by size, and so that a second run goes on where the first ended. */
export function importAsJob(request: ImportJobRequest & DataPlace, context: UseCaseContext): Promise<ImportJobResult> {
  requireFile(request);
  return withEndpoint(request, (endpoint) => runImportJob(endpoint, request, context));
}

function requireFile({ file }: RowFile): void {
  if (!existsSync(file)) throw new LatheError("NOT_FOUND", `${file} does not exist; name the file to import`);
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
    const { file, fromLine } = this.#request;
    const progress = new ByteProgress(this.#context, `of ${file} read`);
    this.#next = fromLine;
    try {
      for await (const row of rowsOf(this.#request, this.#table, progress)) {
        this.#context.signal.throwIfAborted();
        if (row.broken !== undefined) {
          await this.#flush();
          throw row.broken;
        }
        if (row.line < fromLine) continue;
        if (this.#batch.length === 0) this.#next = row.line;
        await this.#take(row);
      }
      await this.#flush();
    } catch (error) {
      throw this.#stopped(error);
    }
    return { table: this.#table.name, rows: this.#rows, badRows: this.#bad };
  }

  /** Rows are inserted in the order of the file, so that whatever ends the import leaves a line to go on from. */
  async #take(row: SourceRow): Promise<void> {
    const { line } = row;
    const cells = cellsOrWhat(row);
    if (typeof cells === "string") {
      await this.#flush();
      this.#next = line;
      return this.#refuse({ line, what: cells });
    }
    this.#batch.push({ line, cells });
    this.#batchBytes += bytesOfCells(cells);
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
      if (!isRowError(error)) throw error;
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
}

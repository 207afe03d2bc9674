/**
 * Use case: a bulk import that goes on where it ended, by several connections at once, in batches by size.
 *
 *   1. The source is read once, in its order, and cut into batches of `batchBytes`; batch i belongs to lane i mod
 *      `writers`. Both numbers are kept with the job, so that every run cuts the same batches.
 *   2. A lane is a connection that writes its batches one after another, each with the lane's place in one transaction
 *      (`import-progress.ts`). While a lane writes, the next batches are read, up to one each.
 *   3. A batch that the server refuses is written row by row, each with the place, so that the bad rows are found.
 *   4. A run that finds a place passes over what is before it. Nothing is lost, and nothing is there twice,
 *      whatever ended the run before, and whatever part of its last moments a loss of power has taken.
 *   5. At the end the job is marked as done and FLUSH LOGS waited for: from then on nothing of it can be lost.
 * The source must be replayable: the same file again. Memory: one batch per lane, and one.
 * Source: Kafka Connect's sink offsets and Flink's two-phase sinks (places within the target's own transactions).
 */
import { MySqlClient } from "../bench/clients/mysql-client.ts";
import type { Endpoint } from "../fleet/server.ts";
import { errorCodeOf, LatheError } from "../kit/errors.ts";
import { ByteProgress } from "./byte-progress.ts";
import type { BadRow } from "./import.ts";
import {
  fileFacts, type JobFacts, type JobProgress, jobText, type LanePlace, openJob, placeText, textOf,
} from "./import-progress.ts";
import { bytesOfCells, cellsOrWhat, type RowFile, rowsOf } from "./row-source.ts";
import { type Cell, failureOf, isRowError, quoted, SqlTable } from "./sql-table.ts";
import type { UseCaseContext } from "./use-case.ts";

export interface ImportJobRequest extends RowFile {
  readonly table: string;
  /** The name under which the progress is kept. */
  readonly job: string;
  /** Connections, and bytes of cells after which a batch is cut; of a job that was begun, what it was begun with. */
  readonly writers: number;
  readonly batchBytes: number;
  readonly skipBad: number;
  readonly fromLine: number;
}

export interface ImportJobResult {
  readonly table: string;
  readonly job: string;
  /** Rows that the job has put in, by all of its runs. */
  readonly rows: number;
  /** Of them by this run. */
  readonly rowsNow: number;
  readonly badRows: readonly BadRow[];
  /** Everything is on the device. */
  readonly durable: true;
}

interface Row {
  readonly line: number;
  readonly cells: readonly Cell[];
}

export const writersMax = 64;
export const batchBytesMax = 8 << 20;
const batchRowsMax = 10_000;

/** Errors: CONSTRAINT (too many bad rows), NOT_FOUND, INVALID_ARGUMENT, CANCELLED, the server's. */
export async function runImportJob(
  endpoint: Endpoint, request: ImportJobRequest, context: UseCaseContext,
): Promise<ImportJobResult> {
  const { table, format, binary, fromLine, writers, batchBytes, job } = request;
  const target = await SqlTable.open(endpoint, table);
  const control = await MySqlClient.connect(endpoint);
  const clients: MySqlClient[] = [];
  try {
    const asked = { table, format, binary, fromLine, ...fileFacts(request.file), writers, batchBytes };
    const progress = await openJob(control, job, asked);
    const { done, facts } = progress;
    if (done !== undefined) {
      context.progress(`job ${job} was done before: ${done} rows`);
      return { table, job, rows: done, rowsNow: 0, badRows: [], durable: true };
    }
    for (let lane = 0; lane < facts.writers; lane++) clients.push(await MySqlClient.connect(endpoint));
    const run = new ImportRun(target, clients, request, progress, context);
    const { rows, rowsNow, badRows } = await run.all();
    await control.query(jobText(job, facts, rows)).catch(asFailure);
    await control.query("FLUSH LOGS").catch(asFailure);
    return { table, job, rows, rowsNow, badRows, durable: true };
  } finally {
    for (const client of [...clients, control]) client.close();
    target.close();
  }
}

function asFailure(error: Error): never {
  throw failureOf(error);
}

class ImportRun {
  readonly #target: SqlTable;
  readonly #request: ImportJobRequest;
  readonly #facts: JobFacts;
  readonly #context: UseCaseContext;
  readonly #lanes: readonly Lane[];
  readonly #bad: BadRow[] = [];

  constructor(
    target: SqlTable, clients: readonly MySqlClient[], request: ImportJobRequest, progress: JobProgress,
    context: UseCaseContext,
  ) {
    this.#target = target;
    this.#request = request;
    this.#facts = progress.facts;
    this.#context = context;
    const refuse = (bad: BadRow) => this.#refuse(bad);
    this.#lanes = clients.map((client, number) =>
      new Lane(client, target, { job: request.job, number, place: progress.lanes[number], refuse }));
    const before = this.#rows();
    if (!progress.isNew) context.progress(`job ${request.job} goes on behind ${before} rows`);
  }

  async all(): Promise<{ rows: number; rowsNow: number; badRows: readonly BadRow[] }> {
    const before = this.#rows();
    try {
      await this.#read();
      await Promise.all(this.#lanes.map((lane) => lane.idle()));
    } catch (error) {
      // What is under way either gets in as a whole, or not; the next run sees which.
      await Promise.allSettled(this.#lanes.map((lane) => lane.idle()));
      throw this.#stopped(error);
    }
    return { rows: this.#rows(), rowsNow: this.#rows() - before, badRows: this.#bad };
  }

  #rows(): number {
    return this.#lanes.reduce((sum, lane) => sum + lane.place.inserted, 0);
  }

  async #read(): Promise<void> {
    const { fromLine, file } = this.#request;
    const { batchBytes } = this.#facts;
    let batch: Row[] = [];
    let bytes = 0;
    let number = 0;
    const cut = async () => {
      if (batch.length > 0) await this.#give(number++, batch);
      batch = [];
      bytes = 0;
    };
    for await (const row of rowsOf(this.#request, this.#target, new ByteProgress(this.#context, `of ${file} read`))) {
      this.#context.signal.throwIfAborted();
      if (row.broken !== undefined) throw row.broken;
      if (row.line < fromLine) continue;
      const cells = cellsOrWhat(row);
      if (typeof cells === "string") {
        this.#refuse({ line: row.line, what: cells });
        continue;
      }
      batch.push({ line: row.line, cells });
      bytes += bytesOfCells(cells);
      if (bytes >= batchBytes || batch.length >= batchRowsMax) await cut();
    }
    await cut();
  }

  /** Waits until the batch's lane has written the one before. */
  async #give(number: number, rows: readonly Row[]): Promise<void> {
    const lane = this.#lanes[number % this.#lanes.length];
    await lane.take(Math.floor(number / this.#lanes.length), rows);
  }

  #refuse(bad: BadRow): void {
    this.#bad.push(bad);
    const { skipBad, file } = this.#request;
    if (this.#bad.length <= skipBad) return;
    const way = "correct it and name another --job with --from-line, or pass over bad rows with --skip-bad N";
    throw new LatheError("CONSTRAINT", `${file}, line ${bad.line}: ${bad.what}; ${way}`, { details: { ...bad } });
  }

  #stopped(error: unknown): unknown {
    const { signal } = this.#context;
    const cause = signal.aborted ? signal.reason : error;
    const code = errorCodeOf(cause);
    if (code === undefined || code === "INVALID_ARGUMENT") return cause;
    const { message, details } = cause as LatheError;
    const how = `${this.#rows()} rows are in: give the same command again, and it goes on from there`;
    return new LatheError(code, `${message}; ${how}`, { cause, details: { ...details, badRows: this.#bad } });
  }
}

interface LaneOptions {
  readonly job: string;
  readonly number: number;
  readonly place: LanePlace;
  readonly refuse: (bad: BadRow) => void;
}

/** One connection, its batches one after another. */
class Lane {
  readonly place: LanePlace;
  readonly #client: MySqlClient;
  readonly #options: LaneOptions;
  readonly #head: string;
  #working: Promise<void> | undefined;
  #failure: unknown;

  constructor(client: MySqlClient, target: SqlTable, options: LaneOptions) {
    this.place = options.place;
    this.#client = client;
    this.#options = options;
    const names = target.columns.map(({ name }) => quoted(name)).join(",");
    this.#head = `INSERT INTO ${quoted(target.name)} (${names}) VALUES `;
  }

  /** Resolves when the batch is under way, and the one before it done. Errors: those of the one before. */
  async take(number: number, rows: readonly Row[]): Promise<void> {
    await this.idle();
    if (number < this.place.batches) return;
    this.#working = this.#write(rows).catch((error: unknown) => {
      this.#failure = error;
    });
  }

  /** Errors: those of the batch that was under way. */
  async idle(): Promise<void> {
    await this.#working;
    this.#working = undefined;
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #write(rows: readonly Row[]): Promise<void> {
    const { batches, rowsDone, inserted } = this.place;
    const whole = { batches: batches + 1, rowsDone: 0, inserted: inserted + rows.length };
    if (rowsDone === 0 && (await this.#insert(rows, whole)) === undefined) return;
    // One of them is bad, or a run before this one had come to some of them.
    for (let at = rowsDone; at < rows.length; at++) {
      const next = at + 1 === rows.length ? { batches: batches + 1, rowsDone: 0 } : { batches, rowsDone: at + 1 };
      const refusal = await this.#insert([rows[at]], { ...next, inserted: this.place.inserted + 1 });
      if (refusal === undefined) continue;
      this.#options.refuse({ line: rows[at].line, what: refusal });
      await this.#insert([], { ...next, inserted: this.place.inserted });
    }
  }

  /** Why the server refuses the rows; undefined where they and the place are in. */
  async #insert(rows: readonly Row[], next: LanePlace): Promise<string | undefined> {
    const place = placeText(this.#options.job, this.#options.number, next);
    const insert = this.#head + rows.map(({ cells }) => `(${cells.map(literal).join(",")})`).join(",");
    try {
      await this.#client.query(rows.length === 0 ? place : `START TRANSACTION;${insert};${place};COMMIT`);
    } catch (error) {
      const failure = failureOf(error as Error);
      if (!isRowError(failure)) throw failure;
      return failure.message;
    }
    Object.assign(this.place, next);
    return undefined;
  }
}

/** Numbers as text, which the server reads as the column's type, exactly. */
function literal(cell: Cell): string {
  if (cell === null) return "NULL";
  if (cell instanceof Uint8Array) return `X'${Buffer.from(cell.buffer, cell.byteOffset, cell.length).toString("hex")}'`;
  return typeof cell === "string" ? textOf(cell) : String(cell);
}

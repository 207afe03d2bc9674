/**
 * Reads sources of several kinds as one workload: dumps and CSV files tell of tables, logs and traces of what is done.
 *
 * A dump's definition of a table stands before a log's, whichever is read first. Logs add up; sources of two SQL
 * dialects are refused, because their statements mean different things.
 */
import { readdirSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { LatheError } from "../kit/errors.ts";
import { suggestion } from "../kit/suggestion.ts";
import { refuseOddFile } from "../kit/text-file.ts";
import { detectBytes, detectKind, isBinary } from "./detect-kind.ts";
import { DumpReader, type Schema } from "./dump-reader.ts";
import { MysqlGeneralLog } from "./mysql-general-log.ts";
import { MysqlSlowLog } from "./mysql-slow-log.ts";
import { PostgresqlCsvLog, PostgresqlJsonLog, PostgresqlTextLog } from "./postgresql-log.ts";
import { RecordedTrace } from "./recorded-trace.ts";
import { sampleText, SessionSample } from "./session-sample.ts";
import { readCsvSource } from "./csv-source.ts";
import { type Observation, type SourceKind, sourceKinds, type SourceReport } from "./observation.ts";
import type { Dialect } from "./sql-scanner.ts";
import { fileBytes, firstText, sourceLines, type SourceReading, textChunks } from "./source-text.ts";
import type { LogReader } from "./statement-log.ts";
import { excerptOf, UnparsedList } from "./unparsed.ts";
import { WorkloadObserver } from "./workload-observer.ts";

export interface ReadOptions {
  readonly kind?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly progress?: ((progress: ReadProgress) => void) | undefined;
  /** Of logs and traces only every how many-th session. */
  readonly sampleEvery?: number | undefined;
  /** Whether a .gz that is cut or damaged is read as far as it goes. */
  readonly partial?: boolean | undefined;
  /** Bytes of each log or trace that are read, from its beginning. */
  readonly bytesMax?: number | undefined;
}

/** How much of the sources was read, as they lie there. */
export interface ReadProgress {
  readonly file: string;
  readonly bytes: number;
  /** Of all sources. */
  readonly of: number;
}

interface Source {
  readonly file: string;
  readonly kind: SourceKind;
}

const logReaders: Partial<Readonly<Record<SourceKind, () => LogReader>>> = {
  "mysql-general-log": () => new MysqlGeneralLog(),
  "mysql-slow-log": () => new MysqlSlowLog(),
  "postgresql-log": () => new PostgresqlTextLog(),
  "postgresql-csvlog": () => new PostgresqlCsvLog(),
  "postgresql-jsonlog": () => new PostgresqlJsonLog(),
};

function dialectOf(kind: SourceKind): Dialect | undefined {
  if (kind.startsWith("mysql")) return "mysql";
  return kind.startsWith("postgresql") ? "postgresql" : undefined;
}

/** Errors: NOT_FOUND, INVALID_ARGUMENT (of no known kind, two dialects), IO_ERROR, CORRUPTION. */
export async function readSources(paths: readonly string[], options: ReadOptions = {}): Promise<Observation> {
  const sources: Source[] = [];
  for (const path of paths) sources.push({ file: path, kind: await kindOf(path, options.kind) });
  const dialects = new Set(sources.flatMap(({ kind }) => dialectOf(kind) ?? []));
  if (dialects.size > 1) {
    const list = sources.map(({ file, kind }) => `${file} (${kind})`).join(", ");
    throw new LatheError(
      "INVALID_ARGUMENT", `these are of two SQL dialects: ${list}; give the sources of one database`
    );
  }
  const [dialect] = dialects;
  const reading = new Reading(dialect, options, sources.reduce((sum, { file }) => sum + bytesOf(file), 0));
  // Definitions first, so that what a log says of tables does not come before what a dump says.
  const order = (kind: SourceKind) => (kind.endsWith("-dump") || kind === "csv" ? 0 : 1);
  for (
    const source of sources.toSorted((one, other) => order(one.kind) - order(other.kind))
  ) await reading.read(source);
  return reading.observation;
}

async function kindOf(path: string, given: string | undefined): Promise<SourceKind> {
  const known = Object.keys(sourceKinds);
  if (given !== undefined && !known.includes(given)) {
    throw new LatheError(
      "INVALID_ARGUMENT", `--kind ${given} is none of ${known.join(", ")}${suggestion(given, known)}`
    );
  }
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) throw new LatheError("NOT_FOUND", `there is no file or directory ${path}`);
  // A source is read twice, its beginning for its kind, and a pipe can be read only once.
  if (!stat.isDirectory()) refuseOddFile(path, stat);
  if (given !== undefined) return given as SourceKind;
  if (stat.isDirectory()) return directoryKind(path);
  const text = await firstText(path, detectBytes);
  if (text.trim() === "") {
    const expected = "expected is a dump, a query log, a trace, or CSV: the names of the columns, then rows";
    throw new LatheError("INVALID_ARGUMENT", `${path} is empty: there is nothing to infer from; ${expected}`);
  }
  const kind = detectKind(text);
  if (kind !== undefined) return kind;
  // Of one column, or of a header alone: no separator tells.
  if (/\.(csv|tsv)(\.gz)?$/i.test(path) && !isBinary(text)) return "csv";
  const kinds = Object.entries(sourceKinds).map(([name, what]) => `  ${name}: ${what}`).join("\n");
  const look = isBinary(text)
    ? "it is binary; of pg_dump's formats only the plain one is read (pg_restore -f out.sql writes it)"
    : `it begins: ${excerptOf(text)}`;
  throw new LatheError(
    "INVALID_ARGUMENT", `${path}:1: of no kind that can be read: ${look}\nsay its kind with --kind:\n${kinds}`
  );
}

function directoryKind(path: string): SourceKind {
  const names = readdirSync(path);
  if (names.some((name) => /\.(csv|tsv)(\.gz)?$/i.test(name))) return "csv";
  const found = names.length === 0 ? "it is empty" : `it holds ${names.slice(0, 5).join(", ")}`;
  throw new LatheError(
    "INVALID_ARGUMENT", `${path} is a directory without .csv or .tsv files: ${found}; name the files`
  );
}

class Reading {
  readonly #options: ReadOptions;
  readonly #dialect: Dialect | undefined;
  readonly #schema: Schema = { tables: new Map(), objects: [] };
  readonly #reports: SourceReport[] = [];
  readonly #bytes: number;
  /** Of the sources that were read before. */
  #bytesBefore = 0;
  #wasCut = false;
  #broken: string | undefined;
  #workload: WorkloadObserver | undefined;

  constructor(dialect: Dialect | undefined, options: ReadOptions, bytes: number) {
    this.#bytes = bytes;
    this.#dialect = dialect;
    this.#options = options;
  }

  get observation(): Observation {
    this.#workload?.end();
    return {
      sources: this.#reports, ...this.#schema, workload: this.#workload, dialect: this.#dialect,
    };
  }

  async read(source: Source): Promise<void> {
    await this.#readKind(source);
    this.#bytesBefore += bytesOf(source.file);
  }

  async #readKind(source: Source): Promise<void> {
    const reader = logReaders[source.kind];
    if (reader !== undefined) return this.#readLog(source, reader());
    if (source.kind === "trace") return this.#readTrace(source);
    if (source.kind === "csv") return this.#readCsv(source);
    return this.#readDump(source);
  }

  async #readDump({ file, kind }: Source): Promise<void> {
    const dump = new DumpReader(dialectOf(kind) ?? "mysql", basename(file), this.#schema);
    for await (const chunk of textChunks(file, this.#reading(file))) dump.append(chunk);
    dump.finish();
    const { unparsed, statements } = dump;
    const remarks = this.#remarksOfRest(file);
    this.#reports.push({ file, kind, bytes: fileBytes(file), statements, unparsed, remarks });
  }

  async #readLog({ file, kind }: Source, reader: LogReader): Promise<void> {
    const workload = (this.#workload ??= this.#newWorkload(dialectOf(kind) ?? "mysql", basename(file)));
    const before = workload.statements;
    const unparsedBefore = workload.unparsed.count;
    const sample = this.#sample(workload);
    const taker = sample ?? workload;
    for await (const lines of sourceLines(file, this.#reading(file, this.#options.bytesMax))) {
      for (const { text, number, dropped } of lines) {
        for (const event of reader.line(text, number, dropped)) taker.take(event);
      }
    }
    for (const event of reader.end()) taker.take(event);
    const unparsed = new UnparsedList();
    unparsed.count = reader.unparsed.count + workload.unparsed.count - unparsedBefore;
    unparsed.first.push(...reader.unparsed.first, ...(unparsedBefore === 0 ? workload.unparsed.first : []));
    const statements = workload.statements - before;
    const remarks = [...this.#remarksOfRest(file, sample), ...reader.remarks, ...workload.remarks];
    this.#reports.push({ ...this.#reportOf(file, kind, sample), statements, unparsed, remarks });
  }

  async #readTrace({ file, kind }: Source): Promise<void> {
    const workload = (this.#workload ??= this.#newWorkload("mysql", basename(file)));
    const sample = this.#sample(workload);
    const trace = new RecordedTrace(workload, sample);
    for await (const lines of sourceLines(file, this.#reading(file, this.#options.bytesMax))) {
      for (const { text, number, dropped } of lines) trace.line(text, number, dropped);
    }
    const { unparsed, operations } = trace;
    const remarks = this.#remarksOfRest(file, sample);
    this.#reports.push({ ...this.#reportOf(file, kind, sample), statements: operations, unparsed, remarks });
  }

  async #readCsv({ file, kind }: Source): Promise<void> {
    for (const one of await readCsvSource(file, this.#reading(file))) {
      const { table, unparsed, remarks } = one;
      const declared = this.#schema.tables.get(table.name.toLowerCase());
      // Rows of a table that a dump without rows defines; an empty file tells of none.
      if (declared !== undefined && declared.rows === 0) declared.rows = table.rows;
      else if (table.columns.length > 0) this.#schema.tables.set(table.name.toLowerCase(), table);
      this.#reports.push(
        { file: one.file, kind, bytes: fileBytes(one.file), statements: table.rows, unparsed, remarks }
      );
    }
  }

  #newWorkload(dialect: Dialect, name: string): WorkloadObserver {
    return new WorkloadObserver(dialect, (sql, line) => {
      const own: Schema = { tables: new Map(this.#schema.tables), objects: [] };
      const definitions = new DumpReader(dialect, `${name}:${line}`, own);
      definitions.append(`${sql};`);
      definitions.finish();
      if (definitions.unparsed.count > 1) return;
      for (const [key, table] of own.tables) if (!this.#schema.tables.has(key)) this.#schema.tables.set(key, table);
      const known = new Set(this.#schema.objects.map((object) => `${object.kind} ${object.name}`));
      this.#schema.objects.push(...own.objects.filter((object) => !known.has(`${object.kind} ${object.name}`)));
    });
  }

  #reading(file: string, bytesMax?: number): SourceReading {
    const { progress, signal } = this.#options;
    const told = { file, of: this.#bytes };
    const onRead = progress && ((bytes: number) => progress({ ...told, bytes: this.#bytesBefore + bytes }));
    this.#wasCut = false;
    this.#broken = undefined;
    const onBroken = (broken: string) => (this.#broken = broken);
    const { partial } = this.#options;
    return { signal, onRead, bytesMax, onCut: () => (this.#wasCut = true), partial, onBroken };
  }

  #sample(workload: WorkloadObserver): SessionSample | undefined {
    const { sampleEvery = 1 } = this.#options;
    return sampleEvery === 1 ? undefined : new SessionSample(sampleEvery, workload);
  }

  #reportOf(file: string, kind: SourceKind, sample: SessionSample | undefined) {
    return { file, kind, bytes: fileBytes(file), ...(sample === undefined ? {} : { sample: sample.counts }) };
  }

  /** What was not read of a source, or not looked at. */
  #remarksOfRest(file: string, sample?: SessionSample): string[] {
    const broken = this.#broken === undefined ? [] : [`${this.#broken}; all counts are of these`];
    return [...this.#remarkOfCut(file), ...broken, ...(sample === undefined ? [] : [sampleText(sample.counts)])];
  }

  /** That a log was not read to its end, with the share that was. */
  #remarkOfCut(file: string): string[] {
    if (!this.#wasCut) return [];
    const bytesMax = this.#options.bytesMax ?? 0;
    const share = file.endsWith(".gz") ? "" : `, ${((100 * bytesMax) / fileBytes(file)).toPrecision(2)} % of it`;
    return [`only its first ${Math.round(bytesMax / 1e6)} MB were read${share}; all counts are of these`];
  }
}

/** Of a directory those of its files. */
function bytesOf(path: string): number {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.size;
  const sizes = readdirSync(path).map((name) => statSync(join(path, name), { throwIfNoEntry: false })?.size ?? 0);
  return sizes.reduce((sum, bytes) => sum + bytes, 0);
}

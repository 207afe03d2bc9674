/** What sources told of a workload, together: the value that the inference of a contract starts from. */
import type { SampleCounts } from "./session-sample.ts";
import type { SchemaObject } from "./schema-statement.ts";
import type { Dialect } from "./sql-scanner.ts";
import type { TraceTable } from "./table-definition.ts";
import type { Unparsed } from "./unparsed.ts";
import type { WorkloadObserver } from "./workload-observer.ts";

/** Every kind of source, with what it is. `--kind` takes these names. */
export const sourceKinds = {
  "mysql-dump": "a dump of mysqldump or mariadb-dump, as SQL",
  "postgresql-dump": "a dump of pg_dump in plain text",
  csv: "a CSV file, or a directory of them: one table each",
  "mysql-general-log": "the general query log of MySQL or MariaDB",
  "mysql-slow-log": "the slow query log of MySQL or MariaDB",
  "postgresql-log": "PostgreSQL's log as text (log_destination = stderr)",
  "postgresql-csvlog": "PostgreSQL's log as CSV",
  "postgresql-jsonlog": "PostgreSQL's log as JSON",
  trace: "a recorded trace: one JSON object per operation, as src/traces/recorded-trace.ts describes",
} as const;

export type SourceKind = keyof typeof sourceKinds;

export interface SourceReport {
  readonly file: string;
  readonly kind: SourceKind;
  readonly bytes: number;
  /** Statements of a dump or log, rows of CSV, operations of a trace. */
  readonly statements: number;
  readonly unparsed: Unparsed;
  readonly remarks: readonly string[];
  /** Where only a sample of the sessions was looked at. */
  readonly sample?: SampleCounts | undefined;
}

export interface Observation {
  readonly sources: readonly SourceReport[];
  readonly tables: ReadonlyMap<string, TraceTable>;
  readonly objects: readonly SchemaObject[];
  /** Undefined where no source tells of statements. */
  readonly workload: WorkloadObserver | undefined;
  readonly dialect: Dialect | undefined;
}

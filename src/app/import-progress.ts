/**
 * ImportProgress: how far an import has come, kept in the store itself, in the same transactions as the rows.
 *
 * Table `lathe_imports`, one row per lane of a job and one for the job:
 *   | column    | of a lane                              | of the job (lane -1)                             |
 *   |-----------|----------------------------------------|--------------------------------------------------|
 *   | job, lane | key                                    | key                                              |
 *   | batches   | batches of the lane that are done      | 0                                                |
 *   | rows_done | rows of the next one that are done     | 1 once the whole job is                          |
 *   | inserted  | rows that went in                      | rows that went in, once the whole job is done    |
 *   | facts     | empty                                  | what batches are cut by, and of which file: JSON |
 * Whatever a crash, or a loss of power within the window that a contract allows, takes of the rows, it takes of this
 * too.
 */
import { createHash } from "node:crypto";
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import type { MySqlClient } from "../bench/clients/mysql-client.ts";
import { LatheError } from "../kit/errors.ts";
import { failureOf } from "./sql-table.ts";

export const progressTable = "lathe_imports";
const jobLane = -1;
/** Of the file's beginning and of its end, each. */
const comparedBytes = 1 << 16;

/** What a job is: the same for all of its runs. */
export interface JobFacts {
  readonly table: string;
  readonly format: string;
  readonly binary: string;
  readonly fromLine: number;
  readonly fileBytes: number;
  /** SHA-256 of its length, first and last bytes. */
  readonly fileDigest: string;
  readonly writers: number;
  readonly batchBytes: number;
}

export interface LanePlace {
  batches: number;
  rowsDone: number;
  inserted: number;
}

export interface JobProgress {
  /** As the first run began it. */
  readonly facts: JobFacts;
  readonly lanes: readonly LanePlace[];
  /** Rows that went in, where the job is done. */
  readonly done: number | undefined;
  readonly isNew: boolean;
}

/** Makes the job where there is none. Errors: INVALID_ARGUMENT where it is of something else. */
export async function openJob(client: MySqlClient, job: string, asked: JobFacts): Promise<JobProgress> {
  await run(
    client,
    `CREATE TABLE IF NOT EXISTS ${progressTable} (job VARCHAR(100), lane BIGINT, batches BIGINT, rows_done BIGINT, ` +
      "inserted BIGINT, facts VARCHAR(2000), PRIMARY KEY (job, lane))",
  );
  const columns = "lane, batches, rows_done, inserted, facts";
  const found = await run(client, `SELECT ${columns} FROM ${progressTable} WHERE job = ${textOf(job)}`);
  const kept = found.find(([lane]) => Number(lane) === jobLane);
  if (kept === undefined) await run(client, jobText(job, asked, undefined));
  const facts = kept === undefined ? asked : (JSON.parse(kept[4] as string) as JobFacts);
  refuseOther(job, facts, asked);
  const lanes = Array.from({ length: facts.writers }, (_, lane): LanePlace => {
    const row = found.find(([number]) => Number(number) === lane);
    const [, batches, rowsDone, inserted] = (row ?? [lane, 0, 0, 0]).map(Number);
    return { batches, rowsDone, inserted };
  });
  const done = kept !== undefined && Number(kept[2]) === 1 ? Number(kept[3]) : undefined;
  return { facts, lanes, done, isNew: kept === undefined };
}

/** The statement that says where a lane is; it goes into the transaction of the rows. */
export function placeText(job: string, lane: number, { batches, rowsDone, inserted }: LanePlace): string {
  return `REPLACE INTO ${progressTable} VALUES (${textOf(job)}, ${lane}, ${batches}, ${rowsDone}, ${inserted}, '')`;
}

/** The statement that begins a job, or ends it with the rows that went in. */
export function jobText(job: string, facts: JobFacts, inserted: number | undefined): string {
  const done = inserted === undefined ? "0, 0" : `1, ${inserted}`;
  const values = [textOf(job), jobLane, 0, done, textOf(JSON.stringify(facts))];
  return `REPLACE INTO ${progressTable} VALUES (${values.join(", ")})`;
}

/** Text as a literal. */
export function textOf(text: string): string {
  return `'${text.replace(/[\\']/g, "\\$&").replaceAll("\0", "\\0")}'`;
}

/** Errors: those of the system. */
export function fileFacts(file: string): Pick<JobFacts, "fileBytes" | "fileDigest"> {
  const descriptor = openSync(file, "r");
  try {
    const { size } = fstatSync(descriptor);
    const hash = createHash("sha256").update(`${size}\n`);
    for (const at of [0, Math.max(0, size - comparedBytes)]) {
      const bytes = Buffer.alloc(comparedBytes);
      hash.update(bytes.subarray(0, readSync(descriptor, bytes, 0, comparedBytes, at)));
    }
    return { fileBytes: size, fileDigest: hash.digest("hex") };
  } finally {
    closeSync(descriptor);
  }
}

function refuseOther(job: string, kept: JobFacts, asked: JobFacts): void {
  const compared = ["table", "format", "binary", "fromLine", "fileBytes", "fileDigest"] as const;
  const other = compared.find((name) => kept[name] !== asked[name]);
  if (other === undefined) return;
  const what = other.startsWith("file") ? "another file, or this one before it was changed" : `another ${other}`;
  throw new LatheError(
    "INVALID_ARGUMENT",
    `job ${job} was begun with ${what} (${kept[other]}, not ${asked[other]}): where it ended says nothing about this ` +
      "one; name another --job",
    { details: { job, field: other } },
  );
}

async function run(client: MySqlClient, sql: string): Promise<readonly (readonly (string | null)[])[]> {
  try {
    return (await client.query(sql))[0].rows;
  } catch (error) {
    throw failureOf(error as Error);
  }
}

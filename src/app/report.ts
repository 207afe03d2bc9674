/**
 * Use case: the report of a study, from its journal alone.
 */
import { basename, dirname, join, resolve } from "node:path";
import { readEntries } from "../journal/journal-reader.ts";
import { writeStudyReport } from "./conduct-study.ts";
import { findJournal } from "./find-journal.ts";

export interface ReportRequest {
  /** A study's directory or its journal file. */
  readonly study: string;
  /** Undefined: where the study itself writes it, `report.html` in its directory. */
  readonly out: string | undefined;
}

export interface ReportResult {
  readonly report: string;
  readonly summary: string;
}

/** Errors: NOT_FOUND, CORRUPTION. */
export async function writeReport(request: ReportRequest): Promise<ReportResult> {
  const journal = findJournal(request.study);
  const folder = dirname(resolve(journal));
  const root = basename(folder) === "study" ? dirname(folder) : folder;
  const report = request.out === undefined ? join(root, "report.html") : resolve(request.out);
  const summary = request.out === undefined ? join(root, "summary.json") : report.replace(/(\.html)?$/, ".json");
  const places = { journal, report, summary };
  const written = writeStudyReport(places, readEntries(journal), undefined);
  return { report, summary: written.summary };
}

/**
 * Use case: the report of a study, from its journal alone.
 */
import { dirname, join, resolve } from "node:path";
import { readEntries } from "../journal/journal-reader.ts";
import { writeStudyReport } from "./conduct-study.ts";
import { findJournal } from "./find-journal.ts";

export interface ReportRequest {
  /** A study's directory or its journal file. */
  readonly study: string;
  /** Undefined: `report.html` beside the journal. */
  readonly out: string | undefined;
}

export interface ReportResult {
  readonly report: string;
  readonly summary: string;
}

/** Errors: NOT_FOUND, CORRUPTION. */
export async function writeReport(request: ReportRequest): Promise<ReportResult> {
  const journal = findJournal(request.study);
  const report = resolve(request.out ?? join(dirname(journal), "report.html"));
  const places = { journal, report, summary: report.replace(/(\.html)?$/, ".json") };
  const written = writeStudyReport(places, readEntries(journal), undefined);
  return { report, summary: written.summary };
}

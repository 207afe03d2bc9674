/**
 * Use case: the report of a study, from its journal alone.
 */
import { LatheError } from "../kit/errors.ts";

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
  throw new LatheError("UNAVAILABLE", `reports are not wired to the command line yet (${request.study})`);
}

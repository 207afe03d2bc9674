/**
 * Conducts a study over a product in a study directory: starts or resumes it, measures the table of the
 * report, writes the report. What `run` and `evolve` share.
 */
import { rmSync, writeFileSync } from "node:fs";
import { surfaceOf } from "../contract/benchmarks.ts";
import type { Contract } from "../contract/contract.ts";
import { createNodeEnv } from "../kit/env/node-env.ts";
import { translateSystemError } from "../kit/env/system-error.ts";
import { collectEnvironment } from "../journal/environment.ts";
import type { Journal } from "../journal/journal.ts";
import type { Knob } from "../knobs/knob.ts";
import { renderHtml } from "../report/html.ts";
import { type StudyRecord, readStudyRecord } from "../report/study-record.ts";
import { type StudySummary, summarise } from "../report/summary.ts";
import { renderTerminal } from "../report/terminal.ts";
import { baselineCandidate, type Candidate } from "../search/candidate.ts";
import { runStudy } from "../study/run-study.ts";
import type { ExpertConfiguration, StudySettings } from "../study/settings.ts";
import { openStudy } from "./open-study.ts";
import { ProductEvaluator, type ProductEvaluatorOptions } from "./product-evaluator.ts";
import { measureSideBySide } from "./side-by-side.ts";
import type { StudyDirectory } from "./study-directory.ts";
import type { UseCaseContext } from "./use-case.ts";

/** Undefined: no limit of that kind. */
export interface Budget {
  readonly trials: number | undefined;
  readonly minutes: number | undefined;
}

export interface StudyRequest {
  readonly directory: StudyDirectory;
  /** As the user named it; shown in commands. */
  readonly contractFile: string;
  readonly contract: Contract;
  readonly knobTable: readonly Knob[];
  readonly budget: Budget;
  readonly policy: string;
  readonly seed: number;
  readonly alpha: number;
  /** Names of knobs that may vary; empty: those of the highest impact that there is. */
  readonly knobs: readonly string[];
  readonly expert: ExpertConfiguration | undefined;
  readonly warmUpMs?: number | undefined;
  /** Whether MariaDB joins the table where it is installed. */
  readonly mariadb: boolean;
  readonly overrides?: StudyOverrides | undefined;
}

/** For scripts and tests, whose studies are shorter than a user's: what is done is the same. */
export interface StudyOverrides extends Pick<ProductEvaluatorOptions, "gates" | "launch"> {
  readonly settings?: Partial<StudySettings> | undefined;
}

/** `run --json`. */
export type RunResult = StudySummary & { readonly summary: string };

/** Errors: those of the journal (LOCKED, CORRUPTION, DISK_FULL, …). A study without gain is no error. */
export async function conductStudy(request: StudyRequest, context: UseCaseContext): Promise<RunResult> {
  const { directory } = request;
  const { journal, definition } = openStudy(request, context);
  try {
    const evaluator = new ProductEvaluator({
      productDirectory: directory.product,
      workDirectory: directory.work,
      workload: request.contract.workload,
      protocols: request.contract.surface.protocols,
      table: definition.space.table,
      progress: context.progress,
      gates: request.overrides?.gates,
      launch: { warmUpMs: definition.settings.warmUpMs, ...request.overrides?.launch },
    });
    const conclusion = await runStudy({
      journal,
      evaluator,
      clock: createNodeEnv({ logLevel: "error" }).clock,
      signal: context.signal,
      environment: collectEnvironment(directory.work),
      onProgress: (progress) => context.status(progress),
    });
    if (!context.signal.aborted && conclusion.outcome !== "refused") {
      await measureTable(request, context, evaluator, journal, conclusion.winner);
    }
    // Checkpoints are made again where a study goes on; a finished one needs them no more.
    if (context.signal.aborted) context.progress("what was measured is kept; the same command goes on from here");
    else rmSync(directory.work, { recursive: true, force: true, maxRetries: 3 });
    return writeStudyReport(directory, [...journal.entries()], request.contractFile);
  } finally {
    journal.close();
  }
}

async function measureTable(
  request: StudyRequest,
  context: UseCaseContext,
  evaluator: ProductEvaluator,
  journal: Journal,
  winner: Candidate | undefined,
): Promise<void> {
  const tuned = winner === undefined ? [] : [{ subject: "tuned", label: "tuned", candidate: winner }];
  await measureSideBySide({
    evaluator,
    journal,
    productDirectory: request.directory.product,
    workDirectory: request.directory.work,
    workload: request.contract.workload,
    dataSeed: contentSeed(journal),
    subjects: [{ subject: "default", label: "default", candidate: baselineCandidate() }, ...tuned],
    // MariaDB cannot be asked what is driven over HTTP.
    mariadb: request.mariadb && surfaceOf(request.contract.workload) === "mysql",
    signal: context.signal,
    progress: context.progress,
  });
}

/**
 * Writes `report.html` and `summary.json` from the journal's entries. Errors: DISK_FULL, READ_ONLY, PERMISSION,
 * IO_ERROR.
 */
export function writeStudyReport(
  directory: Pick<StudyDirectory, "report" | "summary" | "journal">,
  entries: Parameters<typeof readStudyRecord>[0],
  contractPath: string | undefined,
): RunResult {
  const record: StudyRecord = readStudyRecord(entries);
  const summary = summarise(record, directory.report);
  try {
    writeFileSync(directory.report, renderHtml(record, { contractPath, journalPath: directory.journal }));
    writeFileSync(directory.summary, `${JSON.stringify(summary, null, 2)}\n`);
  } catch (error) {
    throw translateSystemError(error, "write the report", directory.report);
  }
  const colours = process.stdout.isTTY;
  return { ...summary, summary: renderTerminal(record, { colours, reportPath: directory.report }) };
}

/** Of the content that the study measured on, so that the table shows the same data. */
function contentSeed(journal: Journal): number {
  for (const entry of journal.entries()) if (entry.kind === "candidate_prepared") return entry.workloadSeed;
  return 1;
}

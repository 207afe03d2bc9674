/**
 * Conducts a study over a product in a study directory: starts or resumes it, measures the table of the
 * report, writes the report. What `run` and `evolve` share.
 */
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Contract } from "../contract/contract.ts";
import { manifestPath } from "../foundry/product-directory.ts";
import { createNodeEnv } from "../kit/env/node-env.ts";
import { LatheError } from "../kit/errors.ts";
import { collectEnvironment, commitOf } from "../journal/environment.ts";
import { createJournal, openJournal, type Journal } from "../journal/journal.ts";
import type { Knob } from "../knobs/knob.ts";
import { renderHtml } from "../report/html.ts";
import { type StudyRecord, readStudyRecord } from "../report/study-record.ts";
import { type StudySummary, summarise } from "../report/summary.ts";
import { renderTerminal } from "../report/terminal.ts";
import { createCandidate } from "../search/candidate.ts";
import { createSpace } from "../search/space.ts";
import { runStudy } from "../study/run-study.ts";
import {
  createStudyHeader, defaultSettings, type ExpertConfiguration, readStudyDefinition, type StudyDefinition,
} from "../study/settings.ts";
import { ProductEvaluator } from "./product-evaluator.ts";
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
  /** Names of knobs that may vary; empty: those of high impact. */
  readonly knobs: readonly string[];
  readonly expert: ExpertConfiguration | undefined;
  /** Whether MariaDB joins the table where it is installed. */
  readonly mariadb: boolean;
}

/** `run --json`. */
export type RunResult = StudySummary & { readonly summary: string };

const minutesDefault = 7 * 24 * 60;

/** Errors: those of the journal (LOCKED, CORRUPTION, DISK_FULL, …). A study without gain is no error. */
export async function conductStudy(request: StudyRequest, context: UseCaseContext): Promise<RunResult> {
  const { directory } = request;
  const journal = openStudy(request, context);
  try {
    const definition = definitionOf(journal);
    const evaluator = new ProductEvaluator({
      productDirectory: directory.product,
      workDirectory: directory.work,
      workload: request.contract.workload,
      table: definition.space.table,
      progress: context.progress,
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
      const { table } = definition.space;
      await measureSideBySide({
        evaluator,
        journal,
        productDirectory: directory.product,
        workDirectory: directory.work,
        workload: request.contract.workload,
        dataSeed: contentSeed(journal),
        subjects: [
          { subject: "default", label: "default", candidate: createCandidate({}, table) },
          ...(conclusion.winner === undefined
            ? []
            : [{ subject: "tuned", label: "tuned", candidate: conclusion.winner }]),
        ],
        mariadb: request.mariadb,
        signal: context.signal,
        progress: context.progress,
      });
    }
    return writeStudyReport(directory, [...journal.entries()], request.contractFile);
  } finally {
    journal.close();
  }
}

/** Writes `report.html` and `summary.json` from the journal's entries. */
export function writeStudyReport(
  directory: Pick<StudyDirectory, "report" | "summary" | "journal">,
  entries: Parameters<typeof readStudyRecord>[0],
  contractPath: string | undefined,
): RunResult {
  const record: StudyRecord = readStudyRecord(entries);
  writeFileSync(directory.report, renderHtml(record, { contractPath, journalPath: directory.journal }));
  const summary = summarise(record, directory.report);
  writeFileSync(directory.summary, `${JSON.stringify(summary, null, 2)}\n`);
  return { ...summary, summary: renderTerminal(record, { colours: process.stdout.isTTY, reportPath: directory.report }) };
}

function openStudy(request: StudyRequest, context: UseCaseContext): Journal {
  const { directory, contract } = request;
  if (!existsSync(directory.journal)) return createJournal(directory.journal, headerOf(request));
  const journal = openJournal(directory.journal);
  const [header] = journal.entries();
  const hash = productHash(directory.product);
  if (header?.kind !== "study_started" || header.contract.name !== contract.name || header.product.hash !== hash) {
    journal.close();
    throw new LatheError(
      "ALREADY_EXISTS",
      `${directory.root} holds the study of another product or contract; give another --out, or remove it`,
    );
  }
  context.progress(`going on with the study in ${directory.root}`);
  return journal;
}

function headerOf(request: StudyRequest) {
  const { budget, contract, directory, seed, alpha, policy, expert } = request;
  const space = createSpace(request.knobTable, request.knobs.length > 0 ? { names: request.knobs } : {});
  const { p99RatioMax, memoryRatioMax, memoryMiBMax } = contract.targets;
  const settings = {
    ...defaultSettings,
    trialsMax: budget.trials,
    targets: { p99RatioMax, memoryRatioMax, memoryMiBMax },
    ...(expert === undefined ? {} : { expert }),
  };
  const definition: StudyDefinition = {
    seed,
    alpha,
    proposer: policy,
    budgetSeconds: (budget.minutes ?? minutesDefault) * 60,
    space,
    settings,
  };
  return createStudyHeader(definition, {
    contract,
    product: { name: contract.name, hash: productHash(directory.product) },
    versions: { lathe: latheVersion(), node: process.versions.node },
    environment: collectEnvironment(directory.work),
    commit: commitOf(import.meta.dirname),
  });
}

function definitionOf(journal: Journal): StudyDefinition {
  const [header] = journal.entries();
  if (header?.kind !== "study_started") throw new LatheError("CORRUPTION", "a journal begins with study_started");
  return readStudyDefinition(header);
}

/** Of the content that the study measured on, so that the table shows the same data. */
function contentSeed(journal: Journal): number {
  for (const entry of journal.entries()) if (entry.kind === "candidate_prepared") return entry.workloadSeed;
  return 1;
}

/** Hash of every source of the product: a study belongs to the code that it measured. */
export function productHash(productDirectory: string): string {
  const manifest = readFileSync(join(productDirectory, manifestPath));
  return createHash("sha256").update(manifest).digest("hex").slice(0, 16);
}

export function latheVersion(): string {
  const text = readFileSync(join(import.meta.dirname, "..", "..", "package.json"), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

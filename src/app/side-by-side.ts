/**
 * The per-operation table of a report: default, tuned, and MariaDB where it is installed, each driven alone by the same
 * client. It decides nothing: what is quoted as gain comes from paired launches.
 */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { runSolo, type SoloSample } from "../bench/solo.ts";
import { surfaceOf } from "../contract/benchmarks.ts";
import type { WorkloadSpec } from "../contract/contract.ts";
import { cloneCheckpoint, readFilesOnce } from "../fleet/checkpoint.ts";
import { findMariadb, startMariadb } from "../fleet/mariadb-server.ts";
import { startProduct } from "../fleet/product-server.ts";
import type { Journal } from "../journal/journal.ts";
import type { Candidate } from "../search/candidate.ts";
import type { ProductEvaluator } from "./product-evaluator.ts";

export interface SideBySideOptions {
  readonly evaluator: ProductEvaluator;
  readonly journal: Journal;
  readonly productDirectory: string;
  readonly workDirectory: string;
  readonly workload: WorkloadSpec;
  readonly dataSeed: number;
  readonly subjects: readonly { readonly subject: string; readonly label: string; readonly candidate: Candidate }[];
  readonly mariadb: boolean;
  readonly signal: AbortSignal;
  readonly progress: (line: string) => void;
}

const warmUpMs = 2500;
const durationMs = 4000;

/** Measures what is not in the journal yet. A subject that cannot be measured is left out with a line that says why. */
export async function measureSideBySide(options: SideBySideOptions): Promise<void> {
  const done = new Set(
    [...options.journal.entries()].flatMap((entry) => (entry.kind === "solo_measurement" ? [entry.subject] : [])),
  );
  for (const subject of options.subjects) {
    if (options.signal.aborted || done.has(subject.subject)) continue;
    options.progress(`${subject.label}: measured alone for the table`);
    await attempt(options, subject.label, () => measureProduct(options, subject));
  }
  if (!options.mariadb || options.signal.aborted || done.has("mariadb")) return;
  if (findMariadb() === undefined) {
    options.progress("MariaDB is not installed here; `lathe doctor` says how to add it to the table");
    return;
  }
  options.progress("MariaDB: loaded and measured alone for the table");
  await attempt(options, "MariaDB", () => measureMariadb(options));
}

async function attempt(options: SideBySideOptions, label: string, measure: () => Promise<void>): Promise<void> {
  try {
    await measure();
  } catch (error) {
    if (!options.signal.aborted) options.progress(`${label} is not in the table: ${(error as Error).message}`);
  }
}

async function measureProduct(
  options: SideBySideOptions,
  { subject, label, candidate }: SideBySideOptions["subjects"][number],
): Promise<void> {
  const checkpoint = await options.evaluator.checkpoints.of(candidate, options.dataSeed, options.signal);
  const dataDirectory = join(options.workDirectory, `alone-${subject}`);
  rmSync(dataDirectory, { recursive: true, force: true });
  cloneCheckpoint(checkpoint, dataDirectory);
  readFilesOnce(dataDirectory);
  const { productDirectory } = options;
  const server = await startProduct({
    productDirectory, dataDirectory, knobs: candidate.knobs, name: label, surface: surfaceOf(options.workload),
  });
  try {
    const sample = await runSolo(server, await soloOptions(options, false));
    record(options, { subject, label, sample, configuration: { ...candidate.knobs } });
  } finally {
    await server.kill();
    rmSync(dataDirectory, { recursive: true, force: true });
  }
}

async function measureMariadb(options: SideBySideOptions): Promise<void> {
  const dataDirectory = join(options.workDirectory, "mariadb");
  rmSync(dataDirectory, { recursive: true, force: true });
  const server = await startMariadb({ dataDirectory });
  try {
    const sample = await runSolo(server, await soloOptions(options, true));
    record(options, {
      subject: "mariadb",
      label: `MariaDB ${server.version.split("-")[0]}`,
      sample,
      configuration: { options: server.options },
    });
  } finally {
    await server.kill();
    rmSync(dataDirectory, { recursive: true, force: true });
  }
}

async function soloOptions(options: SideBySideOptions, load: boolean) {
  const { workload, dataSeed, signal, evaluator } = options;
  const ceilingOpsPerSecond = await evaluator.ceiling();
  return { workload, dataSeed, seed: dataSeed + 1, load, warmUpMs, durationMs, signal, ceilingOpsPerSecond };
}

function record(
  options: SideBySideOptions,
  measured: { subject: string; label: string; sample: SoloSample; configuration: Record<string, unknown> },
): void {
  const { subject, label, sample, configuration } = measured;
  if (sample.cancelled) return;
  options.journal.append({
    kind: "solo_measurement",
    subject,
    label,
    sample: sample.server,
    seconds: durationMs / 1000,
    driverBound: sample.driver.driverBound,
    configuration,
  });
}

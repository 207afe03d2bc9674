/**
 * Use case: from what users have (dumps, logs, CSV, traces) to a contract, and to what a selection starts from.
 */
import { statSync } from "node:fs";
import { basename } from "node:path";
import type { Contract } from "../contract/contract.ts";
import { type InferredContract, inferContract } from "../contract/infer/infer-contract.ts";
import { parseContract, problemsError } from "../contract/parse.ts";
import { LatheError } from "../kit/errors.ts";
import { type SourceKind, sourceKinds, type SourceReport } from "../traces/observation.ts";
import { type ReadProgress, readSources } from "../traces/read-sources.ts";
import { contractFile, writeResult } from "./replace-file.ts";
import type { UseCaseContext } from "./use-case.ts";

export type { SourceReport };
export { sourceKinds };

export interface Inference {
  readonly contract: Contract;
  readonly text: string;
  readonly sources: readonly SourceReport[];
  readonly guesses: InferredContract["guesses"];
  readonly leftOut: InferredContract["leftOut"];
  readonly needs: InferredContract["needs"];
  readonly nearest: string;
  /** The ten statements that come most often. */
  readonly statements: readonly { readonly fingerprint: string; readonly count: number }[];
}

export interface InferRequest {
  readonly sources: readonly string[];
  readonly kind?: SourceKind | string | undefined;
  readonly name?: string | undefined;
  /** MB of each log or trace that are read; all of it where left out. */
  readonly limitMB?: number | undefined;
  /** Of logs and traces only every how many-th session; all where left out. */
  readonly sampleEvery?: number | undefined;
  /** Whether a .gz that is cut or damaged is read as far as it goes. */
  readonly partial?: boolean | undefined;
}

/** Errors: those of `readSources`; INVALID_ARGUMENT where sources hold nothing that a contract could be made of. */
export async function infer(request: InferRequest, context?: UseCaseContext): Promise<Inference> {
  const { sources, kind, sampleEvery, partial } = request;
  const observation = await readSources(sources, {
    kind, sampleEvery, partial, signal: context?.signal, progress: context && progressBar(context),
    bytesMax: request.limitMB === undefined ? undefined : request.limitMB * 1e6,
  });
  const { workload, tables } = observation;
  if (tables.size === 0 && (workload === undefined || workload.statements === 0)) {
    const told = observation.sources.map(describeSource).join("\n");
    throw new LatheError(
      "INVALID_ARGUMENT", `no table and no statement was found:\n${told}\nis the kind right? --kind says it`
    );
  }
  const inferred = inferContract(observation, request.name ?? nameOf(sources[0]));
  const result = parseContract(inferred.text, "inferred contract");
  if (!result.ok) throw problemsError(result.problems);
  const shapes = [...(workload?.shapes.values() ?? [])]
    .map(({ facts, alone, inTransactions }) => ({ fingerprint: facts.fingerprint, count: alone + inTransactions }))
    .sort((one, other) => other.count - one.count);
  return {
    contract: result.contract, text: inferred.text, sources: observation.sources, guesses: inferred.guesses,
    leftOut: inferred.leftOut,
    needs: inferred.needs, nearest: inferred.nearest, statements: shapes.slice(0, 10),
  };
}

const barWidth = 20;
const tellEveryMs = 1000;

/** Where the reading stands, once a second: a bar, what was read of what, and how long it will go on. */
function progressBar(context: UseCaseContext): (progress: ReadProgress) => void {
  const startedMs = performance.now();
  let told = startedMs;
  return ({ file, bytes, of }) => {
    const now = performance.now();
    if (now - told < tellEveryMs || of === 0) return;
    told = now;
    const share = Math.min(1, bytes / of);
    const filled = Math.round(share * barWidth);
    const bar = `${"█".repeat(filled)}${"░".repeat(barWidth - filled)}`;
    const text = `${basename(file)} ${bar} ${Math.floor(share * 100)} % of ${Math.round(of / 1e6)} MB`;
    const secondsLeft = ((now - startedMs) / 1000 / share) * (1 - share);
    context.status({ stage: "reading", trial: 0, of: undefined, secondsLeft, incumbent: { knobs: {} }, text });
  };
}

/** Errors: ALREADY_EXISTS, and what the system says. */
export function writeInferredContract(file: string, text: string, force: boolean): void {
  writeResult(file, text, contractFile, force);
}

/** A source in one or two lines: what was read of it and what was not. */
export function describeSource({ file, kind, statements, unparsed, remarks }: SourceReport): string {
  const unit = kind === "csv" ? "rows" : "statements";
  const lines = [`${file}: ${kind}, ${statements} ${unit}, unparsed: ${unparsed.count}`];
  lines.push(...unparsed.first.map(({ line, what, excerpt }) => `  ${basename(file)}:${line}: ${what}: ${excerpt}`));
  if (unparsed.count > unparsed.first.length) lines.push(`  and ${unparsed.count - unparsed.first.length} more`);
  lines.push(...remarks.map((remark) => `  note: ${remark}`));
  return lines.join("\n");
}

/** Of a product: the source's name with small letters, digits and -. */
function nameOf(source: string): string {
  const plain = basename(source).replace(/\.(gz|sql|log|csv|tsv|json|ndjson|txt|md)\b/gi, "").toLowerCase()
    .replace(/[^a-z0-9]+/g, "-").replace(/^[^a-z]+|-+$/g, "");
  return plain.slice(0, 63) || "inferred";
}

/** Whether a file is something to infer from, rather than a contract. */
export function isSource(path: string): boolean {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat !== undefined && (stat.isDirectory() || !/\.ya?ml$/i.test(path));
}

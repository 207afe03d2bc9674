/**
 * Starts or resumes the study of a directory. What a study was started with is fixed (its error rate is
 * spent as it was declared), so a request that differs from it is refused with a list of what differs.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { LatheError } from "../kit/errors.ts";
import { decodeCanonical, encodeCanonical } from "../journal/canonical-json.ts";
import type { JournalEntry, StudyHeader } from "../journal/entry.ts";
import { collectEnvironment, commitOf } from "../journal/environment.ts";
import { createJournal, openJournal, type Journal } from "../journal/journal.ts";
import { createSpace } from "../search/space.ts";
import { historyOf, isConcluded } from "../study/history.ts";
import {
  createStudyHeader, defaultSettings, readStudyDefinition, type StudyDefinition, unlimitedSeconds,
} from "../study/settings.ts";
import type { StudyRequest } from "./conduct-study.ts";
import { productHash } from "./product-hash.ts";
import type { UseCaseContext } from "./use-case.ts";

/** Differences that a message lists; more are counted. */
const differencesShown = 4;

/**
 * Fewer launches than a study by default: each takes a dozen seconds over half a million edges, and minutes are what a
 * person grants. Six calibrate, eight give an interval at 95 %.
 */
const launchCounts = { calibrationLaunches: 6, remeasurementLaunches: 8 };

export interface OpenedStudy {
  readonly journal: Journal;
  readonly definition: StudyDefinition;
}

/** Errors: ALREADY_EXISTS where another study is there; those of the journal (LOCKED, CORRUPTION, …). */
export function openStudy(request: StudyRequest, context: UseCaseContext): OpenedStudy {
  const { directory } = request;
  const asked = headerOf(request);
  if (!existsSync(directory.journal)) {
    return { journal: createJournal(directory.journal, asked), definition: readStudyDefinition(asked) };
  }
  const journal = openJournal(directory.journal);
  try {
    const [header] = journal.entries();
    if (header?.kind !== "study_started") throw new LatheError("CORRUPTION", "a journal begins with study_started");
    const differences = differencesBetween(header, asked);
    if (differences.length > 0) throw otherStudy(directory.root, differences);
    context.progress(`${whereItStands(historyOf(journal.entries()))} in ${directory.root}`);
    return { journal, definition: readStudyDefinition(header) };
  } catch (error) {
    journal.close();
    throw error;
  }
}

function whereItStands(history: readonly JournalEntry[]): string {
  if (!isConcluded(history)) return "going on with the study";
  const end = history.at(-1);
  const refused = end?.kind === "outcome" && end.outcome === "refused";
  if (!refused) return "the study has ended";
  return "the study was refused; to try again, remove it or give another directory: it is";
}

function headerOf(request: StudyRequest): StudyHeader {
  const { contract, directory } = request;
  return createStudyHeader(defineStudy(request), {
    contract,
    product: { name: contract.name, hash: productHash(directory.product) },
    versions: { lathe: latheVersion(), node: process.versions.node },
    environment: collectEnvironment(directory.work),
    commit: commitOf(import.meta.dirname),
  });
}

function defineStudy(request: StudyRequest): StudyDefinition {
  const { contract, seed, alpha, policy, expert, knobs, warmUpMs } = request;
  const { p99RatioMax, memoryRatioMax, memoryMiBMax } = contract.targets;
  const { minutes, trials } = request.budget;
  return {
    seed,
    alpha,
    proposer: policy,
    budgetSeconds: minutes === undefined ? unlimitedSeconds : minutes * 60,
    space: createSpace(request.knobTable, knobs.length > 0 ? { names: knobs } : {}),
    settings: {
      ...defaultSettings,
      ...launchCounts,
      trialsMax: trials,
      targets: { p99RatioMax, memoryRatioMax, memoryMiBMax },
      ...(expert === undefined ? {} : { expert }),
      ...(warmUpMs === undefined ? {} : { warmUpMs }),
      ...request.overrides?.settings,
    },
  };
}

/** What of a study is not as it was started, one phrase each. */
function differencesBetween(started: StudyHeader, asked: StudyHeader): string[] {
  const sources = started.product.hash === asked.product.hash ? [] : ["the product has other sources or knobs"];
  // Through the journal's own encoding, so that what it cannot tell apart is not called different.
  const [then, now] = [started, asked].map((header) => decodeCanonical(encodeCanonical(choicesOf(header))));
  return [...sources, ...changesOf("", then, now)];
}

/** What the caller chose, by the names of the options. */
function choicesOf(header: StudyHeader) {
  const { seed, alpha, proposer, budgetSeconds, space, settings } = readStudyDefinition(header);
  return {
    contract: header.contract,
    seed,
    alpha,
    policy: proposer,
    budget: { seconds: budgetSeconds, trials: settings.trialsMax ?? "any" },
    "knobs that vary": space.knobs.map(({ name }) => name).join(" "),
    expert: settings.expert?.knobs ?? "none",
    "warm-up": settings.warmUpMs ?? "default",
  };
}

function changesOf(path: string, then: unknown, now: unknown): string[] {
  if (isObject(then) && isObject(now)) {
    const names = new Set([...Object.keys(then), ...Object.keys(now)]);
    return [...names].flatMap((name) => changesOf(path === "" ? name : `${path}.${name}`, then[name], now[name]));
  }
  const [before, after] = [then, now].map((value) => (value === undefined ? "nothing" : encodeCanonical(value)));
  return before === after ? [] : [`${path} was ${short(before)} and is now ${short(after)}`];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function short(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

function otherStudy(root: string, differences: readonly string[]): LatheError {
  const shown = differences.slice(0, differencesShown).map((difference) => `  ${difference}`);
  if (differences.length > shown.length) shown.push(`  and ${differences.length - shown.length} more`);
  return new LatheError(
    "ALREADY_EXISTS",
    `${root} holds a study that was started otherwise, and a study keeps what it was started with:\n` +
      `${shown.join("\n")}\nask for it as it was started, give another directory, or remove this one`,
    { details: { differences } },
  );
}

export function latheVersion(): string {
  const text = readFileSync(join(import.meta.dirname, "..", "..", "package.json"), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

/**
 * A study as its report sees it: the journal's entries gathered by what they belong to. Nothing is
 * computed here that the journal does not say; figures and tables compute from this.
 */
import type { LaunchSample, SideSample } from "../bench/measurement.ts";
import type { GateVerdict } from "../gates/gate.ts";
import type { EntryOfKind, JournalEntry } from "../journal/entry.ts";
import { LatheError } from "../kit/errors.ts";
import { baselineCandidate, type Candidate } from "../search/candidate.ts";
import { elapsedOf } from "../study/budget.ts";
import { elapsedIn, historyOf } from "../study/history.ts";
import { readStudyDefinition, type StudyDefinition } from "../study/settings.ts";

export interface StudyRecord {
  readonly header: EntryOfKind<"study_started">;
  readonly definition: StudyDefinition;
  readonly productGates: readonly GateVerdict[];
  readonly calibrationLaunches: readonly LaunchSample[];
  readonly calibration: EntryOfKind<"calibration_result"> | undefined;
  readonly trials: readonly TrialRecord[];
  readonly searchEnded: string | undefined;
  readonly remeasurements: readonly RemeasurementRecord[];
  readonly solos: readonly SoloRecord[];
  readonly outcome: EntryOfKind<"outcome"> | undefined;
  readonly winner: Candidate | undefined;
  readonly interrupted: boolean;
  /** Study time, pauses not counted. */
  readonly elapsedSeconds: number;
  /** Study time at which the budget began to run. */
  readonly budgetStartedAt: number;
  readonly launches: number;
  readonly startedAt: string;
  readonly endedAt: string;
  /** Stands for every line of the journal. */
  readonly headHash: string;
  readonly entries: number;
}

export interface TrialRecord {
  readonly number: number;
  readonly candidate: Candidate;
  /** What it was compared with. */
  readonly incumbent: Candidate;
  readonly gates: readonly GateVerdict[];
  readonly screening: readonly LaunchSample[];
  readonly screeningDecision: EntryOfKind<"screening_decision"> | undefined;
  readonly confirmation: readonly LaunchSample[];
  readonly confirmationDecision: EntryOfKind<"confirmation_decision"> | undefined;
  /** Undefined while it is under way. */
  readonly ended: EntryOfKind<"trial_ended"> | undefined;
  readonly startedAt: number;
  readonly endedAt: number;
}

export interface RemeasurementRecord {
  readonly against: "baseline" | "expert";
  readonly launches: readonly LaunchSample[];
  readonly result: EntryOfKind<"remeasurement_result"> | undefined;
}

export type SoloRecord = EntryOfKind<"solo_measurement"> & { readonly sample: SideSample };

/** Errors: CORRUPTION (no header), FORMAT_UNKNOWN. */
export function readStudyRecord(source: Iterable<JournalEntry>): StudyRecord {
  const entries = [...source];
  const header = entries[0];
  if (header?.kind !== "study_started")
    throw new LatheError("CORRUPTION", "a journal begins with study_started");
  const history = historyOf(entries);
  const of = <Kind extends JournalEntry["kind"]>(kind: Kind) =>
    history.filter((entry) => entry.kind === kind) as unknown as EntryOfKind<Kind>[];
  const trials = readTrials(history);
  const outcome = of("outcome").at(-1);
  const last = entries[entries.length - 1];
  const winnerId = outcome?.winner ?? of("incumbent_changed").at(-1)?.to;
  return {
    header,
    definition: readStudyDefinition(header),
    productGates: of("gate_verdict")
      .filter(({ candidate }) => candidate === null)
      .map(({ verdict }) => verdict),
    calibrationLaunches: of("calibration_launch").map(({ launch }) => launch),
    calibration: of("calibration_result")[0],
    trials,
    searchEnded: of("search_ended")[0]?.reason,
    remeasurements: readRemeasurements(history),
    solos: latestSolos(entries),
    outcome,
    winner: trials.find(({ candidate }) => candidate.id === winnerId)?.candidate,
    interrupted: history.some(({ kind }) => kind === "interrupted"),
    elapsedSeconds: elapsedIn(entries),
    budgetStartedAt: Math.max(
      0,
      ...of("gate_verdict")
        .filter(({ candidate }) => candidate === null)
        .map(elapsedOf),
    ),
    launches: history.filter((entry) => "launch" in entry).length,
    startedAt: header.time,
    endedAt: last.time,
    headHash: last.hash,
    entries: entries.length,
  };
}

function readTrials(history: readonly JournalEntry[]): TrialRecord[] {
  const trials: TrialRecord[] = [];
  const candidates = new Map<string, Candidate>([[baselineCandidate().id, baselineCandidate()]]);
  for (const [position, proposed] of history.entries()) {
    if (proposed.kind !== "candidate_proposed") continue;
    const end = history.findIndex(
      ({ kind }, index) => index > position && kind === "candidate_proposed",
    );
    const own = history.slice(position, end < 0 ? undefined : end);
    const only = <Kind extends JournalEntry["kind"]>(kind: Kind) =>
      own.filter((entry) => entry.kind === kind) as unknown as EntryOfKind<Kind>[];
    const candidate = proposed.candidate as Candidate;
    candidates.set(candidate.id, candidate);
    const ended = only("trial_ended")[0];
    const within =
      ended === undefined
        ? own
        : own.slice(0, own.findIndex(({ kind }) => kind === "trial_ended") + 1);
    trials.push({
      number: trials.length + 1,
      candidate,
      incumbent: candidates.get(proposed.incumbent) ?? baselineCandidate(),
      gates: only("gate_verdict").map(({ verdict }) => verdict),
      screening: only("screening_launch").map(({ launch }) => launch),
      screeningDecision: only("screening_decision").at(-1),
      confirmation: only("confirmation_launch").map(({ launch }) => launch),
      confirmationDecision: only("confirmation_decision")[0],
      ended,
      startedAt: elapsedIn(history.slice(0, position)),
      endedAt: Math.max(elapsedIn(history.slice(0, position)), elapsedIn(within)),
    });
  }
  return trials;
}

function readRemeasurements(history: readonly JournalEntry[]): RemeasurementRecord[] {
  return (["baseline", "expert"] as const).flatMap((against) => {
    const launches = history.flatMap((entry) =>
      entry.kind === "remeasurement_launch" && (entry.against ?? "baseline") === against
        ? [entry.launch]
        : [],
    );
    const result = history.find(
      (entry): entry is EntryOfKind<"remeasurement_result"> =>
        entry.kind === "remeasurement_result" && (entry.against ?? "baseline") === against,
    );
    return launches.length === 0 ? [] : [{ against, launches, result }];
  });
}

/** A study that was resumed may have measured a subject twice: the latest counts. */
function latestSolos(entries: readonly JournalEntry[]): SoloRecord[] {
  const latest = new Map<string, SoloRecord>();
  for (const entry of entries) {
    if (entry.kind === "solo_measurement") latest.set(entry.subject, entry as SoloRecord);
  }
  return [...latest.values()];
}

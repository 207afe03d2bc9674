/**
 * The result of a study in words: one headline, one sentence under it. Shared by every form of the
 * report.
 */
import { formatChange } from "./format.ts";
import type { StudyRecord } from "./study-record.ts";
import { type EffectSummary, gainOf } from "./summary.ts";

export interface Verdict {
  readonly headline: string;
  readonly detail: string;
  readonly tone: "gain" | "none" | "refused";
  /** The quoted effect, where there is one. */
  readonly effect: EffectSummary | undefined;
  readonly statistic: string;
}

export const statisticNames: Readonly<Record<string, string>> = {
  throughput: "throughput",
  cost: "operations per second of server CPU",
  p50: "median latency",
  p99: "p99 latency",
  memory: "memory",
};

export function verdictOf(record: StudyRecord): Verdict {
  const gain = gainOf(record);
  const statistic =
    statisticNames[gain?.statistic ?? record.calibration?.statistic ?? "throughput"];
  const effect =
    gain === null ? undefined : gain.statistic === "cost" ? gain.cost : gain.throughput;
  const outcome = record.outcome?.outcome;
  const reason =
    record.outcome?.reason ?? "The journal has no outcome yet; run the study again to go on.";
  const base = { effect, statistic };
  if (outcome === undefined || record.interrupted) {
    return { ...base, tone: "none", headline: "Stopped before its end", detail: sentence(reason) };
  }
  if (outcome === "refused")
    return { ...base, tone: "refused", headline: "Refused", detail: sentence(reason) };
  if (outcome === "gain" && effect !== undefined && gain !== null) {
    return {
      ...base,
      tone: "gain",
      headline: `${formatChange(effect.ratio)} ${statistic}`,
      detail:
        `95 % interval ${formatInterval(effect)}, re-measured on ${gain.launches} fresh launches ` +
        `with data that the search ` +
        `never saw.`,
    };
  }
  const headline =
    record.winner === undefined ? "No gain found" : "No gain that survives a second look";
  return { ...base, tone: "none", headline, detail: sentence(reason) };
}

/** `+17.9 to +21.4 %`. */
export function formatInterval(effect: EffectSummary): string {
  const [low, high] = effect.interval.map(formatChange);
  return `${low.replace(" %", "")} to ${high}`;
}

function sentence(text: string): string {
  const upper = text.charAt(0).toUpperCase() + text.slice(1);
  return upper.endsWith(".") ? upper : `${upper}.`;
}

/**
 * The forest plot: the re-measured gain with its interval, and under it every candidate with every
 * launch that judged it. Source: the forest plots of meta-analyses (Lewis and Clarke, 2001).
 */
import { describeChanges, formatChange, knobChanges } from "./format.ts";
import type { StudyRecord, TrialRecord } from "./study-record.ts";
import { effectOf, gainOf, testedStatistic } from "./summary.ts";
import { formatInterval } from "./verdict.ts";
import { element, figure, fit, hint, label, line, linearScale, type Scale, ticks } from "./svg.ts";

const width = 920;
const left = 310;
const right = 690;
const rowHeight = 26;
const headHeight = 34;
/** No effect is drawn further out than this; what lies beyond the axis is an arrow at its edge. */
const logMax = Math.log(4);

interface Row {
  /** Of the trial; empty for quoted rows. */
  readonly number: string;
  readonly name: string;
  readonly verdict: string;
  readonly strong: boolean;
  draw(y: number, x: Scale): string;
}

/** Undefined where there is nothing to draw. */
export function forestFigure(record: StudyRecord): string | undefined {
  const quoted = quotedRows(record);
  const rows = record.trials.map((trial) => trialRow(record, trial));
  if (quoted.length + rows.length === 0) return undefined;
  const domain = domainOf(record);
  const x = linearScale(domain, [left, right]);
  const gap = quoted.length > 0 && rows.length > 0 ? 14 : 0;
  const height = headHeight + (quoted.length + rows.length) * rowHeight + gap + 8;
  const marks = ticks([percent(domain[0]), percent(domain[1])], 6);
  const axis = marks.map((mark) => {
    const at = x(Math.log1p(mark / 100));
    const text = label(at, 16, `${mark > 0 ? "+" : mark < 0 ? "−" : ""}${Math.abs(mark)} %`, {
      class: "tick",
      "text-anchor": "middle",
    });
    return text + line(at, 24, at, height - 6, mark === 0 ? "zero" : "grid");
  });
  const all = [...quoted, ...rows];
  const body = all.map((row, index) => {
    const y = headHeight + index * rowHeight + rowHeight / 2 + (index >= quoted.length ? gap : 0);
    const weight = row.strong ? "strong" : undefined;
    const at = row.number === "" ? 0 : 28;
    const number = label(18, y + 4, row.number, { class: "note", "text-anchor": "end" });
    const shown = fit(row.name, left - 16 - at, row.strong ? 13 : 12);
    const name = element(
      "text",
      { x: at, y: y + 4, class: weight },
      escapeWithHint(shown, row.name),
    );
    return (
      (row.number === "" ? "" : number) +
      name +
      row.draw(y, x) +
      label(right + 16, y + 4, fit(row.verdict, width - right - 16), { class: weight ?? "soft" })
    );
  });
  const separator =
    gap > 0
      ? line(
          0,
          headHeight + quoted.length * rowHeight + gap / 2,
          width,
          headHeight + quoted.length * rowHeight + gap / 2,
          "rule",
        )
      : "";
  const description = all.map(({ name, verdict }) => `${name}: ${verdict}`).join(". ");
  return figure(
    { width, height, title: "Effects of all candidates", description },
    [...axis, separator, ...body].join(""),
  );
}

function quotedRows(record: StudyRecord): Row[] {
  const statistic = testedStatistic(record);
  return record.remeasurements.flatMap(({ against, launches, result }) => {
    if (result === undefined) return [];
    const interval = result.intervals[statistic];
    const effect = effectOf(interval);
    const dots = launches.map(({ logRatios }) => logRatios[statistic]);
    return [
      {
        number: "",
        name:
          against === "baseline"
            ? "Winner against default, re-measured"
            : "Winner against the expert's configuration",
        verdict: `${formatChange(effect.ratio)} (${formatInterval(effect)})`,
        strong: against === "baseline",
        draw: (y, x) =>
          dots.map((dot) => circle(x, dot, y, 2.2, "faint-kept", "launch")).join("") +
          bar(x(clamp(interval.low)), x(clamp(interval.high)), y) +
          diamond(x(clamp(interval.estimate)), y, "kept", `estimate ${formatChange(effect.ratio)}`),
      },
    ];
  });
}

function trialRow(record: StudyRecord, trial: TrialRecord): Row {
  const statistic =
    trial.confirmationDecision?.statistic ??
    trial.screeningDecision?.["statistic"] ??
    testedStatistic(record);
  const ratio = (launch: TrialRecord["screening"][number]) =>
    launch.logRatios[statistic === "cost" ? "cost" : "throughput"];
  const screening = trial.screening.map(ratio).filter(Number.isFinite);
  const confirmation = trial.confirmation.map(ratio).filter(Number.isFinite);
  const outcome = trial.ended?.outcome ?? "unfinished";
  const kept = outcome === "kept";
  const decisive = confirmation.length > 0 ? confirmation : screening;
  const estimate =
    decisive.length === 0
      ? undefined
      : decisive.reduce((sum, one) => sum + one, 0) / decisive.length;
  const changes = describeChanges(
    knobChanges(trial.candidate, trial.incumbent, record.definition.space.table),
  );
  const shown = estimate === undefined ? "" : `${formatChange(Math.exp(estimate))} `;
  return {
    number: String(trial.number),
    name: changes,
    verdict: `${shown}${outcome}${confirmation.length > 0 ? ` after ${confirmation.length} launches` : ""}`,
    strong: kept,
    draw: (y, x) => {
      const dots =
        screening.map((one) => circle(x, one, y, 2.2, "faint", "screening launch")).join("") +
        confirmation
          .map((one) =>
            circle(x, one, y, 2.2, kept ? "faint-kept" : "faint", "confirmation launch"),
          )
          .join("");
      if (estimate === undefined) return cross(x(0), y, trial.ended?.reason ?? "");
      const text = `${formatChange(Math.exp(estimate))}: ${trial.ended?.reason ?? ""}`;
      if (clamp(estimate) < x.domain[0]) return arrow(left, y, text);
      if (kept) return dots + diamond(x(clamp(estimate)), y, "kept", text);
      if (outcome === "failed" || outcome === "rejected")
        return dots + cross(x(clamp(estimate)), y, text);
      return (
        dots +
        element("circle", { cx: x(clamp(estimate)), cy: y, r: 4.2, class: "hollow" }, hint(text))
      );
    },
  };
}

function domainOf(record: StudyRecord): [number, number] {
  const gain = gainOf(record);
  const statistic = testedStatistic(record);
  const launches = record.trials.flatMap(({ screening, confirmation }) => [
    ...screening,
    ...confirmation,
  ]);
  const finals = record.remeasurements.flatMap((one) => one.launches);
  const values = [...launches, ...finals]
    .map(({ logRatios }) => logRatios[statistic])
    .filter(Number.isFinite)
    .map(clamp);
  const all = [-0.05, 0.05, ...values, ...(gain === null ? [] : [Math.log(gain[statistic].ratio)])];
  const high = Math.max(...all);
  // One broken candidate must not squeeze all others: losses get no more room than gains.
  const low = Math.max(Math.min(...all), -Math.max(0.12, high));
  return [low - 0.06 * (high - low), high + 0.06 * (high - low)];
}

function circle(
  x: Scale,
  value: number,
  y: number,
  r: number,
  className: string,
  what: string,
): string {
  if (clamp(value) < x.domain[0]) return "";
  return element(
    "circle",
    { cx: x(clamp(value)), cy: y, r, class: className },
    hint(`${what}: ${formatChange(Math.exp(value))}`),
  );
}

/** An interval with its ends marked, so that it is seen also where it is short. */
function bar(low: number, high: number, y: number): string {
  return (
    line(low, y, high, y, "interval") +
    line(low, y - 5, low, y + 5, "interval") +
    line(high, y - 5, high, y + 5, "interval")
  );
}

function diamond(x: number, y: number, className: string, text: string): string {
  return element(
    "path",
    { d: `M${x - 5} ${y}L${x} ${y - 5}L${x + 5} ${y}L${x} ${y + 5}Z`, class: className },
    hint(text),
  );
}

function cross(x: number, y: number, text: string): string {
  return element(
    "path",
    {
      d: `M${x - 4} ${y - 4}L${x + 4} ${y + 4}M${x - 4} ${y + 4}L${x + 4} ${y - 4}`,
      class: "cross",
    },
    hint(text),
  );
}

/** Points to an estimate left of the axis. */
function arrow(x: number, y: number, text: string): string {
  return element(
    "path",
    { d: `M${x + 7} ${y - 4.5}L${x} ${y}L${x + 7} ${y + 4.5}`, class: "hollow" },
    hint(text),
  );
}

function escapeWithHint(shown: string, whole: string): string {
  const text = label(0, 0, shown).replace(/^<text[^>]*>|<\/text>$/g, "");
  return shown === whole ? text : text + hint(whole);
}

function clamp(value: number): number {
  return Math.min(logMax, Math.max(-logMax, value));
}

function percent(log: number): number {
  return Math.expm1(log) * 100;
}

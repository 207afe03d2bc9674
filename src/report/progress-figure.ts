/**
 * Progress over study time: the incumbent as a line of steps, every candidate as a point, the
 * stages underneath.
 */
import { mean } from "../bench/statistics/summary.ts";
import { describeChanges, formatChange, formatDuration, knobChanges } from "./format.ts";
import type { StudyRecord, TrialRecord } from "./study-record.ts";
import { effectOf, testedStatistic } from "./summary.ts";
import { element, figure, hint, label, line, linearScale, ticks } from "./svg.ts";

const width = 920;
const height = 264;
const left = 52;
const right = 828;
const top = 14;
const bottom = 216;
const stageTop = 238;
const logMax = Math.log(2);

interface Point {
  readonly seconds: number;
  readonly log: number;
  readonly trial: TrialRecord;
}

export function progressFigure(record: StudyRecord): string | undefined {
  if (record.trials.length === 0) return undefined;
  const { points, steps } = trace(record);
  const final = finalEffect(record);
  const logs = [
    0,
    0.03,
    -0.03,
    ...points.map(({ log }) => log),
    ...steps.map(({ log }) => log),
    ...(final?.interval ?? []).map(Math.log),
  ];
  const clamped = logs.map((log) => Math.max(-logMax, Math.min(logMax * 2, log)));
  const pad = 0.08 * (Math.max(...clamped) - Math.min(...clamped));
  const y = linearScale([Math.min(...clamped) - pad, Math.max(...clamped) + pad], [bottom, top]);
  const end = Math.max(record.elapsedSeconds, 1);
  const x = linearScale([0, end], [left, right]);
  const place = (log: number) => y(Math.max(y.domain[0], Math.min(y.domain[1], log)));
  const percents = ticks([Math.expm1(y.domain[0]) * 100, Math.expm1(y.domain[1]) * 100], 5);
  const grid = percents.map((percent) => {
    const at = y(Math.log1p(percent / 100));
    const text = `${percent > 0 ? "+" : percent < 0 ? "−" : ""}${Math.abs(percent)} %`;
    return (
      line(left, at, right, at, percent === 0 ? "zero" : "grid") +
      label(left - 8, at + 4, text, { class: "tick", "text-anchor": "end" })
    );
  });
  const times = ticks([0, end / 60], 8).map((minute) =>
    label(x(minute * 60), bottom + 15, `${minute} min`, { class: "tick", "text-anchor": "middle" }),
  );
  const path = steps
    .map(({ seconds, log }, index) =>
      index === 0 ? `M${x(seconds)} ${place(log)}` : `H${x(seconds)}V${place(log)}`,
    )
    .join("");
  const drawn = points.map((point) => marker(point, x(point.seconds), place(point.log), record));
  const quoted = final === undefined ? "" : quotedMark(final, x(end) + 14, place);
  const body = [
    ...grid,
    ...times,
    element("path", { d: `${path}H${x(end)}`, class: "path" }),
    ...drawn,
    quoted,
    stageBar(record, x, end),
  ].join("");
  const description =
    `${record.trials.length} candidates in ${formatDuration(end)}; the incumbent ` +
    `changed ${steps.length - 1} times.`;
  return figure({ width, height, title: "Progress of the search over time", description }, body);
}

/**
 * Where each candidate and each incumbent stood against the defaults; estimates of the search, not
 * quoted gains.
 */
function trace(record: StudyRecord): {
  points: Point[];
  steps: { seconds: number; log: number }[];
} {
  const points: Point[] = [];
  const steps = [{ seconds: 0, log: 0 }];
  let incumbent = 0;
  for (const trial of record.trials) {
    const confirmed = trial.confirmationDecision?.test.logRatios ?? [];
    const estimate = confirmed.length > 0 ? mean(confirmed) : trial.screeningDecision?.estimate;
    points.push({ seconds: trial.endedAt, log: incumbent + (estimate ?? 0), trial });
    if (trial.ended?.outcome !== "kept") continue;
    incumbent += estimate ?? 0;
    steps.push({ seconds: trial.endedAt, log: incumbent });
  }
  return { points, steps };
}

function marker({ log, trial }: Point, x: number, y: number, record: StudyRecord): string {
  const changes = describeChanges(
    knobChanges(trial.candidate, trial.incumbent, record.definition.space.table),
  );
  const text = hint(
    `${trial.number}: ${changes}: ${formatChange(Math.exp(log))} against the defaults; ` +
      `${trial.ended?.reason ?? "unfinished"}`,
  );
  const outcome = trial.ended?.outcome;
  if (outcome === "kept")
    return element(
      "path",
      { d: `M${x - 6} ${y}L${x} ${y - 6}L${x + 6} ${y}L${x} ${y + 6}Z`, class: "kept" },
      text,
    );
  if (outcome === "dropped")
    return element("circle", { cx: x, cy: y, r: 4.2, class: "hollow" }, text);
  return element(
    "path",
    {
      d: `M${x - 4} ${y - 4}L${x + 4} ${y + 4}M${x - 4} ${y + 4}L${x + 4} ${y - 4}`,
      class: "cross",
    },
    text,
  );
}

function finalEffect(record: StudyRecord) {
  const result = record.remeasurements.find(({ against }) => against === "baseline")?.result;
  return result === undefined ? undefined : effectOf(result.intervals[testedStatistic(record)]);
}

function quotedMark(
  effect: ReturnType<typeof effectOf>,
  x: number,
  place: (log: number) => number,
): string {
  const [low, high] = effect.interval.map(Math.log);
  const middle = place(Math.log(effect.ratio));
  const text = `re-measured: ${formatChange(effect.ratio)}`;
  return (
    line(x, place(low), x, place(high), "interval") +
    element("circle", { cx: x, cy: middle, r: 4.5, class: "kept" }, hint(text)) +
    label(x + 10, middle + 4, formatChange(effect.ratio), { class: "strong" })
  );
}

function stageBar(record: StudyRecord, x: (seconds: number) => number, end: number): string {
  const searchStart = record.trials[0].startedAt;
  const searchEnd = Math.max(...record.trials.map(({ endedAt }) => endedAt));
  const stages: readonly (readonly [name: string, from: number, to: number])[] = [
    ["gates", 0, record.budgetStartedAt],
    ["calibration", record.budgetStartedAt, searchStart],
    ["search", searchStart, searchEnd],
    ["re-measurement", searchEnd, end],
  ];
  return stages
    .filter(([, from, to]) => to > from)
    .map(([name, from, to]) => {
      const size = x(to) - x(from);
      const box = element(
        "rect",
        { x: x(from), y: stageTop, width: size, height: 22, class: "stage" },
        hint(`${name}: ${formatDuration(to - from)}`),
      );
      const fits = size > name.length * 6.4 + 8;
      return (
        box +
        (fits
          ? label((x(from) + x(to)) / 2, stageTop + 15, name, {
              class: "note",
              "text-anchor": "middle",
            })
          : "")
      );
    })
    .join("");
}

/**
 * The noise of the machine: launches of the same code on both sides, and the smallest effect that
 * they let a study confirm.
 */
import { formatChange } from "./format.ts";
import type { StudyRecord } from "./study-record.ts";
import { element, figure, hint, label, line, linearScale, ticks } from "./svg.ts";

const width = 920;
const height = 190;
const left = 52;
const right = 740;
const top = 12;
const bottom = 162;

export function noiseFigure(record: StudyRecord): string | undefined {
  const { calibration, calibrationLaunches } = record;
  if (calibration === undefined || calibrationLaunches.length === 0) return undefined;
  const statistic = calibration.statistic ?? "throughput";
  const values = calibrationLaunches.map(({ logRatios }) => logRatios[statistic]);
  const { noise, effectMin } = calibration;
  const limit = Number.isFinite(effectMin) ? effectMin : 0;
  const extent = 1.15 * Math.max(0.01, limit, 2 * noise, ...values.map(Math.abs));
  const y = linearScale([-extent, extent], [bottom, top]);
  const x = linearScale([0.5, values.length + 0.5], [left, right]);
  const grid = ticks([-extent * 100, extent * 100], 5).map((percent) => {
    const at = y(percent / 100);
    const text = `${percent > 0 ? "+" : percent < 0 ? "−" : ""}${Math.abs(percent)} %`;
    return (
      line(left, at, right, at, percent === 0 ? "zero" : "grid") +
      label(left - 8, at + 4, text, { class: "tick", "text-anchor": "end" })
    );
  });
  const band = element("rect", {
    x: left,
    y: y(noise),
    width: right - left,
    height: y(-noise) - y(noise),
    class: "band",
  });
  const dots = values.map((value, index) =>
    element(
      "circle",
      { cx: x(index + 1), cy: y(value), r: 4, class: "hollow" },
      hint(`A/A launch ${index + 1}: ${formatChange(Math.exp(value))}`),
    ),
  );
  const numbers = values.map((_, index) =>
    values.length > 30 && (index + 1) % 5 !== 0
      ? ""
      : label(x(index + 1), bottom + 16, String(index + 1), {
          class: "tick",
          "text-anchor": "middle",
        }),
  );
  const limits =
    limit > 0 ? [limit, -limit].map((at) => line(left, y(at), right, y(at), "limit")) : [];
  const legend = [
    ...(limit > 0
      ? [
          label(right + 12, y(limit) + 4, `${formatChange(Math.exp(limit))} can be confirmed`, {
            class: "note",
          }),
        ]
      : []),
    label(right + 12, y(0) + 4, `±${(noise * 100).toFixed(1)} % noise`, { class: "note" }),
  ];
  const description =
    `${values.length} A/A launches; noise ${(noise * 100).toFixed(1)} %. ` +
    `${calibration.sentence}`;
  const body = [...grid, band, ...limits, ...dots, ...numbers, ...legend].join("");
  return figure({ width, height, title: "Noise of the machine", description }, body);
}

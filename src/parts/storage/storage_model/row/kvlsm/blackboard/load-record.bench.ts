/**
 * What load.bench.ts measured, as files: `load.json` (all of it), `load.md` (against the bars), `load.svg` (the curve
 * of the cost of a get), `load-memory.svg` (that of the peak of memory while keys are loaded). The command and the
 * machine's load stand beside the figures.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { describeMachine, type Machine, machineText } from "../../../../../../kit/machine.ts";
import { barText, type RecordedBar } from "../../../../../../bench/recorded-bar.ts";

/** One phase's figures; a few of them are objects of figures. */
export type Figures = Readonly<Record<string, number>>;

export interface LoadRecord {
  load?: Figures;
  reopen?: Figures;
  curve?: readonly Figures[];
  /** Of the machine, over one minute, before and after. */
  readonly loadAverage: readonly [number, number];
}

const memoryAboveBudgetMiB = 150;
const putP999MsMax = 50;
const reopenSecondsMax = 3;

export function writeRecord(directory: string, record: LoadRecord): void {
  mkdirSync(directory, { recursive: true });
  const machine = { ...describeMachine(), loadAverage: record.loadAverage };
  const bars = barsOf(record);
  const json = { command: command(), machine, ...record, bars };
  writeFileSync(join(directory, "load.json"), `${JSON.stringify(json, null, 2)}\n`);
  writeFileSync(join(directory, "load.md"), toMarkdown(record, bars, machine));
  if (record.curve !== undefined) {
    const points = record.curve.map(({ keys, getUs, low, high }) => ({ keys, middle: getUs, low, high }));
    const title = "random getSync, microseconds, by keys in the store (16 + 128 bytes)";
    writeFileSync(join(directory, "load.svg"), curveSvg(points, Math.log10, title));
  }
  if (record.load !== undefined) {
    const peaks = peaksOf(record.load);
    const points = peaks.map(({ keys, peakMiB }) => ({ keys, middle: peakMiB, low: peakMiB, high: peakMiB }));
    const title = "peak memory of the process, MiB, by keys loaded (16 + 128 bytes)";
    writeFileSync(join(directory, "load-memory.svg"), curveSvg(points, (keys) => keys, title));
  }
}

/** As it can be typed again; where the stores were is nobody's concern. */
function command(): string {
  const script = relative(process.cwd(), process.argv[1]);
  const place = "--directory";
  const flags = process.argv.slice(2).filter((flag, at, all) => flag !== place && all[at - 1] !== place);
  return ["node", script, ...flags].join(" ");
}

function barsOf({ load, reopen }: LoadRecord): RecordedBar[] {
  const bars: RecordedBar[] = [];
  if (load !== undefined) {
    const { p50, p99, p999, p9999, max } = load.putMs as unknown as Figures;
    const { peak } = load.rssMiB as unknown as Figures;
    const most = load.budgetMiB + memoryAboveBudgetMiB;
    bars.push(
      {
        claim: `peak memory while ${load.keys.toLocaleString("en")} keys are loaded`,
        measured: `${peak} MiB (kernel's VmHWM)`,
        bar: { text: `≤ ${load.budgetMiB} MiB (memtables and cache) + ${memoryAboveBudgetMiB}`, met: peak <= most },
      },
      {
        claim: "p99.9 of a put",
        measured: `${p999} ms (p50 ${p50}, p99 ${p99}, p99.99 ${p9999}, max ${max})`,
        bar: { text: `< ${putP999MsMax} ms`, met: p999 < putP999MsMax },
      },
      unbarred("puts", `${load.putsPerSecond.toLocaleString("en")} /s; ${load.settleSeconds} s to settle afterwards`),
      unbarred("stalls", `${load.stallSeconds} s in ${load.stalls}`),
      unbarred("slow-downs", `${load.slowdownSeconds} s in ${load.slowdowns}`),
      unbarred("write amplification", `${load.writeAmplification}`),
      unbarred("space amplification", `${load.spaceAmplification}`),
      unbarred("space amplification at the last put", `${load.spaceAmplificationWhileLoading}`),
    );
  }
  if (reopen !== undefined) {
    bars.push({
      claim: `reopening after kill -9 with ${reopen.keysInLog.toLocaleString("en")} keys in the log`,
      measured: `${reopen.openSeconds} s`,
      bar: { text: `< ${reopenSecondsMax} s`, met: reopen.openSeconds < reopenSecondsMax },
    });
  }
  return bars;
}

function peaksOf(load: Figures): readonly Figures[] {
  return load.peaks as unknown as readonly Figures[];
}

function unbarred(claim: string, measured: string): RecordedBar {
  return { claim, measured };
}

function toMarkdown(
  { load, curve }: LoadRecord,
  bars: readonly RecordedBar[],
  machine: Machine & Pick<LoadRecord, "loadAverage">,
): string {
  const [before, after] = machine.loadAverage.map((one) => one.toFixed(1));
  return [
    `\`${command()}\` on ${machineText(machine)}; load average of the machine ${before} before, ${after} after ` +
      "(times are valid where it is about 1, memory and amplifications anyway).",
    "",
    "16-byte keys in random order, 128-byte values that do not compress, single puts through the log, shipped options.",
    "",
    "| what | measured | bar |",
    "|---|---|---|",
    ...bars.map((one) => `| ${one.claim} | ${one.measured} | ${barText(one)} |`),
    ...(load === undefined ? [] : ["", "Peak of memory on the way (`load-memory.svg`):", "", ...memoryTable(load)]),
    ...(curve === undefined ? [] : ["", "Random `getSync`, medians of five rounds (`load.svg`):", ""]),
    ...(curve === undefined ? [] : curveTable(curve)),
    "",
  ].join("\n");
}

function memoryTable(load: Figures): string[] {
  const rows = peaksOf(load).map(({ keys, peakMiB }) => `| ${keys.toLocaleString("en")} | ${peakMiB} |`);
  return ["| keys loaded | peak, MiB |", "|---|---|", ...rows];
}

function curveTable(curve: readonly Figures[]): string[] {
  const rows = curve.map(
    ({ keys, getUs, low, high, runsPerGet }) =>
      `| ${keys.toLocaleString("en")} | ${getUs} | ${low} … ${high} | ${runsPerGet} |`,
  );
  return ["| keys | µs per get | rounds | sorted runs searched |", "|---|---|---|---|", ...rows];
}

interface Point {
  readonly keys: number;
  readonly middle: number;
  readonly low: number;
  readonly high: number;
}

/** Few points have their figures written beside them; of many, the first and the last have. */
const labelledMax = 8;

function curveSvg(points: readonly Point[], scale: (keys: number) => number, title: string): string {
  const [width, height, left, bottom] = [640, 360, 60, 40];
  const places = points.map(({ keys }) => scale(keys));
  const most = Math.max(...points.map(({ high }) => high)) * 1.1;
  const span = Math.max(1e-9, places[places.length - 1] - places[0]);
  const x = (place: number) => left + ((place - places[0]) / span) * (width - left - 30);
  const y = (value: number) => height - bottom - (value / most) * (height - bottom - 20);
  const path = points.map(({ middle }, i) => `${x(places[i]).toFixed(1)},${y(middle).toFixed(1)}`).join(" ");
  const marks = points.map(({ keys, middle, low, high }, i) => {
    const at = x(places[i]).toFixed(1);
    const mark =
      `<line x1="${at}" x2="${at}" y1="${y(low)}" y2="${y(high)}" stroke="#888"/>` +
      `<circle cx="${at}" cy="${y(middle)}" r="4" fill="#1f5fa8"/>`;
    if (points.length > labelledMax && i > 0 && i < points.length - 1) return mark;
    return (
      `${mark}<text x="${at}" y="${y(high) - 8}" text-anchor="middle">${middle}</text>` +
      `<text x="${at}" y="${height - bottom + 18}" text-anchor="middle">${keys.toLocaleString("en")}</text>`
    );
  });
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" ` +
    `font-family="sans-serif" font-size="12">` +
    `<rect width="100%" height="100%" fill="white"/><polyline points="${path}" fill="none" stroke="#1f5fa8"/>` +
    `<line x1="${left}" x2="${width - 20}" y1="${y(0)}" y2="${y(0)}" stroke="black"/>${marks.join("")}` +
    `<text x="${left}" y="16">${title}</text></svg>\n`
  );
}

/**
 * The record of the side-by-side bench: rows of samples, and what they say, as Markdown and as JSON.
 * Everything in it is measured or asked from the machine; the files are written by the bench alone.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { describeMachine, machineText } from "../../../../../../../kit/machine.ts";
import type { RecordedBar } from "../../../../../../../bench/recorded-bar.ts";
import { engineNames } from "./adapters.bench.ts";
import { keyBytes, valueBytes } from "./dataset.bench.ts";

export interface Row {
  readonly title: string;
  readonly column: string;
  /** One sample per round. */
  readonly perSecond: number[];
  readonly cpuUs: number[];
}

export interface Verdict {
  readonly title: string;
  /** The better of the bindings of LSM engines. */
  readonly rival: string;
  /** Median over the rounds of ours to the rival. */
  readonly ratio: number;
  readonly ratioMin: number;
  readonly ratioMax: number;
  readonly bar: number;
  readonly met: boolean;
  /** The same to every other column. */
  readonly others: Readonly<Record<string, number>>;
}

export interface RecordInput {
  readonly keys: number;
  readonly rounds: number;
  readonly peers: string;
  readonly rows: readonly Row[];
  readonly verdicts: readonly Verdict[];
  /** What every engine was opened with and looked like, per test. */
  readonly openedWith: Readonly<Record<string, readonly string[]>>;
}

const ours = "lathe";
const lsmBindings: readonly string[] = ["classic-level", "rocksdb"];
const packages = ["classic-level", "@nxtedition/rocksdb", "lmdb"] as const;

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}

export function rate(perSecond: number): string {
  return `${(perSecond / 1000).toFixed(perSecond < 100_000 ? 1 : 0)}k`;
}

export function spread(row: Row): string {
  return `${rate(Math.min(...row.perSecond))}–${rate(Math.max(...row.perSecond))}`;
}

/** Undefined without ours or a binding of an LSM engine. */
export function verdictOf(title: string, bar: number, measured: readonly Row[]): Verdict | undefined {
  const own = measured.find((row) => row.column === ours);
  const bindings = measured.filter((row) => lsmBindings.includes(row.column));
  if (own === undefined || bindings.length === 0) return undefined;
  const better = bindings.reduce((a, b) => (median(b.perSecond) > median(a.perSecond) ? b : a));
  const ratios = ratiosTo(own, better);
  const ratio = median(ratios);
  const rest = measured.filter((row) => row !== own);
  return {
    title,
    rival: better.column,
    ratio,
    ratioMin: Math.min(...ratios),
    ratioMax: Math.max(...ratios),
    bar,
    met: ratio >= bar,
    others: Object.fromEntries(rest.map((row) => [row.column, median(ratiosTo(own, row))])),
  };
}

/** Round by round: what noise both had cancels out. */
function ratiosTo(own: Row, other: Row): number[] {
  return own.perSecond.map((value, i) => value / other.perSecond[i]);
}

export function verdictLine({ rival, ratio, ratioMin, ratioMax, bar, met, others }: Verdict): string {
  const rest = Object.entries(others).map(([name, value]) => `${name} ${value.toFixed(2)}×`);
  const range = `${ratioMin.toFixed(2)}–${ratioMax.toFixed(2)}`;
  return `${met ? "met" : "MISSED"}: ${ratio.toFixed(2)}× ${rival} (${range}), bar ${bar}× (${rest.join(", ")})`;
}

/** The rates of all tests, one line each. */
export function rateTable(rows: readonly Row[], rounds: number): string {
  const columns = [...new Set(rows.map((row) => row.column))];
  const titles = [...new Set(rows.map((row) => row.title))];
  const cell = (title: string, column: string) => {
    const row = rows.find((one) => one.title === title && one.column === column);
    return row === undefined ? "–" : `${rate(median(row.perSecond))} (${spread(row)})`;
  };
  return [
    `| per second, median (smallest–largest) of ${rounds} | ${columns.join(" | ")} |`,
    `|---|${columns.map(() => "---").join("|")}|`,
    ...titles.map((title) => `| ${title} | ${columns.map((column) => cell(title, column)).join(" | ")} |`),
  ].join("\n");
}

/** Writes `engine.md` and `engine.json` into the directory. */
export function writeRecord(directory: string, input: RecordInput): void {
  const machine = describeMachine();
  const versions = peerVersions(input.peers);
  const command = ["node", ...process.argv.slice(1).map(relativeToHere)].join(" ");
  const { rows, rounds, verdicts, keys, openedWith } = input;
  const markdown = [
    `\`${command}\` on ${machineText(machine)}:`,
    "",
    `${keys} keys of ${keyBytes} bytes, values of ${valueBytes}, in random order; each engine in a process of its own,`,
    `one running at a time, ${rounds} rounds by turns after one that warms up. Ours with shipped defaults, its`,
    "write-ahead log, no row cache, checksums on. A ratio is the median of the ratios of the rounds.",
    `Peers: ${Object.entries(versions).map(([name, version]) => `${name} ${version}`).join(", ")}.`,
    "",
    "| what | ours to the better LSM binding | bar | note |",
    "|---|---|---|---|",
    ...verdicts.map(barRow),
    "",
    rateTable(rows, rounds),
    "",
  ].join("\n");
  const bars = verdicts.map(recordedBar);
  const json = { command, machine, versions, keys, keyBytes, valueBytes, rounds, bars, openedWith, rows };
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, "engine.md"), markdown);
  writeFileSync(join(directory, "engine.json"), `${JSON.stringify(json, undefined, 2)}\n`);
}

function recordedBar({ title, bar, met, ...compared }: Verdict): RecordedBar {
  const { rival, ratio } = compared;
  const claim = `${title}, operations per second against ${rival}`;
  return { claim, measured: `${ratio.toFixed(2)} ×`, bar: { text: `≥ ${bar} ×`, met }, ...compared };
}

function barRow({ title, rival, ratio, ratioMin, ratioMax, bar, met, others }: Verdict): string {
  const measured = `${ratio.toFixed(2)}× (${ratioMin.toFixed(2)}–${ratioMax.toFixed(2)}), ${rival}`;
  const rest = Object.entries(others)
    .filter(([name]) => name !== rival)
    .map(([name, value]) => `${name} ${value.toFixed(2)}×`);
  return `| ${title} | ${measured} | ≥ ${bar}×: ${met ? "met" : "missed"} | ${rest.join(", ")} |`;
}

export function peerVersions(peers: string): Record<string, string> {
  const present = packages
    .map((name) => ({ name, path: join(peers, "node_modules", name, "package.json") }))
    .filter(({ path }) => existsSync(path));
  const versionIn = (path: string) => (JSON.parse(readFileSync(path, "utf8")) as { version: string }).version;
  return Object.fromEntries(present.map(({ name, path }) => [name, versionIn(path)]));
}

/** Records name no place of this machine: paths are told from the repository, others by their last part. */
function relativeToHere(argument: string): string {
  if (!argument.startsWith("/")) return argument;
  const path = relative(process.cwd(), argument);
  return path.startsWith("..") ? (argument.split("/").at(-1) ?? argument) : path;
}

/** Whether all engines took part, so that the record says what it claims. */
export function isComplete(rows: readonly Row[]): boolean {
  return engineNames.every((name) => rows.some((row) => row.column === name));
}

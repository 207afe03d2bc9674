/**
 * The bars that only real processes can clear: how often a study keeps what is no gain, and whether it
 * finds the one candidate that is.
 *
 * Run: `node scripts/real-bars.ts null` and `node scripts/real-bars.ts planted` on a quiet machine, on a
 * disk (not on tmpfs); `--help` says more. What was measured is kept below `--out`, and the same command
 * goes on from there.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { describeMachine, machineText } from "../src/kit/machine.ts";
import { barText, type RecordedBar } from "../src/bench/recorded-bar.ts";
import { measureNull } from "./real-null.ts";
import { measurePlanted } from "./real-planted.ts";

export interface BarOptions {
  /** Launches of `null`, runs of `planted`. */
  readonly count: number;
  readonly scale: number;
  readonly seed: number;
  readonly directory: string;
  readonly signal: AbortSignal;
  readonly progress: (line: string) => void;
}

export interface BarRow extends RecordedBar {
  readonly note: string;
}

export interface BarResult {
  readonly title: string;
  readonly bars: readonly BarRow[];
  /** Everything that the bars were made from, for the JSON file. */
  readonly facts: Readonly<Record<string, unknown>>;
}

const help = `Usage: node scripts/real-bars.ts null|planted [options]

null      records A/A launches of the TAOBench O product, then resamples them with labels drawn anew and
          counts how often a study of eight null candidates keeps something
planted   runs studies of five fixed candidates of which one removes a planted delay (about 10 %), and
          counts those that keep this one and no other

Options:
  --launches <n>   A/A launches of null (default 110; at least 100 for a verdict)
  --runs <n>       studies of planted (default 10)
  --scale <n>      edges to load (default 20000)
  --seed <n>       seed of everything that is drawn (default 1)
  --out <dir>      product, journals, results (default .lathe/real-bars)

Exit codes: 0 every bar is met, 1 one is not, 2 wrong arguments or too little measured, 130 stopped.
`;

const defaultCounts = { null: "110", planted: "10" } as const;

function wholeNumber(name: string, text: string, max: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= max) return value;
  process.stderr.write(`--${name} takes a whole number from 1 to ${max}, not ${text}\n`);
  process.exit(2);
}

function toMarkdown(name: string, { title, bars }: BarResult): string {
  const lines = bars.map((row) => `| ${row.claim} | ${row.measured} | ${barText(row)} | ${row.note} |`);
  const command = `\`node scripts/real-bars.ts ${name}\` on ${machineText(describeMachine())}:`;
  const head = ["| what | measured | bar | note |", "|---|---|---|---|"];
  return [command, "", title, "", ...head, ...lines, ""].join("\n");
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    launches: { type: "string", default: defaultCounts.null },
    runs: { type: "string", default: defaultCounts.planted },
    scale: { type: "string", default: "20000" },
    seed: { type: "string", default: "1" },
    out: { type: "string", default: join(".lathe", "real-bars") },
    help: { type: "boolean", default: false },
  },
});
const [bar] = positionals;
if (values.help || positionals.length !== 1 || (bar !== "null" && bar !== "planted")) {
  (values.help ? process.stdout : process.stderr).write(help);
  process.exit(values.help ? 0 : 2);
}

const controller = new AbortController();
process.on("SIGINT", () => (controller.signal.aborted ? process.exit(130) : controller.abort()));
const directory = resolve(values.out);
mkdirSync(directory, { recursive: true });
const startedMs = performance.now();
const result = await (bar === "null" ? measureNull : measurePlanted)({
  count: bar === "null" ? wholeNumber("launches", values.launches, 10_000) : wholeNumber("runs", values.runs, 1000),
  scale: wholeNumber("scale", values.scale, 100_000_000),
  seed: wholeNumber("seed", values.seed, 2 ** 31),
  directory,
  signal: controller.signal,
  progress: (line) => {
    const seconds = Math.round((performance.now() - startedMs) / 1000);
    process.stderr.write(`[${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}] ${line}\n`);
  },
});
if (result === undefined) process.exit(controller.signal.aborted ? 130 : 2);
const markdown = toMarkdown(bar, result);
const wallSeconds = Math.round((performance.now() - startedMs) / 1000);
process.stdout.write(markdown);
writeFileSync(join(directory, `${bar}.md`), markdown);
writeFileSync(join(directory, `${bar}.json`), `${JSON.stringify({ ...result, wallSeconds }, null, 2)}\n`);
process.exitCode = result.bars.some(({ bar: one }) => one?.met === false) ? 1 : 0;

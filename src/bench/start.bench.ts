/**
 * How long products take to start: from the creation of the process to the first answer (`start-time.ts`).
 *
 *     node src/bench/start.bench.ts --help
 *     node src/bench/start.bench.ts --record examples/bars
 *
 * Products take turns in every round, so that what loads the machine meanwhile loads all of them alike. Each is started
 * in a directory that is not there yet, in one that an earlier start left, and now and then without what it keeps of its
 * code. With --busy N processes keep processors busy meanwhile.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { loadContract } from "../contract/parse.ts";
import { createWorkDirectory } from "../fleet/work-directory.ts";
import { buildProduct } from "../foundry/build.ts";
import { describeMachine, machineText } from "../kit/machine.ts";
import { compiledCodeName } from "../foundry/wiring/main-module.ts";
import { loadKnobCatalog } from "../knobs/catalog.ts";
import { barText, type RecordedBar } from "./recorded-bar.ts";
import { type StartSurface, startSurfaceOf, timeStart, writeLibraryProgram } from "./start-time.ts";

const products = ["taobench-o", "sndv-kv", "embedded", "latency-bound", "bulk-ingest", "session-store"];
const barMs = 300;

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: "string", default: "15" },
    busy: { type: "string", default: "0" },
    record: { type: "string" },
    help: { type: "boolean", default: false },
  },
});

const help = `Usage: node src/bench/start.bench.ts [EXAMPLE…] [options]

From the creation of a product's process to its first answer, in milliseconds; all examples that the bar names by default.

  --rounds N    starts of each kind (default 15)
  --busy N      processes that keep processors busy meanwhile (default 0)
  --record DIR  write start.json and start.md there
  --help        this text
`;

interface Subject {
  readonly name: string;
  readonly surface: StartSurface;
  readonly program: string;
  readonly productDirectory: string;
}

const kinds = ["first", "moved", "fresh", "again"] as const;
type Kind = (typeof kinds)[number];

const kindText: Readonly<Record<Kind, string>> = {
  first: "new directory, without .cache",
  moved: "new directory, by another version of Node than before",
  fresh: "new directory",
  again: "directory of an earlier start",
};

interface Sample {
  readonly product: string;
  readonly kind: Kind;
  readonly ms: readonly number[];
}

function build(name: string, work: string): Subject {
  const contractFile = join(import.meta.dirname, "..", "..", "examples", name, "contract.yaml");
  const contract = loadContract(contractFile);
  const contractText = readFileSync(contractFile, "utf8");
  const productDirectory = join(work, name);
  buildProduct({ contract, contractText, knobCatalog: loadKnobCatalog() }, productDirectory);
  const surface = startSurfaceOf(contract);
  if (surface !== "embedded") return { name, surface, program: join(productDirectory, "main.js"), productDirectory };
  // As its users have it: plain JavaScript.
  execFileSync(process.execPath, [join(productDirectory, "pack.ts")], { cwd: productDirectory });
  return { name, surface, program: writeLibraryProgram(productDirectory, productDirectory, contract), productDirectory };
}

async function measure(subjects: readonly Subject[], work: string, rounds: number): Promise<Sample[]> {
  const samples = subjects.flatMap(({ name }) => kinds.map((kind) => ({ product: name, kind, ms: [] as number[] })));
  const timed = async ({ name, program, surface }: Subject, kind: Kind, data: string) => {
    const ms = await timeStart(program, data, surface);
    samples.find((sample) => sample.product === name && sample.kind === kind)?.ms.push(ms);
  };
  for (let round = 0; round < rounds; round++) {
    for (const subject of subjects) {
      const data = mkdtempSync(join(work, "data-"));
      const isFirst = round % 5 === 0 && subject.surface !== "embedded";
      if (isFirst) {
        rmSync(join(subject.productDirectory, compiledCodeName), { recursive: true, force: true });
        await timed(subject, "first", join(data, "0"));
        removeCompiled(subject.productDirectory);
        await timed(subject, "moved", join(data, "00"));
      }
      await timed(subject, "fresh", join(data, "1"));
      await timed(subject, "again", join(data, "1"));
      rmSync(data, { recursive: true });
    }
    process.stderr.write(`round ${round + 1} of ${rounds}\n`);
  }
  return samples.filter(({ ms }) => ms.length > 0);
}

/** What V8 made of the code: another version of Node looks for it under another name. */
function removeCompiled(productDirectory: string): void {
  const cache = join(productDirectory, compiledCodeName);
  for (const name of readdirSync(cache)) if (name.startsWith("compiled-")) rmSync(join(cache, name));
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

function barsOf(samples: readonly Sample[]): RecordedBar[] {
  return samples.map(({ product, kind, ms }) => {
    const middle = quantile(ms, 0.5);
    const spread = `${Math.round(Math.min(...ms))} to ${Math.round(Math.max(...ms))}`;
    const claim = `${product} answers after a start: ${kindText[kind]}`;
    const measured = `${Math.round(middle)} ms (median of ${ms.length}; ${spread})`;
    return kind === "first" || kind === "moved" ? { claim, measured } : { claim, measured, bar: { text: `< ${barMs} ms`, met: middle < barMs } };
  });
}

function page(bars: readonly RecordedBar[], busy: number): string {
  const beside = busy === 0 ? "" : ` beside ${busy} processes that keep processors busy,`;
  return [
    "# How long products take to start",
    "",
    `From the creation of the process to the first answer,${beside} on ${machineText(describeMachine())}.`,
    "`lathe build` lets a product make one file of its modules and compile it (`.cache/`). Without that file, types are",
    "stripped of all modules; another version of Node only compiles them again.",
    "",
    "| | measured | bar |",
    "|---|--:|---|",
    ...bars.map((bar) => `| ${bar.claim} | ${bar.measured} | ${barText(bar)} |`),
    "",
    "`node src/bench/start.bench.ts --record examples/bars` measures it again.",
    "",
  ].join("\n");
}

async function main(): Promise<void> {
  const busy = Number(flags.busy);
  const work = createWorkDirectory("start-bench");
  const spinners: ChildProcess[] = [];
  try {
    const subjects = (positionals.length > 0 ? positionals : products).map((name) => build(name, work.path));
    for (let n = 0; n < busy; n++) spinners.push(spawn(process.execPath, ["-e", "for (;;);"], { stdio: "ignore" }));
    const samples = await measure(subjects, work.path, Number(flags.rounds));
    const bars = barsOf(samples);
    const text = page(bars, busy);
    process.stdout.write(text);
    if (flags.record === undefined) return;
    mkdirSync(flags.record, { recursive: true });
    const json = { machine: describeMachine(), busy, bars, samples };
    writeFileSync(join(flags.record, "start.json"), `${JSON.stringify(json, undefined, 1)}\n`);
    writeFileSync(join(flags.record, "start.md"), text);
  } finally {
    for (const spinner of spinners) spinner.kill("SIGKILL");
    work.remove();
  }
}

if (flags.help) process.stdout.write(help);
else await main();

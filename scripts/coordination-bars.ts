/**
 * The blackboard's coordination of flush and compaction beside a conventional one (`src/bench/conventional/`): how much
 * code each takes, what one more feature takes in each, and what they do under load; beside SNDV-KV's claim that agents
 * need 30–50 % less coordination code.
 *
 *   node scripts/coordination-features.ts
 *   node src/bench/conventional/side-by-side.bench.ts --json .lathe/coordination-loads.json
 *   node scripts/coordination-bars.ts --loads .lathe/coordination-loads.json --out examples/bars
 *
 * Without `--out` the tables are printed. What counts as coordination is the two lists below, by file and declaration.
 * Everything else (jobs, pickers, versions, memtables, the pressure of writes) is one code that both use.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Comparison } from "../src/bench/conventional/side-by-side.bench.ts";
import type { Interval } from "../src/bench/statistics/interval.ts";
import { type FeatureCost, featureCosts } from "./coordination-features.ts";
import { type CodeChoice, CodeCounter, type CodeSize, sumOf, withoutComments } from "./code-size.ts";
import { readText, root } from "./repository.ts";

const part = "src/parts/storage/storage_model/row/kvlsm/blackboard";
const conventional = "src/bench/conventional";

interface Variant {
  readonly title: string;
  readonly choices: readonly CodeChoice[];
  /** Calls by which code must tell others that something has changed. */
  readonly notices: RegExp;
}

const variants: Readonly<Record<"blackboard" | "conventional", Variant>> = {
  blackboard: {
    title: "blackboard",
    choices: [
      { file: `${part}/agent.ts`, only: ["ImmutableView", "Proposal"] },
      { file: `${part}/agent-runner.ts` },
      { file: `${part}/agent-coordination.ts` },
      { file: `${part}/flush-agent.ts` },
      { file: `${part}/write-stall.ts`, except: ["troubleError"] },
      {
        file: `${part}/blackboard.ts`,
        only: [
          "Blackboard.flushRunning", "Blackboard.compactions", "Blackboard.compactionJobsMax",
          "Blackboard.manualCompactions", "Blackboard.compactionHalted", "Blackboard.view",
          "Blackboard.#compactionsHeldBack",
        ],
      },
    ],
    notices: /\.(?:schedule|#changed|#lookAtWaiters|#rejectWaiters)\(/g,
  },
  conventional: {
    title: "conventional",
    choices: [
      { file: `${conventional}/background-scheduler.bench.ts` },
      { file: `${conventional}/conventional-coordination.bench.ts` },
      { file: `${conventional}/error-handler.bench.ts` },
      { file: `${conventional}/write-controller.bench.ts` },
      { file: `${conventional}/condition.bench.ts` },
    ],
    notices: /\.(?:#queue|#onStateChanged|recalculate|signalAll|abort|close)\(|resume\(/g,
  },
};

/** Both use it; whoever calls some of it coordination finds here what that would change. */
const shared: readonly { readonly what: string; readonly choices: readonly CodeChoice[] }[] = [
  {
    what: "jobs prepared and installed (`background-work.ts`)",
    choices: [{ file: `${part}/background-work.ts` }],
  },
  {
    what: "pickers and what they share",
    choices: [
      { file: `${part}/agent.ts`, except: ["ImmutableView", "Proposal"] },
      { file: `${part}/compaction-agent.ts` },
      { file: `${part}/tiered-compaction-agent.ts` },
      { file: `${part}/compaction-agents.ts` },
      { file: `${part}/compaction-proposal.ts` },
    ],
  },
  { what: "how hard writes press (`write-pressure.ts`)", choices: [{ file: `${part}/write-pressure.ts` }] },
];

interface Measured {
  readonly files: readonly { readonly choice: CodeChoice; readonly size: CodeSize }[];
  readonly total: CodeSize;
  readonly notices: number;
}

function measure(counter: CodeCounter, { choices, notices }: Variant): Measured {
  const files = choices.map((choice) => ({ choice, size: counter.sizeOf(choice) }));
  const calls = choices
    .filter(({ only }) => only === undefined)
    .flatMap(({ file }) => withoutComments(readText(file)).match(notices) ?? []);
  return { files, total: sumOf(files.map(({ size }) => size)), notices: calls.length };
}

const rows: readonly (readonly [keyof CodeSize, string])[] = [
  ["lines", "lines of code"],
  ["statements", "statements"],
  ["functions", "functions"],
  ["branches", "branches"],
  ["complexity", "cyclomatic complexity, sum"],
  ["complexityMax", "cyclomatic complexity, most complex function"],
  ["mutable", "mutable fields"],
  ["open", "… that other classes can write"],
  ["callbacks", "callbacks (function expressions)"],
  ["awaits", "awaits"],
  ["chains", "then, catch, finally"],
];

/** What the blackboard has less (or more) of, in percent of the conventional variant. */
function lessText(ours: number, theirs: number): string {
  if (theirs === 0) return ours === 0 ? "0 %" : "–";
  const percent = Math.round((1 - ours / theirs) * 100);
  return percent === 0 ? "0 %" : percent > 0 ? `${percent} % less` : `${-percent} % more`;
}

function table(head: readonly string[], lines: readonly (readonly (string | number)[])[]): string[] {
  const row = (cells: readonly (string | number)[]) => `| ${cells.join(" | ")} |`;
  return [row(head), row(head.map((_, at) => (at === 0 ? "---" : "--:"))), ...lines.map(row)];
}

function sizeTable(ours: Measured, theirs: Measured): string[] {
  const lines = rows.map(([name, text]) => [
    text, ours.total[name], theirs.total[name], lessText(ours.total[name], theirs.total[name]),
  ]);
  lines.push([
    "calls that tell others of a change", ours.notices, theirs.notices, lessText(ours.notices, theirs.notices),
  ]);
  return table(["coordination", "blackboard", "conventional", "blackboard has"], lines);
}

function fileTable(name: string, { files }: Measured): string[] {
  const short = (file: string) => file.slice(file.lastIndexOf("/") + 1);
  const which = ({ only, except }: CodeChoice) => {
    if (only !== undefined) return only.map((one) => `\`${one}\``).join(", ");
    return except === undefined ? "all" : `all but ${except.map((one) => `\`${one}\``).join(", ")}`;
  };
  const lines = files.map(({ choice, size }) => [
    `\`${short(choice.file)}\``, which(choice), size.lines, size.statements, size.branches,
  ]);
  return table([`${name}: file`, "declarations", "lines", "statements", "branches"], lines);
}

function sharedTable(counter: CodeCounter, ours: CodeSize, theirs: CodeSize): string[] {
  let extra = 0;
  const lines = shared.map(({ what, choices }) => {
    const size = sumOf(choices.map((choice) => counter.sizeOf(choice)));
    extra += size.lines;
    return [what, size.lines, lessText(ours.lines + extra, theirs.lines + extra)];
  });
  return table(["shared, if it counted too (each with those above it)", "lines", "blackboard then has"], lines);
}

function featureTable(): string[] {
  const lines = featureCosts().map((cost) => [
    cost.title, cost.coordination, cost.added, cost.removed, cost.filesChanged, cost.filesAdded, cost.testsChanged,
  ]);
  const head = [
    "one more feature, beside what both share", "in", "lines added", "removed", "files changed", "files added",
    "tests changed",
  ];
  return table(head, lines);
}

function ratioText({ estimate, low, high }: Interval): string {
  const percent = (value: number) => `${value < 0 ? "−" : "+"}${Math.abs(Math.expm1(value) * 100).toFixed(1)}`;
  return `${percent(estimate)} % [${percent(low)}, ${percent(high)}]`;
}

function differenceText({ estimate, low, high }: Interval): string {
  const [a, b, c] = [estimate, low, high].map((value) => value.toFixed(2).replace("-", "−"));
  return `${a} [${b}, ${c}]`;
}

function loadTables(comparisons: readonly Comparison[]): string[] {
  return comparisons.flatMap(({ load, sides, pairs, medians, ratios, differences }) => {
    const control = sides[0] === sides[1];
    const [a, b] = medians;
    const line = (text: string, name: string, difference: string) => [text, a[name], b[name], difference];
    const title = control ? `${load.title}: control, agents on both sides` : load.title;
    return [
      "",
      ...table([`${title} (${pairs} pairs)`, sides[0], sides[1], "difference [95 %]"], [
        line("operations per second, drain included", "operationsPerSecond", ratioText(ratios.operationsPerSecond)),
        line("CPU time per operation, µs, all threads", "cpuUsPerOperation", ratioText(ratios.cpuUsPerOperation)),
        line("put, p99.9, ms", "p999Ms", ratioText(ratios.p999Ms)),
        line("stalls", "stalls", differenceText(differences.stalls)),
        line("stalled, s", "stallSeconds", differenceText(differences.stallSeconds)),
        line("slowed down, s", "slowdownSeconds", differenceText(differences.slowdownSeconds)),
        line("flushes", "flushes", ""),
        line("compactions", "compactions", ""),
        line("write amplification", "writeAmplification", ""),
      ]),
    ];
  });
}

function verdict(ours: CodeSize, theirs: CodeSize): string {
  const less = 1 - ours.lines / theirs.lines;
  const claim = "SNDV-KV claims 30–50 % less coordination code for agents around a blackboard.";
  const words = [
    `lines ${lessText(ours.lines, theirs.lines)}`,
    `statements ${lessText(ours.statements, theirs.statements)}`,
    `branches ${lessText(ours.branches, theirs.branches)}`,
  ].join(", ");
  const held = less >= 0.3 ? "The claim holds here" : "The claim does not hold here";
  return `${claim} ${held}: with equal features the blackboard's code is: ${words}.`;
}

/** Where an interval leaves no doubt which side is ahead. */
function aheadText(comparisons: readonly Comparison[]): string {
  const found = comparisons.flatMap(({ name, ratios }) => {
    const gains = [
      ["operations per second", ratios.operationsPerSecond, 1],
      ["CPU time", ratios.cpuUsPerOperation, -1],
      ["p99.9", ratios.p999Ms, -1],
    ] as const;
    return gains.flatMap(([what, { low, high }, sign]) => {
      if (low <= 0 && high >= 0) return [];
      return [`${low * sign > 0 ? "the agents" : "the scheduler"} in ${what} (${name})`];
    });
  });
  return found.length === 0 ? "No interval says that either is ahead." : `Ahead are ${found.join(", ")}.`;
}

function underLoad(comparisons: readonly Comparison[]): string[] {
  const paired = comparisons.filter(({ sides }) => sides[0] !== sides[1]);
  const controls = comparisons.filter(({ sides }) => sides[0] === sides[1]);
  if (paired.length === 0) return [];
  const measured = (of: (one: Comparison) => Interval) =>
    paired.map((one) => `${one.name} ${ratioText(of(one))}`).join(", ");
  return [
    "",
    "Under load, agents against scheduler:",
    `operations per second ${measured(({ ratios }) => ratios.operationsPerSecond)};`,
    `CPU time per operation ${measured(({ ratios }) => ratios.cpuUsPerOperation)};`,
    `p99.9 of a put ${measured(({ ratios }) => ratios.p999Ms)}.`,
    aheadText(paired),
    `In the controls, where nothing differs: ${aheadText(controls)}`,
    "A likely cost of the blackboard: the pressure of writes is judged anew twice per write; the write controller",
    "remembers it.",
  ];
}

/** What the figures say for and against, and what they cannot say. */
function conclusions(ours: Measured, theirs: Measured): string[] {
  const [scrubAgents, scrubScheduler, ruleAgents, ruleScheduler] = featureCosts();
  const lines = ({ added, removed, filesChanged, filesAdded }: FeatureCost) =>
    `${added} lines added and ${removed} removed, files touched: ${filesChanged + filesAdded}`;
  return [
    "Against the blackboard:",
    "",
    `- Agents have no callbacks, but who carries out their proposals has: ${ours.total.callbacks} in all, against`,
    `  ${theirs.total.callbacks}. Branches: ${lessText(ours.total.branches, theirs.total.branches)}.`,
    `- A new kind of job (scrubbing) takes ${lines(scrubAgents)},`,
    `  against ${lines(scrubScheduler)}: proposal, view, check and runner have to know`,
    `  it, and ${scrubAgents.testsChanged} tests that build views change, against ${scrubScheduler.testsChanged}.`,
    `- A new rule for a job that is there takes ${lines(ruleAgents)},`,
    `  against ${lines(ruleScheduler)}.`,
    `- ${ours.total.open} fields of the blackboard can be written by any class, ${theirs.total.open} of the other.`,
    "- Agents see no clock and cannot ask to be asked again later; periodic work needs a timer beside them.",
    "",
    "For it:",
    "",
    `- ${ours.notices} calls tell others that something has changed, against ${theirs.notices}; each is one that can`,
    "  be forgotten. Agents look at everything afresh.",
    "- Any agent can be replaced by name while the engine runs, that of flushes too; the scheduler has one picker.",
    "",
    "Not shown: both run on one owner thread, so the conventional variant needs no locks either; with threads and",
    "a mutex it would have more code. That steps are pure is no difference: pickers are the same functions in both.",
    "Both were written in one style and by one project, the conventional one second, and pass the same tests",
    "(`src/bench/conventional/conventional.test.ts`).",
  ];
}

const { values } = parseArgs({ options: { loads: { type: "string" }, out: { type: "string" } } });
const counter = new CodeCounter(root);
try {
  const ours = measure(counter, variants.blackboard);
  const theirs = measure(counter, variants.conventional);
  const loads = values.loads === undefined ? "[]" : readFileSync(values.loads, "utf8");
  const comparisons = JSON.parse(loads) as Comparison[];
  const markdown = [
    "Written by `scripts/coordination-bars.ts`, which says how; percentages of code are of the conventional variant's.",
    "",
    verdict(ours.total, theirs.total),
    "",
    ...conclusions(ours, theirs),
    ...underLoad(comparisons),
    "",
    ...sizeTable(ours, theirs),
    "",
    ...sharedTable(counter, ours.total, theirs.total),
    "",
    ...featureTable(),
    "",
    ...fileTable("blackboard", ours),
    "",
    ...fileTable("conventional", theirs),
    ...loadTables(comparisons),
    "",
  ].join("\n");
  process.stdout.write(markdown);
  if (values.out !== undefined) {
    mkdirSync(values.out, { recursive: true });
    writeFileSync(join(values.out, "coordination.md"), markdown);
    const json = { blackboard: ours, conventional: theirs, features: featureCosts(), loads: comparisons };
    writeFileSync(join(values.out, "coordination.json"), `${JSON.stringify(json, null, 1)}\n`);
  }
} finally {
  counter.close();
}

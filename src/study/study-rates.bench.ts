/**
 * How often whole studies are wrong, right and honest, on simulated systems whose truth is known.
 *
 *   node src/study/study-rates.bench.ts [studies]
 *
 * Prints, per scenario: how often a study improved, how often it quoted a gain, how often it picked
 * the candidate that is truly better, and how often the quoted interval covered the true effect.
 */
import type { EntryOfKind } from "../journal/entry.ts";
import { runSimulation, type SimulatedStudyOptions } from "./simulated-study.ts";

interface Scenario {
  readonly name: string;
  readonly options: Omit<SimulatedStudyOptions, "seed">;
  /** Logarithm of the true effect of each value of the toy knob; others have none. */
  readonly truths: Readonly<Record<string, number>>;
}

const rough = { skew: 0.7, firstAdvantage: 0.02, drift: 0.05 };

function faster(ratio: number, simulation: SimulatedStudyOptions["simulation"]) {
  return { effects: { "toy.mode": { fast: ratio - 1 } }, simulation, budgetSeconds: 900 };
}

const scenarios: readonly Scenario[] = [
  { name: "null, normal noise 2 %", options: { budgetSeconds: 900 }, truths: {} },
  {
    name: "null, skew, drift, order effect",
    options: { budgetSeconds: 900, simulation: rough },
    truths: {},
  },
  { name: "one of five +5 %", options: faster(1.05, {}), truths: { fast: Math.log(1.05) } },
  { name: "one of five +10 %", options: faster(1.1, {}), truths: { fast: Math.log(1.1) } },
  {
    name: "one of five +10 %, skew, drift",
    options: faster(1.1, rough),
    truths: { fast: Math.log(1.1) },
  },
];

async function measure({ name, options, truths }: Scenario, studies: number): Promise<string[]> {
  const counts = { improved: 0, quoted: 0, right: 0, measured: 0, covered: 0, launches: 0 };
  for (let seed = 0; seed < studies; seed++) {
    const { conclusion, journal, evaluator } = await runSimulation({ ...options, seed });
    counts.launches += evaluator.calls.launch;
    if (conclusion.outcome === "gain") counts.quoted++;
    if (conclusion.winner === undefined) continue;
    counts.improved++;
    const truth = truths[String(conclusion.winner.knobs["toy.mode"])] ?? 0;
    if (truth > 0) counts.right++;
    const result = [...journal.entries()].find(
      (entry): entry is EntryOfKind<"remeasurement_result"> =>
        entry.kind === "remeasurement_result",
    );
    if (result === undefined) continue;
    counts.measured++;
    const { low, high } = result.intervals["throughput"];
    if (low <= truth && truth <= high) counts.covered++;
  }
  const share = (count: number, of: number) =>
    of === 0 ? "–" : `${((100 * count) / of).toFixed(2)} %`;
  return [
    name.padEnd(34),
    share(counts.improved, studies),
    share(counts.quoted, studies),
    share(counts.right, studies),
    share(counts.covered, counts.measured),
    (counts.launches / studies).toFixed(1),
  ];
}

const studies = Number(process.argv[2] ?? 1000);
console.log(`${studies} studies each; α = 5 %`);
console.log(
  ["scenario".padEnd(34), "improved", "quoted", "right", "covered", "launches"].join("  "),
);
for (const scenario of scenarios) console.log((await measure(scenario, studies)).join("  "));

/**
 * Records how long the feature model takes to answer: `node src/model/model.bench.ts --record examples/bars`.
 *
 * Each figure is the median of its turns, with the largest beside it, the first and cold one included.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { barText, type RecordedBar } from "../bench/recorded-bar.ts";
import { describeMachine, machineText } from "../kit/machine.ts";
import { analyseModel, checkBasics } from "./analyse.ts";
import { propagatePicks } from "./complete.ts";
import { explainConsequence } from "./explain.ts";
import { readUvl } from "./formats/uvl-reader.ts";
import { writeUvl } from "./formats/uvl-writer.ts";
import { loadModel } from "./load-model.ts";
import { loadPaperSelection } from "./paper-selection.ts";
import { randomModel } from "./random-model.fixture.ts";
import { RandomNumbers } from "./random-numbers.ts";
import { Reasoner } from "./reasoner.ts";

const { values } = parseArgs({ options: { record: { type: "string" }, rounds: { type: "string", default: "7" } } });
const rounds = Number(values.rounds);

function timed(action: () => void): number {
  const before = performance.now();
  action();
  return performance.now() - before;
}

const median = (times: readonly number[]) => times.toSorted((one, other) => one - other)[times.length >> 1];
const shown = (times: readonly number[]) => `${median(times).toFixed(1)} ms (largest ${Math.max(...times).toFixed(1)})`;

function bar(claim: string, times: readonly number[], limitMs: number): RecordedBar {
  const text = `< ${limitMs >= 1000 ? `${limitMs / 1000} s` : `${limitMs} ms`}`;
  return { claim, measured: shown(times), bar: { text, met: Math.max(...times) < limitMs } };
}

const model = loadModel();
const checks = Array.from({ length: rounds }, () => timed(() => analyseModel(new Reasoner(model))));
const reasoner = new Reasoner(model);
const tpcc = loadPaperSelection("tpcc").leaves.map(({ path }) => path);
const picks = tpcc.map((_, at) => {
  const chosen = tpcc.slice(0, at + 1);
  return timed(() => propagatePicks(reasoner, { chosen, excluded: [] }));
});
const chosen = tpcc.map((path) => reasoner.literal(path));
const explanations = model.features.flatMap((_, position) =>
  [position + 1, -position - 1].map((goal) => timed(() => explainConsequence(reasoner, chosen, goal))));
const shape = { features: 5000, edges: 1500, constraints: 50, childrenMax: 8, satisfiable: true };
const large = Array.from({ length: 3 }, (_, at) => {
  const drawn = randomModel(new RandomNumbers(at + 1), shape);
  return timed(() => checkBasics(new Reasoner(drawn)));
});
const uvl = writeUvl(model);
const parses = Array.from({ length: rounds }, () => timed(() => readUvl(uvl, "model.uvl")));

const bars = [
  bar("whole check of the catalog's model, all analyses, the first one cold", checks, 1000),
  bar("one pick more, of the 69 of TPC-C: what is forced, by what, what is open", picks, 50),
  bar("why a feature is in or out under the 69 picks, every feature", explanations, 1000),
  bar("void, core, dead, false-optional of a random model of 5,000 features and 1,500 edges", large, 5000),
  { claim: `reading the model as UVL (${Math.round(uvl.length / 1024)} KiB)`, measured: shown(parses) },
];
for (const one of bars) console.log(`${one.claim}: ${one.measured} ${barText(one)}`);
if (values.record !== undefined) {
  const command = "node src/model/model.bench.ts --record examples/bars";
  const table = bars.map((one) => `| ${one.claim} | ${one.measured} | ${barText(one)} |`);
  const head = [`\`${command}\` on ${machineText(describeMachine())}:`, "", "| what | measured | bar |", "|---|--:|---|"];
  const text = [...head, ...table, ""];
  writeFileSync(join(values.record, "model.md"), text.join("\n"));
  writeFileSync(join(values.record, "model.json"), `${JSON.stringify({ bars }, null, 2)}\n`);
}

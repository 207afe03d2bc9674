/**
 * Draws selections uniformly from what the parts library can build, judges each (`random-selection.fixture.ts`), and
 * writes the count to `examples/bars/random-selections.json`.
 *
 *     node scripts/random-selections.ts [--count 10000] [--seed 1] [--record examples/bars]
 *
 * Ends with exit code 1 at the first selection that does not close, plan or find its parts.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { RecordedBar } from "../src/bench/recorded-bar.ts";
import { composeParts } from "../src/foundry/composition.ts";
import { libraryModel } from "../src/foundry/library-model.ts";
import { selectionProblems } from "../src/foundry/random-selection.fixture.ts";
import { designSpace } from "../src/foundry/select/design-space.ts";
import { formatMagnitude } from "../src/kit/magnitude.ts";
import { ConfigurationSpace } from "../src/model/counting/configuration-space.ts";
import { RandomNumbers } from "../src/model/random-numbers.ts";
import { Reasoner } from "../src/model/reasoner.ts";

const { values } = parseArgs({
  options: {
    count: { type: "string", default: "10000" },
    seed: { type: "string", default: "1" },
    record: { type: "string" },
  },
});
const count = Number(values.count);
const seed = Number(values.seed);
const { model, library } = designSpace();
const space = new ConfigurationSpace(libraryModel(model, library));
const reasoner = new Reasoner(model);
const random = new RandomNumbers(seed);
const different = new Set<string>();
const compositions = new Set<string>();

for (let turn = 0; turn < count; turn++) {
  const drawn = space.draw(random);
  const problems = selectionProblems(drawn, reasoner, library);
  if (problems.length > 0) {
    console.error(`seed ${seed}, draw ${turn + 1}: ${problems.join("; ")}\n${drawn.join("\n")}`);
    process.exit(1);
  }
  different.add(drawn.join());
  const leaves = drawn.filter((path) => model.feature(path).kind === "leaf");
  compositions.add(composeParts(leaves, library).parts.map(({ name }) => name).join());
  if (turn % 1000 === 999) console.error(`${turn + 1} selections close, plan and find their parts`);
}

const bar: RecordedBar = {
  claim: "random valid selections of the implemented leaves that close and plan, each leaf scheduled once",
  measured: `${count} of ${count}, ${different.size} different, of ${compositions.size} sets of parts`,
  bar: { text: "10,000", met: count >= 10_000 },
};
const configurations = `${space.count} (${formatMagnitude(space.count)})`;
const drawn = { count, seed, different: different.size, compositions: compositions.size, configurations };
console.log(JSON.stringify(drawn));
if (values.record !== undefined) {
  const command = `node scripts/random-selections.ts --count ${count} --seed ${seed}`;
  const made = "uniform draws from the model narrowed to the parts library; each is held against the model, closed " +
    "by the solver, planned in strict layers, and composed into parts";
  const record = { command, made, configurations, bars: [bar] };
  writeFileSync(join(values.record, "random-selections.json"), `${JSON.stringify(record, null, 2)}\n`);
}
